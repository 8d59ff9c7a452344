/** Ready scenarios of 32-bit systems. */

import { decoy, drivers, GB, MB } from './scenario-parts.js';
import type { Scenario } from '../scenario.js';
import { outstanding, tagRows } from '../tag-rows.js';

/**
 * 1 GB and two processors, on any 32-bit kernel (the default is Server 2003 SP2): a network driver leaks 172 MB of
 * nonpaged pool under `AcNb`, most of the 256 MB that such systems have for it.
 */
export function leak32(): Scenario {
  const rows = tagRows({
    seed: 32, count: 310, nonPagedBytes: 216 * MB, pagedBytes: 74 * MB, largest: 6 * MB,
    named: [
      { tag: 'AcNb', nonPaged: { allocs: 87204, frees: 61, bytes: 87143 * 2064 } },
      { tag: 'Thr\xe5', nonPaged: outstanding(910, 582_400, 50) },
    ],
  }); // prettier-ignore
  return {
    name: 'leak32',
    seed: 32,
    architecture: 'x86',
    kernel: '3790',
    kind: 'kernel',
    processors: 2,
    memory: { bytes: GB, figures: { nonPagedPoolMaximum: 0x1_0000 } },
    header: { productType: 3 },
    modules: drivers(7601, {
      'acmenet.sys': {
        tags: [
          { tag: 'AcNb', style: 'alloc' },
          { tag: 'AcNb', style: 'notmyfault', straddle: 2 },
          { tag: 'AcNb', style: 'free' },
          { tag: 'AcNb', style: 'local-call' },
        ],
      },
      'vantagemon.sys': { tags: [decoy('AcNb', 'MonitorAcNbUsage')] },
      'orbitav.sys': { tags: [{ tag: 'AcNb', style: 'utf16' }] },
    }),
    kernelTags: [
      { tag: 'File', style: 'alloc' },
      { tag: 'Even', style: 'alloc' },
    ],
    unloaded: [{ name: 'dump_storport.sys' }, { name: 'cdrom.sys' }],
    pool: { rows },
  };
}
