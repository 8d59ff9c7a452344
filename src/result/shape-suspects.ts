/** Tags and who is behind them: `poolTags`, `suspects`, `verdict`. */

import type {
  BlockContents,
  Candidates,
  Culprit,
  Evidence,
  Holders,
  KnownIssue,
  PoolCounters,
  PoolTagRow,
  PoolTags,
  Recipe,
  Reconciliation,
  RelatedTag,
  Searched,
  Suspect,
  SuspectDriver,
  TagCluster,
  Verdict,
} from './result.js';
import { KIND_ORDER } from './evidence-kinds.js';
import { inner, leaf, list, named, oneOf, orNull, said, type Shape } from './leaves.js';
import { BASE, CONFIDENCE, KEY, MODULE, NOTE, OWNER, POOL, PROCESS_NAME, SOURCE, TAG } from './shape-common.js';

const COUNTERS: Shape<PoolCounters> = named('counters', 'what one pool holds under a tag', {
  allocs: leaf('count', 'since boot'),
  frees: leaf('count', 'since boot'),
  outstanding: leaf('count', 'allocs - frees'),
  bytes: leaf('count', 'outstanding'),
});

const RECONCILIATION: Shape<Reconciliation> = named('reconciliation', 'tags against the counters of their pool', {
  tagBytes: leaf('count', 'sum of the rows'),
  poolBytes: leaf('count', 'what the pool counters say'),
  unexplainedBytes: leaf('count', 'the difference; negative where the tags hold more'),
});

export const POOL_TAG_ROW: Shape<PoolTagRow> = named('poolTagRow', 'a tag', {
  tag: TAG,
  hex: leaf('hex', 'the key as a little-endian number, without the protected bit: exact where `tag` is not'),
  protected: leaf('flag', 'a table had the key with the protected bit (freeing needs the tag)'),
  nonPaged: said('in nonpaged pool', COUNTERS),
  paged: said('in paged pool', COUNTERS),
  description: orNull(leaf('text', 'from your `pooltag.txt`; the built-in list has none')),
  binary: orNull(leaf('text', 'who is documented to use the tag: `afd.sys`, `nt!mm`, `a.sys or b.sys`')),
  tagSource: orNull(
    oneOf('where these two come from; null: the tag is on no list', 'pooltag.txt', 'localtag.txt', 'built-in'),
  ),
  owner: orNull(said('who is named for the tag in this dump; null where nobody is', OWNER)),
});

export const POOL_TAGS: Shape<PoolTags> = named('poolTags', 'the tables of `!poolused`', {
  tables: leaf('integer', 'tables that were read and summed: one for all and one a processor'),
  entries: leaf('integer', 'slots in one table'),
  source: said("of the tables' addresses and layout", SOURCE),
  complete: leaf('flag', 'every table was read. When false, the rows hold less, or other sums, than the kernel had'),
  reconciliation: inner('what the tags explain of each pool', {
    nonPaged: orNull(said('nonpaged pool', RECONCILIATION)),
    paged: orNull(said('paged pool', RECONCILIATION)),
  }),
  totals: inner('outstanding, over all rows', {
    nonPagedAllocs: leaf('count', 'allocations in nonpaged pool'),
    nonPagedBytes: leaf('count', 'bytes in nonpaged pool'),
    pagedAllocs: leaf('count', 'allocations in paged pool'),
    pagedBytes: leaf('count', 'bytes in paged pool'),
  }),
  rows: list('by nonpaged plus paged bytes, largest first', POOL_TAG_ROW),
});

