/** Hand-made results for tests: everything filled, everything unknown, and what a triage dump gives. */

import { MEMORY_FIELDS, SCHEMA_VERSION } from '../../result/result.js';
import type {
  AnalysisResult,
  DumpInfo,
  Evidence,
  MemoryField,
  MemoryInfo,
  Pages,
  RunInfo,
  TagOwner,
} from '../../result/result.js';

const RUN: RunInfo = {
  tool: 'dumpleak',
  version: '0.1.0',
  startedAt: '2026-11-20T09:00:00Z',
  elapsedMs: 412,
  bytesRead: 70123520,
  options: { top: 10, tag: null, pooltag: ['pooltag.txt'] },
};

const DUMP: DumpInfo = {
  path: 'MEMORY.DMP',
  fileBytes: 1073750016,
  container: 'gzip',
  format: 'PAGEDU64',
  type: 'full',
  typeCode: 1,
  live: false,
  truncated: false,
  encrypted: false,
  architecture: 'x64',
  pagingLevels: 4,
  directoryTableBase: '0x1ad000',
  processors: 8,
  pagesPresent: 262144,
  physicalPages: 262144,
  runs: 3,
  bugCheck: { code: '0xe2', name: 'MANUALLY_INITIATED_CRASH', parameters: ['0x0', '0x0', '0x0', '0x0'] },
  systemTime: '2026-11-19T22:10:05.123Z',
  upTimeSeconds: 864001.5,
};

const UNKNOWN_DUMP: DumpInfo = {
  ...DUMP,
  container: null,
  type: 'header',
  typeCode: null,
  architecture: null,
  pagingLevels: null,
  directoryTableBase: null,
  processors: null,
  pagesPresent: null,
  physicalPages: null,
  runs: null,
  bugCheck: null,
  systemTime: null,
  upTimeSeconds: null,
};

function figures(value: (index: number) => Pages | null): Record<MemoryField, Pages | null> {
  return Object.fromEntries(MEMORY_FIELDS.map((field, index) => [field, value(index)])) as Record<
    MemoryField,
    Pages | null
  >;
}

const MEMORY: MemoryInfo = {
  ...figures((index) => ({ pages: 1000 + index, source: 'profile' })),
  sessionCommit: null,
  commitLimit: { pages: '18446744073709551615', source: 'kdbg' },
  nonPagedPools: [{ node: 0, pages: 231, nxPages: null, source: 'profile' }],
  pagedPools: [{ index: 0, pages: 27618, source: 'profile' }],
  pageFiles: [
    {
      path: '\\??\\C:\\pagefile.sys',
      currentPages: 262144,
      freePages: 253911,
      minimumPages: 262144,
      maximumPages: null,
    },
    { path: null, currentPages: null, freePages: null, minimumPages: null, maximumPages: null },
  ],
  poolAllocationFailures: { count: 48530, source: 'profile' },
  flags: [
    {
      code: 'excessive-nonpaged-pool',
      message: 'Nonpaged pool is near its maximum.',
      value: 155371,
      limit: 191078,
      percent: 81.3,
      basis: 'nonpaged pool maximum',
    },
  ],
};

const EVIDENCE: Evidence = {
  kind: 'code-immediate',
  from: 'dump',
  address: '0xfffff880044b63aa',
  offset: '0x13aa',
  bytes: '4c 65 61 6b 3b c1 0f 42 c1 41 8d 49 fd 8b d0 ff',
  ascii: 'Leak;..B.A.I....',
  section: '.text',
  executable: true,
  symbol: 'myfault+0x13aa',
  instruction: 'mov     r8d,6B61654Ch',
  callsAllocator: true,
  call: {
    address: '0xfffff880044b63b8',
    allocator: 'ExAllocatePoolWithTag',
    kind: 'allocate',
    instruction: 'call    qword ptr [FFFFF880044B8010h]',
    through: ['myfault+0x1200'],
    throughStarts: ['0xfffff880044b6200'],
  },
  function: { start: '0xfffff880044b6300', end: '0xfffff880044b6420', source: 'exception-table' },
  note: 'An immediate of an instruction shortly before a call of the allocator.',
};

/** Evidence of which nothing is known. */
export const NO_EVIDENCE: Evidence = {
  kind: 'data',
  from: null,
  address: null,
  offset: null,
  bytes: null,
  ascii: null,
  section: null,
  executable: null,
  symbol: null,
  instruction: null,
  callsAllocator: null,
  call: null,
  function: null,
  note: null,
};

