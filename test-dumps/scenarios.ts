/** Ready scenarios by name: leaks, healthy servers that look like leaks, and systems that ran out of something else. */

import { systemDrivers } from './catalogue.js';
import type { ModuleSpec, Scenario, TagUse } from './scenario.js';
import { outstanding, tagRows } from './tag-rows.js';

const MB = 1024 * 1024;
const GB = 1024 * MB;

/** The system's drivers with more about some of them, by name; names that are new are added. */
function drivers(build: number, changes: Record<string, Partial<ModuleSpec>>): ModuleSpec[] {
  const list = systemDrivers(build);
  const known = new Set(list.map((spec) => spec.name));
  const changed = list.map((spec) => ({ ...spec, ...changes[spec.name] }));
  const added = Object.entries(changes)
    .filter(([name]) => !known.has(name))
    .map(([name, spec]) => ({ name, ...spec }));
  return [...changed, ...added];
}

const decoy = (tag: string, text?: string): TagUse => ({ tag, style: 'text', ...(text === undefined ? {} : { text }) });

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
        timeDateStamp: 0x4f806ca0,
        version: {
          fileVersion: '4.0.0.0',
          companyName: 'Sysinternals',
          productName: 'Sysinternals Myfault',
          fileDescription: 'Crash Test Driver',
        },
        tags: [
          { tag: 'Leak', style: 'notmyfault', rva: 0x13aa },
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

export const SCENARIOS: Readonly<Record<string, () => Scenario>> = { notmyfault, modernLeak };