export const EVIDENCE: Shape<Evidence> = named('evidence', 'why a driver is named', {
  kind: oneOf('what it is, see below', ...KIND_ORDER),
  from: orNull(oneOf('where it was read; null: in neither, as a rule or a list', 'dump', 'file')),
  address: orNull(leaf('address', "where the tag's first byte stands; for a pair the first of the two instructions")),
  offset: orNull(leaf('hex', "from the module's base")),
  bytes: orNull(leaf('bytes', 'up to sixteen bytes from there: `4c 65 61 6b`')),
  ascii: orNull(leaf('memory', 'the same as characters')),
  section: orNull(leaf('text', 'of the image')),
  executable: orNull(leaf('flag', 'the section is')),
  symbol: orNull(
    leaf('text', "the function around it: by the driver's PDB (`--symbols`), else the exported function before it"),
  ),
  instruction: orNull(leaf('text', 'that holds or loads the tag, disassembled: `mov     r8d,6B61654Ch`')),
  callsAllocator: orNull(
    leaf('flag', 'true: an allocator gets the tag; false: the code could be followed and none does; null: not known'),
  ),
  call: orNull(
    inner('the call that gets the tag', {
      address: leaf('address', 'of the call'),
      allocator: leaf('text', '`ExAllocatePoolWithTag`'),
      kind: oneOf('what that function does with the tag', 'allocate', 'free', 'lookaside', 'other'),
      instruction: orNull(leaf('text', 'the call as the debugger shows it')),
      through: list(
        'functions of the driver between the call and the allocator, outermost first',
        leaf('text', '`acme!AcmeAllocate` by PDB or export, else `acme+0x1400`'),
      ),
      throughStarts: orNull(list('where these functions begin, in the same order', leaf('address', 'of a function'))),
    }),
  ),
  function: orNull(
    inner('the function that the code is part of', {
      start: leaf('address', 'where it begins'),
      end: leaf('address', 'the first byte behind it'),
      source: oneOf(
        'of the bounds; `padding`: between functions; `synchronized`: a stretch of code around the place, no bounds are known',
        ...(['exception-table', 'export', 'call-target', 'padding', 'synchronized'] as const),
      ),
    }),
  ),
  note: orNull(leaf('note', 'why this counts as it does')),
});

const DRIVER: Shape<SuspectDriver> = named('driver', 'a driver that holds the tag', {
  module: MODULE,
  base: orNull(said('joins it with `modules`; null for one that is no longer loaded', BASE)),
  confidence: said('that this driver allocates under the tag', CONFIDENCE),
  evidence: list('strongest first', EVIDENCE),
});

export const SEARCHED: Shape<Searched> = named('searched', 'how far the modules could be searched', {
  modules: leaf('integer', 'modules that were'),
  notTranslatable: leaf('integer', 'modules of which no page could be'),
  pagesPresent: leaf('integer', 'pages that were'),
  pagesMissing: leaf('integer', 'pages that are not there: a driver may hide in them'),
  pagesFromDisk: orNull(leaf('integer', 'of `pagesPresent`, those that the dump lacks and `--images` has')),
});

const RELATED: Shape<RelatedTag> = named('relatedTag', 'a tag that goes with a suspect', {
  tag: TAG,
  pool: POOL,
  outstanding: leaf('count', 'allocations'),
  ratio: leaf('number', "its outstanding allocations by the suspect's"),
});

const ISSUE: Shape<KnownIssue> = named('knownIssue', 'what is known of a leak from before', {
  driver: orNull(leaf('file', 'null: about the tag alone')),
  known: leaf('text', 'what is known'),
  fix: orNull(leaf('text', 'what helps')),
  source: leaf('reference', 'where that stands'),
  file: orNull(leaf('given', 'the file of known issues; null: built-in')),
});

const CLUSTER: Shape<TagCluster> = named(
  'cluster',
  'tags in lock step: as many outstanding allocations, or a whole number of times as many, and hardly any freed',
  {
    members: list(
      'the other tags',
      inner('a tag', {
        key: KEY,
        tag: TAG,
        pool: POOL,
        outstanding: leaf('count', 'allocations'),
        ratio: leaf('number', "its outstanding allocations by the suspect's"),
        owner: orNull(OWNER),
      }),
    ),
    culprit: orNull(
      inner('the driver that makes the others allocate; null where no one member stands out', {
        module: MODULE,
        base: orNull(BASE),
        confidence: said('that it does', CONFIDENCE),
        because: leaf('text', 'why it is named'),
      }),
    ),
  },
);

