/**
 * Which generation a heap is and what its keys are, told by the data: the keys are derived from what they encode, and each
 * generation with each key is tried on a sample of subsegments. What decodes most, and nothing worse than chance would, is it.
 *
 * HeapKey: the signature of each segment is segment ^ context ^ HeapKey, so each segment votes. LfhKey: the quadword behind
 * HeapKey in memory, where the caller can search for it, else by vote too: a subsegment's block size and first block are
 * few, given its number of blocks and its range.
 */

import { Failure } from '../../bytes/failure.js';
import { AddressSet } from '../address-set.js';
import { heapCounts } from './counts.js';
import { HEAP_LAYOUTS, RANGE_LFH, RANGE_VS, SEGMENT_CONSTANT, type HeapLayout, type LfhLayout } from './layouts.js';
import { bitmapEnd, lfhMask, LfhWalk } from './lfh-walk.js';
import { PageWindow, PointerReader, type HeapAddress, type HeapMemory } from '../memory.js';
import { listSegments, type SegmentHeap } from './open.js';
import { SegmentRanges } from './ranges.js';
import { VsWalk } from './vs-walk.js';

/** Subsegments of each kind, and segments, that a proof looks at. */
const SAMPLE = 128;
const MOST_SEGMENTS = 512;
/** Subsegments of one kind and segment that are taken at most, so that a sample comes from many. */
const PER_SEGMENT = 48;
/** Chunks of one subsegment that a proof follows. */
const CHUNKS = 16;
/** Values of HeapKey that are tried: damaged segments give others, but rarely the same twice. */
const MOST_KEYS = 4;
/** Share of the sample that must decode. */
const SHARE = 0.5;
/** A vote for LfhKey: subsegments alike that vote, bytes of the first block behind the bitmap, and votes that are needed. */
const MOST_ALIKE = 2;
const FARTHEST_FIRST = 0x100;
const FEWEST_VOTES = 4;
/** Places where HeapKey may stand that are looked at. */
const MOST_NEIGHBOURS = 64;
/** Keys with the same number of votes between which the blocks decide. */
const MOST_LEADING = 16;

/** Both keys as words. LfhKey: only the low word is used. */
export interface HeapKeys {
  readonly heapKeyLow: number;
  readonly heapKeyHigh: number;
  readonly lfhKeyLow: number;
}

/** Where the keys came from and what they decode. */
export interface HeapProof {
  readonly layout: HeapLayout;
  readonly keys: HeapKeys;
  /** `given` by the caller, by the `neighbour` of HeapKey in memory, by `vote`, or `none` needed. */
  readonly lfhKeyFrom: 'given' | 'neighbour' | 'vote' | 'none';
  /** Segments whose signature holds with HeapKey, of those that were looked at. */
  readonly segments: { readonly good: number; readonly of: number };
  readonly vs: { readonly good: number; readonly of: number };
  readonly lfh: { readonly good: number; readonly of: number };
}

/** What a caller knows beforehand. All of it is tried like what is derived, and proven by the same rules. */
export interface HeapHints {
  /** HeapKey and LfhKey, from symbols. */
  readonly heapKey?: bigint;
  readonly lfhKey?: bigint;
  /**
   * Addresses of aligned quadwords (doublewords on 32-bit systems) with this value, in memory where RtlpHpHeapGlobals can stand
   * (the kernel's data). Asked for once or twice.
   */
  readonly find?: (low: number, high: number) => Iterable<HeapAddress>;
}

/** Why no proof was possible: no segment is there, no known layout decodes, or the key of the LFH was not found. */
type NotProven = Failure<'not-in-dump' | 'not-supported' | 'unknown'>;

interface Sample {
  readonly heap: SegmentHeap;
  readonly address: HeapAddress;
  readonly length: number;
}

interface Samples {
  readonly vs: Sample[];
  readonly lfh: Sample[];
  /** Raw votes for HeapKey with the constant in it, the most frequent first. */
  readonly votes: { readonly low: number; readonly high: number; readonly count: number }[];
  readonly segments: number;
  /** Ranges of several units whose second unit names its offset at this place. */
  readonly unitOffsets: ReadonlyMap<number, number>;
}

