/**
 * The records of the symbol stream that name an address, and where their fields stand, from the record's kind on.
 *
 * S_PUB32 {u32 flags, u32 offset, u16 segment, name}, S_GDATA32 and S_LDATA32 {u32 type, u32 offset, u16 segment, name},
 * S_PROCREF and S_LPROCREF {u32 sum, u32 offset in the module's symbols, u16 module (from 1), name}.
 * In a module: S_GPROC32 and S_LPROC32 (and their _ID forms) {u32 parent, end, next, length, debug start, debug end, type, offset,
 * u16 segment, u8 flags, name}.
 */

import { failed } from '../bytes/failure.js';
import { u16, u32 } from '../bytes/fields.js';
import type { MsfStream } from './msf.js';

export const S_PUB32 = 0x110e;
export const S_GDATA32 = 0x110d;
export const S_LDATA32 = 0x110c;
export const S_PROCREF = 0x1125;
export const S_LPROCREF = 0x1127;
const PROCEDURES: ReadonlySet<number> = new Set([0x110f, 0x1110, 0x1146, 0x1147]);

/** Flags of S_PUB32: code, function. */
export const PUBLIC_IS_CODE = 3;
export const OFFSET_AT = 6;
export const SEGMENT_AT = 10;
export const NAME_AT = 12;

/** The address of a procedure. */
export interface Procedure {
  readonly segment: number;
  readonly offset: number;
  /** Bytes of code. */
  readonly size: number;
}

/** The procedure whose record stands at `position` of a module's stream; `null` when there is none. */
export function readProcedure(module: MsfStream, position: number): Procedure | null {
  const b = module.bytes(position, 38);
  if (failed(b) || !PROCEDURES.has(u16(b, 2))) return null;
  return { segment: u16(b, 36), offset: u32(b, 32), size: u32(b, 16) };
}

/** The text from `at` to the first NUL before `end`. */
export function textAt(bytes: Uint8Array, at: number, end: number): string {
  const b = bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  let stop = at;
  while (stop < end && b[stop] !== 0) stop++;
  return b.toString('utf8', at, stop);
}
