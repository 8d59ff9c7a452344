/** The PDB of a kernel that dumps are built for: its globals as public symbols, its structures as types. */

import type { KernelFacts, StructFacts } from '../kernel-facts.js';
import { symbolRecord, writePdb, type PdbSpec } from './pdb-writer.js';
import { T, TypeWriter, type MemberSpec } from './type-writer.js';

const AMD64 = 0x8664;
const CODE = 0x1000;
/** Beyond the highest address of any kernel's globals. */
const DATA_SIZE = 0x2000000;

/** Members that are structures themselves, by the structure around them. */
const NESTED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  _MI_SYSTEM_INFORMATION: { Pools: '_MI_POOL_STATE', Vs: '_MI_VISIBLE_STATE', Hardware: '_MI_HARDWARE_STATE' },
  _MI_VISIBLE_STATE: { PagedPoolInfo: '_MM_PAGED_POOL_INFO', SystemPteInfo: '_MI_SYSTEM_PTE_TYPE' },
  _MI_PARTITION: { PageLists: '_MI_PARTITION_PAGE_LISTS', Commit: '_MI_PARTITION_COMMIT', Vp: '_MI_VISIBLE_PARTITION' },
  _MI_PARTITION_PAGE_LISTS: {
    ZeroedPageListHead: '_MMPFNLIST',
    FreePageListHead: '_MMPFNLIST',
    StandbyPageListHead: '_MMPFNLIST',
    BadPageListHead: '_MMPFNLIST',
  },
  _MI_VISIBLE_PARTITION: { ModifiedPageListHead: '_MMPFNLIST', ModifiedNoWritePageListHead: '_MMPFNLIST' },
  _MMPAGING_FILE: { PageFileName: '_UNICODE_STRING' },
  _VF_SUSPECT_DRIVER_ENTRY: { Links: '_LIST_ENTRY', BaseName: '_UNICODE_STRING' },
  _EPROCESS: { Pcb: '_KPROCESS', ActiveProcessLinks: '_LIST_ENTRY' },
  _MM_SESSION_SPACE: { ProcessList: '_LIST_ENTRY' },
};

/** Members of 32 bits in every kernel; all others are as wide as a pointer. */
const NARROW = new Set(
  (
    'Key DriverCommit NumberOfPagingFiles PteFailures PoolType PoolIndex PoolTypeCopy RunningAllocs RunningDeAllocs RunningDeallocs ' +
    'TotalPages TotalBigPages SessionId ReferenceCount Level AllocationsAttempted AllocationsSucceeded AllocationsSucceededSpecialPool ' +
    'Loads Unloads CurrentPagedPoolAllocations CurrentNonPagedPoolAllocations TimeDateStamp SizeOfImageNotRounded TablesNo ListName'
  ).split(' '),
);

/** Built-in types by their short names. */
const PLAIN: Readonly<Record<string, { type: number; size: number }>> = {
  u8: { type: T.uchar, size: 1 }, i8: { type: T.char, size: 1 }, u16: { type: T.ushort, size: 2 },
  i16: { type: T.ushort, size: 2 }, wchar: { type: T.ushort, size: 2 }, u32: { type: T.ulong, size: 4 },
  i32: { type: T.long, size: 4 }, u64: { type: T.uquad, size: 8 }, i64: { type: T.quad, size: 8 },
  '*': { type: T.pvoid64, size: 8 },
}; // prettier-ignore
const ENUMERATIONS = new Set(['_POOL_TYPE', '_TOKEN_TYPE', '_SECURITY_IMPERSONATION_LEVEL']);

/** The first builds with these forms of software PTEs. */
const WIDE_PFN = 22000;
const SWIZZLE = 17763;

class KernelTypes {
  readonly writer = new TypeWriter();
  private readonly written = new Map<string, number>();

  constructor(private readonly kernel: KernelFacts) {
    const { writer } = this;
    const pointer = writer.pointer(T.void);
    const member = (name: string, type: number, offset: number): MemberSpec => ({ name, type, offset });
    this.written.set(
      '_LIST_ENTRY',
      writer.struct('_LIST_ENTRY', 16, [member('Flink', pointer, 0), member('Blink', pointer, 8)]),
    );
    this.written.set(
      '_UNICODE_STRING',
      writer.struct('_UNICODE_STRING', 16, [
        member('Length', T.ushort, 0),
        member('MaximumLength', T.ushort, 2),
        member('Buffer', writer.pointer(T.ushort), 8),
      ]),
    );
    const bits = (name: string, from: number, count: number): MemberSpec =>
      member(name, writer.bits(T.uquad, from, count), 0);
    writer.struct('_MMPTE_TRANSITION', 8, [
      bits('Valid', 0, 1),
      ...(kernel.build >= SWIZZLE ? [bits('SwizzleBit', 4, 1)] : []),
      bits('Prototype', 10, 1),
      bits('Transition', 11, 1),
      bits('PageFrameNumber', 12, kernel.build >= WIDE_PFN ? 40 : 36),
    ]);
    for (const name of Object.keys(kernel.structs)) this.type(name);
  }

