/** The page ranges of a segment, told by its descriptors (_HEAP_PAGE_RANGE_DESCRIPTOR). */

import type { HeapCounts } from './counts.js';
import type { SegContext, SegmentHeap } from './open.js';
import {
  DESCRIPTORS,
  RANGE_ALLOCATED,
  RANGE_FIRST,
  RANGE_LFH,
  RANGE_PAGES,
  RANGE_SIGNATURE,
  RANGE_VS,
} from './layouts.js';
import { highWord, lowWord, type HeapAddress, type HeapMemory, PageWindow } from '../memory.js';

/** The ranges of one segment that are allocated, in order of address. Used again for the next segment. */
export class SegmentRanges {
  count = 0;
  /** First unit, units, and RangeFlags of each. */
  readonly first = new Uint16Array(DESCRIPTORS);
  readonly units = new Uint16Array(DESCRIPTORS);
  readonly flags = new Uint8Array(DESCRIPTORS);
  /** UnusedBytes of each: what the owner did not ask for, of a plain run of pages. */
  readonly unused = new Float64Array(DESCRIPTORS);
  /** The segment's signature as stored. */
  signatureLow = 0;
  signatureHigh = 0;
  private readonly window: PageWindow;

  constructor(memory: HeapMemory) {
    this.window = new PageWindow(memory);
  }

  /** Reads the descriptors of the segment at `address`. False when they are missing. */
  read(heap: SegmentHeap, context: SegContext, address: HeapAddress, counts: HeapCounts): boolean {
    this.count = 0;
    const { descriptor, segment, pointerSize } = heap.shape;
    const { window } = this;
    window.load(address, DESCRIPTORS * descriptor.size);
    if (window.present[0] !== 1) return false;
    const { bytes, words } = window;
    this.signatureLow = words[segment.signature >>> 2] ?? 0;
    this.signatureHigh = pointerSize === 8 ? (words[(segment.signature >>> 2) + 1] ?? 0) : 0;
    for (let unit = context.firstDescriptor; unit < DESCRIPTORS;) {
      const at = unit * descriptor.size;
      if (!window.has(at, descriptor.size)) {
        counts.descriptorsCorrupt++;
        break;
      }
      const flags = (bytes[at + descriptor.rangeFlags] ?? 0) & descriptor.flagBits;
      const units = bytes[at + descriptor.unitSize] ?? 0;
      if (flags === 0) {
        // Units behind the watermark were never used.
        unit += 1;
        continue;
      }
      if ((flags & RANGE_FIRST) === 0 || units === 0 || unit + units > DESCRIPTORS) {
        // Not the first unit of anything: skipped one by one, counted once a gap.
        if (unit === context.firstDescriptor || this.endsAt(unit)) counts.descriptorsCorrupt++;
        unit += 1;
        continue;
      }
      if ((flags & RANGE_ALLOCATED) !== 0) {
        const signed = words[(at + descriptor.treeSignature) >>> 2] === RANGE_SIGNATURE;
        const known = flags === RANGE_PAGES || flags === RANGE_LFH || flags === RANGE_VS;
        if (!known || (!signed && flags === RANGE_PAGES)) counts.descriptorsCorrupt++;
        else this.add(unit, units, flags, words[(at + descriptor.unusedBytes) >>> 2] ?? 0);
      }
      this.lastEnd = unit + units;
      unit += units;
    }
    return true;
  }

  /** Reads only the signature of the segment at `address`. False when its first page is missing. */
  readSignature(heap: SegmentHeap, address: HeapAddress): boolean {
    const { segment, pointerSize } = heap.shape;
    const { window } = this;
    if (!window.load(address, segment.signature + pointerSize)) return false;
    this.signatureLow = window.words[segment.signature >>> 2] ?? 0;
    this.signatureHigh = pointerSize === 8 ? (window.words[(segment.signature >>> 2) + 1] ?? 0) : 0;
    return true;
  }

  /** UnitOffset of the second unit of a range, read at `place` of its descriptor; -1 when it is missing. */
  secondUnitOffset(index: number, place: number, size: number): number {
    const at = ((this.first[index] ?? 0) + 1) * size;
    return this.window.has(at, size) ? (this.window.bytes[at + place] ?? -1) : -1;
  }

  /** HeapKey (with the constant of older builds in it, where they use it) as this segment tells it, low and high word. */
  key(address: HeapAddress, context: SegContext): readonly [number, number] {
    return [
      (this.signatureLow ^ lowWord(address) ^ lowWord(context.address)) >>> 0,
      (this.signatureHigh ^ highWord(address) ^ highWord(context.address)) >>> 0,
    ];
  }

  private lastEnd = 0;

  private endsAt(unit: number): boolean {
    return this.lastEnd === unit;
  }

  private add(first: number, units: number, flags: number, unused: number): void {
    const i = this.count++;
    this.first[i] = first;
    this.units[i] = units;
    this.flags[i] = flags;
    this.unused[i] = unused;
  }
}
