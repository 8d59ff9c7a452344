/** The parts of the commands about objects, described as the result is: for the order of fields and for --redact. */

import { inner, leaf, list, named, orNull, type Shape } from './leaves.js';
import type { EndedGroup, HandlesPart, ObjectsPart, ProcessBlock, TagHolders } from './object-parts.js';
import { KEY, POOL, PROCESS_NAME, TAG } from './shape-common.js';
import { HOLDERS } from './shape-suspects.js';

const NAME = leaf('target', 'what it is: `cmd.exe (ended)`, a path, an account');

const BLOCK: Shape<ProcessBlock> = named('processBlock', 'a process as `!process 0 0` shows it', {
  ...PROCESS_NAME,
  address: leaf('address', 'of its EPROCESS'),
  parentPid: orNull(leaf('count', 'process id of its parent')),
  sessionId: orNull(leaf('integer', 'its session')),
  ended: leaf('flag', 'it has ended, and its object is still there'),
  peb: orNull(leaf('address', 'of its PEB')),
  directoryTableBase: orNull(leaf('address', 'physical, of its page tables')),
  objectTable: orNull(leaf('address', 'of its handle table')),
  handles: orNull(leaf('count', 'its handles; null where not all could be read')),
});

const ENDED: Shape<EndedGroup> = named('endedGroup', 'ended processes that are still there', {
  image: PROCESS_NAME.image,
  path: orNull(leaf('path', 'of the program')),
  parentImage: orNull(leaf('process', 'program of the parent')),
  parentPid: orNull(leaf('count', 'process id of the parent')),
  sessionId: orNull(leaf('integer', 'their session')),
  count: leaf('count', 'processes'),
  firstExit: orNull(leaf('time', 'the first end')),
  lastExit: orNull(leaf('time', 'the last end')),
  heldBy: orNull(
    list('most handles first', inner('a process', { ...PROCESS_NAME, handles: leaf('count', 'handles to them') })),
  ),
  withoutHandle: orNull(leaf('count', 'to so many of them no handle leads')),
});

const HANDLES: Shape<HandlesPart> = named('handleTables', 'handles of processes', {
  complete: leaf('flag', 'every handle that was asked for was read'),
  found: leaf('count', 'handles'),
  processes: list(
    'most handles first',
    inner('a process', {
      ...PROCESS_NAME,
      ended: leaf('flag', 'it has ended'),
      handles: leaf('count', 'that were found'),
      complete: leaf('flag', 'all of its table was read'),
      pagesMissing: leaf('count', 'pages of its table that the dump lacks'),
      types: list(
        'most handles first',
        inner('a type', {
          type: leaf('text', 'object type'),
          handles: leaf('count', 'handles'),
          objects: leaf('count', 'different objects'),
        }),
      ),
    }),
  ),
  targets: orNull(
    list(
      'what they lead to, commonest first',
      inner('a target', { type: leaf('text', 'object type'), name: NAME, count: leaf('count', 'handles') }),
    ),
  ),
  rows: orNull(
    list(
      'the handles',
      inner('a handle', {
        ...PROCESS_NAME,
        handle: leaf('hex', 'its value'),
        object: leaf('address', "of the object's body"),
        header: leaf('address', 'of its header'),
        type: orNull(leaf('text', 'object type; null where the header is not in the dump')),
        typeAddress: orNull(leaf('address', 'of the type')),
        access: leaf('hex', 'that it grants'),
        entry: orNull(leaf('address', 'of its entry in the table')),
        handleCount: orNull(leaf('count', 'handles to the object')),
        pointerCount: orNull(leaf('count', 'references, as stored')),
        name: orNull(NAME),
      }),
    ),
  ),
});

const OBJECTS: Shape<ObjectsPart> = named('objects', 'objects of one type to which handles lead', {
  type: leaf('text', 'the type'),
  found: leaf('count', 'objects'),
  complete: leaf('flag', 'every handle of every process was read'),
  names: list(
    'commonest first',
    inner('a name', { name: NAME, objects: leaf('count', 'objects'), handles: leaf('count', 'handles to them') }),
  ),
  unnamed: leaf('count', 'looked at and without a name that could be read'),
  looked: leaf('count', 'objects that were looked at for their names'),
  rows: list(
    'most handles first',
    inner('an object', {
      object: leaf('address', 'of its body'),
      header: leaf('address', 'of its header'),
      name: orNull(NAME),
      handles: leaf('count', 'that were found'),
      pointerCount: leaf('count', 'references, as stored'),
      beyondHandles: orNull(leaf('count', 'references that no handle explains')),
    }),
  ),
});

const TAG_HOLDERS: Shape<TagHolders> = named('tagHolders', 'who holds the objects under a tag', {
  tag: TAG,
  key: KEY,
  pool: orNull(POOL),
  says: leaf('text', 'one sentence'),
  holders: HOLDERS,
});

/** Parts by the name that they have in what a command writes. */
export const OBJECT_PARTS = {
  blocks: list('processes as the debugger shows them', BLOCK),
  endedProcesses: orNull(list('ended ones, in groups', ENDED)),
  handles: HANDLES,
  objects: orNull(OBJECTS),
  holdersOf: TAG_HOLDERS,
} as const;
