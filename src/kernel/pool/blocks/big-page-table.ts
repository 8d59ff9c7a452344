/**
 * The big-page table of a kernel: by PoolBigPageTable and PoolBigPageTableSize where symbols know them, else by its
 * content: a table whose used rows stand where the hash of their addresses puts them proves itself.
 */

import { failed, hex } from '../../../../parsers/bytes/failure.js';
import { BigPageIndex } from '../../../../parsers/heap/big-page-index.js';
import {
  BIG_PAGE_LAYOUTS,
  findBigPages,
  proveBigPages,
  readBigPages,
  type BigPageCounts,
  type BigPageLayout,
} from '../../../../parsers/heap/big-pages.js';
import { Block } from '../../../../parsers/heap/blocks.js';
import { heapAddress, toVirtual, type HeapAddress, type HeapMemory } from '../../../../parsers/heap/memory.js';
import { typedTag } from '../../../../parsers/heap/pool-header.js';
import type { FigureSource } from '../../../../symbols/kernel-symbols.js';
import type { Warning, WarningCode } from '../../../result/result.js';
import { pointersIn } from '../../find/data-sections.js';
import type { Kernel } from '../../open/open-kernel.js';

const PAGE = 0x1000;
/** Rows of a table, as in the proof. */
const MOST_ROWS = 1n << 24n;
/** Pointers in the kernel's data whose target is looked at. */
const MOST_CANDIDATES = 8192;
/** Pages of a candidate that are looked at first, the rows in use that they must have, and the share that must be possible. */
const GLIMPSE = 4;
const FEWEST = 4;
const SHARE = 0.9;

/** The table, read. */
export interface BigPages {
  readonly address: HeapAddress;
  /** Rows, used and not. */
  readonly entries: number;
  readonly layout: BigPageLayout;
  readonly index: BigPageIndex;
  readonly counts: BigPageCounts;
  /** The layout proved itself by where the rows stand. False where the table is too empty for that, or the hash another. */
  readonly proven: boolean;
  readonly source: FigureSource;
}

/** Finds and reads the table; null, with a warning that says why, where there is none that can be believed. */
export function openBigPages(
  kernel: Kernel,
  memory: HeapMemory,
  isPaged: (address: HeapAddress) => boolean = () => false,
): { table: BigPages | null; warnings: Warning[] } {
  const warnings: Warning[] = [];
  // Where symbols tell the variable, no other place of the kernel's data holds the table's address.
  const variable = kernel.addressOf('PoolBigPageTable');
  const isKnown = !failed(variable) && ['pdb', 'profile', 'kdbg'].includes(variable.source);
  const place = bySymbols(kernel, memory) ?? (isKnown ? null : byContent(kernel, memory));
  if (place === null) {
    const message =
      'the table of big pool allocations (PoolBigPageTable) was not found: allocations of a page and more have no tag';
    return { table: null, warnings: [{ code: 'no-big-pages', where: 'suspects', message }] };
  }
  const { address, entries, layout, proven, source } = place;
  const index = new BigPageIndex();
  const counts = readBigPages(memory, address, entries, layout, new Block(), index.sink, isPaged);
  index.sort();
  const warn = (code: WarningCode, message: string): void => {
    warnings.push({ code, where: 'suspects', message });
  };
  if (source === 'scan') {
    warn(
      'big-pages-searched',
      `no symbols tell where the table of big pool allocations is; it was found at ${hex(toVirtual(address))} by its content`,
    );
  }
  if (!proven && counts.used > 0) {
    warn(
      'big-pages-unproven',
      'the rows of the table of big pool allocations do not stand where its hash puts them: they are read as symbols say',
    );
  }
  if (counts.missing > 0) {
    warn(
      'big-pages-incomplete',
      `${counts.missing} of ${entries} rows of the table of big pool allocations are not in the dump`,
    );
  }
  const inUse = kernel.variable('ExpPoolBigEntriesInUse', 'unsigned long');
  if (counts.missing === 0 && !failed(inUse) && inUse.source !== 'scan' && Number(inUse.value) !== counts.used) {
    warn(
      'big-pages-differ',
      `the table of big pool allocations has ${counts.used} rows in use, its counter says ${inUse.value}`,
    );
  }
  return { table: { address, entries, layout, index, counts, proven, source }, warnings };
}

type Place = Pick<BigPages, 'address' | 'entries' | 'layout' | 'proven' | 'source'>;