const CANDIDATES: Shape<Candidates> = named('candidates', 'who could be behind a tag of Windows; none is accused', {
  area: oneOf('the part of Windows', 'file-system', 'network', 'registry', 'processes'),
  drivers: list(
    'best first: with a reason of their own, then those that are no known part of Windows',
    inner('a driver', {
      module: MODULE,
      base: BASE,
      company: orNull(leaf('text', 'who says to have made it')),
      version: orNull(leaf('text', 'its file version')),
      windows: leaf('flag', 'a known part of Windows'),
      roles: list(
        'what it registers itself as, by the functions that it imports',
        oneOf(
          'a role',
          ...([
            'file-system-filter',
            'legacy-file-system-filter',
            'wfp-callout',
            'ndis-filter',
            'ndis-protocol',
          ] as const),
          ...(['ndis-miniport', 'registry-callback', 'process-callback', 'thread-callback'] as const),
          ...(['image-callback', 'object-callback'] as const),
        ),
      ),
      altitude: orNull(
        leaf(
          'text',
          "of a file system filter, by the filter manager's PDB (`--symbols`): the higher, the earlier it is called",
        ),
      ),
      instances: orNull(leaf('count', 'volumes that it is attached to, likewise')),
      because: orNull(leaf('note', 'what else leads to it')),
    }),
  ),
  unread: list('drivers, no known part of Windows, whose imports are not in the dump: they may be such ones', MODULE),
  unreadCount: leaf('integer', 'all of these: `unread` has the first'),
});

export const HOLDERS: Shape<Holders> = named('holders', 'who holds the objects under a tag', {
  type: leaf('text', 'of the objects'),
  objects: leaf('count', 'objects of the type'),
  handles: leaf('count', 'handles to them'),
  withoutHandle: orNull(leaf('count', 'objects that no handle leads to')),
  unreadable: leaf('count', 'handles that could not be read'),
  complete: leaf('flag', 'every handle of every process was read; false: others may hold more than is said here'),
  processes: list(
    'most handles first',
    inner('a process', {
      ...PROCESS_NAME,
      handles: leaf('count', 'its handles to such objects'),
      objects: orNull(leaf('count', 'different objects among them')),
      share: leaf('share', 'of all such handles'),
      looked: leaf('count', 'of its handles, those of which it was looked at what they lead to'),
      targets: list(
        'what they lead to, commonest first',
        inner('a target', {
          name: leaf('target', '`cmd.exe (ended)`, `\\Device\\HarddiskVolume3\\x.log`, an account'),
          count: leaf('count', 'handles'),
        }),
      ),
    }),
  ),
  ended: list(
    'ended processes whose objects remain, by program and parent',
    inner('a group', {
      image: PROCESS_NAME.image,
      parentImage: orNull(leaf('process', 'program of the parent')),
      parentPid: orNull(leaf('count', 'process id of the parent')),
      count: leaf('count', 'processes'),
      firstExit: orNull(leaf('time', 'the first end')),
      lastExit: orNull(leaf('time', 'the last end')),
    }),
  ),
  references: orNull(
    inner('references that no handle explains', {
      objects: leaf('count', 'objects that have some'),
      beyondHandles: leaf('count', 'references'),
    }),
  ),
});

const CONTENTS: Shape<BlockContents> = named('contents', 'what stands in blocks of the tag', {
  sampled: leaf('count', 'blocks that were looked at'),
  sizes: list('most first', inner('a size', { bytes: leaf('count', 'of a block'), count: leaf('count', 'blocks') })),
  pointers: list(
    'pointers into images at the same place of many blocks',
    inner('a pointer', {
      offset: leaf('integer', 'in the block'),
      module: MODULE,
      moduleOffset: leaf('hex', "from the module's base"),
      symbol: orNull(leaf('text', 'what stands there')),
      count: leaf('count', 'blocks'),
    }),
  ),
  strings: list(
    'texts in the blocks',
    inner('a text', { text: orNull(leaf('memory', 'null where it was left out')), count: leaf('count', 'blocks') }),
  ),
  kinds: list(
    'what the blocks were recognized as',
    inner('a kind', {
      kind: leaf('text', '`Irp`, `work item`, `list entry`'),
      count: leaf('count', 'blocks'),
      looked: leaf('count', 'blocks that were looked at for it'),
      detail: orNull(leaf('text', 'for people')),
      leads: orNull(
        list(
          'what the blocks lead to, most first; empty where nothing is told',
          inner('a lead', {
            how: leaf('text', '`run`, `sent to`, `of`'),
            name: leaf('target', 'a place in a driver, a driver, an account, a process'),
            count: leaf('count', 'blocks'),
          }),
        ),
      ),
      source: orNull(
        said('of the layout; null where the block itself tells, or a published declaration was proved', SOURCE),
      ),
    }),
  ),
});

