/** A pool tag in a result: its key, its text, how it stands in sentences, and how a user types it. */

import { isProtectedTag, plainTag, tagOfText } from '../../parsers/kernel/tag.js';
import { printable } from '../../parsers/text-safety.js';
import type { PoolTagRow } from './result.js';

export { isProtectedTag, plainTag, tagText } from '../../parsers/kernel/tag.js';

const NUMBER = /^0x[0-9a-f]{1,8}$/i;

/** The key of a row (`hex`), without the protected bit. */
export function tagKey({ hex }: Pick<PoolTagRow, 'hex'>): number {
  return plainTag(Number(hex));
}

/** A tag as a number, `0x` and up to eight digits: `key` without the protected bit, `isProtected` where it was set. Null for other text. */
export function numberedTag(text: string): { key: number; isProtected: boolean } | null {
  if (!NUMBER.test(text)) return null;
  return { key: plainTag(Number(text)), isProtected: isProtectedTag(Number(text)) };
}

/** The key of a tag as a user types it: up to four characters, or `0x` and its number. Null for what is neither. */
export function typedTag(text: string): number | null {
  return numberedTag(text)?.key ?? tagOfText(text);
}

/** A tag as it stands in a sentence: in quotes where blanks belong to it. */
export function tagInWords(tag: string): string {
  const safe = printable(tag);
  return /\s/.test(safe) ? `'${safe}'` : safe;
}
