/** Numbers, addresses and quotes in the words after a debugger's command. */

/** `0x10e4`, `10e4` or `0n4324`, as the debugger reads numbers: hexadecimal unless it says otherwise. Null for what is none. */
export function debuggerNumber(word: string): number | null {
  const decimal = /^0n(\d{1,10})$/i.exec(word)?.[1];
  if (decimal !== undefined) return Number(decimal);
  const digits = /^(?:0x)?([0-9a-f]{1,8})$/i.exec(word)?.[1];
  return digits === undefined ? null : parseInt(digits, 16);
}

/** An address as people write it: `fffff880\`044b63aa`, with `0x`, or plain hexadecimal. Null for what is none. */
export function typedAddress(word: string): bigint | null {
  const digits = word.replace('`', '').replace(/^0x/i, '');
  return /^[0-9a-f]{1,16}$/i.test(digits) ? BigInt(`0x${digits}`) : null;
}

/** Why a word is no address. */
export const noAddress = (word: string): string =>
  `${word} is no address: up to 16 hexadecimal digits, as in fffff880044b63aa`;

/** A word without the quotes around it. */
export const unquoted = (word: string): string => word.replace(/^"(.*)"$/, '$1');

/** Why a word is no tag. */
export const noTag = (word: string): string => `"${word}": a tag has up to four characters, or is 0x and its number`;
