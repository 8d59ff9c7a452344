/**
 * A slow and simple reader of dump files for the tests of this folder: every offset is spelled out here again, from the
 * format reference, and nothing is shared with the code that writes.
 */

/** Random access to a file's bytes. */
export type ReadAt = (position: number, length: number) => Buffer;

const MASK = 0xffff_ffff_ffff_ffffn;
const FRAME = 0x000f_ffff_ffff_f000n;

export class HandReader {
  readonly header: Buffer;
  readonly root: bigint;
  private readonly offsets: (frame: number) => number | null;
  /** Bits that some builds mix into invalid PTEs. */
  invalidPteMask = 0n;
  /** Where the indexes of the tables stand in an address: one more with five levels. */
  shifts = [39n, 30n, 21n, 12n];
  private readonly arm: boolean;

  constructor(private readonly readAt: ReadAt) {
    this.header = readAt(0, 0x2000);
    if (this.header.toString('latin1', 0, 8) !== 'PAGEDU64') throw new Error('not a 64-bit dump');
    this.root = this.header.readBigUInt64LE(0x10) & FRAME;
    this.arm = this.u32(0x30) === 0xaa64;
    this.offsets = this.body();
  }

  u32(at: number): number {
    return this.header.readUInt32LE(at);
  }

  u64(at: number): bigint {
    return this.header.readBigUInt64LE(at);
  }

  /** Runs of PhysicalMemoryBlock. */
  runs(): { basePage: number; pageCount: number }[] {
    return Array.from({ length: this.u32(0x88) }, (_, i) => ({
      basePage: Number(this.u64(0x98 + i * 16)),
      pageCount: Number(this.u64(0xa0 + i * 16)),
    }));
  }

  /** One physical page, or null where the file does not hold it. */
  frame(frame: number): Buffer | null {
    const offset = this.offsets(frame);
    return offset === null ? null : this.readAt(offset, 0x1000);
  }

  /** The page of a virtual address under a root table, or why there is none. */
  page(address: bigint, root = this.root): Buffer | string {
    let table = root & FRAME;
    for (const shift of this.shifts) {
      const bytes = this.frame(Number(table >> 12n));
      if (!bytes) return 'table not in dump';
      const entry = bytes.readBigUInt64LE(Number((address >> shift) & 511n) * 8);
      if ((entry & 1n) === 0n) return shift === 12n ? this.software(entry) : 'not mapped';
      const isLarge = this.arm ? (entry & 2n) === 0n : (entry & 0x80n) !== 0n;
      if (this.arm && shift === 12n && isLarge) return 'no page entry';
      if (shift === 12n || (shift < 39n && isLarge)) {
        const inside = address & ((1n << shift) - 1n) & ~0xfffn;
        return this.frame(Number(((entry & FRAME & ~((1n << shift) - 1n)) + inside) >> 12n)) ?? 'not in dump';
      }
      table = entry & FRAME;
    }
    return 'not mapped';
  }

  /** Bytes at a virtual address. Throws with the reason where a page is missing. */
  bytes(address: bigint, length: number, root = this.root): Buffer {
    const parts: Buffer[] = [];
    for (let done = 0; done < length;) {
      const at = Number((address + BigInt(done)) & 0xfffn);
      const page = this.page(address + BigInt(done), root);
      if (typeof page === 'string') throw new Error(`${(address + BigInt(done)).toString(16)}: ${page}`);
      const part = page.subarray(at, Math.min(0x1000, at + length - done));
      parts.push(part);
      done += part.length;
    }
    return Buffer.concat(parts);
  }

  pointer(address: bigint): bigint {
    return this.bytes(address, 8).readBigUInt64LE(0);
  }

  u32At(address: bigint): number {
    return this.bytes(address, 4).readUInt32LE(0);
  }

  /** A UNICODE_STRING. */
  text(address: bigint): string {
    const string = this.bytes(address, 16);
    return this.bytes(string.readBigUInt64LE(8), string.readUInt16LE(0)).toString('utf16le');
  }

  /** Forward links of a list until it closes, at most 1000. */
  list(head: bigint): bigint[] {
    const entries: bigint[] = [];
    for (let at = this.pointer(head); at !== head && entries.length < 1000; at = this.pointer(at)) entries.push(at);
    return entries;
  }

  private software(entry: bigint): Buffer | string {
    if ((entry & 0xc00n) === 0x800n) {
      const clear = (entry & 0x10n) === 0n ? entry ^ this.invalidPteMask : entry;
      return this.frame(Number((clear & FRAME) >> 12n)) ?? 'not in dump';
    }
    if ((entry & 0x400n) !== 0n) {
      const prototype = BigInt.asUintN(64, BigInt.asIntN(64, entry) >> 16n);
      const pte = this.bytes(prototype & MASK, 8).readBigUInt64LE(0);
      if ((pte & 1n) !== 0n) return this.frame(Number((pte & FRAME) >> 12n)) ?? 'not in dump';
      return this.software(pte);
    }
    return entry >> 32n === 0n ? 'demand zero or nothing' : 'paged out';
  }

