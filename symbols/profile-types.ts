/** Field types as one word: the spelling of the published tables with scalars shortened, as in the built-in tables. */

const SHORT: ReadonlyMap<string, string> = new Map([
  ['char', 'i8'],
  ['unsigned char', 'u8'],
  ['short', 'i16'],
  ['unsigned short', 'u16'],
  ['int', 'int'],
  ['unsigned int', 'uint'],
  ['long', 'i32'],
  ['unsigned long', 'u32'],
  ['long long', 'i64'],
  ['unsigned long long', 'u64'],
]);
const LONG: ReadonlyMap<string, string> = new Map([...SHORT].map(([long, short]) => [short, long]));

/** Stars, the name, and what follows it: dimensions or a bit field's place. Names of C++ hold `::`. */
const PARTS = /^(\**)(.*?)((?:\[\d*\])*|:\d+:\d+)$/;
/** How a type is written that cannot be one word. It reads as a type that nobody knows. */
const UNKNOWN = '?';

/** `*unsigned long long[2]` as `*u64[2]`. */
export function shortType(type: string): string {
  const [, stars = '', name = '', rest = ''] = PARTS.exec(type) ?? [];
  const short = SHORT.get(name);
  if (short !== undefined) return stars + short + rest;
  return LONG.has(name) || !/^[\x21-\x7e]*$/.test(name) ? UNKNOWN : type;
}

/** `*u64[2]` as `*unsigned long long[2]`; `null` when it is no type. */
export function longType(type: string): string | null {
  const [, stars = '', name = '', rest = ''] = PARTS.exec(type) ?? [];
  if ((name === '' && stars === '') || !/^[\x21-\x7e]*$/.test(type)) return null;
  return stars + (LONG.get(name) ?? name) + rest;
}
