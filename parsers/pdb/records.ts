/** One pass over a stream of records (u16 length of what follows, u16 kind, content), a chunk in memory at a time. */

import { fileOffset } from '../addresses.js';
import type { MsfStream } from './msf.js';

/** Longer than any record. */
const CHUNK = 256 * 1024;

/**
 * Called with each record: its kind stands at `bytes[at]` (`words[at / 2]`), it ends before `bytes[end]`, and its length field stands
 * at `position` of the stream. `words` is the same memory in units of 16 bits (every platform of Node that matters is little-endian).
 * Both are valid during the call; past `end` they hold anything. `false` ends the pass.
 */
export type RecordVisitor = (bytes: Buffer, words: Uint16Array, at: number, end: number, position: number) => boolean;

/** Two units of a record as a number of 32 bits, signed. */
export const int32 = (words: Uint16Array, i: number): number => (words[i] ?? 0) | ((words[i + 1] ?? 0) << 16);

/** Visits the records of `[from, to)` of a stream. Returns `null`, or what was wrong where the pass had to end. */
export function forEachRecord(stream: MsfStream, from: number, to: number, visit: RecordVisitor): string | null {
  const words = new Uint16Array(Math.ceil(Math.min(CHUNK, Math.max(0, to - from)) / 2));
  const buffer = Buffer.from(words.buffer);
  let base = from;
  while (base < to) {
    const wanted = Math.min(CHUNK, to - base);
    const got = stream.read(fileOffset(base), buffer.subarray(0, wanted));
    let at = 0;
    while (at + 4 <= got) {
      const length = words[at >>> 1] ?? 0;
      // Records are padded to 4 bytes, so that they begin on even places.
      if (length < 2 || (length & 1) !== 0) {
        return `${stream.name}: the record at ${base + at} cannot have ${length} bytes`;
      }
      const end = at + 2 + length;
      if (end > got) break;
      if (!visit(buffer, words, at + 2, end, base + at)) return null;
      at = end;
    }
    if (got < wanted) return `${stream.name}: the file ends before the records at ${base + got}`;
    if (base + got >= to) {
      return at === got ? null : `${stream.name}: the last record, at ${base + at}, is cut off`;
    }
    base += at;
  }
  return null;
}
