/** A file that the symbol path names where folders stand: `--symbols C:\Temp\ntkrnlmp.pdb`, as browsers save it. */

import { basename } from 'node:path';
import { compressedName } from './names.js';
import { isRequested, type FileIdentity, type Identify, type SymbolRequest } from './http/request.js';

/** True for the request's own name, also compressed, also with the number that a browser adds: `ntkrnlmp (1).pdb`. */
export function isNamesake(path: string, request: SymbolRequest): boolean {
  const name = basename(path)
    .replace(/ ?\(\d+\)(?=\.[^.]+$)/, '')
    .toLowerCase();
  const wanted = request.name.toLowerCase();
  return name === wanted || name === compressedName(wanted);
}

/** What files are, each looked at once however many modules ask. */
export class NamedFiles {
  private readonly identities = new Map<string, Promise<FileIdentity | null>>();

  constructor(private readonly identify: Identify) {}

  /** True when the file may be the one asked for: by its name, or whatever its name by what it is. */
  async mayBe(path: string, request: SymbolRequest): Promise<boolean> {
    if (isNamesake(path, request)) return true;
    let identity = this.identities.get(path);
    if (identity === undefined) {
      identity = (async () => this.identify(path))().catch(() => null);
      this.identities.set(path, identity);
    }
    const known = await identity;
    return known !== null && isRequested(request, known);
  }
}
