/**
 * Every block of a kernel's pools, whatever their form: the rows of the big-page table, and small blocks of segment heaps
 * or classic pages. What is walked at once is a part (a segment, a region of 2 MB); parts come spread over the whole pool,
 * so that a walk that ends early is a fair sample.
 */

import { failed } from '../../../../parsers/bytes/failure.js';
import { AddressSet } from '../../../../parsers/heap/address-set.js';
import { Block, BlockKind, BlockState, type BlockSink } from '../../../../parsers/heap/blocks.js';
import { ClassicPageWalk, type ClassicCounts } from '../../../../parsers/heap/classic-pages.js';
import {
  heapAddress,
  PointerReader,
  toVirtual,
  type HeapAddress,
  type HeapMemory,
} from '../../../../parsers/heap/memory.js';
import { POOL_HEADER_X64, POOL_HEADER_X86, type PoolHeaderLayout } from '../../../../parsers/heap/pool-header.js';
import { heapCounts, type HeapCounts } from '../../../../parsers/heap/segment/counts.js';
import { ownRecords } from '../../../../parsers/heap/segment/own-records.js';
import type { HeapProof } from '../../../../parsers/heap/segment/prove.js';
import { SegmentHeapWalk } from '../../../../parsers/heap/segment/walk.js';
import type { VirtualMemory } from '../../../../parsers/paging/virtual-memory.js';
import { kernelDoes } from '../../../../symbols/generations.js';
import type { FigureSource } from '../../../../symbols/kernel-symbols.js';
import type { Warning } from '../../../result/result.js';
import { readModules } from '../../modules/modules.js';
import { oncePerKernel } from '../../open/once.js';
import type { Kernel } from '../../open/open-kernel.js';
import { openBigPages, type BigPages } from './big-page-table.js';
import { classicRegions, pagedRange, proveHeaders, type ClassicRegions } from './classic-regions.js';
import { openPoolHeaps, type HeapRole, type PoolHeap, type PoolHeaps } from './pool-heaps.js';

const PAGE = 0x1000;

/** How the small blocks of a pool are kept. */
export type PoolForm = 'segment-heap' | 'classic' | 'none';

/** What was walked so far, and what was missing or damaged. */
export interface PoolCoverage {
  readonly form: PoolForm;
  /** Segments, or regions of up to 2 MB. */
  readonly partsWalked: number;
  readonly parts: number;
  /** Of segment heaps, summed; null for classic pages. */
  readonly heaps: HeapCounts | null;
  /** Of classic pages; null for segment heaps. */
  readonly pages: ClassicCounts | null;
  /** Blocks of heaps that have no pool header and stand in no row of the big-page table: nobody's tag. */
  readonly untagged: number;
  /** Of them, those of Driver Verifier's special pool. */
  readonly special: number;
  readonly bigPages: BigPages['counts'] | null;
  /** Pages that the kernel had but the dump lacks, or that are in a page file: of classic pools any page that was looked at. */
  readonly missingPages: number;
  /** Freed blocks that wait on lists that could not be followed: so many at most count as in use. */
  readonly unresolved: number;
  /** Everything that the pool has was read: sums are totals. */
  readonly complete: boolean;
}

/** A range of addresses, `end` not included. */
export interface AddressRange {
  readonly start: HeapAddress;
  readonly end: HeapAddress;
}

/** A heap and what walks it. */
interface WalkedHeap {
  readonly role: HeapRole;
  readonly address: HeapAddress;
  readonly walk: SegmentHeapWalk;
}

/** A kernel's address space that counts pages which should be there: all but those that nothing maps. */
class CountingMemory implements HeapMemory {
  readonly pointerSize: 4 | 8;
  missing = 0;
  /** Pages that were read. */
  read = 0;

  constructor(private readonly space: VirtualMemory) {
    this.pointerSize = space.pointerSize;
  }

