/** The truth as JSON text: addresses as hex, large counters as decimal strings. */

import type { Truth } from './truth.js';

const ADDRESSES = new Set([
  'directoryTableBase',
  'kdDebuggerDataBlock',
  'address',
  'base',
  'start',
  'end',
  'tableAddress',
]);

/** Indented, keys in order of the type, always the same for the same truth. */
export function truthJson(truth: Truth): string {
  const text = JSON.stringify(
    truth,
    (key, value: unknown) => {
      if (typeof value !== 'bigint') return value;
      if (value >= 0x8000_0000_0000n || ADDRESSES.has(key)) return `0x${value.toString(16)}`;
      return value <= BigInt(Number.MAX_SAFE_INTEGER) && value >= BigInt(Number.MIN_SAFE_INTEGER)
        ? Number(value)
        : value.toString();
    },
    1,
  );
  return `${text}\n`;
}
