/**
 * The memory manager's state without symbols, from Windows 10 on: MiSystemPartition by its content, MiState through the debugger block or by
 * its content. The layouts are those of the build's known releases; which release, and where it stands, must follow from values that agree.
 */

import { plus, virtual, type VirtualAddress } from '../../../parsers/addresses.js';
import { failed } from '../../../parsers/bytes/failure.js';
import type { StructLayout } from '../../../parsers/kernel/layout.js';
import { readScalar } from '../../../parsers/kernel/structures.js';
import type { VirtualMemory } from '../../../parsers/paging/virtual-memory.js';
import type { Release } from '../../../symbols/nearest.js';
import { resolvePath, type ResolvedPath } from '../../../symbols/paths.js';
import { dataSections, placesOfValue } from './data-sections.js';
import type { KernelImage } from '../open/locate-kernel.js';

/** What is known of the machine from elsewhere. */
export interface MemoryAnchors {
  /** The debugger block's field MmPagedPoolCommit, or null. */
  readonly pagedPoolCommit: VirtualAddress | null;
  /** Pages of paged pool's address range (MmSizeOfPagedPoolInBytes), or null. */
  readonly pagedPoolPages: number | null;
  /** Physical pages, as the dump header has them. */
  readonly physicalPages: number;
  /** The highest physical page, or null. */
  readonly highestPage: number | null;
}

/** A structure that was found. */
export interface FoundState {
  readonly address: VirtualAddress;
  /** Whose layouts fit. */
  readonly release: Release;
  /** Values that agree with something known, of those that were compared. */
  readonly agree: number;
  readonly compared: number;
}

/** What the search came to: one place, or how many places fit as well as any other. */
export type StateSearch = FoundState | { readonly candidates: number };

/** More pages than this (4 PB) no system has. */
const MOST = 2 ** 40;
/** Both variables begin a cache line. */
const ALIGNMENT = 64n;
/** In MiState, from its SystemPteInfo: where the debugger block's MmPagedPoolCommit points on Windows 10 (seen on 19041). */
const PTE_FAILURES = 0x28;
/** Values that must agree before a place is believed. */
const ENOUGH = 4;
/** Places looked at, at most. */
const MOST_PLACES = 20_000;

type Layouts = Parameters<typeof resolvePath>[0];

/** A release's layouts as `resolvePath` wants them. */
function layoutsOf(release: Release): Layouts {
  return {
    layout: (type): { value: StructLayout; source: 'nearest' } | null => {
      const value = release.layout(type);
      return value === null ? null : { value, source: 'nearest' };
    },
  };
}

/** Fields of one structure, in one release. */
class Fields {
  readonly size: number;
  private readonly paths = new Map<string, ResolvedPath | null>();

  constructor(
    readonly release: Release,
    private readonly type: string,
    names: readonly string[],
  ) {
    const layouts = layoutsOf(release);
    this.size = release.layout(type)?.size ?? 0;
    for (const name of names) this.paths.set(name, resolvePath(layouts, type, name));
  }

  offset(name: string): number | null {
    return this.paths.get(name)?.offset ?? null;
  }

  /** Fields that are known. */
  get known(): number {
    return [...this.paths.values()].filter((path) => path !== null).length;
  }

  /** No field that both know stands elsewhere. */
  isLike(other: Fields): boolean {
    if (this.size !== other.size) return false;
    return [...this.paths.keys()].every((name) => {
      const [one, two] = [this.offset(name), other.offset(name)];
      return one === null || two === null || one === two;
    });
  }

  reader(memory: VirtualMemory, base: VirtualAddress): (name: string) => number | null {
    return (name) => {
      const path = this.paths.get(name);
      if (path === undefined || path === null) return null;
      const value = readScalar(memory, plus(base, path.offset), path.type);
      return failed(value) ? null : Number(value);
    };
  }
}

/** Collects what speaks for a place; `refuse` is final. */
class Judgement {
  agree = 0;
  compared = 0;
  refused = false;

  /** A value that must be so; unknown values are passed over. */
  must(holds: boolean | null): void {
    if (holds === false) this.refused = true;
  }

  /** A relation that a wrong place does not have by chance. */
  agrees(holds: boolean | null): void {
    if (holds === null) return;
    this.compared++;
    if (holds) this.agree++;
  }
}

/** `a <= b` where both are known. */
function atMost(a: number | null, b: number | null): boolean | null {
  return a === null || b === null ? null : a >= 0 && a <= b;
}

const positive = (a: number | null): boolean | null => (a === null ? null : a > 0);
const both = (a: boolean | null, b: boolean | null): boolean | null => (a === null || b === null ? null : a && b);