  readPages(address: HeapAddress, pages: number, into: Uint8Array, present: Uint8Array): number {
    let found = 0;
    present.fill(0, 0, pages);
    for (const { bytes, offset, length } of this.space.chunks(toVirtual(address), pages * PAGE)) {
      if (failed(bytes)) {
        if (bytes.code !== 'not-mapped' && bytes.code !== 'bad-address') this.missing++;
        continue;
      }
      into.set(bytes.subarray(0, length), offset);
      const count = Math.floor(length / PAGE);
      present.fill(1, offset / PAGE, offset / PAGE + count);
      found += count;
    }
    this.read += found;
    return found;
  }
}

/** The pools of one kernel, opened. Each walk counts into a coverage of its own. */
export class PoolBlocks {
  readonly memory: CountingMemory;
  readonly bigPages: BigPages | null;
  readonly form: PoolForm;
  /** The header in front of small blocks; null where there are none. */
  readonly header: PoolHeaderLayout | null;
  /** Where heaps or pages are known from. */
  readonly source: FigureSource | null;
  private readonly heaps: PoolHeaps | null;
  private readonly regions: ClassicRegions | null;
  private readonly own: AddressSet;

  /** Use `poolBlocksOf`. */
  constructor(kernel: Kernel, space: NonNullable<Kernel['memory']>, warnings: Warning[]) {
    const memory = new CountingMemory(space);
    this.memory = memory;
    const paged = pagedRange(kernel, memory.pointerSize);
    const table = openBigPages(kernel, memory, (at) => paged !== null && at >= paged.start && at < paged.end);
    this.bigPages = table.table;
    const heaps = openPoolHeaps(kernel, memory);
    this.heaps = heaps.pool;
    warnings.push(...table.warnings, ...heaps.warnings);
    if (heaps.pool !== null) {
      this.form = 'segment-heap';
      this.header = memory.pointerSize === 8 ? POOL_HEADER_X64 : POOL_HEADER_X86;
      this.regions = null;
      this.source = heaps.pool.source;
      const all = heaps.pool.heaps.map(({ heap }) => heap);
      this.own = ownRecords(new PointerReader(memory), all, heaps.pool.proof.layout);
      return;
    }
    this.own = new AddressSet();
    // Where the pool is always made of heaps, no page is a classic one.
    const isClassic = !kernelDoes('hasPoolHeaps', kernel.identity.buildNumber);
    const regions = isClassic ? classicRegions(kernel, imagesOf(kernel, memory.pointerSize)) : null;
    this.header = regions === null ? null : proveHeaders(memory, regions, kernel.identity.buildNumber);
    this.regions = this.header === null ? null : regions;
    this.form = this.header === null ? 'none' : 'classic';
    this.source = this.header === null ? null : 'scan';
    if (this.header === null) {
      const message = 'no pool page and no heap of the pool was found: small allocations cannot be listed';
      warnings.push({ code: 'no-pool-blocks', where: 'suspects', message });
    }
  }

  get proof(): HeapProof | null {
    return this.heaps?.proof ?? null;
  }

  get heapList(): readonly PoolHeap[] {
    return this.heaps?.heaps ?? [];
  }

  /** Starts a walk. */
  walk(): PoolWalk {
    const { heaps, regions, header, bigPages } = this;
    if (heaps !== null) {
      const options = {
        pool: header,
        lookaside: heaps.lookaside,
        own: this.own,
        ...(bigPages === null ? {} : { bigPages: bigPages.index }),
      };
      const walked = heaps.heaps.map(({ heap, role }): WalkedHeap => {
        return { role, address: heap.address, walk: new SegmentHeapWalk(this.memory, heap, heaps.proof, options) };
      });
      return new PoolWalk(this, walked, null, null, heaps.lookasideUnresolved);
    }
    const isBig = (page: HeapAddress): boolean => (bigPages?.index.covering(page) ?? -1) >= 0;
    const classic = header === null ? null : new ClassicPageWalk(this.memory, header, isBig);
    return new PoolWalk(this, [], classic, regions, 0);
  }
}

