/**
 * Bitmap bodies: `SDMP` or `FDMP` followed by `DUMP` right after the header. Windows 8 and later write 64-bit counts
 * (bitmap at +0x38); Windows 2000 to 7 write 32-bit counts (bitmap at +0x28, in a 32-bit dump at +0x20). DumpType does
 * not tell them apart reliably, so each layout is tried and its numbers are checked against each other.
 */

import { fileOffset, PAGE_SIZE } from '../addresses.js';
import { Failure } from '../bytes/failure.js';
import { safe64, u32, u64 } from '../bytes/fields.js';
import type { ByteSource } from '../bytes/source.js';
import { BitmapIndex, type BitmapLayout } from './bitmap-index.js';
import type { SoftError } from './page-index.js';

export const SDMP = 0x504d4453;
export const FDMP = 0x504d4446;
export const DUMP = 0x504d5544;

/** Bitmaps up to this many bytes (1 TB of physical memory) are counted in full when the dump is opened. */
const COUNTED = 32 * 1024 * 1024;

/** A bitmap body that was recognised. */
export interface BitmapBody {
  readonly index: BitmapIndex;
  readonly layout: BitmapLayout;
  /** Windows 7 and earlier wrote it. */
  readonly old: boolean;
  /** `FDMP`: all of physical memory, not only the kernel's. */
  readonly full: boolean;
  readonly softErrors: readonly SoftError[];
}

/**
 * Reads the bitmap header at `bodyOffset` (a file offset). Gives null where no bitmap body stands, and a `corrupt`
 * failure where one begins but no layout of its numbers can be true. `wide` is false for dumps of 32-bit systems.
 */
export function readBitmapBody(source: ByteSource, bodyOffset: number, wide = true): BitmapBody | Failure | null {
  const head = new Uint8Array(0x38);
  const read = source.read(fileOffset(bodyOffset), head);
  const signature = u32(head, 0);
  if (read < 8 || (signature !== SDMP && signature !== FDMP) || u32(head, 4) !== DUMP) return null;
  const candidates = [newLayout(head, bodyOffset), ...oldLayouts(head, bodyOffset, wide)].filter((c) =>
    plausible(c.layout, bodyOffset, source.byteLength),
  );
  const sized = candidates.filter((c) => countable(c.layout)).map((c) => withIndex(source, c));
  const counted = sized.filter((c) => c.layout.bits / 8 <= COUNTED);
  const exact = counted.find((c) => c.index.countAll() === c.layout.pages);
  const chosen = exact ?? sized[0] ?? miscounted(source, candidates);
  if (chosen === undefined) {
    return new Failure(
      'corrupt',
      `a bitmap header stands at ${bodyOffset}, but its sizes cannot be true in a file of ${source.byteLength} bytes`,
      { position: bodyOffset },
    );
  }
  const full = signature === FDMP;
  const { old, said } = chosen;
  if (chosen === exact || chosen.layout.bits / 8 > COUNTED || !isWhole(source, chosen.layout)) {
    return { index: chosen.index, layout: chosen.layout, old, full, softErrors: [] };
  }
  const bits = chosen.index.countAll();
  const message = `the bitmap marks ${bits} pages as present, its header says ${said}`;
  const { index, layout } = withPages(source, chosen, bits);
  return { index, layout, old, full, softErrors: [{ code: 'bitmap-count', message }] };
}

/** The candidate with the count that is right: of bits and header the one whose pages are all in the file, else the bits. */
function withPages(source: ByteSource, sized: Sized, bits: number): Sized {
  const { layout } = sized;
  const fits = (pages: number): boolean => layout.firstPage + pages * PAGE_SIZE <= source.byteLength;
  if (countable(layout) && fits(layout.pages) && !fits(bits)) return sized;
  return withIndex(source, { ...sized, layout: { ...layout, pages: bits } });
}

/** Where no count can be true: the layout whose bitmap is whole and marks pages that are all in the file. */
function miscounted(source: ByteSource, candidates: readonly Candidate[]): Sized | undefined {
  return candidates
    .filter((c) => c.layout.bits / 8 <= COUNTED && isWhole(source, c.layout))
    .map((c) => withIndex(source, c))
    .find(({ index, layout }) => {
      const bits = index.countAll();
      return bits > 0 && layout.firstPage + bits * PAGE_SIZE <= source.byteLength;
    });
}

function isWhole(source: ByteSource, { bitmapOffset, bits }: BitmapLayout): boolean {
  return bitmapOffset + Math.ceil(bits / 8) <= source.byteLength;
}

interface Candidate {
  layout: BitmapLayout;
  old: boolean;
  /** The header's count of pages, as it stands there. */
  said: string;
}

interface Sized extends Candidate {
  index: BitmapIndex;
}

const withIndex = (source: ByteSource, candidate: Candidate): Sized => ({
  ...candidate,
  index: new BitmapIndex(source, candidate.layout),
});

/** Numbers past 2^53 become 0, which no layout may have. */
function newLayout(head: Uint8Array, bodyOffset: number): Candidate {
  const firstPage = safe64(head, 0x20) ?? 0;
  const pages = safe64(head, 0x28) ?? 0;
  const bits = safe64(head, 0x30) ?? 0;
  return {
    layout: { bitmapOffset: bodyOffset + 0x38, bits, firstPage, pages },
    old: false,
    said: String(u64(head, 0x28)),
  };
}

/** The likely place of the bitmap first: a shifted one can have as many bits set. */
function oldLayouts(head: Uint8Array, bodyOffset: number, wide: boolean): Candidate[] {
  const shared = { firstPage: u32(head, 0x0c), bits: u32(head, 0x10), pages: u32(head, 0x14) };
  const places = wide ? [0x28, 0x20, 0x24, 0x38] : [0x20, 0x28, 0x24, 0x38];
  return places.map((at) => ({
    layout: { ...shared, bitmapOffset: bodyOffset + at },
    old: true,
    said: String(shared.pages),
  }));
}

/** There are pages, and no more than bits. */
const countable = ({ pages, bits }: BitmapLayout): boolean => pages > 0 && pages <= bits;

/** The bitmap ends before the first page, and something of it is in the file. */
function plausible(layout: BitmapLayout, bodyOffset: number, fileBytes: number): boolean {
  const { bitmapOffset, bits, firstPage } = layout;
  return (
    bits > 0 &&
    bits <= 2 ** 40 &&
    firstPage > bodyOffset &&
    firstPage % PAGE_SIZE === 0 &&
    bitmapOffset + Math.ceil(bits / 8) <= firstPage &&
    bitmapOffset < fileBytes
  );
}
