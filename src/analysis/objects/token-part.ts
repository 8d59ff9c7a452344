/** One access token, by its address or that of its process, for `!token`. */

import type { VirtualAddress } from '../../../parsers/addresses.js';
import { readTokenDetails, type TokenDetails } from '../../kernel/objects/names/token-details.js';
import { ObjectReader } from '../../kernel/objects/object-at.js';
import { objectsOf } from '../../kernel/objects/objects.js';
import { rootsOf } from '../../kernel/objects/roots.js';
import type { OpenedDump } from '../../kernel/open/opened-dump.js';
import { dumpPart, type DumpPart } from '../dump-part.js';

/** A token, or why there is none. */
export interface TokenFound extends DumpPart {
  token: { readonly address: VirtualAddress; readonly details: TokenDetails } | null;
  /** `unknown`: the dump does not tell what objects are; `no-token`: the header before it is of another type; `not-read`: it cannot be read. */
  missing: 'unknown' | 'no-token' | 'not-read' | null;
}

/** Reads the token at an address, or the one that the process there has. */
export function findToken(opened: OpenedDump, asked: VirtualAddress): TokenFound {
  const objects = objectsOf(opened.kernel);
  const [roots, layouts, decoder] = [rootsOf(opened.kernel), objects.layouts(), objects.decoder()];
  const found = (token: TokenFound['token'], missing: TokenFound['missing']): TokenFound =>
    dumpPart(opened, { token, missing }, objects.warnings);
  if (roots === null || layouts === null || decoder === null) return found(null, 'unknown');
  const reader = new ObjectReader(roots, layouts, decoder);
  const process = objects.processes()?.processes.find(({ address }) => address === asked);
  const address = process === undefined ? asked : process.token;
  if (address === null) return found(null, 'not-read');
  if (reader.at(address)?.type.name !== 'Token') return found(null, 'no-token');
  const details = readTokenDetails(roots, layouts, address);
  return details === null ? found(null, 'not-read') : found({ address, details }, null);
}
