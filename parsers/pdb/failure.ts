/** Why a PDB cannot be used: a kind that this reader does not know is told apart from a damaged file. */

import { ReadFailure } from '../bytes/failure.js';

/**
 * - `not-a-pdb`: the bytes are something else.
 * - `not-supported`: a sound PDB, as far as one can see, of a kind that is not read here.
 * - `cut-short`: the file ends before blocks that it says it has.
 * - `corrupt`: the file contradicts itself.
 */
export type PdbFailureKind = 'not-a-pdb' | 'not-supported' | 'cut-short' | 'corrupt';

/** A PDB that could not be opened. `reason` is the nearest general one; programs go by `kind`. */
export class PdbFailure extends ReadFailure {
  constructor(
    readonly kind: PdbFailureKind,
    message: string,
  ) {
    super(kind === 'cut-short' ? 'short-file' : 'corrupt', message);
  }
}
