/** Whole results made by hand: the worked example, a healthy system, a small dump. */

import type { AnalysisResult, Suspect } from '../result/result.js';
import { bareResult, DUMP, memoryOf, moduleInfo, tagRow } from './results.test.helper.js';

const LEAK_SUSPECT: Suspect = {
  tag: 'Leak',
  key: '0x6b61654c',
  pool: 'nonpaged',
  bytes: 615424000,
  outstanding: 601,
  averageBytes: 1024000,
  shareOfPool: 0.967,
  shareOfMemory: 0.372,
  confidence: 'high',
  reasons: [
    { code: 'pool-near-limit', message: 'Nonpaged pool stands at 81.3 % of its maximum.' },
    { code: 'dominates-pool', message: 'The tag holds 96.7 % of nonpaged pool; the next one holds 0.3 %.' },
    { code: 'unknown-tag', message: 'No Windows component is documented to use this tag.' },
  ],
  against: [
    {
      code: 'single-snapshot',
      message:
        'One dump shows how much is held, not that it grows. A second dump, or poolmon logs over some hours, would show growth.',
    },
  ],
  drivers: [
    {
      module: 'myfault.sys',
      confidence: 'high',
      evidence: [
        {
          kind: 'code-immediate',
          address: '0xfffff880044b63aa',
          offset: '0x13aa',
          bytes: '4c 65 61 6b 3b c1 0f 42 c1 41 8d 49 fd 8b d0 ff',
          ascii: 'Leak;..B.A.I....',
          section: '.text',
          executable: true,
          symbol: null,
          instruction: 'mov r8d, 6B61654Ch',
          callsAllocator: true,
          call: null,
          function: null,
          note: null,
        },
        {
          kind: 'code-immediate',
          address: '0xfffff880044b6621',
          offset: '0x1621',
          bytes: '4c 65 61 6b 3b c1 0f 42 c1 33 c9 8b d0 ff 15 cc',
          ascii: 'Leak;..B.3......',
          section: '.text',
          executable: true,
          symbol: null,
          instruction: null,
          callsAllocator: true,
          call: null,
          function: null,
          note: null,
        },
      ],
    },
    {
      module: 'csc.sys',
      confidence: 'low',
      evidence: [
        {
          kind: 'string',
          address: '0xfffff88001b74ffe',
          offset: '0x42ffe',
          bytes: '4c 65',
          ascii: 'Le',
          section: '.rdata',
          executable: false,
          symbol: null,
          instruction: null,
          callsAllocator: null,
          call: null,
          function: null,
          note: 'Part of the text "LeakCheck: %d": most likely a message, not the tag.',
        },
      ],
    },
  ],
  searched: { modules: 152, notTranslatable: 2, pagesPresent: 20110, pagesMissing: 480 },
  related: [{ tag: 'IoWI', pool: 'nonpaged', outstanding: 1202, ratio: 2 }],
};

/** The figures of the worked example: Windows Server 2008 R2, tag Leak, myfault.sys. */
export function leakResult(): AnalysisResult {
  const source = 'profile' as const;
  const rows = [
    tagRow('Leak', [601, 615424000, 0, 0]),
    tagRow('CM31', [0, 0, 20000, 90000000], {
      description: 'Internal Configuration manager allocations',
      binary: 'nt!cm',
      tagSource: 'pooltag.txt',
    }),
    tagRow('MmSt', [0, 0, 43564, 36487616], { binary: 'nt!mm', tagSource: 'built-in' }),
    tagRow('Pool', [6, 1717840, 0, 0], { description: 'Pool tables, etc.', tagSource: 'pooltag.txt' }),
    tagRow('nVsC', [664, 1531552, 0, 0]),
    tagRow('netv', [4369, 1172224, 1, 144]),
    tagRow('Thre', [607, 774048, 0, 0], { description: 'Thread objects', binary: 'nt!ps', tagSource: 'pooltag.txt' }),
    tagRow('Gone', [0, 0, 0, 0]),
    // With these the sums are those of the transcript, and none of them is among its first five.
    ...Array.from({ length: 18 }, (_, i) => tagRow(`F${String(i).padStart(3, '0')}`, [2000, 750000, 0, 0])),
    tagRow('rx..', [1177, 90288, 0, 0], { hex: '0x00007872' }),
  ];
  return {
    ...bareResult(DUMP),
    system: {
      buildNumber: 7601,
      version: '6.1.7601.24540',
      name: 'Windows Server 2008 R2',
      productType: 'server',
      buildLab: '7601.24540.amd64fre.win7sp1_ldr_escrow.190827-1714',
      machineName: null,
      kernelBase: '0xfffff8000341c000',
      kernelPdb: { name: 'ntkrnlmp.pdb', guid: 'ECE191A20CFF4465AE46DF96C2263845', age: 1 },
      symbols: { source: 'profile', detail: 'exact match' },
    },
    memory: memoryOf(
      {
        physicalMemory: 403854,
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
        peakCommitment: 331464,
      },
      {
        nonPagedPools: [{ node: 0, pages: 155371, nxPages: null, source }],
        pagedPools: [27618, 3848, 299, 283, 344].map((pages, index) => ({ index, pages, source })),
        pageFiles: [
          {
            path: '\\??\\C:\\pagefile.sys',
            currentPages: 262144,
            freePages: 253911,
            minimumPages: 262144,
            maximumPages: 1048576,
          },
        ],
        poolAllocationFailures: { count: 0, source },
        flags: [
          {
            code: 'excessive-nonpaged-pool',
            message: 'Nonpaged pool is near its limit.',
            value: 155371,
            limit: 191078,
            percent: 81.3,
            basis: 'nonpaged pool maximum',
          },
        ],
      },
    ),
    poolTags: {
      tables: 3,
      entries: 4097,
      source,
      complete: true,
      reconciliation: {
        nonPaged: { tagBytes: 634209952, poolBytes: 636399616, unexplainedBytes: 2189664 },
        paged: { tagBytes: 126487760, poolBytes: 132677632, unexplainedBytes: 6189872 },
      },
      totals: { nonPagedAllocs: 43424, nonPagedBytes: 634209952, pagedAllocs: 63565, pagedBytes: 126487760 },
      rows,
    },
    modules: [
      moduleInfo('ntoskrnl.exe', 0xfffff8000341c000n, 5971968, { moduleName: 'nt' }),
      moduleInfo('mcupdate_GenuineIntel.dll', 0xfffff88000c00000n, 0xb000),
      moduleInfo('csc.sys', 0xfffff88001b32000n, 0x83000),
      moduleInfo('myfault.sys', 0xfffff880044b5000n, 0x7000, {
        version: {
          fileVersion: '4.0.0.0',
          productName: 'Sysinternals Myfault',
          companyName: 'Sysinternals',
          fileDescription: 'Crash Test Driver',
        },
      }),
    ],
    unloadedModules: [
      { name: 'crashdmp.sys', start: '0xfffff88002c00000', end: '0xfffff88002c0e000', unloadedAt: null },
      { name: 'dump_ataport', start: null, end: null, unloadedAt: null },
    ],
    suspects: [LEAK_SUSPECT],
    verdict: {
      leakSuspected: true,
      headline: 'Nonpaged pool: 586.9 MB under tag Leak, allocated by myfault.sys',
      nextSteps: [
        'Look for a newer version of myfault.sys, or disable it and see whether tag Leak stops growing.',
        'Log pool tags over some hours ("poolmon -n" every 10 minutes) and run "dumpleak trend" on the logs to see growth.',
      ],
    },
    warnings: [
      { code: 'module-unreadable', where: 'modules', message: '480 of 20,590 pages of modules are not in the dump.' },
    ],
  };
}

