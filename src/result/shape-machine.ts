/** What the dump and the machine are: `run`, `dump`, `system`, `memory`, `modules`, `processes`, `objectTypes`. */

import type {
  DumpInfo,
  MemoryInfo,
  MemoryPart,
  ModuleInfo,
  ObjectTypeInfo,
  ProcessInfo,
  ProcessList,
  RunInfo,
  SystemInfo,
  UnloadedModule,
} from './result.js';
import { inner, leaf, list, named, oneOf, open, orNull, said, type Shape } from './leaves.js';
import { BASE, BUG_CHECK, KEY, NOTE, PAGES, PDB, POOL, PROCESS_NAME, SOURCE, TAG } from './shape-common.js';

export const RUN: Shape<RunInfo> = named('run', 'about the run: all that differs between two runs over one file', {
  tool: oneOf('the program', 'dumpleak'),
  version: leaf('text', 'of the program'),
  startedAt: leaf('time', 'when'),
  elapsedMs: leaf('milliseconds', 'how long it took'),
  bytesRead: leaf('integer', 'bytes read from the dump'),
  options: open('the options in force, by name'),
});

export const DUMP: Shape<DumpInfo> = named('dump', 'the file', {
  path: leaf('given', 'as it was given'),
  fileBytes: leaf('count', 'size of the file'),
  container: orNull(leaf('text', '`gzip` and so on when the dump is inside one')),
  format: oneOf('of the header: 64-bit or 32-bit', 'PAGEDU64', 'PAGEDUMP'),
  type: oneOf(
    'by what the file holds, not by its header alone',
    ...(['full', 'kernel', 'bitmap-full', 'bitmap-kernel', 'automatic', 'triage', 'header'] as const),
    ...(['rdmp-kernel', 'rdmp-kernel-user', 'rdmp-full'] as const),
  ),
  typeCode: orNull(leaf('integer', 'the number in the header')),
  live: leaf('flag', 'taken from a running system'),
  truncated: leaf('flag', 'the file ends before what its header promises'),
  encrypted: leaf('flag', 'the contents are encrypted'),
  architecture: orNull(oneOf('of the machine', 'x64', 'x86', 'x86-pae', 'arm64')),
  pagingLevels: orNull(leaf('integer', 'of page tables')),
  directoryTableBase: orNull(leaf('address', 'physical address of the top page table')),
  processors: orNull(leaf('integer', 'number')),
  pagesPresent: orNull(leaf('count', 'pages of memory in the file')),
  physicalPages: orNull(leaf('count', 'pages of memory in the machine')),
  runs: orNull(leaf('integer', 'runs of physical memory')),
  bugCheck: orNull(BUG_CHECK),
  systemTime: orNull(leaf('time', 'when the dump was taken')),
  upTimeSeconds: orNull(leaf('seconds', 'since boot')),
});

export const SYSTEM: Shape<SystemInfo> = named('system', 'the machine and its kernel', {
  buildNumber: orNull(leaf('integer', '`19041`')),
  version: orNull(leaf('text', '`10.0.19041.804`')),
  name: orNull(leaf('release', 'the product, for people')),
  productType: orNull(oneOf('what it was installed as', 'workstation', 'domain-controller', 'server')),
  buildLab: orNull(leaf('text', 'as the kernel spells it')),
  machineName: orNull(
    leaf('host', 'what most processes have as COMPUTERNAME in their environment: in dumps with user memory'),
  ),
  kernelBase: orNull(leaf('address', 'of the kernel image')),
  kernelPdb: orNull(said('of the kernel', PDB)),
  symbols: orNull(
    inner('where addresses and layouts of this kernel came from', {
      source: said('the strongest', SOURCE),
      detail: leaf('text', 'the same for people'),
    }),
  ),
});

const figure = (what: string) => orNull(said(what, PAGES));

