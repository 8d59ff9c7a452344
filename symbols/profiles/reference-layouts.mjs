/**
 * For generate.mjs: layouts of releases that no profile covers, from kernel-structures.json.
 *
 * That file keeps one layout for all builds whose sizes and offsets are the same, so names, types and bit positions of a merged
 * layout are those of one of its builds. Where a build with a profile is among them, the profile's layout is taken instead.
 */

import { buildOf, byVersion } from './versions.mjs';

/** What a dump of a kernel without profile can need. Others are left out: merged bit fields cannot be told apart. */
const TYPES = new Set(
  [
    '_POOL_TRACKER_TABLE _POOL_TRACKER_BIG_PAGES _POOL_DESCRIPTOR _POOL_HEADER _MM_PAGED_POOL_INFO _MMPFNLIST _MMPAGING_FILE',
    '_KLDR_DATA_TABLE_ENTRY _UNLOADED_DRIVERS _UNICODE_STRING _LIST_ENTRY _MM_SESSION_SPACE _MM_DRIVER_VERIFIER_DATA',
    '_PHYSICAL_MEMORY_DESCRIPTOR _PHYSICAL_MEMORY_RUN _DBGKD_GET_VERSION64 _VF_POOL_TRACE',
    '_VI_POOL_ENTRY _VI_POOL_ENTRY_INUSE _VI_POOL_PAGE_HEADER',
    '_EX_POOL_HEAP_MANAGER_STATE _EX_HEAP_POOL_NODE _SEGMENT_HEAP _HEAP_RUNTIME_MEMORY_STATS',
    '_MI_SYSTEM_INFORMATION _MI_POOL_STATE _MI_POOL_FAILURE_REASONS _MI_VISIBLE_STATE _MI_SYSTEM_PTE_TYPE _MI_SYSTEM_PTE_STATE',
    '_MI_PARTITION _MI_VISIBLE_PARTITION _MI_PARTITION_COMMIT _MI_PARTITION_PAGE_LISTS',
  ]
    .join(' ')
    .split(' '),
);

/** Builds where a type changed in its names or bits, but in no offset (kernel-structures.md 5.5). */
const CHANGED_INSIDE = { _POOL_TRACKER_BIG_PAGES: 10240 };

/** In 22621 this field stands where 18362 has BadPoolHead, at the same offset (vmPaths in kernel-structures.json). */
const RENAMED = {
  type: '_MI_POOL_STATE',
  family: [22621, 22631],
  from: 'BadPoolHead',
  to: 'AllocatedSecureNonPagedPool',
};

// Before 10240 no public PDB has this type. These members stand where they stand today (kernel-structures.md 7.1);
// what follows CheckSum differs and is left out, so the size is that of the known part.
const COMMON_KLDR = {
  size: 0x80,
  fields: {
    InLoadOrderLinks: [0, '_LIST_ENTRY'],
    ExceptionTable: [0x10, '*void'],
    ExceptionTableSize: [0x18, 'unsigned long'],
    GpValue: [0x20, '*void'],
    NonPagedDebugInfo: [0x28, '*_NON_PAGED_DEBUG_INFO'],
    DllBase: [0x30, '*void'],
    EntryPoint: [0x38, '*void'],
    SizeOfImage: [0x40, 'unsigned long'],
    FullDllName: [0x48, '_UNICODE_STRING'],
    BaseDllName: [0x58, '_UNICODE_STRING'],
    Flags: [0x68, 'unsigned long'],
    LoadCount: [0x6c, 'unsigned short'],
    SectionPointer: [0x70, '*void'],
    CheckSum: [0x78, 'unsigned long'],
  },
};

const C_NAMES = {
  VOID: 'void',
  CHAR: 'char',
  UCHAR: 'unsigned char',
  SHORT: 'short',
  USHORT: 'unsigned short',
  WCHAR: 'wchar',
  LONG: 'long',
  ULONG: 'unsigned long',
  LONGLONG: 'long long',
  ULONGLONG: 'unsigned long long',
};
// One of the sources spells its types as C# does: there a `long` has 64 bits.
const CSHARP_NAMES = {
  byte: 'unsigned char',
  short: 'short',
  ushort: 'unsigned short',
  int: 'long',
  uint: 'unsigned long',
  long: 'long long',
  ulong: 'unsigned long long',
  IntPtr: '*void',
  _unnamed_tag_: '__unnamed',
};

/** A type of kernel-structures.json in the spelling of x64.json; null where that file does not know it. */
function respell(type, csharp) {
  if (type === '?') return null;
  const bitField = /^BitField\((\d+)\.\.(\d+) of (.*)\)$/.exec(type);
  if (bitField) return `${bitField[3]}:${bitField[1]}:${Number(bitField[2]) - Number(bitField[1])}`;
  const enumeration = /^enum\((.*)\)$/.exec(type);
  if (enumeration) return enumeration[1];
  const array = /^(.*?)((?:\[\d+\])+)$/.exec(type);
  if (array) return respell(array[1], csharp) + array[2];
  const pointer = /^ptr<(.*)>$/.exec(type);
  if (pointer) return '*' + respell(pointer[1], csharp);
  const plain = type.replace(/\bvolatile\b/g, '').trim();
  if (plain.endsWith('*')) return '*' + respell(plain.slice(0, -1).trim(), csharp);
  return (csharp ? CSHARP_NAMES : C_NAMES)[plain] ?? plain;
}

