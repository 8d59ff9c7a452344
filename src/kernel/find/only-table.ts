/** Whether a kernel keeps one pool tag table for all processors, as kernels before Windows Server 2003 SP2 do. */

import { failed } from '../../../parsers/bytes/failure.js';
import type { Kernel } from '../open/open-kernel.js';

/** Windows Server 2003 and XP x64, of which SP2's multiprocessor kernels have a table for each processor. */
const SERVER_2003 = 3790;
/** PDB names of kernels for one processor. */
const UNIPROCESSOR = /^(?:ntoskrnl|ntkrnlpa)\.pdb$/i;

/** True where the table at PoolTrackTable is known to be the only one. */
export function hasOnlyTable({ identity, memory, symbols }: Kernel): boolean {
  const { buildNumber, pdb } = identity;
  if (buildNumber < SERVER_2003) return buildNumber > 0;
  if (buildNumber !== SERVER_2003) return false;
  if (pdb !== null && UNIPROCESSOR.test(pdb.name)) return true;
  const version = symbols?.address('CmNtCSDVersion') ?? null;
  const value = version === null || memory === null ? null : memory.readU32(version.value);
  // The service pack stands in the second byte.
  return value !== null && !failed(value) && (value >>> 8) % 0x100 < 2;
}