export const MEMORY: Shape<MemoryInfo> = named('memory', 'the figures of `!vm`', {
  physicalMemory: figure('Physical Memory'),
  availablePages: figure('Available Pages'),
  residentAvailablePages: figure('ResAvail Pages'),
  lockedIoPages: figure('Locked IO Pages'),
  freeSystemPtes: figure('Free System PTEs: page table entries, each good for a page'),
  modifiedPages: figure('Modified Pages'),
  modifiedPageFilePages: figure('Modified PF Pages'),
  modifiedNoWritePages: figure('Modified No Write Pages'),
  zeroedPages: figure('a page list that makes up the available pages'),
  freePages: figure('a page list that makes up the available pages'),
  standbyPages: figure('a page list that makes up the available pages'),
  nonPagedPoolUsage: figure(
    'all nonpaged pool in use: NonPagedPool Usage, plus NonPagedPoolNx Usage where the debugger shows it apart',
  ),
  nonPagedPoolNxUsage: figure(
    'NonPagedPoolNx Usage: the part of `nonPagedPoolUsage` that is not executable (Windows 8 and later: nearly all of it)',
  ),
  nonPagedPoolMaximum: figure('NonPagedPool Max'),
  pagedPoolUsage: figure('PagedPool Usage'),
  pagedPoolMaximum: figure('PagedPool Maximum'),
  sessionCommit: figure('Session Commit'),
  sharedCommit: figure('Shared Commit'),
  specialPool: figure('Special Pool'),
  sharedProcess: figure('Shared Process'),
  pagedPoolCommit: figure('PagedPool Commit'),
  nonPagedPoolCommit: figure('NonPagedPool Commit'),
  driverCommit: figure('Driver Commit'),
  committedPages: figure('Committed pages'),
  commitLimit: figure('Commit limit'),
  peakCommitment: figure('the highest commit since boot'),
  nonPagedPools: orNull(
    list(
      'nonpaged pool a NUMA node',
      inner('a node', {
        node: leaf('integer', 'its number'),
        pages: orNull(leaf('count', 'in use')),
        nxPages: orNull(leaf('count', 'of them, those that are not executable')),
        source: SOURCE,
      }),
    ),
  ),
  pagedPools: orNull(
    list(
      'the paged pools',
      inner('a pool', {
        index: leaf('integer', 'its number'),
        pages: leaf('count', 'in use'),
        source: SOURCE,
      }),
    ),
  ),
  pageFiles: orNull(
    list(
      'page files',
      inner('a page file', {
        path: orNull(leaf('path', 'as the kernel spells it')),
        currentPages: orNull(leaf('count', 'its size')),
        freePages: orNull(leaf('count', 'of that, free')),
        minimumPages: orNull(leaf('count', 'as set')),
        maximumPages: orNull(leaf('count', 'as set')),
      }),
    ),
  ),
  poolAllocationFailures: orNull(
    inner('pool allocations that failed since boot', {
      count: leaf('count', 'how many'),
      source: SOURCE,
    }),
  ),
  flags: list(
    'figures near or past a limit',
    inner('a figure', {
      code: oneOf(
        'for programs; stays',
        ...(['excessive-nonpaged-pool', 'high-nonpaged-pool', 'implausible-nonpaged-pool'] as const),
        ...(['excessive-paged-pool', 'high-paged-pool', 'implausible-paged-pool'] as const),
        ...(['commit-near-limit', 'implausible-commit'] as const),
        ...(['low-available-memory', 'implausible-available-memory'] as const),
        ...(['low-system-ptes', 'system-ptes-exhausted', 'implausible-tag-bytes'] as const),
      ),
      message: NOTE.fields.message,
      value: leaf('count', 'pages'),
      limit: leaf('count', 'pages'),
      percent: leaf('percent', 'value of limit'),
      basis: leaf('text', 'which limit, for people'),
    }),
  ),
});

