/**
 * ExPoolTagTables without symbols: an array of pointers in the kernel's data whose targets are pool tag tables. They are
 * told by their content: the same slot holds the same tag in every processor's table, or none where that processor
 * never used it.
 */

import { PAGE_SIZE, plus, virtual, type VirtualAddress } from '../../../parsers/addresses.js';
import { failed } from '../../../parsers/bytes/failure.js';
import { u32 } from '../../../parsers/bytes/fields.js';
import type { TrackerRecord } from '../../../parsers/kernel/pool-tracker.js';
import { plainTag } from '../../../parsers/kernel/tag.js';
import type { VirtualMemory } from '../../../parsers/paging/virtual-memory.js';
import { dataSections } from './data-sections.js';
import type { KernelImage } from '../open/locate-kernel.js';

/** Slots compared, and tags that they must hold in the table at PoolTrackTable. */
const SAMPLES = 192;
const FEWEST_TAGS = 12;
/** Pointers in the array, at most: 2048 on the largest builds. */
const MOST_POINTERS = 4096;
/** Reads behind pointers, at most: real kernels need a few thousand, and the samples of every processor's table. */
const MOST_READS = 600_000;

/** What stands behind a pointer: a table; perhaps one (not in the dump, or without any tag); something else. */
type Verdict = 'table' | 'perhaps' | 'other';

/** A pool tag table that is known. */
export interface KnownTable {
  /** Its address, and that of the variable that holds it. */
  readonly address: VirtualAddress;
  readonly variable: VirtualAddress;
  readonly record: TrackerRecord;
  readonly entries: number;
}

/**
 * The tables that the longest such array in the kernel's data points at, distinct, in order; null where there is none.
 * Tables that are not in the dump are among them where the array goes on behind them.
 */
export function findTagTables(memory: VirtualMemory, image: KernelImage, main: KnownTable): VirtualAddress[] | null {
  const judge = judgeOf(memory, main);
  if (judge === null) return null;
  let best: VirtualAddress[] = [];
  for (const { rva, size } of dataSections(image)) {
    for (const tables of arraysIn(memory, plus(image.base, rva), size, main.variable, judge)) {
      if (tables.length > best.length) best = tables;
    }
  }
  return best.length === 0 ? null : best;
}

/** Judges pointers by what they point at; null where the known table holds too few tags to compare with. */
function judgeOf(memory: VirtualMemory, main: KnownTable): ((pointer: bigint) => Verdict) | null {
  const { record, entries } = main;
  const step = Math.max(1, Math.floor(entries / (4 * SAMPLES)));
  const samples: { offset: number; tag: number }[] = [];
  for (let slot = 0; slot < entries && samples.length < SAMPLES; slot += step) {
    const offset = slot * record.size + record.key;
    const tag = memory.readU32(plus(main.address, offset));
    if (!failed(tag) && tag !== 0) samples.push({ offset, tag: plainTag(tag) });
  }
  if (samples.length < FEWEST_TAGS) return null;
  const isPaged = entries * record.size >= PAGE_SIZE;
  const known = new Map<bigint, Verdict>();
  let reads = 0;
  const look = (table: VirtualAddress): Verdict => {
    let same = 0;
    for (const { offset, tag } of samples) {
      const found = memory.readU32(plus(table, offset));
      reads++;
      if (failed(found)) return same > 0 ? 'table' : 'perhaps';
      if (found === 0) continue;
      if (plainTag(found) !== tag) return 'other';
      same++;
    }
    return same > 0 ? 'table' : 'perhaps';
  };
  return (pointer) => {
    // Tables of a page and more are allocated in whole pages.
    if ((pointer & (isPaged ? 0xfffn : 7n)) !== 0n) return 'other';
    const before = known.get(pointer);
    if (before !== undefined) return before;
    if (reads >= MOST_READS) return 'other';
    const verdict = look(virtual(pointer));
    known.set(pointer, verdict);
    return verdict;
  };
}

/**
 * The arrays in a section: runs of pointers to tables, with nulls between them for processors that are absent. What is
 * only perhaps a table counts where a table follows it.
 */
function* arraysIn(
  memory: VirtualMemory,
  start: VirtualAddress,
  size: number,
  variable: VirtualAddress,
  judge: (pointer: bigint) => Verdict,
): Iterable<VirtualAddress[]> {
  const wide = memory.pointerSize === 8;
  let run = new Run();
  for (const chunk of memory.chunks(start, size)) {
    if (failed(chunk.bytes)) {
      yield run.tables;
      run = new Run();
      continue;
    }
    for (let at = 0; at + memory.pointerSize <= chunk.bytes.length; at += memory.pointerSize) {
      const low = u32(chunk.bytes, at);
      const high = wide ? u32(chunk.bytes, at + 4) : 0;
      if (low === 0 && high === 0) {
        run.addNull();
        continue;
      }
      // Kernel addresses only; most words end here.
      const isKernel = wide ? high >= 0xffff8000 : low >= 0x80000000;
      const pointer = isKernel ? (BigInt(high) << 32n) | BigInt(low) : 0n;
      const verdict = isKernel ? judge(pointer) : 'other';
      if (verdict !== 'other' && plus(start, chunk.offset + at) !== variable && run.add(virtual(pointer), verdict)) {
        continue;
      }
      yield run.tables;
      run = new Run();
    }
  }
  yield run.tables;
}

/** A run of pointers, as it is read. */
class Run {
  /** Distinct, up to the last one that is certain. */
  readonly tables: VirtualAddress[] = [];
  private readonly doubtful: VirtualAddress[] = [];
  private readonly seen = new Set<bigint>();
  private length = 0;

  addNull(): void {
    if (this.length > 0) this.length++;
  }

  /** False where the run cannot go on, or does not begin here. */
  add(pointer: VirtualAddress, verdict: Exclude<Verdict, 'other'>): boolean {
    if (++this.length > MOST_POINTERS) return false;
    if (verdict === 'perhaps') {
      this.doubtful.push(pointer);
      return true;
    }
    for (const table of [...this.doubtful.splice(0), pointer]) {
      if (this.seen.has(table)) continue;
      this.seen.add(table);
      this.tables.push(table);
    }
    return true;
  }
}
