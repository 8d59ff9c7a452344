/**
 * A PE image from a file, laid out in memory as Windows lays it out at the base that its linker preferred: headers, then
 * the bytes of every section at its RVA, then zeros where a section is longer in memory than in the file. With sections
 * that begin inside of pages (as old 32-bit drivers have) the file is mapped as it is, flat.
 *
 * Nothing is invented: pages of code that the file has no bytes for are missing (such code is put there at run time), and so is
 * what a file that was cut short has lost.
 */

import { PAGE_SIZE, virtual, type PhysicalAddress, type VirtualAddress } from '../addresses.js';
import { failed, hex, Failure } from '../bytes/failure.js';
import { u16 } from '../bytes/fields.js';
import { MemoryBase, MOST_BYTES } from '../paging/memory-base.js';
import type { Chunk, VirtualMemory } from '../paging/virtual-memory.js';
import { printable } from '../text-safety.js';
import { readImageHeaders, type ImageHeaders, type ImageSection } from './image.js';

/** Longest image that is laid out, and longest file that it may come from, in bytes. */
export const LARGEST_IMAGE = 512 * 1024 * 1024;
/** Longest piece that `chunks` gives. */
const CHUNK = 64 * 1024;
/** Windows reads section data from a multiple of this. */
const SECTOR = 512;
const MACHINE_I386 = 0x14c;
const MACHINE_ARMNT = 0x1c4;

/** An image that can be read like one in a dump. */
export interface ImageFile {
  readonly memory: VirtualMemory;
  /** The preferred base. */
  readonly base: VirtualAddress;
  readonly headers: ImageHeaders;
}

/** Part of an image: RVAs on page borders, and the bytes there; null where zeros are. */
interface Span {
  readonly start: number;
  readonly end: number;
  readonly bytes: Uint8Array | Failure | null;
}

const ZEROS = new Uint8Array(CHUNK);
const pageUp = (value: number): number => Math.ceil(value / PAGE_SIZE) * PAGE_SIZE;

/** True when bytes begin as an executable file does. */
export function looksLikeImage(bytes: Uint8Array): boolean {
  return u16(bytes, 0) === 0x5a4d;
}

/**
 * Lays an image out. The memory keeps `file`, which must not change. Fails for what is no PE image, and for one that
 * Windows would not load: sections that overlap, lie off their borders or beyond the image.
 *
 * @param name for messages.
 */
export function layOutImage(file: Uint8Array, name: string): ImageFile | Failure {
  const wrong = (what: string): Failure => new Failure('corrupt', `${name}: ${what}`);
  if (!looksLikeImage(file)) return wrong('not a PE image: it does not begin with MZ');
  const zero = virtual(0n);
  const raw = new ImageFileMemory(zero, 8, file.length, [{ start: 0, end: file.length, bytes: file }]);
  const headers = readImageHeaders(raw, zero);
  if (failed(headers)) {
    return headers.code === 'bad-address'
      ? new Failure('short-file', `${name}: the file ends within its headers`)
      : wrong('no PE header stands where its first bytes say');
  }
  const { sizeOfImage, sections } = headers;
  if (sizeOfImage === 0 || sizeOfImage > LARGEST_IMAGE)
    return wrong(`an image of ${sizeOfImage} bytes is not laid out`);
  if (sections.length === 0) return wrong('it has no sections, or the file ends before its section table');
  const flat = headers.sectionAlignment < PAGE_SIZE;
  const spans = flat ? flatSpans(file, headers) : sectionSpans(file, headers);
  if (typeof spans === 'string') return wrong(spans);
  const pointerSize = headers.machine === MACHINE_I386 || headers.machine === MACHINE_ARMNT ? 4 : 8;
  const base = virtual(headers.imageBase);
  return { memory: new ImageFileMemory(base, pointerSize, pageUp(sizeOfImage), spans), base, headers };
}

/** The spans of an image whose sections begin on page borders; a text says what is wrong with them. */
function sectionSpans(file: Uint8Array, headers: ImageHeaders): Span[] | string {
  const end = pageUp(headers.sizeOfImage);
  const spans: Span[] = [];
  const first = headers.sections[0]?.rva ?? 0;
  put(spans, 0, first, file.subarray(0, Math.min(headers.sizeOfHeaders, first)), null);
  for (const section of headers.sections) {
    const { rva, size } = section;
    const name = `section ${printable(section.name)}`;
    const before = spans.at(-1)?.end ?? 0;
    if (rva % PAGE_SIZE !== 0) return `${name} begins at ${hex(rva)}, not on a page border`;
    if (rva < before) return `${name} at ${hex(rva)} overlaps what stands before it`;
    if (rva + pageUp(size) > end) return `${name} at ${hex(rva)} ends beyond the image`;
    if (rva > before) spans.push({ start: before, end: rva, bytes: GAP });
    putSection(spans, file, section);
  }
  const last = spans.at(-1)?.end ?? 0;
  if (last < end) spans.push({ start: last, end, bytes: GAP });
  return spans;
}

const GAP = new Failure('not-mapped', 'no section of the image lies there');
const AT_RUN_TIME = new Failure('not-in-dump', 'the file holds no bytes for this page of code');
const CUT_SHORT = new Failure('short-file', 'the file ends before the bytes of this page');

