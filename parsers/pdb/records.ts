/** One pass over a stream of records (u16 length of what follows, u16 kind, content), a chunk in memory at a time. */

import { fileOffset } from '../addresses.js';
import { u16 } from '../bytes/fields.js';
import type { MsfStream } from './msf.js';

/** Longer than any record. */
const CHUNK = 256 * 1024;

/**
 * Called with each record: its kind stands at `bytes[at]`, it ends before `bytes[end]`, and its length field stands at
 * `position` of the stream. The bytes are valid during the call. `false` ends the pass.
 */
export type RecordVisitor = (bytes: Uint8Array, at: number, end: number, position: number) => boolean;

/** Visits the records of `[from, to)` of a stream. Returns `null`, or what was wrong where the pass had to end. */
export function forEachRecord(stream: MsfStream, from: number, to: number, visit: RecordVisitor): string | null {
  const buffer = new Uint8Array(Math.min(CHUNK, Math.max(0, to - from)));
  let base = from;
  while (base < to) {
    const wanted = Math.min(buffer.length, to - base);
    const got = stream.read(fileOffset(base), wanted === buffer.length ? buffer : buffer.subarray(0, wanted));
    let at = 0;
    while (at + 4 <= got) {
      const length = u16(buffer, at);
      if (length < 2) return `${stream.name}: the record at ${base + at} has a length of ${length} bytes`;
      const end = at + 2 + length;
      if (end > got) break;
      if (!visit(buffer, at + 2, end, base + at)) return null;
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
