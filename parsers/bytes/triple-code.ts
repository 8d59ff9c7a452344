/**
 * The inner loop of `TripleFinder`, written down as WebAssembly: sixteen places are looked at with one instruction each,
 * which nothing else in Node can do. Layout and opcodes: WebAssembly Core Specification 2.0, binary format, vector instructions.
 *
 * `scan(from, to, out)` looks at the places from `from` to `to`, sixteen at a time, and writes for each sixteen with a
 * place that may be one: where they begin, and a bit for each place. It returns the end of what it wrote.
 */

/** Bytes of a page of WebAssembly's memory. */
const WASM_PAGE = 0x10000;
/** Places that one instruction looks at. */
export const AT_ONCE = 16;
/** Bytes of a pattern. */
export const TRIPLE = 3;
/** Two tables of sixteen bytes for each byte of the patterns: of its lower and of its upper half. */
const TABLES = 2 * TRIPLE;

const [I32, V128] = [0x7f, 0x7b];
const NOTHING = 0x40;
/** Sections of a module. */
const [TYPES, FUNCTIONS, MEMORIES, EXPORTS, CODE] = [1, 3, 5, 7, 10];

/** Parameters and locals of the function. */
const [FROM, TO, OUT, FIRST_TABLE, HALF, FOUND, BYTES] = [0, 1, 2, 3, 9, 10, 11];

const local = {
  get: (index: number): number[] => [0x20, index],
  set: (index: number): number[] => [0x21, index],
  tee: (index: number): number[] => [0x22, index],
};
const constant = (value: number): number[] => [0x41, ...signed(value)];
const [ADD, IS_BELOW, IS_NOT_BELOW] = [[0x6a], [0x49], [0x4f]];
const [BLOCK, LOOP, IF, END] = [[0x02, NOTHING], [0x03, NOTHING], [0x04, NOTHING], [0x0b]];
const branchIf = (depth: number): number[] => [0x0d, depth];
/** Stores four bytes; the address and the value are on the stack. */
const store = (offset: number): number[] => [0x36, 0, offset];
/** Loads sixteen bytes from an address of any alignment. */
const load = (offset: number): number[] => [0xfd, 0x00, 0, offset];
const [LOOK_UP, SPLAT, IS_UNEQUAL, AND, ANY, BITS] = [
  ...([[0xfd, 0x0e], [0xfd, 0x0f], [0xfd, 0x24], [0xfd, 0x4e], [0xfd, 0x53], [0xfd, 0x64]] as const),
] as const; // prettier-ignore
/** Of sixteen bits at a time: what of it comes from the byte beside is cut off. */
const SHIFT = [0xfd, 0x8d, 0x01];
const ZEROS = [0xfd, 0x0c, ...new Array<number>(16).fill(0)];

/** The module; its memory is `pages` of 64 KB, and begins with the tables. */
export function tripleModule(pages: number): Uint8Array<ArrayBuffer> {
  const type = [0x60, ...list([[I32], [I32], [I32]]), ...list([[I32]])];
  const body = [...list([[TABLES + 3, V128]]), ...scan(), ...END];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(TYPES, [type]),
    ...section(FUNCTIONS, [[0]]),
    ...section(MEMORIES, [[0, ...unsigned(pages)]]),
    ...section(EXPORTS, [
      [...text('memory'), 2, 0],
      [...text('scan'), 0, 0],
    ]),
    ...section(CODE, [[...unsigned(body.length), ...body]]),
  ]);
}

/** Pages of memory that hold so many bytes. */
export function pagesFor(bytes: number): number {
  return Math.ceil(bytes / WASM_PAGE);
}

function scan(): number[] {
  const tables = Array.from({ length: TABLES }, (_, i) => [
    ...constant(0),
    ...load(AT_ONCE * i),
    ...local.set(FIRST_TABLE + i),
  ]);
  return [
    ...tables.flat(),
    ...[...constant(0x0f), ...SPLAT, ...local.set(HALF)],
    ...BLOCK,
    ...[...local.get(FROM), ...local.get(TO), ...IS_NOT_BELOW, ...branchIf(0)],
    ...LOOP,
    // The third byte is looked at only where two may be those of a pattern.
    ...[...ofByte(0), ...ofByte(1), ...AND, ...local.tee(FOUND), ...ANY],
    ...IF,
    ...[...local.get(FOUND), ...ofByte(2), ...AND, ...local.tee(FOUND), ...ANY],
    ...IF,
    ...[...local.get(OUT), ...local.get(FROM), ...store(0)],
    ...[...local.get(OUT), ...local.get(FOUND), ...ZEROS, ...IS_UNEQUAL, ...BITS, ...store(4)],
    ...[...local.get(OUT), ...constant(8), ...ADD, ...local.set(OUT)],
    ...[...END, ...END],
    ...[...local.get(FROM), ...constant(AT_ONCE), ...ADD, ...local.tee(FROM), ...local.get(TO), ...IS_BELOW],
    ...branchIf(0),
    ...[...END, ...END],
    ...local.get(OUT),
  ];
}

/** Which groups of patterns have, as their byte `at`, the one that stands there: for sixteen places. */
function ofByte(at: number): number[] {
  const [lower, upper] = [FIRST_TABLE + 2 * at, FIRST_TABLE + 2 * at + 1];
  return [
    ...[...local.get(lower), ...local.get(FROM), ...load(at), ...local.tee(BYTES)],
    ...[...local.get(HALF), ...AND, ...LOOK_UP],
    ...[...local.get(upper), ...local.get(BYTES), ...constant(4), ...SHIFT],
    ...[...local.get(HALF), ...AND, ...LOOK_UP],
    ...AND,
  ];
}

const section = (id: number, entries: readonly number[][]): number[] => {
  const content = list(entries);
  return [id, ...unsigned(content.length), ...content];
};
const list = (entries: readonly number[][]): number[] => [...unsigned(entries.length), ...entries.flat()];
const text = (name: string): number[] => list([...Buffer.from(name)].map((byte) => [byte]));

/** LEB128. */
function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

function signed(value: number): number[] {
  return value >= -0x40 && value < 0x40 ? [value & 0x7f] : [(value & 0x7f) | 0x80, ...signed(value >> 7)];
}