export const SUSPECT: Shape<Suspect> = named('suspect', 'a tag that may leak', {
  tag: TAG,
  key: orNull(KEY),
  pool: POOL,
  bytes: leaf('count', 'outstanding'),
  outstanding: leaf('count', 'allocations'),
  averageBytes: orNull(leaf('number', 'an allocation')),
  shareOfPool: orNull(leaf('share', "of the pool's usage")),
  shareOfMemory: orNull(leaf('share', 'of physical memory')),
  confidence: said('that this is a leak', CONFIDENCE),
  reasons: list('what speaks for it', NOTE),
  against: list('what speaks against it, or is not known', NOTE),
  drivers: list('best first; empty when no module holds the tag', DRIVER),
  searched: orNull(SEARCHED),
  related: orNull(
    list(
      "tags whose outstanding allocations go with this one's. A hint, see [verdict.md](verdict.md); it changes no confidence",
      RELATED,
    ),
  ),
  knownIssues: orNull(list('what is known of it from before ([known-issues.md](known-issues.md))', ISSUE)),
  cluster: orNull(CLUSTER),
  candidates: orNull(
    said('who could be behind it, best first; null for tags that nobody is registered for', CANDIDATES),
  ),
  holders: orNull(said("who holds the objects; null where the tag is no object type's", HOLDERS)),
  contents: orNull(said('what stands in blocks of the tag; null where none was looked at', CONTENTS)),
  billed: orNull(
    list(
      'processes that were charged for the blocks, most first',
      inner('a process', {
        ...PROCESS_NAME,
        bytes: leaf('count', 'charged'),
        blocks: leaf('count', 'blocks'),
      }),
    ),
  ),
});

const CULPRIT: Shape<Culprit> = named('culprit', 'who is behind the leak', {
  kind: oneOf(
    'what is; `none`: no leak is suspected; `unknown`: nobody can be named, or this dump cannot tell',
    ...(['driver', 'process', 'kernel-references', 'not-pool', 'unknown', 'none'] as const),
  ),
  module: orNull(said('the driver', MODULE)),
  base: orNull(BASE),
  process: orNull(inner('the process', PROCESS_NAME)),
  confidence: orNull(said('that it is; null where nobody is named', CONFIDENCE)),
  because: list('why, for people', leaf('note', 'a sentence')),
});

export const RECIPE: Shape<Recipe> = named('recipe', 'how to get the stacks of allocations under a tag', {
  tag: TAG,
  key: KEY,
  build: orNull(leaf('integer', 'of Windows that it is for; null: any')),
  steps: list(
    'the most useful first',
    inner('a step', {
      id: oneOf('which', 'poolmon', 'handles', 'object-references', 'wpr', 'xperf', 'verifier', 'pool-hit-tag'),
      title: leaf('text', 'what it does'),
      cost: leaf('text', 'what it costs the machine'),
      where: oneOf('where the commands are given', 'command prompt', 'debugger'),
      commands: list('in order', leaf('text', 'to paste')),
      note: leaf('text', 'what to know of it'),
    }),
  ),
});

export const VERDICT: Shape<Verdict> = named('verdict', 'the conclusion', {
  leakSuspected: orNull(leaf('flag', 'null: this dump cannot tell')),
  headline: leaf('text', 'one sentence'),
  nextSteps: list('what to do now', leaf('text', 'a step')),
  culprit: orNull(CULPRIT),
  recipe: orNull(said('the first suspect; null where no tag is suspected', RECIPE)),
});
