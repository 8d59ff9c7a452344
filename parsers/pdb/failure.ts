/** Why a PDB cannot be used: a kind that this reader does not know is told apart from a damaged file. */

import type { Failure } from '../bytes/failure.js';

export type PdbFailure = Failure<'other-format' | 'not-supported' | 'short-file' | 'corrupt'>;
