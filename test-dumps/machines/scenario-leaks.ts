/** Scenarios in which a driver leaks pool, or seems to. */

import { decoy, drivers, GB, MB } from './scenario-parts.js';
import type { Scenario } from '../scenario.js';
import { outstanding, tagRows } from '../tag-rows.js';

/**
 * The classic: Windows Server 2008 R2, Sysinternals NotMyFault leaked 601 blocks of 1,024,000 bytes under tag `Leak`.
 * Figures, module address and the places of the tag are those of the published transcript.
 */
export function notmyfault(): Scenario {
  const named = [
    { tag: 'Leak', nonPaged: { allocs: 601, frees: 0, bytes: 615424000 } },
    { tag: 'Pool', nonPaged: outstanding(6, 1717840, 10) },
    { tag: 'nVsC', nonPaged: outstanding(664, 1531552, 3) },
    { tag: 'netv', nonPaged: outstanding(4369, 1172224, 11), paged: { allocs: 9, frees: 8, bytes: 144 } },
    { tag: 'Thre', nonPaged: outstanding(607, 774048, 2) },
    { tag: 'CM31', paged: outstanding(5210, 24117248, 1) },
    { tag: 'MmSt', paged: outstanding(4630, 14680064, 4) },
  ];
  const rows = tagRows({
    seed: 2008, count: 640, named, largest: 700000,
    nonPagedBytes: 634209952, nonPagedAllocs: 43424, pagedBytes: 126487760, pagedAllocs: 63565,
  }); // prettier-ignore
  return {
    name: 'notmyfault',
    seed: 2008,
    kernel: '6.1.7601.24540',
    kind: 'kernel',
    processors: 2,
    memory: {
      bytes: 403854 * 4096,
      figures: {
        availablePages: 106778,
        residentAvailablePages: 225678,
        freeSystemPtes: 33533355,
        modifiedPages: 4844,
        modifiedPageFilePages: 4838,
        nonPagedPoolUsage: 155371,
        nonPagedPoolMaximum: 191078,
        pagedPoolUsage: 32392,
        pagedPoolMaximum: 33554432,
        sharedCommit: 6371,
        specialPool: 0,
        sharedProcess: 5471,
        pagedPoolCommit: 32394,
        driverCommit: 2458,
        committedPages: 326464,
        commitLimit: 665998,
        peakCommitment: 327012,
      },
      pagedPools: [27618, 3848, 299, 283, 344],
      pageFiles: [
        {
          path: '\\??\\C:\\pagefile.sys',
          currentPages: 262144,
          freePages: 253911,
          minimumPages: 262144,
          maximumPages: 1048576,
        },
      ],
    },
    sessions: [
      { id: 0, committedPages: 2470 },
      { id: 1, committedPages: 5294 },
    ],
    header: { bugCheckCode: 0xe2, systemTime: 131022432000000000n, upTime: 1296000000000n, productType: 3 },
    modules: drivers(7601, {
      'rdyboost.sys': { tags: [decoy('Leak', 'LeakDetected')] },
      'csc.sys': { tags: [{ tag: 'Leak', style: 'text', text: 'MemoryLeakCheck: %d', straddle: 2 }] },
      'HTTP.sys': { tags: [{ tag: 'Leak', style: 'text', text: 'UrlGroupLeak', section: 'PAGE', page: 'transition' }] },
      'peauth.sys': { tags: [{ tag: 'Leak', style: 'text', text: 'LeakTest', section: 'PAGE', page: 'paged-out' }] },
      'myfault.sys': {
        path: '\\??\\C:\\Windows\\system32\\drivers\\myfault.sys',
        base: 0xfffff880044b5000n,
        size: 0x7000,
        pages: { 6: 'valid' },
        timeDateStamp: 0x4f806ca0,
        version: {
          fileVersion: '4.0.0.0',
          companyName: 'Sysinternals',
          productName: 'Sysinternals Myfault',
          fileDescription: 'Crash Test Driver',
        },
        tags: [
          { tag: 'Leak', style: 'notmyfault', rva: 0x13aa, pool: 'paged' },
          { tag: 'Leak', style: 'notmyfault', rva: 0x1621 },
        ],
      },
    }),
    kernelTags: [
      { tag: 'Pool', style: 'alloc' },
      { tag: 'Thre', style: 'alloc' },
      { tag: 'MmSt', style: 'alloc' },
      { tag: 'CM31', style: 'alloc' },
    ],
    unloaded: ['dump_storport.sys', 'crashdmp.sys', 'hwpolicy.sys', 'cdrom.sys', 'myfault.sys'].map((name) => ({
      name,
    })),
    pool: { rows },
  };
}