/** Where images are. */
function imagesOf(kernel: Kernel, pointerSize: 4 | 8): { start: HeapAddress; end: HeapAddress }[] {
  return readModules(kernel).modules.map(({ base, sizeOfImage }) => {
    const start = heapAddress(base, pointerSize);
    return { start, end: start + sizeOfImage };
  });
}

/** One walk over a kernel's pools. */
export class PoolWalk {
  private readonly bigPages: BigPages | null;
  private missingPages = 0;
  private walked = 0;
  private untagged = 0;
  private special = 0;
  private readonly heapParts: { readonly heap: WalkedHeap; readonly segment: number }[] = [];
  private readonly order: Uint32Array;
  private readonly block = new Block();

  constructor(
    private readonly pool: PoolBlocks,
    private readonly heaps: readonly WalkedHeap[],
    private readonly classic: ClassicPageWalk | null,
    private readonly regions: ClassicRegions | null,
    private readonly lookasideUnresolved: number,
  ) {
    this.bigPages = pool.bigPages;
    for (const heap of heaps) {
      for (let i = 0; i < heap.walk.segments.address.length; i++) this.heapParts.push({ heap, segment: i });
      // One part more for allocations outside segments.
      this.heapParts.push({ heap, segment: -1 });
    }
    const known = regions?.known ?? 0;
    this.order =
      regions === null
        ? spread(this.heapParts.length)
        : Uint32Array.from([...spread(known), ...spread(regions.regions.length - known).map((i) => i + known)]);
  }

  /** Parts of small blocks, walked and not. */
  get parts(): number {
    return this.order.length;
  }

  /**
   * Where the blocks of one pool stand, from the first address to behind the last; null where that is not known: classic
   * pools from Windows 10 on have no range.
   */
  range(paged: boolean): AddressRange | null {
    if (this.regions !== null) return paged ? this.regions.paged : this.regions.nonPaged;
    let [start, end] = [Infinity, -Infinity];
    for (const { role, walk } of this.heaps) {
      if ((role === 'paged') !== paged) continue;
      for (const [i, address] of walk.segments.address.entries()) {
        start = Math.min(start, address);
        end = Math.max(end, address + walk.segmentSize(walk.segments.context[i] ?? 0));
      }
    }
    return start < end ? { start, end } : null;
  }

  /** Gives the rows of the big-page table. Their bytes are not read. */
  big(sink: BlockSink): void {
    const { bigPages, block } = this;
    if (bigPages === null) return;
    const { rows } = bigPages.index;
    for (let i = 0; i < rows.count; i++) {
      block.begin(BlockKind.BigPage, BlockState.Live, rows.address[i] ?? 0, rows.size[i] ?? 0);
      bigPages.index.describe(block);
      sink(block);
    }
  }

  /** Walks the next part; false when there is none. Costs at most the reading of a segment or of 2 MB. */
  next(sink: BlockSink): boolean {
    const part = this.order[this.walked];
    if (part === undefined) return false;
    this.walked++;
    if (this.classic !== null) {
      const region = this.regions?.regions[part];
      if (region === undefined) return true;
      const [missing, pages] = [this.pool.memory.missing, this.classic.counts.poolPages];
      this.classic.walk(region.address, region.length, sink);
      // Where no page is one of the pool, others that are missing are none either.
      if (this.classic.counts.poolPages > pages) this.missingPages += this.pool.memory.missing - missing;
      return true;
    }
    const of = this.heapParts[part];
    if (of === undefined) return true;
    const small = this.small(sink, of.heap.role);
    const { missing } = this.pool.memory;
    if (of.segment < 0) of.heap.walk.walkLarge(small);
    else of.heap.walk.walkSegment(of.segment, small);
    this.missingPages += this.pool.memory.missing - missing;
    return true;
  }

