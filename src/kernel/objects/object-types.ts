/**
 * The object types: names, pool tags, counters. Found in ObTypeIndexTable where symbols tell it, in the directory
 * `\ObjectTypes` and along the list of types, to which the debugger block leads on every build (reference:
 * objects-and-pool-blocks, section 3).
 */

import { plus, type VirtualAddress } from '../../../parsers/addresses.js';
import { failed } from '../../../parsers/bytes/failure.js';
import { u32 } from '../../../parsers/bytes/fields.js';
import { optionalHeaderDistance, OPTIONAL_HEADER } from '../../../parsers/kernel/objects/object-header.js';
import { plainTag } from '../../../parsers/kernel/tag.js';
import { readUnicodeString, walkList } from '../../../parsers/kernel/structures.js';
import type { FigureSource } from '../../../symbols/kernel-symbols.js';
import type { Warning, WarningCode } from '../../result/result.js';
import { directoryEntries } from './names/directories.js';
import { HeaderReader } from './headers.js';
import type { ObjectLayouts } from './layouts.js';
import { inKernel, pointerAt, type ObjectRoots } from './roots.js';

/** One `_OBJECT_TYPE`. Counters are null where the layout lacks them. */
export interface ObjectType {
  readonly address: VirtualAddress;
  /** By which object headers name it; of kernels before Windows 7 they name its address. */
  readonly index: number;
  /** `Process`, `File`, ... */
  readonly name: string;
  /** The pool tag of its objects, without the protected bit; null where it is not one. */
  readonly key: number | null;
  readonly pool: 'nonpaged' | 'paged' | null;
  readonly objects: number | null;
  readonly handles: number | null;
  readonly objectsHighWater: number | null;
  readonly handlesHighWater: number | null;
}

/** The types that could be read. */
export interface ObjectTypes {
  readonly types: readonly ObjectType[];
  readonly source: FigureSource | null;
  /** False where a type is known to be missing. */
  readonly complete: boolean;
  readonly warnings: readonly Warning[];
}

/** There are 41 (XP) to 75 (Windows 11); an index is a byte. */
const MOST_TYPES = 256;
const LONGEST_NAME = 64;
const PAGED_POOL = 1;

/** Reads the types. */
export function readObjectTypes(roots: ObjectRoots, layouts: ObjectLayouts): ObjectTypes {
  const warnings: Warning[] = [];
  const warn = (code: WarningCode, message: string): void => {
    warnings.push({ code, where: 'objectTypes', message });
  };
  const found = [fromTable(roots), fromDirectory(roots, layouts), fromList(roots, layouts)];
  const types = new Map<VirtualAddress, ObjectType>();
  const sources: FigureSource[] = [];
  let lost = 0;
  for (const { addresses, source, isSure } of found) {
    for (const address of addresses.slice(0, MOST_TYPES)) {
      if (types.has(address)) continue;
      const type = readType(roots, layouts, address);
      // The list of types is kept only where the kernel was told to keep it: it may lead nowhere.
      if (type === null) lost += isSure ? 1 : 0;
      else types.set(address, type);
    }
    if (addresses.length > 0) sources.push(source);
  }
  const list = [...types.values()].sort((a, b) => a.index - b.index || (a.name < b.name ? -1 : 1));
  const names = new Set(list.map(({ name }) => name));
  if (list.length === 0) {
    warn('object-types-unknown', 'neither ObTypeIndexTable nor \\ObjectTypes nor the list of types could be read');
  } else if (lost > 0) {
    warn('object-types-missing', `${lost} object types could not be read`);
  }
  const complete = list.length > 0 && lost === 0 && ['Process', 'Thread', 'File', 'Event'].every((n) => names.has(n));
  return { types: list, source: sources[0] ?? null, complete, warnings };
}

interface Found {
  readonly addresses: readonly VirtualAddress[];
  readonly source: FigureSource;
  /** What stands there is a type; false where it may be anything. */
  readonly isSure: boolean;
}

