/** Whether a kernel keeps one pool tag table for all processors, as kernels before Windows Server 2003 SP2 do. */

import { failed } from '../../../parsers/bytes/failure.js';
import { kernelDoes } from '../../../symbols/generations.js';
import type { Kernel } from '../open/open-kernel.js';

/** PDB names of kernels for one processor. */
const UNIPROCESSOR = /^(?:ntoskrnl|ntkrnlpa)\.pdb$/i;

/** True where the table at PoolTrackTable is known to be the only one. */
export function hasOnlyTable({ identity, memory, symbols }: Kernel): boolean {
  const { buildNumber, pdb } = identity;
  if (!kernelDoes('mayCountTagsByProcessor', buildNumber)) return buildNumber > 0;
  if (kernelDoes('countsTagsByProcessor', buildNumber)) return false;
  if (pdb !== null && UNIPROCESSOR.test(pdb.name)) return true;
  const version = symbols?.address('CmNtCSDVersion') ?? null;
  const value = version === null || memory === null ? null : memory.readU32(version.value);
  // The service pack stands in the second byte.
  return value !== null && !failed(value) && (value >>> 8) % 0x100 < 2;
}
