/**
 * A pool tag: four bytes, read as a little-endian number where it is a key. Bit 31 of the number, PROTECTED_POOL, is no
 * part of the tag: the kernel clears it before it counts, headers and callers keep it.
 */

/** Bit 31: freeing the block needs the same bit. */
const PROTECTED_POOL = 0x80000000;

/** The tag itself: 31 bits. */
export function plainTag(stored: number): number {
  return (stored & ~PROTECTED_POOL) >>> 0;
}

/** A key with the bit set. */
export function protectedTag(key: number): number {
  return (key | PROTECTED_POOL) >>> 0;
}

/** The bit is set in a key as it is stored, passed or typed. */
export function isProtectedTag(stored: number): boolean {
  return stored >>> 0 >= PROTECTED_POOL;
}

/** The four characters of a tag, as the debugger shows them; bytes that cannot be printed stand as `.`. */
export function tagText(key: number): string {
  let text = '';
  for (let shift = 0; shift < 32; shift += 8) {
    const byte = (key >>> shift) & 0xff;
    text += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.';
  }
  return text;
}

/** The tag of one to four characters of eight bits, blanks at the end left out or not; null for any other text. */
export function tagOfText(text: string): number | null {
  const four = text.padEnd(4, ' ');
  const bytes = Buffer.from(four, 'latin1');
  if (text.length === 0 || bytes.length !== 4 || bytes.toString('latin1') !== four) return null;
  return plainTag(bytes.readUInt32LE());
}