const NOTHING: Found = { addresses: [], source: 'kdbg', isSure: true };

/** Entries 0 and 1 are no types; the first null after them ends the table. */
function fromTable(roots: ObjectRoots): Found {
  const { memory } = roots;
  const table = roots.symbols.address('ObTypeIndexTable');
  if (table === null) return NOTHING;
  const addresses: VirtualAddress[] = [];
  for (let i = 2; i < MOST_TYPES; i++) {
    const type = memory.readPointer(plus(table.value, i * memory.pointerSize));
    if (failed(type) || type === 0n || !inKernel(roots, type)) break;
    addresses.push(type);
  }
  return { addresses, source: table.source, isSure: true };
}

function fromDirectory(roots: ObjectRoots, layouts: ObjectLayouts): Found {
  const root = pointerAt(roots, 'ObpRootDirectoryObject');
  if (root === null) return NOTHING;
  const headers = new HeaderReader(roots, layouts);
  const named = directoryEntries(roots, layouts, root.value).objects.find(
    (o) => headers.nameOf(o)?.name === 'ObjectTypes',
  );
  const addresses = named === undefined ? [] : directoryEntries(roots, layouts, named).objects;
  return { addresses, source: root.source, isSure: true };
}

/** The type of types heads a list of all its objects, which are linked below their headers. */
function fromList(roots: ObjectRoots, layouts: ObjectLayouts): Found {
  const type = pointerAt(roots, 'ObpTypeObjectType');
  const body = layouts.offset('_OBJECT_HEADER', 'Body');
  const list = layouts.offset('_OBJECT_TYPE', 'TypeList');
  if (type === null || body === null || list === null) return NOTHING;
  const down = optionalHeaderDistance(OPTIONAL_HEADER.creator, OPTIONAL_HEADER.creator, roots.memory.pointerSize) ?? 0;
  const { entries } = walkList(roots.memory, plus(type.value, list), MOST_TYPES);
  return {
    addresses: [type.value, ...entries.map((entry) => plus(entry, down + body))],
    source: type.source,
    isSure: false,
  };
}

function readType(roots: ObjectRoots, layouts: ObjectLayouts, address: VirtualAddress): ObjectType | null {
  const { memory } = roots;
  const layout = layouts.layout('_OBJECT_TYPE')?.value;
  const nameAt = layout?.fields['Name']?.offset;
  if (layout === undefined || nameAt === undefined || !inKernel(roots, address)) return null;
  const bytes = memory.read(address, layout.size);
  if (failed(bytes)) return null;
  const name = readUnicodeString(memory, bytes, nameAt);
  if (failed(name) || !/^[\x20-\x7e]+$/.test(name) || name.length > LONGEST_NAME) return null;
  const number = (field: string): number | null => {
    const at = layout.fields[field]?.offset;
    return at === undefined || at + 4 > bytes.length ? null : u32(bytes, at);
  };
  const info = layout.fields['TypeInfo']?.offset;
  const poolType = layouts.offset('_OBJECT_TYPE_INITIALIZER', 'PoolType');
  const key = number('Key');
  return {
    address,
    index: (number('Index') ?? 0) & 0xff,
    name,
    key: key === null || key === 0 ? null : plainTag(key),
    pool: info === undefined || poolType === null ? null : poolOf(u32(bytes, info + poolType)),
    objects: number('TotalNumberOfObjects'),
    handles: number('TotalNumberOfHandles'),
    objectsHighWater: number('HighWaterNumberOfObjects'),
    handlesHighWater: number('HighWaterNumberOfHandles'),
  };
}

/** Odd pool types are paged pool; 0x200 (NX) and what stands above change nothing of that. */
const poolOf = (type: number): 'nonpaged' | 'paged' => ((type & PAGED_POOL) === 0 ? 'nonpaged' : 'paged');