/** A layout of kernel-structures.json in the form of x64.json. */
function convertLayout({ size, sources, fields }) {
  const csharp = sources.every((source) => source === 'ntoskrnlib' || source === 'ntdiff');
  const converted = {};
  for (const field of fields) {
    const type = respell(field.type, csharp);
    if (type === null || !/^[A-Za-z_][\w.]*$/.test(field.name)) continue;
    converted[field.name] = [field.off, field.bits === undefined ? type : `${type}:${field.pos}:${field.bits}`];
  }
  // That source lost where bit fields begin: scalars that share an offset may be pieces of one word. Leave them out.
  if (csharp) {
    const entries = Object.entries(converted);
    for (const [name, [offset, type]] of entries) {
      const shared = entries.filter(([, other]) => other[0] === offset && !/^[*_]|:/.test(other[1]));
      if (shared.length > 1 && !/^[*_]|:/.test(type)) delete converted[name];
    }
  }
  return { size, fields: converted };
}

const isVersion = (text) => /^\d+\.\d+\.\d+\.\d+$/.test(text);

/** The profile's layout of the nearest build that kernel-structures.json says has the same offsets, or undefined. */
function sameOffsets(type, version, { builds }, x64, kernels) {
  const change = CHANGED_INSIDE[type] ?? 0;
  const side = (other) => buildOf(other) >= change;
  const distance = (other) => Math.abs(buildOf(other) - buildOf(version));
  const donor = builds
    .filter((build) => kernels.get(build)?.structs[type] !== undefined && side(build) === side(version))
    .sort((a, b) => distance(a) - distance(b) || byVersion(a, b))[0];
  return donor === undefined ? undefined : x64.layouts[type][kernels.get(donor).structs[type]];
}

function rename(type, version, layout) {
  if (type !== RENAMED.type || !RENAMED.family.includes(buildOf(version))) return layout;
  const { [RENAMED.from]: old, ...fields } = layout.fields;
  return { size: layout.size, fields: { ...fields, [RENAMED.to]: [old[0], 'unsigned long long'] } };
}

/**
 * The releases that kernel-structures.json knows and x64.json does not, oldest first.
 * @returns {{ version: string, layouts: Map<string, object> }[]} the layouts by type, in the form of x64.json.
 */
export function layoutsWithoutProfile(reference, x64) {
  const kernels = new Map(Object.values(x64.kernels).map((kernel) => [kernel.version, kernel]));
  const versions = new Map();
  for (const type of TYPES) {
    for (const entry of (reference.structs[type]?.x64 ?? []).filter(({ size }) => size > 0)) {
      for (const version of entry.builds) {
        if (!isVersion(version) || kernels.has(version)) continue;
        if (!versions.has(version)) versions.set(version, new Map());
        const layouts = versions.get(version);
        const layout = sameOffsets(type, version, entry, x64, kernels) ?? convertLayout(entry);
        if (!layouts.has(type)) layouts.set(type, rename(type, version, layout));
      }
    }
  }
  const rows = [...versions].map(([version, layouts]) => ({ version, layouts }));
  for (const { version, layouts } of rows) {
    if (buildOf(version) < 10240) layouts.set('_KLDR_DATA_TABLE_ENTRY', COMMON_KLDR);
  }
  return rows.sort((a, b) => byVersion(a.version, b.version));
}

// ---------------------------------------------------------------- 32-bit kernels

/** What a dump of a 32-bit kernel can need: the debugger block leads to no other structure, nor does a search. */
export const X86_TYPES = [
  '_POOL_TRACKER_TABLE',
  '_POOL_DESCRIPTOR',
  '_MM_PAGED_POOL_INFO',
  '_MMPFNLIST',
  '_MMPAGING_FILE',
  '_KLDR_DATA_TABLE_ENTRY',
  '_MM_DRIVER_VERIFIER_DATA',
  '_MI_SYSTEM_INFORMATION',
  '_MI_POOL_STATE',
  '_MI_VISIBLE_STATE',
  '_MI_SYSTEM_PTE_TYPE',
  '_MI_HARDWARE_STATE',
  '_MI_PARTITION',
  '_MI_VISIBLE_PARTITION',
  '_MI_PARTITION_COMMIT',
  '_MI_PARTITION_PAGE_LISTS',
];

/** The first build whose memory manager keeps its figures in `_MI_` structures. */
const FIRST_WITH_STATE = 10240;

const words = (text) => text.trim().split(/\s+/);