const OWNER: TagOwner = { module: 'myfault.sys', base: '0xfffff880044b5000', confidence: 'high', basis: 'code' };

const NOTHING = { allocs: 0, frees: 0, outstanding: 0, bytes: 0 };

/** A leak that was found, every part filled; hostile text in names, counts past 2^53. */
export const FULL: AnalysisResult = {
  schemaVersion: SCHEMA_VERSION,
  run: RUN,
  dump: DUMP,
  system: {
    buildNumber: 7601,
    version: '6.1.7601.17592',
    name: 'Windows Server 2008 R2 SP1',
    productType: 'server',
    buildLab: '7601.17592.amd64fre.win7sp1_gdr.110408-1631',
    machineName: 'DB01',
    kernelBase: '0xfffff80001a00000',
    kernelPdb: { name: 'ntkrnlmp.pdb', guid: '5278AFF86C341677D7D7835C85B7B844', age: 1 },
    symbols: { source: 'profile', detail: 'exact match' },
  },
  memory: MEMORY,
  poolTags: {
    tables: 9,
    entries: 4097,
    source: 'profile',
    complete: true,
    reconciliation: {
      nonPaged: { tagBytes: 634209952, poolBytes: 636399616, unexplainedBytes: 2189664 },
      paged: null,
    },
    totals: { nonPagedAllocs: 43424, nonPagedBytes: 634209952, pagedAllocs: 63565, pagedBytes: 126487760 },
    rows: [
      {
        tag: 'Leak',
        hex: '0x6b61654c',
        protected: false,
        nonPaged: { allocs: 700, frees: 99, outstanding: 601, bytes: 615424000 },
        paged: NOTHING,
        description: null,
        binary: null,
        tagSource: null,
        owner: OWNER,
      },
      {
        tag: 'Thre',
        hex: '0x65726854',
        protected: true,
        nonPaged: { allocs: '18014398509481984', frees: '18014398509481377', outstanding: 607, bytes: 774048 },
        paged: { allocs: 1, frees: 3, outstanding: -2, bytes: -96 },
        description: 'Thread objects',
        binary: 'nt!ps',
        tagSource: 'pooltag.txt',
        owner: null,
      },
      {
        tag: '=1+1',
        hex: '0x312b313d',
        protected: false,
        nonPaged: { ...NOTHING, allocs: 1, outstanding: 1, bytes: 64 },
        paged: NOTHING,
        description: '@SUM(A1:A9), "quoted"',
        binary: 'Io  ',
        tagSource: 'built-in',
        owner: null,
      },
    ],
  },
  modules: [
    {
      name: 'myfault.sys',
      moduleName: 'myfault',
      path: '\\??\\C:\\Windows\\system32\\drivers\\myfault.sys',
      base: '0xfffff880044b5000',
      end: '0xfffff880044bc000',
      sizeOfImage: 28672,
      timeDateStamp: '0x4e8a7b1c',
      checkSum: '0x10ced',
      pdb: { name: 'myfault.pdb', guid: '00112233445566778899AABBCCDDEEFF', age: 1 },
      version: {
        ...{ fileVersion: '4.0.0.0', productName: null, companyName: 'Sysinternals', fileDescription: null },
        ...{ productVersion: '4.0', originalFilename: null, language: '040904b0' },
      },
      pagesPresent: 7,
      pagesTotal: 7,
      timeStampKind: 'date',
      builtAt: '2011-10-04T02:33:32.000Z',
      image: { path: 'drivers/myfault.sys', pagesFilled: 2 },
      signature: {
        embedded: true,
        signer: 'Acme Devices Inc.',
        organization: 'Acme Devices Inc.',
        issuer: 'Some CA',
        note: 'not verified',
      },
    },
    {
      name: 'ev\u001b[31mil\u202e.sys\r\n',
      moduleName: 'ev\u009bil',
      path: null,
      base: '0xfffff88004500000',
      end: '0xfffff88004501000',
      sizeOfImage: 4096,
      timeDateStamp: null,
      checkSum: null,
      pdb: null,
      version: null,
      pagesPresent: null,
      pagesTotal: 1,
      ...{ timeStampKind: null, builtAt: null, image: null, signature: null },
    },
  ],
  unloadedModules: [
    { name: 'myfault.sys', start: '0xfffff880044a0000', end: '0xfffff880044a7000', unloadedAt: '2026-11-19T21:00:00Z' },
    { name: 'x.sys', start: null, end: null, unloadedAt: null },
  ],
  objectTypes: [
    {
      ...{ type: 'Process', tag: 'Proc', key: '0x636f7250', pool: 'nonpaged', objects: 71420, handles: 71652 },
      ...{ objectsHighWater: 71421, handlesHighWater: null, source: 'kdbg' },
    },
  ],
  processes: {
    ...{ complete: true, live: 231, ended: 71197, source: 'kdbg' },
    rows: [
      {
        ...{ address: '0xfffffa8003c9e040', pid: 4321, parentPid: 812, image: 'watchman.exe' },
        ...{ path: '\\Device\\HarddiskVolume1\\watchman.exe', user: 'CONTOSO\\anna', sessionId: 1, createdAt: '2026-11-19T21:00:00Z' },
        ...{ exitedAt: null, ended: false, threads: 12, handles: 71380, handlesUnreadable: 0 },
        handleTypes: [{ type: 'Process', count: 71190 }],
        quota: { pagedBytes: 1, nonPagedBytes: 2, pagedPeakBytes: 3, nonPagedPeakBytes: 4 },
        commitBytes: 4096,
      },
    ],
  },
  whereMemoryIs: [
    { of: 'physical memory', what: 'page tables of the system', pages: 2359296, source: 'profile' },
    { of: 'commit', what: 'unexplained', pages: null, source: null },
  ],
  suspects: [
    {
      tag: 'Leak',
      key: '0x6b61654c',
      pool: 'nonpaged',
      bytes: 615424000,
      outstanding: 601,
      averageBytes: 1024000,
      shareOfPool: 0.97,
      shareOfMemory: 0.372,
      confidence: 'high',
      reasons: [
        { code: 'dominates-pool', message: '97 % of nonpaged pool' },
        { code: 'pool-near-limit', message: 'the pool is at 81 % of its maximum' },
      ],
      against: [{ code: 'single-snapshot', message: 'one snapshot shows no growth' }],
      drivers: [
        { module: 'myfault.sys', base: '0xfffff880044b5000', confidence: 'high', evidence: [EVIDENCE, NO_EVIDENCE] },
        { module: 'other.sys', base: null, confidence: 'low', evidence: [{ ...NO_EVIDENCE, kind: 'string' }] },
      ],
      searched: { modules: 152, notTranslatable: 2, pagesPresent: 20110, pagesMissing: 480, pagesFromDisk: 12 },
      related: [{ tag: 'IoWI', pool: 'nonpaged', outstanding: 1202, ratio: 2 }],
      knownIssues: [{ driver: 'myfault.sys', known: 'It leaks.', fix: null, source: 'a page', file: null }],
      cluster: {
        members: [{ key: '0x49576f49', tag: 'IoWI', pool: 'paged', outstanding: 1202, ratio: 2, owner: OWNER }],
        culprit: { module: 'myfault.sys', base: '0xfffff880044b5000', confidence: 'medium', because: 'it allocates under both' },
      },
      candidates: {
        area: 'file-system',
        drivers: [
          {
            ...{ module: 'myfault.sys', base: '0xfffff880044b5000', company: 'Sysinternals', version: '4.0.0.0' },
            ...{ windows: false, roles: ['file-system-filter'], because: 'a reason' },
            ...{ altitude: '328010', instances: 4 },
          },
        ],
        unread: ['other.sys'],
        unreadCount: 1,
      },
      holders: {
        ...{ type: 'Process', objects: 71420, handles: 71652, withoutHandle: 12, unreadable: 0, complete: true },
        processes: [
          {
            ...{ pid: 4321, image: 'watchman.exe', handles: 71190, objects: 71190, share: 0.99, looked: 71190 },
            targets: [{ name: 'cmd.exe (ended)', count: 71190 }],
          },
        ],
        ended: [
          {
            ...{ image: 'cmd.exe', parentImage: 'watchman.exe', parentPid: 4321, count: 71197 },
            ...{ firstExit: '2026-11-18T21:00:00Z', lastExit: '2026-11-19T21:00:00Z' },
          },
        ],
        references: { objects: 12, beyondHandles: 14 },
      },
      contents: {
        sampled: 500,
        sizes: [{ bytes: 2688, count: 498 }],
        pointers: [{ offset: 24, module: 'nvstor.sys', moduleOffset: '0x1f40', symbol: null, count: 412 }],
        strings: [{ text: 'a text', count: 3 }],
        kinds: [
          {
            ...{ kind: 'Irp', count: 480, looked: 512, detail: 'not sent (3)', source: null },
            leads: [{ how: 'sent to', name: 'nvstor.sys', count: 477 }],
          },
        ],
      },
      billed: [{ pid: 4321, image: 'watchman.exe', bytes: 1, blocks: 1 }],
    },
    {
      tag: 'Abcd',
      pool: 'paged',
      bytes: 1,
      outstanding: 1,
      averageBytes: null,
      shareOfPool: null,
      shareOfMemory: null,
      confidence: 'low',
      reasons: [],
      against: [],
      drivers: [],
      searched: null,
      related: [],
      knownIssues: [],
      ...{ key: null, cluster: null, candidates: null, holders: null, contents: null, billed: null },
    },
  ],
  verdict: {
    leakSuspected: true,
    headline: 'Nonpaged pool: 586.9 MB under tag Leak, allocated by myfault.sys',
    nextSteps: ['Ask the vendor of myfault.sys for an update.', 'Take a second dump some hours later.'],
    culprit: {
      ...{ kind: 'driver', module: 'myfault.sys', base: '0xfffff880044b5000', process: null, confidence: 'high' },
      because: ['the tag goes to ExAllocatePoolWithTag'],
    },
    recipe: {
      ...{ tag: 'Leak', key: '0x6b61654c', build: 19041 },
      steps: [
        {
          ...{ id: 'verifier', title: 'Track it', cost: 'A restart.', where: 'command prompt', note: 'A note.' },
          commands: ['verifier /flags 0x8 /driver myfault.sys'],
        },
      ],
    },
  },
  warnings: [{ code: 'module-unreadable', where: 'modules', message: '480 pages of modules are not in the dump.' }],
};

