/** Addresses as people type them. */

import { UsageError } from '../errors.js';

/** An address: `fffff880'044b63aa` with a backquote, with `0x`, or plain hexadecimal. Throws UsageError for what is none. */
export function parseAddress(text: string, name: string): bigint {
  const digits = text.replace('`', '').replace(/^0x/i, '');
  if (!/^[0-9a-f]{1,16}$/i.test(digits)) {
    throw new UsageError(`${name} ${text} is no address: up to 16 hexadecimal digits, as in fffff880044b63aa`);
  }
  return BigInt(`0x${digits}`);
}

/** A whole number of at least one. Throws UsageError. */
export function parseCount(value: number | undefined, name: string, otherwise: number): number {
  if (value === undefined) return otherwise;
  if (!Number.isSafeInteger(value) || value < 1) throw new UsageError(`${name} wants a whole number from 1 on`);
  return value;
}