  /** The number of a structure, written before what holds it. */
  private type(name: string): number {
    const known = this.written.get(name);
    if (known !== undefined) return known;
    const struct = this.kernel.structs[name];
    if (struct === undefined) return this.writer.forward(name);
    const members = Object.entries(struct.fields).map(([field, offset]) => ({
      name: field,
      type: this.member(name, field, struct),
      offset,
    }));
    const made = this.writer.struct(name, struct.size, this.nest(members));
    this.written.set(name, made);
    return made;
  }

  /** Members such as `u1.ControlArea` go into unions without a name, which are members themselves. */
  private nest(members: readonly MemberSpec[]): MemberSpec[] {
    const plain: MemberSpec[] = [];
    const unions = new Map<string, MemberSpec[]>();
    for (const member of members) {
      const dot = member.name.indexOf('.');
      if (dot < 0) {
        plain.push(member);
        continue;
      }
      const outer = member.name.slice(0, dot);
      unions.set(outer, [...(unions.get(outer) ?? []), { ...member, name: member.name.slice(dot + 1) }]);
    }
    for (const [name, inner] of unions) {
      const offset = Math.min(...inner.map((one) => one.offset));
      const own = this.nest(inner.map((one) => ({ ...one, offset: one.offset - offset })));
      plain.push({ name, offset, type: this.writer.union('<unnamed-tag>', 8, own) });
    }
    return plain;
  }

  /** A type as the facts of objects spell it. */
  private spelled(text: string): number {
    const { writer } = this;
    const [whole = '', position, length] = text.split(':');
    if (position !== undefined) return writer.bits(PLAIN[whole]?.type ?? T.ulong, Number(position), Number(length));
    const array = /^(.*)\[(\d+)\]$/.exec(whole);
    if (array) {
      const [, element = '', count = '1'] = array;
      const size = PLAIN[element]?.size ?? this.kernel.structs[element]?.size ?? 16;
      return writer.array(this.spelled(element), size * Number(count));
    }
    if (whole === '*') return writer.pointer(T.void);
    const plain = PLAIN[whole];
    if (plain) return plain.type;
    if (ENUMERATIONS.has(whole)) return T.ulong;
    return this.written.has(whole) || whole in this.kernel.structs ? this.type(whole) : T.uquad;
  }

  private member(type: string, field: string, struct: StructFacts): number {
    const text = struct.types?.[field];
    if (text !== undefined) return this.spelled(text);
    const nested = NESTED[type]?.[field];
    if (nested !== undefined) return this.type(nested);
    if (field === 'StandbyPageListByPriority') {
      return this.writer.array(this.type('_MMPFNLIST'), 8 * (this.kernel.structs['_MMPFNLIST']?.size ?? 0));
    }
    if (field === 'PagingFile') return this.writer.array(this.writer.pointer(T.void), 16 * 8);
    if (field === 'PoolFailures') return this.writer.array(T.ulong, 9 * 4);
    if (field === 'ImageFileName') return this.writer.array(T.uchar, 15);
    if (field === 'PagingLevels') return T.uchar;
    // Kernels before Windows 10 1709 counted allocations, and those before Windows 8 system PTEs, in 32 bits.
    if (type === '_POOL_TRACKER_TABLE' && struct.size === 0x28 && /Allocs|Frees/.test(field)) return T.ulong;
    if (type === '_MI_SYSTEM_PTE_TYPE' && struct.size < 0x50) return T.ulong;
    return NARROW.has(field) ? T.ulong : T.uquad;
  }
}

/** The bytes of the PDB; `parts` replaces what identifies it, or anything else. */
export function kernelPdb(kernel: KernelFacts, parts: Partial<PdbSpec> = {}): Uint8Array {
  const symbols = Object.entries(kernel.rva).map(([name, rva]) =>
    symbolRecord.public({ name, segment: 1, offset: rva - CODE }),
  );
  const types = new KernelTypes(kernel).writer;
  // The array's end is known by the symbol behind it.
  const tables = kernel.rva['ExPoolTagTables'];
  if (tables !== undefined) {
    const offset = tables + kernel.tagTablesCapacity * 8 - CODE;
    symbols.push(symbolRecord.public({ name: 'BehindExPoolTagTables', segment: 1, offset }));
  }
  return writePdb({
    guid: kernel.pdb.guid,
    age: kernel.pdb.age,
    machine: AMD64,
    sections: [{ name: '.data', rva: CODE, size: DATA_SIZE }],
    symbols,
    types,
    ...parts,
  });
}