/** All that may be null is null. */
export const UNKNOWN: AnalysisResult = {
  schemaVersion: SCHEMA_VERSION,
  run: { ...RUN, options: {} },
  dump: UNKNOWN_DUMP,
  system: null,
  memory: null,
  poolTags: null,
  modules: null,
  unloadedModules: null,
  objectTypes: null,
  processes: null,
  whereMemoryIs: null,
  suspects: [],
  verdict: { leakSuspected: null, headline: 'This dump holds no pool state.', nextSteps: [], culprit: null, recipe: null },
  warnings: [],
};

/** As UNKNOWN, but the parts are there and hold nothing but nulls and empty lists. */
export const HOLLOW: AnalysisResult = {
  ...UNKNOWN,
  system: {
    buildNumber: null,
    version: null,
    name: null,
    productType: null,
    buildLab: null,
    machineName: null,
    kernelBase: null,
    kernelPdb: null,
    symbols: null,
  },
  memory: {
    ...figures(() => null),
    nonPagedPools: null,
    pagedPools: null,
    pageFiles: null,
    poolAllocationFailures: null,
    flags: [],
  },
  poolTags: {
    tables: 0,
    entries: 0,
    source: 'derived',
    complete: false,
    reconciliation: { nonPaged: null, paged: null },
    totals: { nonPagedAllocs: 0, nonPagedBytes: 0, pagedAllocs: 0, pagedBytes: 0 },
    rows: [],
  },
  modules: [],
  unloadedModules: [],
};

/** A triage dump: header, bug check and drivers, no memory and no pool. */
export const TRIAGE: AnalysisResult = {
  ...FULL,
  dump: { ...DUMP, path: 'mini.dmp', type: 'triage', typeCode: 4, fileBytes: 262144, pagesPresent: null, runs: null },
  memory: null,
  poolTags: null,
  suspects: [],
  verdict: {
    leakSuspected: null,
    headline: 'A triage dump holds no pool tables.',
    nextSteps: ['Set the machine to write kernel or complete dumps.'],
    culprit: null,
    recipe: null,
  },
  warnings: [{ code: 'triage-dump', where: 'dump', message: 'A triage dump holds no pool tables.' }],
};
