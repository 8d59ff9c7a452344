/** Addresses as people type them. */

import { noAddress, typedAddress } from '../../views/words.js';
import { UsageError } from '../errors.js';

/** An address: `fffff880'044b63aa` with a backquote, with `0x`, or plain hexadecimal. Throws UsageError for what is none. */
export function parseAddress(text: string, name: string): bigint {
  const address = typedAddress(text);
  if (address === null) throw new UsageError(`${name} ${noAddress(text)}`);
  return address;
}

/** A whole number of at least one; undefined where none was given. Throws UsageError. */
export function parseCount(value: number | undefined, name: string): number | undefined {
  if (value === undefined) return undefined;
  if (!Number.isSafeInteger(value) || value < 1) throw new UsageError(`${name} wants a whole number from 1 on`);
  return value;
}
