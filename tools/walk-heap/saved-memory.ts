/** Memory saved to a folder: index.json says which regions, mem.bin (or mem.bin.gz) has their bytes. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { heapAddress, type HeapAddress, type HeapMemory } from '../../parsers/heap/memory.js';

const PAGE = 4096;
/** Most bytes that mem.bin may unpack to. */
const MOST_BYTES = 4 * 1024 ** 3 - 1;

/** Why a folder cannot be read, in words for its user. */
export class BadFolder extends Error {}

interface Region {
  /** Unsigned, as written. */
  readonly base: bigint;
  readonly size: number;
  /** Offset in mem.bin; null for zeros. */
  readonly from: number | null;
}

/** The regions of a folder, as memory. Regions are sorted by address; where two overlap, the first has it. */
export class SavedMemory implements HeapMemory {
  private readonly bases: Float64Array;

  private constructor(
    readonly pointerSize: 4 | 8,
    private readonly regions: readonly Region[],
    private readonly content: Uint8Array,
  ) {
    this.bases = Float64Array.from(regions, (region) => heapAddress(region.base, pointerSize));
  }

  /** Reads a folder. Throws BadFolder with a sentence when it cannot. */
  static read(folder: string): SavedMemory {
    const index = readIndex(join(folder, 'index.json'));
    const regions = index.regions.flatMap((entry, i) => readRegion(entry, i) ?? []);
    const content = readContent(folder, index.file);
    for (const { base, from, size } of regions) {
      if (from !== null && from + size > content.length) {
        throw new BadFolder(
          `the region at 0x${base.toString(16)} ends at byte ${from + size} of ${index.file}, which has ${content.length}`,
        );
      }
    }
    return new SavedMemory(8, regions, content).as(8);
  }

  /** The same memory as one of a system with pointers of `pointerSize` bytes. */
  as(pointerSize: 4 | 8): SavedMemory {
    const key = (region: Region): number => heapAddress(region.base, pointerSize);
    return new SavedMemory(
      pointerSize,
      [...this.regions].sort((a, b) => key(a) - key(b)),
      this.content,
    );
  }

  /** False when an address needs more than 32 bits. */
  get fits32(): boolean {
    return this.regions.every(({ base, size }) => base + BigInt(size) <= 0x1_0000_0000n);
  }

  readPages(address: HeapAddress, pages: number, into: Uint8Array, present: Uint8Array): number {
    let found = 0;
    for (let i = 0; i < pages; i++) {
      const at = address + i * PAGE;
      const index = this.regionAt(at);
      const region = this.regions[index];
      present[i] = region === undefined ? 0 : 1;
      if (region === undefined) continue;
      found++;
      if (region.from === null) into.fill(0, i * PAGE, (i + 1) * PAGE);
      else {
        const from = region.from + at - (this.bases[index] ?? 0);
        into.set(this.content.subarray(from, from + PAGE), i * PAGE);
      }
    }
    return found;
  }

  /** Page-aligned addresses of pages that are not all zeros by the index. */
  *pages(): Iterable<HeapAddress> {
    for (const [i, region] of this.regions.entries()) {
      if (region.from === null) continue;
      for (let at = 0; at < region.size; at += PAGE) yield (this.bases[i] ?? 0) + at;
    }
  }

  /** Addresses of aligned words of a pointer's width with this value. */
  *find(low: number, high: number): Iterable<HeapAddress> {
    const view = new DataView(this.content.buffer, this.content.byteOffset, this.content.length);
    for (const [i, region] of this.regions.entries()) {
      if (region.from === null) continue;
      for (let at = 0; at + this.pointerSize <= region.size; at += this.pointerSize) {
        if (view.getUint32(region.from + at, true) !== low) continue;
        if (this.pointerSize === 8 && view.getUint32(region.from + at + 4, true) !== high) continue;
        yield (this.bases[i] ?? 0) + at;
      }
    }
  }

  /** The region that holds the whole page at `address`, or -1. */
  private regionAt(address: HeapAddress): number {
    let low = 0;
    let high = this.bases.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.bases[middle] ?? 0) <= address) low = middle + 1;
      else high = middle;
    }
    const region = this.regions[low - 1];
    return region !== undefined && address + PAGE <= (this.bases[low - 1] ?? 0) + region.size ? low - 1 : -1;
  }
}

function readIndex(path: string): { file: string; regions: unknown[] } {
  const index = parse(path);
  if (typeof index !== 'object' || index === null) throw new BadFolder(`${path} is no JSON object`);
  const { file = 'mem.bin', pageSize = PAGE, regions } = index as Record<string, unknown>;
  if (typeof file !== 'string') throw new BadFolder(`${path}: "file" is no name`);
  if (pageSize !== PAGE) throw new BadFolder(`${path}: pages of ${String(pageSize)} bytes; only ${PAGE} can be read`);
  if (!Array.isArray(regions)) throw new BadFolder(`${path} has no list "regions"`);
  return { file, regions };
}

function parse(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new BadFolder(`${path} cannot be read: ${(error as Error).message}`);
  }
}

/** A region, or null for one that has no memory behind it. */
function readRegion(entry: unknown, i: number): Region | null {
  const { base, size, fileOffset, zero, state } = (entry ?? {}) as Record<string, unknown>;
  const at = typeof base === 'string' && /^0x[0-9a-f]{1,16}$/i.test(base) ? BigInt(base) : null;
  if (at === null || at % 4096n !== 0n) throw new BadFolder(`region ${i} has no page-aligned "base"`);
  if (!isCount(size) || size % PAGE !== 0) throw new BadFolder(`region ${i} has no "size" in whole pages`);
  if (zero === true) return { base: at, size, from: null };
  if (fileOffset === undefined && state !== undefined && state !== 'committed') return null;
  if (!isCount(fileOffset)) throw new BadFolder(`region ${i} has neither "fileOffset" nor "zero"`);
  return { base: at, size, from: fileOffset };
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function readContent(folder: string, file: string): Uint8Array {
  if (/[\\/]/.test(file)) throw new BadFolder(`index.json names a file outside the folder: ${file}`);
  const path = join(folder, file);
  for (const [name, packed] of [
    [path, file.endsWith('.gz')],
    [`${path}.gz`, true],
  ] as const) {
    let bytes: Uint8Array;
    try {
      bytes = readFileSync(name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') continue;
      throw new BadFolder(`${name} cannot be read: ${(error as Error).message}`);
    }
    try {
      return packed ? gunzipSync(bytes, { maxOutputLength: MOST_BYTES }) : bytes;
    } catch (error) {
      throw new BadFolder(`${name} cannot be unpacked: ${(error as Error).message}`);
    }
  }
  throw new BadFolder(`${path} is not there, nor ${file}.gz`);
}