  /** Walks what is left. */
  all(sink: BlockSink): void {
    while (this.next(sink));
  }

  /** Walks only what holds an address: its page of a classic pool, or its segment. False where nothing can hold it. */
  at(address: HeapAddress, sink: BlockSink): boolean {
    if (this.classic !== null) {
      const page = Math.floor(address / PAGE) * PAGE;
      this.classic.walk(page, PAGE, sink);
      return true;
    }
    for (const { walk, role } of this.heaps) {
      const { address: starts, context } = walk.segments;
      for (const [i, start] of starts.entries()) {
        const size = walk.segmentSize(context[i] ?? 0);
        if (address < start || address >= start + size) continue;
        walk.walkSegment(i, this.small(sink, role));
        return true;
      }
    }
    return false;
  }

  get coverage(): PoolCoverage {
    const { classic, bigPages } = this;
    const heaps = this.heaps.length === 0 ? null : sumCounts(this.heaps.map(({ walk }) => walk.counts));
    const pages = classic === null ? null : { ...classic.counts };
    const whole =
      this.pool.form !== 'none' &&
      this.walked === this.order.length &&
      bigPages !== null &&
      bigPages.counts.missing === 0;
    const sound =
      heaps === null ||
      heaps.segmentsMissing +
        heaps.segmentsCorrupt +
        heaps.listsBroken +
        heaps.bytesLost +
        heaps.bytesMissing +
        heaps.subsegmentsMissing +
        heaps.subsegmentsCorrupt +
        heaps.largeCorrupt ===
        0;
    const intact = pages === null || pages.corruptPages === 0;
    const { missingPages } = this;
    const unresolved = this.lookasideUnresolved + (heaps?.delayFreeUnresolved ?? 0);
    return {
      form: this.pool.form,
      partsWalked: this.walked,
      parts: this.order.length,
      heaps,
      pages,
      ...{ untagged: this.untagged, special: this.special },
      bigPages: bigPages?.counts ?? null,
      missingPages,
      unresolved,
      complete: whole && sound && intact && unresolved === 0 && (pages === null || missingPages === 0),
    };
  }

  /** Passes small blocks on. Those that the big-page table names are its rows, which are given by themselves. */
  private small(sink: BlockSink, role: HeapRole): BlockSink {
    return (block) => {
      if (block.kind === BlockKind.Segment || block.kind === BlockKind.Large || block.size >= PAGE - 0x20) {
        if (this.bigPages !== null && this.bigPages.index.at(block.address) >= 0) return;
      }
      if (block.tag === 0 && block.state === BlockState.Live) {
        this.untagged++;
        if (role === 'special') this.special++;
      }
      sink(block);
    };
  }
}

/** All numbers below `count`, each once, in an order that is spread over all of them from the start. */
function spread(count: number): Uint32Array {
  const order = new Uint32Array(count);
  let step = Math.max(1, Math.round(count * 0.6180339887));
  while (gcd(step, count) > 1) step++;
  for (let i = 0, at = 0; i < count; i++, at = (at + step) % count) order[i] = at;
  return order;
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

function sumCounts(all: readonly HeapCounts[]): HeapCounts {
  const sum = heapCounts();
  for (const counts of all) {
    for (const name of Object.keys(sum) as (keyof HeapCounts)[]) sum[name] = (sum[name] ?? 0) + (counts[name] ?? 0);
  }
  return sum;
}

/** The pools of a kernel, opened once; null where the dump has no memory that can be addressed. */
export const poolBlocksOf = oncePerKernel((kernel): { blocks: PoolBlocks | null; warnings: readonly Warning[] } => {
  if (kernel.memory === null || kernel.dump.triage !== null) return { blocks: null, warnings: [] };
  const warnings: Warning[] = [];
  return { blocks: new PoolBlocks(kernel, kernel.memory, warnings), warnings };
});