export const MODULE_ROW: Shape<ModuleInfo> = named('module', 'a loaded driver', {
  name: leaf('file', 'file name: `myfault.sys`'),
  moduleName: leaf('file', 'as a debugger names it: `myfault`'),
  path: orNull(leaf('path', 'as the kernel spells it')),
  base: BASE,
  end: leaf('address', 'the first one behind the module'),
  sizeOfImage: leaf('integer', 'bytes'),
  timeDateStamp: orNull(leaf('hex', 'of the PE header: seconds since 1970, or a hash')),
  checkSum: orNull(leaf('hex', 'of the PE header')),
  pdb: orNull(PDB),
  version: orNull(
    inner('of the version resource', {
      fileVersion: orNull(leaf('text', 'version of the file')),
      productName: orNull(leaf('text', 'name of the product')),
      companyName: orNull(leaf('text', 'who says to have made it')),
      fileDescription: orNull(leaf('text', 'what it says to be')),
      productVersion: orNull(leaf('text', 'version of the product')),
      originalFilename: orNull(leaf('file', 'what it was called when it was built')),
      language: orNull(leaf('language', 'language and code page of these texts; English where there are several')),
    }),
  ),
  pagesPresent: orNull(leaf('integer', 'pages of it that could be read; null: not counted')),
  pagesTotal: leaf('integer', 'pages that it has'),
  timeStampKind: orNull(
    oneOf(
      'what the time stamp is; `hash`: a reproducible build, it says nothing of a time; `impossible`: before Windows NT, or after the dump; null: not known',
      ...(['date', 'hash', 'impossible'] as const),
    ),
  ),
  builtAt: orNull(leaf('time', 'when it was linked; only for `date`')),
  image: orNull(
    inner('the file on disk (`--images`) that completes it', {
      path: leaf('path', 'the file'),
      pagesFilled: leaf('integer', 'pages that it gave'),
    }),
  ),
  signature: orNull(
    inner('of that file, not verified', {
      embedded: leaf('flag', 'false: none in the file; it may be signed by a catalog'),
      signer: orNull(leaf('text', 'common name of the signer')),
      organization: orNull(leaf('text', 'organization of the signer')),
      issuer: orNull(leaf('text', 'who issued the certificate')),
      note: leaf('text', 'what that says, for people'),
    }),
  ),
});

export const UNLOADED: Shape<UnloadedModule> = named('unloadedModule', 'a driver that was unloaded', {
  name: leaf('file', 'file name, cut by the kernel where it is long'),
  start: orNull(leaf('address', 'where its image began')),
  end: orNull(leaf('address', 'the first one behind it')),
  unloadedAt: orNull(leaf('time', 'when')),
});

export const OBJECT_TYPE: Shape<ObjectTypeInfo> = named('objectType', 'a type of kernel objects', {
  type: leaf('text', '`Process`'),
  tag: TAG,
  key: KEY,
  pool: orNull(POOL),
  objects: leaf('count', 'objects of it now'),
  handles: leaf('count', 'handles to them now'),
  objectsHighWater: orNull(leaf('count', 'the most objects since boot')),
  handlesHighWater: orNull(leaf('count', 'the most handles since boot')),
  source: SOURCE,
});

export const PROCESS: Shape<ProcessInfo> = named('process', 'a process', {
  address: leaf('address', 'of its EPROCESS'),
  pid: PROCESS_NAME.pid,
  parentPid: orNull(leaf('count', 'process id of its parent')),
  image: PROCESS_NAME.image,
  path: orNull(leaf('path', 'of its program')),
  user: orNull(leaf('user', 'whose token it has: an account, or a SID where no account is known')),
  sessionId: orNull(leaf('integer', 'its session')),
  createdAt: orNull(leaf('time', 'when it began')),
  exitedAt: orNull(leaf('time', 'when it ended')),
  ended: leaf('flag', 'it has ended, and its object is still there'),
  threads: orNull(leaf('count', 'its threads')),
  handles: orNull(leaf('count', 'its open handles')),
  handlesUnreadable: orNull(leaf('count', 'of them, those that could not be read')),
  handleTypes: orNull(
    list(
      'handles by type, most first',
      inner('a type', { type: leaf('text', 'object type'), count: leaf('count', 'handles') }),
    ),
  ),
  quota: orNull(
    inner('what it was charged for pool', {
      pagedBytes: leaf('count', 'paged pool'),
      nonPagedBytes: leaf('count', 'nonpaged pool'),
      pagedPeakBytes: leaf('count', 'the most'),
      nonPagedPeakBytes: leaf('count', 'the most'),
    }),
  ),
  commitBytes: orNull(leaf('count', 'private commit')),
});

export const PROCESSES: Shape<ProcessList> = named('processes', 'the processes', {
  complete: leaf('flag', 'the list was walked to its end'),
  live: leaf('count', 'processes that run'),
  ended: orNull(leaf('count', 'ended ones whose object is still there; null: not looked for')),
  source: SOURCE,
  rows: list('the live ones', PROCESS),
});

export const MEMORY_PART: Shape<MemoryPart> = named('memoryPart', 'memory that one thing holds', {
  of: oneOf('of what it is a part', 'physical memory', 'commit'),
  what: leaf('text', '`page tables of the system`; the last row of each is `unexplained`'),
  pages: orNull(
    leaf(
      'count',
      'pages; null: no counter is known. `unexplained` is negative where parts are counted twice, and null where one is unknown',
    ),
  ),
  source: orNull(SOURCE),
});
