/** JSON of commands that show a part of a dump: what `schemaVersion`, `dump`, `system`, one part and `warnings` are. */

import { printable } from '../../../parsers/text-safety.js';
import { partsInOrder } from '../../result/shape.js';

/**
 * An object of parts as JSON, in the order given. Parts of the result have their fields in the order of the contract.
 * Two blanks a level, a line feed at the end; what a terminal may act on is written as `\uXXXX`.
 */
export function renderPart(part: object): string {
  return `${JSON.stringify(partsInOrder(part), null, 2).replace(/[\u007f-\u{10ffff}]/gu, escapeUnsafe)}\n`;
}

function escapeUnsafe(character: string): string {
  if (printable(character) === character) return character;
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
