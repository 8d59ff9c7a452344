/** Pool headers of each family, written from the reference. */

import { putU16, putU32 } from '../bytes.js';

/** `2000`: Windows 2000; `xp`: XP and 2003; `nt6`: Vista and later. */
export type HeaderFamily = 'x86-2000' | 'x86-xp' | 'x86-nt6' | 'x64-2003' | 'x64-nt6';

/** Bytes of a header and of a unit of sizes. */
export const HEADER_SIZES: Record<HeaderFamily, { readonly header: number; readonly unit: number }> = {
  'x86-2000': { header: 8, unit: 32 },
  'x86-xp': { header: 8, unit: 8 },
  'x86-nt6': { header: 8, unit: 8 },
  'x64-2003': { header: 16, unit: 16 },
  'x64-nt6': { header: 16, unit: 16 },
};

export interface HeaderFacts {
  /** Units of the block before, and of this one. */
  readonly previous: number;
  readonly units: number;
  /** The key with its protected bit. */
  readonly key: number;
  readonly used: boolean;
  readonly paged: boolean;
  /** What is stored of the process that was billed; null where none was. */
  readonly billed: bigint | null;
}

/** Writes a header at `at`; `blockBytes` is where a 32-bit block keeps who was billed: in its last four bytes. */
export function putHeader(
  bytes: Uint8Array,
  at: number,
  family: HeaderFamily,
  facts: HeaderFacts,
  blockBytes: number,
): void {
  const quota = facts.billed === null ? 0 : 8;
  const modern = family.endsWith('nt6');
  let type = 0;
  if (facts.used) type = (modern ? 2 + (facts.paged ? 1 : 0) : facts.paged ? 2 : 1) + quota;
  if (family === 'x86-2000') {
    bytes[at] = facts.previous;
    bytes[at + 1] = 0;
    bytes[at + 2] = type;
    bytes[at + 3] = facts.units;
  } else if (family.startsWith('x86')) {
    putU16(bytes, at, facts.previous);
    putU16(bytes, at + 2, facts.units | (type << 9));
  } else {
    bytes[at] = facts.previous;
    bytes[at + 1] = 0;
    bytes[at + 2] = facts.units;
    bytes[at + 3] = type;
  }
  putU32(bytes, at + 4, facts.key);
  if (facts.billed === null) return;
  if (family.startsWith('x86')) putU32(bytes, at + blockBytes - 4, Number(BigInt.asUintN(32, facts.billed)));
  else {
    putU32(bytes, at + 8, Number(BigInt.asUintN(32, facts.billed)));
    putU32(bytes, at + 12, Number(BigInt.asUintN(32, facts.billed >> 32n)));
  }
}

/** ProcessBilled of a header at `header`, as Windows 8 and later store it. */
export const encodeBilled = (process: bigint, header: bigint, cookie: bigint): bigint =>
  cookie === 0n ? process : BigInt.asUintN(64, process ^ header ^ cookie);