/** Windows 10 with 16 GB, eight processors: a network filter leaks 2.6 GB of nonpaged pool under `AcNb`. */
export function modernLeak(): Scenario {
  const rows = tagRows({
    seed: 10, count: 720, nonPagedBytes: 3050 * MB, pagedBytes: 540 * MB, largest: 60 * MB,
    named: [
      { tag: 'AcNb', nonPaged: { allocs: 1371204, frees: 8061, bytes: 1363143 * 2064 } },
      { tag: 'Thr\xe5', nonPaged: outstanding(4210, 5389824, 50) },
      { tag: '\x01\x02Ab', nonPaged: outstanding(12, 4096, 1) },
    ],
  }); // prettier-ignore
  return {
    name: 'modernLeak',
    seed: 10,
    kernel: '10.0.19041.804',
    processors: 8,
    memory: { bytes: 16 * GB },
    modules: drivers(19041, {
      'acmenet.sys': {
        tags: [
          { tag: 'AcNb', style: 'alloc' },
          { tag: 'AcNb', style: 'alloc', straddle: 2 },
          { tag: 'AcNb', style: 'free' },
        ],
      },
      'vantagemon.sys': { tags: [decoy('AcNb', 'MonitorAcNbUsage')] },
      'orbitav.sys': { tags: [{ tag: 'AcNb', style: 'utf16' }] },
    }),
    kernelTags: [
      { tag: 'File', style: 'alloc' },
      { tag: 'Even', style: 'alloc' },
    ],
    pool: { rows },
  };
}

/** Windows 11 with 16 GB: a backup filter leaks 6 GB of paged pool under `QbCx`, close to the commit limit. */
export function pagedLeak(): Scenario {
  const rows = tagRows({
    seed: 22, count: 690, nonPagedBytes: 410 * MB, pagedBytes: 6900 * MB, largest: 90 * MB,
    named: [
      { tag: 'QbCx', paged: { allocs: 6112409, frees: 20417, bytes: 6091992 * 1056 } },
      { tag: 'MmSt', paged: outstanding(31200, 88 * MB, 3) },
    ],
  }); // prettier-ignore
  return {
    name: 'pagedLeak',
    seed: 22,
    kernel: '10.0.22000.2538',
    processors: 12,
    memory: { bytes: 16 * GB, figures: { committedPages: 4_020_117, commitLimit: 4_456_448 } },
    modules: drivers(22000, {
      'quarrybk.sys': {
        tags: [
          { tag: 'QbCx', style: 'alloc', pool: 'paged' },
          { tag: 'QbCx', style: 'alloc', pool: 'paged', section: 'PAGE', page: 'transition' },
          { tag: 'QbCx', style: 'free', section: 'PAGE', page: 'prototype' },
        ],
      },
      'cldflt.sys': { tags: [decoy('QbCx', 'altitude QbCx:328010')] },
    }),
    pool: { rows },
  };
}