function bySymbols(kernel: Kernel, memory: HeapMemory): Place | null {
  const pointer = kernel.pointerAt('PoolBigPageTable');
  if (failed(pointer) || pointer.value === 0n) return null;
  const address = heapAddress(pointer.value, memory.pointerSize);
  const { source } = pointer;
  const size = kernel.variable('PoolBigPageTableSize');
  if (failed(size) || size.value <= 0n || size.value > MOST_ROWS) {
    const found = findBigPages(memory, address);
    return found === null ? null : { address, entries: found.entries, layout: found.layout, proven: true, source };
  }
  const entries = Number(size.value);
  const proof = proveBigPages(memory, address, entries);
  if (proof !== null) return { address, entries, layout: proof.layout, proven: true, source };
  const layout = layoutOf(kernel, memory.pointerSize);
  return layout === null ? null : { address, entries, layout, proven: false, source };
}

/** The layout that the kernel's own type or build has: for tables with too few rows to prove one. */
function layoutOf({ identity, symbols }: Kernel, pointerSize: 4 | 8): BigPageLayout | null {
  const size = symbols?.layout('_POOL_TRACKER_BIG_PAGES')?.value.size ?? null;
  const build = identity.buildNumber;
  const first = (name: string): number => Number(/\d+/.exec(name.slice(4))?.[0] ?? 0);
  const fitting = BIG_PAGE_LAYOUTS.filter(
    (layout) => layout.pointerSize === pointerSize && first(layout.name) <= build,
  );
  const layout = fitting.sort((a, b) => first(b.name) - first(a.name))[0] ?? null;
  return layout !== null && size !== null && size !== layout.size ? null : layout;
}

function byContent(kernel: Kernel, memory: HeapMemory): Place | null {
  if (kernel.image === null || kernel.memory === null) return null;
  let best: Place | null = null;
  let left = MOST_CANDIDATES;
  const glimpse = { bytes: new Uint8Array(GLIMPSE * PAGE), present: new Uint8Array(GLIMPSE) };
  for (const pointer of pointersIn(kernel.memory, kernel.image, PAGE)) {
    if (left-- <= 0) break;
    const address = heapAddress(pointer, memory.pointerSize);
    if (!looksLikeRows(memory, address, glimpse)) continue;
    const found = findBigPages(memory, address);
    if (found !== null && (best === null || found.entries > best.entries)) {
      best = { address, entries: found.entries, layout: found.layout, proven: true, source: 'scan' };
    }
  }
  return best;
}

/** Whether the first rows can be those of any layout: page addresses and tags. */
function looksLikeRows(
  memory: HeapMemory,
  address: HeapAddress,
  glimpse: { bytes: Uint8Array<ArrayBuffer>; present: Uint8Array },
): boolean {
  const { bytes, present } = glimpse;
  // The first page decides for nearly all: only where it can be one of rows, more are read.
  present.fill(0);
  if (memory.readPages(address, 1, bytes, present) === 0) return false;
  if (!hasRows(bytes, present, memory.pointerSize, 0)) return false;
  return memory.readPages(address, GLIMPSE, bytes, present) > 0 && hasRows(bytes, present, memory.pointerSize, FEWEST);
}

/** Whether pages can be those of rows of any layout, so many of them in use. */
function hasRows(bytes: Uint8Array<ArrayBuffer>, present: Uint8Array, pointerSize: 4 | 8, fewest: number): boolean {
  const words = new Uint32Array(bytes.buffer);
  const wide = pointerSize === 8;
  const end = ((present.includes(0) ? present.indexOf(0) : GLIMPSE) * PAGE) / 4;
  return [0xc, 0x10, 0x18, 0x20].some((size) => {
    if (wide !== size >= 0x18) return false;
    let used = 0;
    let possible = 0;
    for (let at = 0; at + size / 4 <= end; at += size / 4) {
      const low = words[at] ?? 0;
      const high = wide ? (words[at + 1] ?? 0) : 0;
      if ((low === 0 && high === 0) || (low & 1) !== 0) continue;
      used++;
      const isKernel = wide ? high >= 0xffff8000 : low >= 0x80000000;
      if (isKernel && (low & 0xffe) === 0 && typedTag(words[at + (wide ? 2 : 1)] ?? 0)) possible++;
    }
    return used >= fewest && possible >= used * SHARE;
  });
}