/** Proves keys and generation on heaps of one kernel (or process), which share both. */
export function proveHeaps(
  memory: HeapMemory,
  heaps: readonly SegmentHeap[],
  hints: HeapHints = {},
): HeapProof | NotProven {
  const reader = new PointerReader(memory);
  const window = new PageWindow(memory);
  const samples = takeSamples(memory, reader, window, heaps);
  if (samples.segments === 0) return new Failure('not-in-dump', 'none of their segments can be read');
  const layouts = HEAP_LAYOUTS.filter((layout) =>
    heaps.some((heap) => heap.shape === layout.shape && heap.segContexts === layout.segContexts),
  );
  let best: { proof: HeapProof; score: number } | null = null;
  let lfhKeyMissing = false;
  for (const layout of layouts) {
    for (const key of heapKeys(samples, layout, hints)) {
      const vs = scoreVs(window, samples.vs, layout, key.low, key.high);
      if (vs < samples.vs.length * SHARE) continue;
      const lfh = lfhKey(window, samples.lfh, layout, key, hints);
      if (lfh === null) {
        lfhKeyMissing = true;
        continue;
      }
      const offsets = samples.unitOffsets.get(layout.unitOffset) ?? 0;
      const score = vs + lfh.good + offsets + key.votes;
      if (best !== null && best.score >= score) continue;
      best = {
        score,
        proof: {
          layout,
          keys: { heapKeyLow: key.low, heapKeyHigh: key.high, lfhKeyLow: lfh.key },
          lfhKeyFrom: lfh.from,
          segments: { good: key.votes, of: samples.segments },
          vs: { good: vs, of: samples.vs.length },
          lfh: { good: lfh.good, of: samples.lfh.length },
        },
      };
    }
  }
  if (best !== null) return best.proof;
  return lfhKeyMissing
    ? new Failure('unknown', 'the key of their LFH subsegments was not found')
    : new Failure('not-supported', 'no known layout decodes them');
}

function takeSamples(
  memory: HeapMemory,
  reader: PointerReader,
  window: PageWindow,
  heaps: readonly SegmentHeap[],
): Samples {
  const ranges = new SegmentRanges(memory);
  const counts = heapCounts();
  const vs: Sample[] = [];
  const lfh: Sample[] = [];
  const votes = new Map<string, { low: number; high: number; count: number }>();
  const unitOffsets = new Map<number, number>();
  let segments = 0;
  for (const heap of heaps) {
    const list = listSegments(reader, heap, counts);
    for (let i = 0; i < list.address.length && segments < MOST_SEGMENTS; i++) {
      const context = heap.contexts[list.context[i] ?? 0];
      const address = list.address[i] ?? 0;
      if (context === undefined || !ranges.read(heap, context, address, counts)) continue;
      segments++;
      const [low, high] = ranges.key(address, context);
      const name = `${high}:${low}`;
      const vote = votes.get(name) ?? { low, high, count: 0 };
      vote.count++;
      votes.set(name, vote);
      const taken = new Map<unknown, number>();
      for (let r = 0; r < ranges.count; r++) {
        const flags = ranges.flags[r] ?? 0;
        countUnitOffsets(ranges, r, heap, unitOffsets);
        const into = flags === RANGE_VS ? vs : flags === RANGE_LFH ? lfh : null;
        const before = taken.get(into) ?? 0;
        if (into === null || into.length >= SAMPLE || before >= PER_SEGMENT) continue;
        taken.set(into, before + 1);
        const start = address + (ranges.first[r] ?? 0) * 2 ** context.unitShift;
        // What is not there proves nothing, for or against.
        if (!window.load(start, 1)) continue;
        into.push({ heap, address: start, length: (ranges.units[r] ?? 0) * 2 ** context.unitShift });
      }
    }
  }
  const sorted = [...votes.values()].sort((a, b) => b.count - a.count).slice(0, MOST_KEYS);
  return { vs, lfh, votes: sorted, segments, unitOffsets };
}

function countUnitOffsets(ranges: SegmentRanges, index: number, heap: SegmentHeap, into: Map<number, number>): void {
  if ((ranges.units[index] ?? 0) < 2) return;
  const places = new Set(HEAP_LAYOUTS.filter((l) => l.shape === heap.shape).map((l) => l.unitOffset));
  if (places.size < 2) return;
  for (const place of places) {
    const holds = ranges.secondUnitOffset(index, place, heap.shape.descriptor.size) === 1;
    if (holds) into.set(place, (into.get(place) ?? 0) + 1);
  }
}

interface KeyVote {
  readonly low: number;
  readonly high: number;
  readonly votes: number;
}

function heapKeys(samples: Samples, layout: HeapLayout, hints: HeapHints): KeyVote[] {
  const wide = layout.shape.pointerSize === 8;
  const constant = layout.segmentConstant ? SEGMENT_CONSTANT : 0;
  const keys = samples.votes.map(({ low, high, count }) => ({
    low: (low ^ constant) >>> 0,
    high: wide ? (high ^ constant) >>> 0 : 0,
    votes: count,
  }));
  if (hints.heapKey !== undefined) {
    const low = Number(BigInt.asUintN(32, hints.heapKey));
    const high = wide ? Number(BigInt.asUintN(32, hints.heapKey >> 32n)) : 0;
    if (!keys.some((key) => key.low === low && key.high === high)) keys.unshift({ low, high, votes: 0 });
  }
  return keys;
}

function scoreVs(
  window: PageWindow,
  samples: readonly Sample[],
  layout: HeapLayout,
  low: number,
  high: number,
): number {
  const none = { delayed: new AddressSet(), lookaside: new AddressSet(), own: new AddressSet(), bigPages: null };
  const walk = new VsWalk(layout, low, high, true, null, none);
  let good = 0;
  for (const { address, length } of samples) {
    window.load(address, length);
    const extent = walk.extent(window);
    if (extent === 0) continue;
    const { good: chunks, bad } = walk.prove(window, extent, CHUNKS);
    if (chunks > bad) good++;
  }
  return good;
}