  /** File offset of a frame, by what stands at 0x2000. */
  private body(): (frame: number) => number | null {
    const start = this.readAt(0x2000, 0x38);
    const signature = start.toString('latin1', 0, 8);
    if (signature === 'SDMPDUMP' || signature === 'FDMPDUMP') {
      const summary = start.readUInt32LE(0x0c) !== 0;
      const first = summary ? start.readUInt32LE(0x0c) : Number(start.readBigUInt64LE(0x20));
      const bits = summary ? start.readUInt32LE(0x10) : Number(start.readBigUInt64LE(0x30));
      return bitmapOffsets(this.readAt(summary ? 0x2028 : 0x2038, Math.ceil(bits / 8)), first);
    }
    if (start.toString('latin1', 4, 12) === 'RDMPDUMP') return this.records(Number(start.readBigUInt64LE(0x18)));
    const runs = this.runs();
    return (frame) => {
      let before = 0;
      for (const { basePage, pageCount } of runs) {
        if (frame >= basePage && frame < basePage + pageCount) return 0x2000 + (before + frame - basePage) * 0x1000;
        before += pageCount;
      }
      return null;
    };
  }

  /** RDMP: records of first page and number of pages from 0x2030 on, pages in their order from `first` on. */
  private records(first: number): (frame: number) => number | null {
    const offsets = new Map<number, number>();
    let offset = first;
    for (let at = 0x2030; at + 16 <= first; at += 16) {
      const record = this.readAt(at, 16);
      const base = Number(record.readBigUInt64LE(0));
      const count = Number(record.readBigUInt64LE(8));
      for (let page = base; page < base + count; page++, offset += 0x1000) offsets.set(page, offset);
    }
    return (frame) => offsets.get(frame) ?? null;
  }
}

/** Offsets by counting the bits before a frame's own. */
function bitmapOffsets(bitmap: Buffer, first: number): (frame: number) => number | null {
  const before = new Uint32Array(bitmap.length + 1);
  for (let i = 0; i < bitmap.length; i++) {
    let count = 0;
    for (let byte = bitmap[i] ?? 0; byte !== 0; byte &= byte - 1) count++;
    before[i + 1] = (before[i] ?? 0) + count;
  }
  return (frame) => {
    const at = Math.floor(frame / 8);
    const byte = bitmap[at] ?? 0;
    if ((byte & (1 << (frame % 8))) === 0) return null;
    let rank = before[at] ?? 0;
    for (let bit = 0; bit < frame % 8; bit++) if ((byte & (1 << bit)) !== 0) rank++;
    return first + rank * 0x1000;
  };
}

/** A reader of something that can be read piece by piece; the mask of invalid PTEs is that of the builds which have one. */
export function readBack(dump: { read(position: number, target: Uint8Array): number }): HandReader {
  const reader = new HandReader((position, length) => {
    const out = Buffer.alloc(length);
    dump.read(position, out);
    return out;
  });
  if (reader.u32(0x0c) >= 10240) reader.invalidPteMask = 0x2000_0000_0000n;
  return reader;
}

/** Number of set bits, for comparison with the page counts in the body headers. */
export function popCount(bitmap: Buffer): number {
  let count = 0;
  for (const value of bitmap) for (let byte = value; byte !== 0; byte &= byte - 1) count++;
  return count;
}

/** The code view record of a mapped image: from the debug directory in its optional header. */
export function codeView(reader: HandReader, base: bigint): { guid: string; age: number; name: string } {
  const nt = base + BigInt(reader.u32At(base + 0x3cn));
  const directory = base + BigInt(reader.u32At(nt + 0x18n + 0x70n + 6n * 8n));
  const record = reader.bytes(base + BigInt(reader.u32At(directory + 0x14n)), reader.u32At(directory + 0x10n));
  if (record.toString('latin1', 0, 4) !== 'RSDS') throw new Error('no RSDS record');
  const hex = (value: number, digits: number): string => value.toString(16).toUpperCase().padStart(digits, '0');
  const guid = hex(record.readUInt32LE(4), 8) + hex(record.readUInt16LE(8), 4) + hex(record.readUInt16LE(10), 4);
  return {
    guid: guid + record.toString('hex', 12, 20).toUpperCase(),
    age: record.readUInt32LE(20),
    name: record.toString('latin1', 24, record.indexOf(0, 24)),
  };
}
