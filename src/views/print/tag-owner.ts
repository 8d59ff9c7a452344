/** Who allocates under a tag, in words: the owner that was found, else what the lists of tags say. */

import { printable } from '../../../parsers/text-safety.js';
import type { PoolTagRow, TagOwner } from '../../result/result.js';
import { sharedDefault } from '../../leak/tags/windows-tags.js';

/** `fabsec.sys (code, high)`: the module, on what ground, how sure. */
export function ownerText({ module, basis, confidence }: TagOwner): string {
  return `${printable(module)} (${basis === 'object-type' ? 'object type' : basis}, ${confidence})`;
}

/** As the lists have it: the binary first, for it must not be cut off; null where no list has the tag. */
export function listedText(row: PoolTagRow): string | null {
  const parts = [row.binary === '<unknown>' ? null : row.binary, row.description]
    .filter((part) => part !== null)
    .map((part) => printable(part).trim().replace(/ {2,}/g, ' '))
    .filter((part) => part !== '');
  return parts.length === 0 ? null : parts.join(': ');
}

/** One phrase for a row. What the lists say stands alone where the owner is known by them and no better. */
export function ownerOrList(row: PoolTagRow): string {
  const listed = listedText(row);
  const owner = row.owner ?? null;
  if (owner !== null && (listed === null || owner.basis !== 'list'))
    return listed === null ? ownerText(owner) : `${ownerText(owner)}: ${listed}`;
  return listed ?? (sharedDefault(row.tag) === null ? 'not in the tag lists' : 'shared by many drivers');
}