/** Windows 10, nothing wrong. */
export function healthyResult(): AnalysisResult {
  const source = 'profile' as const;
  const leak = leakResult();
  return {
    ...leak,
    dump: {
      ...leak.dump,
      type: 'bitmap-kernel',
      typeCode: 6,
      pagesPresent: 112580,
      physicalPages: 2097152,
      processors: 4,
      fileBytes: 463470592,
    },
    system: {
      buildNumber: 19041,
      version: '10.0.19041.630',
      name: 'Windows 10 2004-22H2',
      productType: 'workstation',
      buildLab: null,
      machineName: 'DESKTOP-1',
      kernelBase: '0xfffff80193800000',
      kernelPdb: null,
      symbols: { source: 'nearest', detail: 'layouts of 10.0.19041.3570, addresses from the debugger block' },
    },
    memory: memoryOf(
      {
        physicalMemory: 2097152,
        availablePages: 1406205,
        residentAvailablePages: 1827552,
        freeSystemPtes: 33555355,
        modifiedPages: 20971,
        modifiedPageFilePages: 20763,
        nonPagedPoolUsage: 59885,
        nonPagedPoolNxUsage: 59646,
        nonPagedPoolMaximum: 4294967296,
        pagedPoolUsage: 106774,
        pagedPoolMaximum: 4294967296,
        nonPagedPoolCommit: 59885,
        pagedPoolCommit: 106774,
        driverCommit: 2458,
        committedPages: 865709,
        commitLimit: 2359296,
      },
      {
        nonPagedPools: [
          { node: 0, pages: 231, nxPages: 40000, source },
          { node: 1, pages: 8, nxPages: 19646, source },
        ],
        pagedPools: [{ index: 0, pages: 106774, source }],
        pageFiles: [
          {
            path: '\\??\\C:\\pagefile.sys',
            currentPages: 262144,
            freePages: 253911,
            minimumPages: 262144,
            maximumPages: 1048576,
          },
          { path: null, currentPages: 7340032, freePages: 7330589, minimumPages: 7340032, maximumPages: null },
        ],
      },
    ),
    poolTags: {
      tables: 5,
      entries: 4097,
      source,
      complete: true,
      reconciliation: {
        nonPaged: { tagBytes: 240000000, poolBytes: 245288960, unexplainedBytes: 5288960 },
        paged: null,
      },
      totals: { nonPagedAllocs: 61550, nonPagedBytes: 87410560, pagedAllocs: 20, pagedBytes: 4096 },
      rows: [
        tagRow('EtwB', [310, 62914560, 0, 0], {
          description: 'Etw Buffer',
          binary: 'nt!etw',
          tagSource: 'pooltag.txt',
        }),
        tagRow('File', [61240, 24496000, 0, 0], { description: 'File objects', tagSource: 'pooltag.txt' }),
        tagRow('ab*c', [0, 0, 20, 4096]),
      ],
    },
    suspects: [],
    verdict: { leakSuspected: false, headline: 'No pool leak: both pools are far from their limits', nextSteps: [] },
    warnings: [],
  };
}

/** A small memory dump: drivers and a bug check, no memory. */
export function triageResult(): AnalysisResult {
  const leak = leakResult();
  return {
    ...bareResult({ ...DUMP, type: 'triage', typeCode: 4, fileBytes: 64628, pagesPresent: null, physicalPages: null }),
    system: leak.system,
    modules: leak.modules,
    unloadedModules: leak.unloadedModules,
    verdict: {
      leakSuspected: null,
      headline: 'This dump holds no pool tables: nothing can be said about leaks',
      nextSteps: ['Set the dump type to automatic or kernel memory dump, and wait for the next crash.'],
    },
  };
}
