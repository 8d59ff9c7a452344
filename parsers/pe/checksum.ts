/** The checksum of a PE file: what the kernel compares a driver with when it loads it. */

import { u32 } from '../bytes/fields.js';

/** From the PE signature to the field in the optional header, the same for 32 and 64 bits. */
const FIELD = 0x58;

/**
 * The sum of all 16-bit words with the carry added back, without the field itself, plus the length. Null for bytes without
 * room for a PE header.
 */
export function imageChecksum(file: Uint8Array): number | null {
  if (file.length < 0x40) return null;
  const at = u32(file, 0x3c) + FIELD;
  if (at + 4 > file.length || at % 2 !== 0) return null;
  let sum = 0;
  const even = file.length - (file.length % 2);
  for (let i = 0; i < even; i += 2) {
    if (i === at || i === at + 2) continue;
    sum += (file[i] ?? 0) | ((file[i + 1] ?? 0) << 8);
    sum = (sum & 0xffff) + (sum >>> 16);
  }
  if (even < file.length) {
    sum += file[even] ?? 0;
    sum = (sum & 0xffff) + (sum >>> 16);
  }
  return (sum + file.length) >>> 0;
}