/** Of large layouts, and of those with many bit fields, only these fields are taken. */
const X86_FIELDS = {
  _MI_SYSTEM_INFORMATION: words('Pools Vs Hardware'),
  _MI_POOL_STATE: words('AllocatedNonPagedPool MaximumNonPagedPoolThreshold'),
  _MI_VISIBLE_STATE: words(`PagedPoolInfo MaximumNonPagedPoolInPages SizeOfPagedPoolInPages SystemPteInfo
    NonPagedPoolCommit SpecialPagesInUse ProcessCommit SharedCommit DriverCommit`),
  _MI_SYSTEM_PTE_TYPE: words('PteFailures TotalSystemPtes TotalFreeSystemPtes'),
  _MI_HARDWARE_STATE: words('InvalidPteMask'),
  _MI_PARTITION: words('PageLists Commit Vp'),
  _MI_VISIBLE_PARTITION: words(`LowestPhysicalPage HighestPhysicalPage NumberOfPhysicalPages NumberOfPagingFiles
    PagingFile AvailablePages ResidentAvailablePages TotalCommittedPages TotalCommitLimit SharedCommit
    ModifiedPageListHead ModifiedNoWritePageListHead TotalPagesForPagingFile`),
  _MI_PARTITION_COMMIT: words('PeakCommitment TotalCommitLimitMaximum'),
  _MI_PARTITION_PAGE_LISTS: words('ZeroedPageListHead FreePageListHead StandbyPageListHead StandbyPageListByPriority'),
  _MMPAGING_FILE: ['Size', 'MaximumSize', 'MinimumSize', 'FreeSpace', 'PeakUsage', 'PageFileName'],
  _KLDR_DATA_TABLE_ENTRY: [
    ...['InLoadOrderLinks', 'DllBase', 'EntryPoint', 'SizeOfImage', 'FullDllName', 'BaseDllName', 'Flags', 'LoadCount'],
    ...['CheckSum', 'SizeOfImageNotRounded', 'TimeDateStamp'],
  ],
};

/** The 32-bit form of COMMON_KLDR (kernel-structures.md 7.1). */
const COMMON_KLDR_X86 = {
  size: 0x50,
  fields: {
    InLoadOrderLinks: [0, '_LIST_ENTRY'],
    DllBase: [0x18, '*void'],
    EntryPoint: [0x1c, '*void'],
    SizeOfImage: [0x20, 'unsigned long'],
    FullDllName: [0x24, '_UNICODE_STRING'],
    BaseDllName: [0x2c, '_UNICODE_STRING'],
    Flags: [0x34, 'unsigned long'],
    LoadCount: [0x38, 'unsigned short'],
    CheckSum: [0x40, 'unsigned long'],
  },
};

const longs = (...names) => names.map((name) => [name, 'unsigned long']);
const inOrder = (start, fields) => Object.fromEntries(fields.map(([name, type], i) => [name, [start + i * 4, type]]));

/** Windows 2000, whose public symbols hold no types: what kernel-structures.md 5.2, 5.6 and 6.1 say of it. */
const WINDOWS_2000 = {
  _POOL_TRACKER_TABLE: {
    size: 0x1c,
    fields: inOrder(
      0,
      longs('Key', 'NonPagedAllocs', 'NonPagedFrees', 'NonPagedBytes', 'PagedAllocs', 'PagedFrees', 'PagedBytes'),
    ),
  },
  _POOL_DESCRIPTOR: {
    size: 0x420,
    fields: {
      ...inOrder(0, [
        ['PoolType', '_POOL_TYPE'],
        ...longs('PoolIndex', 'RunningAllocs', 'RunningDeAllocs', 'TotalPages', 'TotalBigPages', 'Threshold'),
      ]),
      LockAddress: [0x1c, '*void'],
      ListHeads: [0x20, '_LIST_ENTRY[128]'],
    },
  },
  _MMPFNLIST: { size: 0x10, fields: inOrder(0, longs('Total')) },
  _KLDR_DATA_TABLE_ENTRY: COMMON_KLDR_X86,
};

function x86Layout(type, entry) {
  const { size, fields } = convertLayout(entry);
  const wanted = X86_FIELDS[type];
  if (wanted === undefined) return { size, fields };
  return { size, fields: Object.fromEntries(Object.entries(fields).filter(([name]) => wanted.includes(name))) };
}

/** The 32-bit releases that kernel-structures.json knows, and Windows 2000, oldest first; as `layoutsWithoutProfile`. */
export function layoutsOfX86(reference) {
  const versions = new Map([['5.0.2195.1', new Map(Object.entries(WINDOWS_2000))]]);
  for (const type of X86_TYPES) {
    for (const entry of (reference.structs[type]?.x86 ?? []).filter(({ size }) => size > 0)) {
      for (const version of entry.builds.filter(isVersion)) {
        if (type.startsWith('_MI_') && buildOf(version) < FIRST_WITH_STATE) continue;
        if (!versions.has(version)) versions.set(version, new Map([['_KLDR_DATA_TABLE_ENTRY', COMMON_KLDR_X86]]));
        versions.get(version).set(type, x86Layout(type, entry));
      }
    }
  }
  const rows = [...versions].map(([version, layouts]) => ({ version, layouts }));
  return rows.sort((a, b) => byVersion(a.version, b.version));
}
