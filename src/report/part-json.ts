/** JSON of commands that show a part of a dump: what `schemaVersion`, `dump`, `system`, one part and `warnings` are. */

import { hex } from '../../parsers/bytes/failure.js';
import { printable } from '../../parsers/text-safety.js';
import type { SearchResult } from '../analysis/search.js';
import { SCHEMA_VERSION, type Evidence, type Hex } from '../result/result.js';
import { partsInOrder } from '../result/shape.js';

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

/** A place where the bytes stand, as `search --json` has it. */
export interface SearchHit extends Pick<Evidence, 'address' | 'bytes' | 'ascii' | 'section' | 'executable'> {
  module: string;
  /** From the module's base. */
  offset: Hex;
  /** The tag stands there with the PROTECTED_POOL bit. */
  protected: boolean;
  /** ARM64: two instructions build the tag, and this is where the second stands; else null. */
  secondHalf: Hex | null;
}

/** What `search --json` writes. */
export function searchPart(found: SearchResult, pattern: string): object {
  const { dump, system, searched, warnings } = found;
  const hits = found.hits.map((hit): SearchHit => {
    const bytes = Buffer.from(hit.bytes);
    return {
      module: found.modules[hit.module]?.name ?? '',
      address: hex(hit.address),
      offset: hex(hit.offset),
      bytes: bytes.toString('hex').replace(/..(?=.)/g, '$& '),
      ascii: bytes.toString('latin1').replace(/[^\x20-\x7e]/g, '.'),
      section: hit.section,
      executable: hit.executable,
      protected: hit.protectedBit,
      secondHalf: hit.arm64?.pair ? hex(hit.arm64.pair.second) : null,
    };
  });
  return { schemaVersion: SCHEMA_VERSION, dump, system, search: { pattern, hits, searched }, warnings };
}