function putSection(spans: Span[], file: Uint8Array, section: ImageSection): void {
  const length = pageUp(section.size);
  const from = section.fileOffset - (section.fileOffset % SECTOR);
  const wanted = section.fileOffset === 0 ? 0 : Math.min(section.fileSize, length);
  const bytes = file.subarray(Math.min(from, file.length), Math.min(from + wanted, file.length));
  const { rva } = section;
  if (bytes.length === wanted) {
    put(spans, rva, rva + length, bytes, section.executable ? AT_RUN_TIME : null);
    return;
  }
  const whole = bytes.length - (bytes.length % PAGE_SIZE);
  put(spans, rva, rva + whole, bytes.subarray(0, whole), null);
  spans.push({ start: rva + whole, end: rva + pageUp(wanted), bytes: CUT_SHORT });
  if (pageUp(wanted) < length) {
    spans.push({ start: rva + pageUp(wanted), end: rva + length, bytes: section.executable ? AT_RUN_TIME : null });
  }
}

/** The spans of an image that is mapped as its file is. */
function flatSpans(file: Uint8Array, headers: ImageHeaders): Span[] | string {
  for (const { name, rva, fileOffset, fileSize } of headers.sections) {
    if (fileSize > 0 && rva !== fileOffset) {
      return `section ${printable(name)} stands at ${hex(fileOffset)} in the file and at ${hex(rva)} in memory`;
    }
  }
  const end = pageUp(headers.sizeOfImage);
  const spans: Span[] = [];
  const bytes = file.subarray(0, Math.min(file.length, headers.sizeOfImage));
  const needed = headers.sections.reduce((last, section) => Math.max(last, section.fileOffset + section.fileSize), 0);
  if (file.length >= Math.min(needed, headers.sizeOfImage)) put(spans, 0, end, bytes, null);
  else {
    const whole = bytes.length - (bytes.length % PAGE_SIZE);
    if (whole > 0) spans.push({ start: 0, end: whole, bytes: bytes.subarray(0, whole) });
    spans.push({ start: whole, end, bytes: CUT_SHORT });
  }
  return spans;
}

/** Adds bytes from a page border on; what follows them up to `end` is zeros in their last page, then `rest`. */
function put(spans: Span[], start: number, end: number, bytes: Uint8Array, rest: Failure | null): void {
  const whole = Math.min(end - start, bytes.length - (bytes.length % PAGE_SIZE));
  let at = start + whole;
  if (whole > 0) spans.push({ start, end: at, bytes: bytes.subarray(0, whole) });
  if (at < end && whole < bytes.length) {
    const page = new Uint8Array(PAGE_SIZE);
    page.set(bytes.subarray(whole));
    spans.push({ start: at, end: at + PAGE_SIZE, bytes: page });
    at += PAGE_SIZE;
  }
  if (at < end) spans.push({ start: at, end, bytes: rest });
}

class ImageFileMemory extends MemoryBase {
  /** @param spans in order, without gaps, from 0 to `size`. */
  constructor(
    private readonly base: VirtualAddress,
    readonly pointerSize: 4 | 8,
    private readonly size: number,
    private readonly spans: readonly Span[],
  ) {
    super();
  }

  translate(): PhysicalAddress | Failure {
    return new Failure('not-mapped', 'an image in a file has no physical addresses');
  }

  override countPages(address: VirtualAddress, length: number): number {
    const offset = this.offsetOf(address, length);
    if (failed(offset)) return 0;
    let pages = 0;
    for (const { start, end, bytes } of this.spans) {
      const [from, to] = [Math.max(start, offset), Math.min(end, offset + length)];
      if (from < to && !failed(bytes)) pages += Math.ceil(to / PAGE_SIZE) - Math.floor(from / PAGE_SIZE);
    }
    return pages;
  }

  read(address: VirtualAddress, length: number): Uint8Array | Failure {
    const offset = this.offsetOf(address, length);
    if (failed(offset)) return offset;
    if (length > MOST_BYTES) return new Failure('corrupt', `a read of ${length} bytes is refused`);
    const first = this.spanAt(offset);
    const span = this.spans[first];
    if (span !== undefined && offset + length <= span.end && span.bytes !== null) {
      return failed(span.bytes) ? span.bytes : span.bytes.subarray(offset - span.start, offset - span.start + length);
    }
    const copy = new Uint8Array(length);
    for (let i = first; i < this.spans.length; i++) {
      const { start = Infinity, end = 0, bytes = null } = this.spans[i] ?? {};
      if (start >= offset + length) break;
      if (failed(bytes)) return bytes;
      if (bytes === null) continue;
      const from = Math.max(start, offset);
      copy.set(bytes.subarray(from - start, Math.min(end, offset + length) - start), from - offset);
    }
    return copy;
  }

  override *chunks(address: VirtualAddress, length: number): Iterable<Chunk> {
    const start = this.offsetOf(address, length);
    if (failed(start)) {
      yield* super.chunks(address, length);
      return;
    }
    const end = start + length;
    for (let i = this.spanAt(start); i < this.spans.length; i++) {
      const span = this.spans[i];
      if (span === undefined || span.start >= end) return;
      const { bytes } = span;
      const most = failed(bytes) ? PAGE_SIZE : CHUNK;
      for (let at = Math.max(span.start, start); at < Math.min(span.end, end);) {
        const next = Math.min(at + most - (at % PAGE_SIZE), span.end, end);
        const piece =
          bytes === null
            ? ZEROS.subarray(0, next - at)
            : failed(bytes)
              ? bytes
              : bytes.subarray(at - span.start, next - span.start);
        yield { offset: at - start, length: next - at, bytes: piece };
        at = next;
      }
    }
  }

  /** The RVA of a range that lies within the image. */
  private offsetOf(address: VirtualAddress, length: number): number | Failure {
    const offset = BigInt.asUintN(64, address - this.base);
    if (length >= 0 && offset + BigInt(length) <= BigInt(this.size)) return Number(offset);
    return new Failure('bad-address', `${hex(address)} lies outside of the image`, { address });
  }

  /** The last span that begins at or before an RVA. */
  private spanAt(offset: number): number {
    let [low, high] = [0, this.spans.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.spans[middle]?.start ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