const PARTITION_FIELDS = [
  'Vp.NumberOfPhysicalPages', 'Vp.LowestPhysicalPage', 'Vp.HighestPhysicalPage', 'Vp.NumberOfPagingFiles', 'Vp.AvailablePages',
  'Vp.ResidentAvailablePages', 'Vp.TotalCommittedPages', 'Vp.TotalCommitLimit', 'Vp.SharedCommit', 'Vp.TotalPagesForPagingFile',
  'Vp.ModifiedPageListHead.Total', 'Vp.ModifiedNoWritePageListHead.Total', 'Commit.PeakCommitment',
  'Commit.TotalCommitLimitMaximum', 'PageLists.ZeroedPageListHead.Total', 'PageLists.FreePageListHead.Total',
] as const; // prettier-ignore

function judgePartition(value: (name: string) => number | null, anchors: MemoryAnchors, pointerSize: 4 | 8): Judgement {
  const judged = new Judgement();
  const { physicalPages, highestPage } = anchors;
  const available = value('Vp.AvailablePages');
  const committed = value('Vp.TotalCommittedPages');
  const limit = value('Vp.TotalCommitLimit');
  const most = value('Commit.TotalCommitLimitMaximum');
  const peak = value('Commit.PeakCommitment');
  const zeroed = value('PageLists.ZeroedPageListHead.Total');
  const free = value('PageLists.FreePageListHead.Total');
  const highest = value('Vp.HighestPhysicalPage');
  for (const list of [
    available,
    zeroed,
    free,
    value('Vp.ModifiedPageListHead.Total'),
    value('Vp.ModifiedNoWritePageListHead.Total'),
    value('Vp.TotalPagesForPagingFile'),
  ]) {
    judged.must(atMost(list, physicalPages));
  }
  judged.must(atMost(committed, limit));
  judged.must(atMost(limit, MOST));
  judged.must(atMost(peak, MOST));
  judged.must(atMost(value('Vp.SharedCommit'), limit));
  judged.must(atMost(value('Vp.NumberOfPagingFiles'), 16));
  judged.must(atMost(highest, MOST));
  const resident = value('Vp.ResidentAvailablePages');
  judged.must(resident === null ? null : resident <= physicalPages || resident > 2 ** (pointerSize * 8 - 1));
  judged.agrees(positive(available));
  judged.agrees(positive(resident));
  judged.agrees(both(positive(committed), atMost(committed, limit)));
  judged.agrees(both(positive(limit), atMost(limit, most)));
  judged.agrees(both(positive(committed), atMost(committed, peak)));
  judged.agrees(highestPage === null || highest === null ? null : highest === highestPage);
  judged.agrees(
    zeroed === null || free === null || available === null ? null : zeroed + free > 0 && zeroed + free <= available,
  );
  return judged;
}

const STATE_FIELDS = [
  'Pools.AllocatedNonPagedPool', 'Pools.AllocatedSecureNonPagedPool', 'Vs.PagedPoolInfo.AllocatedPagedPool', 'Vs.PagedPoolInfo.MaximumSize',
  'Vs.MaximumNonPagedPoolInPages', 'Vs.SizeOfPagedPoolInPages', 'Vs.SystemPteInfo', 'Vs.SystemPteInfo.PteFailures',
  'Vs.SystemPteInfo.TotalFreeSystemPtes', 'Vs.SystemPteInfo.TotalSystemPtes', 'Vs.NonPagedPoolCommit', 'Vs.ProcessCommit', 'Vs.DriverCommit',
  'Vs.SharedCommit', 'Hardware.InvalidPteMask',
] as const; // prettier-ignore

function judgeState(value: (name: string) => number | null, anchors: MemoryAnchors): Judgement {
  const judged = new Judgement();
  const { physicalPages, pagedPoolPages } = anchors;
  const nonPaged = value('Pools.AllocatedNonPagedPool');
  const maximum = value('Vs.MaximumNonPagedPoolInPages');
  const paged = value('Vs.PagedPoolInfo.AllocatedPagedPool');
  const pagedSize = value('Vs.SizeOfPagedPoolInPages') ?? value('Vs.PagedPoolInfo.MaximumSize');
  const commit = value('Vs.NonPagedPoolCommit');
  const freePtes = value('Vs.SystemPteInfo.TotalFreeSystemPtes');
  judged.must(positive(nonPaged));
  judged.must(atMost(nonPaged, physicalPages));
  judged.must(atMost(value('Pools.AllocatedSecureNonPagedPool'), nonPaged));
  judged.must(atMost(nonPaged, maximum));
  judged.must(atMost(maximum, MOST));
  judged.must(atMost(paged, pagedPoolPages ?? MOST));
  judged.must(atMost(commit, MOST));
  judged.must(atMost(freePtes, MOST));
  judged.must(atMost(value('Vs.DriverCommit'), physicalPages));
  judged.must(atMost(value('Vs.ProcessCommit'), MOST));
  judged.agrees(pagedPoolPages === null || pagedSize === null ? null : pagedSize === pagedPoolPages);
  judged.agrees(both(positive(nonPaged), atMost(nonPaged, maximum)));
  judged.agrees(both(positive(paged), atMost(paged, pagedSize)));
  // What is allocated is charged, at least for the most part.
  judged.agrees(nonPaged === null || commit === null ? null : commit >= nonPaged / 2 && commit <= nonPaged * 4);
  judged.agrees(positive(freePtes));
  judged.agrees(positive(value('Vs.ProcessCommit')));
  return judged;
}