/** Windows 10: the leaking tag `Kst1` stands in one driver, on a page of code that the dump does not hold. */
export function hiddenDriver(): Scenario {
  const rows = tagRows({
    seed: 31, count: 610, nonPagedBytes: 3400 * MB, pagedBytes: 380 * MB, largest: 50 * MB,
    named: [{ tag: 'Kst1', nonPaged: { allocs: 902114, frees: 1204, bytes: 900910 * 3200 } }],
  }); // prettier-ignore
  return {
    name: 'hiddenDriver',
    seed: 31,
    kernel: '10.0.19041.388',
    processors: 4,
    memory: { bytes: 8 * GB },
    modules: drivers(19041, {
      'kestrelusb.sys': {
        tags: [
          { tag: 'Kst1', style: 'alloc', section: 'PAGE', page: 'paged-out' },
          { tag: 'Kst1', style: 'free', section: 'PAGE', page: 'absent' },
        ],
      },
    }),
    pool: { rows },
  };
}

/** Windows 10: most of the nonpaged pool stands under `Ddk `, the tag of drivers that give none; four drivers hold it. */
export function sharedTag(): Scenario {
  const rows = tagRows({
    seed: 41, count: 640, nonPagedBytes: 2900 * MB, pagedBytes: 420 * MB, largest: 50 * MB,
    named: [{ tag: 'Ddk ', nonPaged: { allocs: 3402117, frees: 390228, bytes: 3011889 * 768 } }],
  }); // prettier-ignore
  const use = { tag: 'Ddk ', style: 'alloc' as const };
  return {
    name: 'sharedTag',
    seed: 41,
    kernel: '10.0.19041.804',
    processors: 6,
    memory: { bytes: 8 * GB },
    modules: drivers(19041, {
      'acmenet.sys': { tags: [use, { tag: 'Ddk ', style: 'free' }] },
      'kestrelusb.sys': { tags: [use] },
      'lumengfx.sys': { tags: [use, use] },
      'northfs.sys': { tags: [use] },
    }),
    kernelTags: [use],
    pool: { rows },
  };
}

/** Windows 10 under Driver Verifier: a verified driver's pool grows because of special pool and tracking. */
export function verifierOn(): Scenario {
  const rows = tagRows({
    seed: 51, count: 600, nonPagedBytes: 2300 * MB, pagedBytes: 360 * MB, largest: 50 * MB,
    named: [{ tag: 'VntM', nonPaged: { allocs: 810220, frees: 390110, bytes: 420110 * 4080 } }],
  }); // prettier-ignore
  return {
    name: 'verifierOn',
    seed: 51,
    kernel: '10.0.17763.4644',
    processors: 4,
    memory: { bytes: 8 * GB, figures: { specialPool: 84211 } },
    header: {
      bugCheckCode: 0xc4,
      bugCheckParameters: [0x62n, 0n, 0xffff926c00a45010n, 420110n],
      bugCheckDriver: { name: 'vantagemon.sys', parameter: 2 },
    },
    modules: drivers(17763, {
      'vantagemon.sys': {
        tags: [
          { tag: 'VntM', style: 'alloc' },
          { tag: 'VntM', style: 'free' },
        ],
      },
    }),
    verifier: { level: 0x209bb, drivers: ['vantagemon.sys', 'relayvpn.sys'], specialPoolTag: 0x4d746e56 },
    pool: { rows },
  };
}

/** Windows 10: one counter claims 40 GB of nonpaged pool on a machine with 8 GB, another is below zero. */
export function impossibleCounter(): Scenario {
  const rows = tagRows({
    seed: 61, count: 580, nonPagedBytes: 40 * GB + 300 * MB, pagedBytes: 400 * MB, largest: 30 * MB,
    named: [
      { tag: 'RvPn', nonPaged: { allocs: 77, frees: 75, bytes: 40 * GB } },
      { tag: 'NfsX', nonPaged: { allocs: 4120, frees: 4133, bytes: -1_310_720 } },
    ],
  }); // prettier-ignore
  return {
    name: 'impossibleCounter',
    seed: 61,
    kernel: '10.0.18362.836',
    processors: 4,
    memory: { bytes: 8 * GB, figures: { nonPagedPoolUsage: 78100 } },
    modules: drivers(18362, { 'relayvpn.sys': { tags: [{ tag: 'RvPn', style: 'alloc' }] } }),
    pool: { rows },
  };
}
