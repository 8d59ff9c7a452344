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

/**
 * Which tags a text means as `!poolfind` takes it: `?` for any character, `*` at the end for any rest; or `0x` and its number. Null for what is
 * no tag.
 */
export function tagFilter(text: string): ((key: number) => boolean) | null {
  if (/^0x[0-9a-f]{1,8}$/i.test(text)) {
    const wanted = Number(text) & 0x7fffffff;
    return (key) => key === wanted;
  }
  if (text.length === 0 || text.length > 4 || /[^\x20-\x7e]/.test(text)) return null;
  const star = text.indexOf('*');
  if (star >= 0 && star !== text.length - 1) return null;
  const shown = star >= 0 ? text.slice(0, star) : text.padEnd(4);
  const codes = Array.from(shown, (character) => (character === '?' ? -1 : character.charCodeAt(0)));
  return (key) => codes.every((code, i) => code < 0 || code === ((key >>> (8 * i)) & (i === 3 ? 0x7f : 0xff)));
}