/** MiSystemPartition, by its content. */
export function findPartition(
  memory: VirtualMemory,
  image: KernelImage,
  releases: readonly Release[],
  anchors: MemoryAnchors,
): StateSearch {
  const variants = variantsOf(releases, '_MI_PARTITION', PARTITION_FIELDS, 'Vp.NumberOfPhysicalPages');
  const places = variants.length === 0 ? [] : take(placesOfValue(memory, image, anchors.physicalPages));
  return best(
    variants.flatMap(({ fields, anchor }) => places.map((place) => ({ fields, address: plus(place, -anchor) }))),
    memory,
    image,
    (value) => judgePartition(value, anchors, memory.pointerSize),
  );
}

/** MiState: where the debugger block leads, else by its content. */
export function findState(
  memory: VirtualMemory,
  image: KernelImage,
  releases: readonly Release[],
  anchors: MemoryAnchors,
): StateSearch {
  const judge = (value: (name: string) => number | null): Judgement => judgeState(value, anchors);
  const { pagedPoolCommit, pagedPoolPages } = anchors;
  const byBlock = variantsOf(releases, '_MI_SYSTEM_INFORMATION', STATE_FIELDS, 'Vs.SystemPteInfo');
  if (pagedPoolCommit !== null) {
    const found = best(
      byBlock.flatMap(({ fields, anchor }) => {
        const failures = fields.offset('Vs.SystemPteInfo.PteFailures') ?? anchor + PTE_FAILURES;
        return [...new Set([anchor + PTE_FAILURES, failures])].map((offset) => ({
          fields,
          address: plus(pagedPoolCommit, -offset),
        }));
      }),
      memory,
      image,
      judge,
    );
    if (!('candidates' in found) || found.candidates > 0) return found;
  }
  if (pagedPoolPages === null || pagedPoolPages === 0) return { candidates: 0 };
  // Both hold the size of paged pool's address range; the second is known where the first is not (ARM64).
  const [size, maximum] = ['Vs.SizeOfPagedPoolInPages', 'Vs.PagedPoolInfo.MaximumSize'].map((anchor) =>
    variantsOf(releases, '_MI_SYSTEM_INFORMATION', STATE_FIELDS, anchor),
  );
  const byContent = size?.length === 0 ? (maximum ?? []) : (size ?? []);
  const places = byContent.length === 0 ? [] : take(placesOfValue(memory, image, pagedPoolPages));
  return best(
    byContent.flatMap(({ fields, anchor }) => places.map((place) => ({ fields, address: plus(place, -anchor) }))),
    memory,
    image,
    judge,
  );
}

/** Releases that differ in these fields, each the one of its kind that knows most of them, and where the field stands by which they are found. */
function variantsOf(
  releases: readonly Release[],
  type: string,
  names: readonly string[],
  anchor: string,
): { fields: Fields; anchor: number }[] {
  const variants: { fields: Fields; anchor: number }[] = [];
  const all = releases.map((release) => new Fields(release, type, names)).toSorted((a, b) => b.known - a.known);
  for (const fields of all) {
    const offset = fields.offset(anchor);
    if (offset === null || variants.some((other) => other.fields.isLike(fields))) continue;
    variants.push({ fields, anchor: offset });
  }
  return variants;
}

function take(places: Iterable<VirtualAddress>): VirtualAddress[] {
  const taken: VirtualAddress[] = [];
  for (const place of places) {
    if (taken.length >= MOST_PLACES) return [];
    taken.push(place);
  }
  return taken;
}

/** The only candidate that is believed, or how many are. */
function best(
  candidates: readonly { readonly fields: Fields; readonly address: VirtualAddress }[],
  memory: VirtualMemory,
  image: KernelImage,
  judge: (value: (name: string) => number | null) => Judgement,
): StateSearch {
  const sections = dataSections(image);
  const believed: FoundState[] = [];
  for (const { fields, address } of candidates) {
    if (address % ALIGNMENT !== 0n || !isInside(sections, image, address, fields.size)) continue;
    const { refused, agree, compared } = judge(fields.reader(memory, address));
    if (refused || agree < ENOUGH) continue;
    believed.push({ address: virtual(address), release: fields.release, agree, compared });
  }
  // Releases of one build share parts of their layouts: with a wrong one fewer values agree.
  const most = Math.max(0, ...believed.map(({ agree }) => agree));
  const left = believed.filter(({ agree }) => agree === most);
  const [first] = left;
  return first !== undefined && left.length === 1 ? first : { candidates: left.length };
}

function isInside(
  sections: ReturnType<typeof dataSections>,
  image: KernelImage,
  address: VirtualAddress,
  size: number,
): boolean {
  const rva = Number(address - image.base);
  return sections.some((section) => rva >= section.rva && rva + size <= section.rva + section.size);
}