interface LfhKey {
  readonly key: number;
  readonly good: number;
  readonly from: HeapProof['lfhKeyFrom'];
}

/** The low word of LfhKey that most of the sample decodes with, or null when none does. */
function lfhKey(
  window: PageWindow,
  samples: readonly Sample[],
  layout: HeapLayout,
  heapKey: KeyVote,
  hints: HeapHints,
): LfhKey | null {
  if (samples.length === 0) {
    return { key: hints.lfhKey === undefined ? 0 : Number(BigInt.asUintN(32, hints.lfhKey)), good: 0, from: 'none' };
  }
  const tried = (key: number, from: LfhKey['from']): LfhKey => ({
    key,
    good: scoreLfh(window, samples, layout, key),
    from,
  });
  const enough = (found: LfhKey): boolean => found.good >= samples.length * SHARE;
  if (hints.lfhKey !== undefined) {
    const given = tried(Number(BigInt.asUintN(32, hints.lfhKey)), 'given');
    if (enough(given)) return given;
  }
  if (hints.find !== undefined) {
    let left = MOST_NEIGHBOURS;
    for (const place of hints.find(heapKey.low, heapKey.high)) {
      if (left-- === 0) break;
      window.load(place - (place & 0xfff), 0x1000 + layout.shape.pointerSize);
      const at = (place & 0xfff) + layout.shape.pointerSize;
      if (!window.has(at, 4)) continue;
      const found = tried(window.words[at >>> 2] ?? 0, 'neighbour');
      if (enough(found)) return found;
    }
  }
  const voted = voteLfhKey(window, samples, layout);
  if (voted === null) return null;
  const found = tried(voted, 'vote');
  return enough(found) ? found : null;
}

function scoreLfh(window: PageWindow, samples: readonly Sample[], layout: HeapLayout, key: number): number {
  const walk = new LfhWalk(layout, key, null, new AddressSet(), null);
  let good = 0;
  for (const { address, length } of samples) {
    window.load(address, Math.min(length, 0x1000));
    if (walk.open(window, length)) good++;
  }
  return good;
}

/**
 * LfhKey by vote. Each subsegment votes once for every key that would place its blocks as an allocator does: the first
 * one close behind the bitmap, and so many that not one more would fit. Subsegments of the same range and number of blocks
 * say the same, so only two of each vote. Between keys with the same number of votes the blocks decide.
 */
function voteLfhKey(window: PageWindow, samples: readonly Sample[], layout: HeapLayout): number | null {
  const { lfh } = layout;
  const { pointerSize } = layout.shape;
  const unit = pointerSize * 2;
  const votes = new Map<number, number>();
  const alike = new Map<string, number>();
  for (const { address, length } of samples) {
    window.load(address, Math.min(length, 0x1000));
    if (!window.has(0, lfh.blockBitmap)) continue;
    const blocks = totalBlocks(window, lfh);
    const name = `${length}:${blocks}`;
    const seen = alike.get(name) ?? 0;
    if (blocks === 0 || seen >= MOST_ALIKE) continue;
    alike.set(name, seen + 1);
    const encoded = (window.words[lfh.blockOffsets >>> 2] ?? 0) ^ lfhMask(address, lfh);
    const end = bitmapEnd(blocks, lfh, pointerSize);
    for (let first = Math.ceil(end / unit) * unit; first <= end + FARTHEST_FIRST; first += unit) {
      const largest = Math.floor((length - first) / blocks / unit) * unit;
      for (let size = largest; size >= unit && size * (blocks + 1) > length - first; size -= unit) {
        const key = (encoded ^ (size | (first << 16))) >>> 0;
        votes.set(key, (votes.get(key) ?? 0) + 1);
      }
    }
  }
  let most = 0;
  for (const count of votes.values()) most = Math.max(most, count);
  if (most < FEWEST_VOTES) return null;
  const leading = [...votes].filter(([, count]) => count === most).map(([key]) => key);
  if (leading.length > MOST_LEADING) return null;
  return leading.length === 1 ? (leading[0] ?? null) : bestByBlocks(window, samples, layout, leading);
}

/** Of keys with the same number of votes the one with which most counts at the ends of blocks can be; null when two do as well. */
function bestByBlocks(
  window: PageWindow,
  samples: readonly Sample[],
  layout: HeapLayout,
  keys: readonly number[],
): number | null {
  const scores = keys.map((key) => {
    const walk = new LfhWalk(layout, key, null, new AddressSet(), null);
    let score = 0;
    for (const { address, length } of samples) {
      window.load(address, length);
      if (!walk.open(window, length)) continue;
      const { good, bad } = walk.prove(window);
      score += good - bad;
    }
    return score;
  });
  const best = Math.max(...scores);
  const winners = keys.filter((_, i) => scores[i] === best);
  return best > 0 && winners.length === 1 ? (winners[0] ?? null) : null;
}

function totalBlocks(window: PageWindow, lfh: LfhLayout): number {
  const count = window.halves[lfh.blockCount >>> 1] ?? 0;
  return lfh.bitmap === 'pairs' ? count + (window.bytes[lfh.witheldBlockCount] ?? 0) : count;
}
