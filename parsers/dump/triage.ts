/**
 * TRIAGE_DUMP: the body of a type 4 dump (minidump). It holds the driver lists, a decoded debugger block and scattered
 * data blocks, but no page tables and no pool tag tables. Every offset in it is a file offset. Of the 64-bit layout the
 * driver entry's stride of 0x90 and the strings' length in characters were verified on real dumps of 19041 (x64) and
 * 22000 (ARM64). The 32-bit one follows published listings, which differ in the data blocks: see `readBlocks`.
 */

import { fileOffset, virtual, type VirtualAddress } from '../addresses.js';
import { failed, hex, Failure } from '../bytes/failure.js';
import { u16, u32, u64, utf16 } from '../bytes/fields.js';
import type { ByteSource } from '../bytes/source.js';
import type { SoftError } from './page-index.js';

/** `TRGD` at ValidOffset. */
const VALID = 0x44475254;
const TRIAGE_SIZE = 0x80;
const MOST_DRIVERS = 10_000;
const MOST_BLOCKS = 1_000_000;
const LONGEST_NAME = 32_767;

/** A driver of the triage list. */
export interface TriageDriver {
  readonly base: VirtualAddress;
  /** Bytes. */
  readonly sizeOfImage: number;
  readonly checkSum: number;
  readonly timeDateStamp: number;
  readonly path: string | null;
}

/** An unloaded driver; names are cut at 12 characters. */
export interface TriageUnloaded {
  readonly name: string;
  readonly start: VirtualAddress;
  readonly end: VirtualAddress;
}

/** A piece of virtual memory that the dump holds. */
export interface DataBlock {
  readonly address: VirtualAddress;
  /** A file offset. */
  readonly offset: number;
  /** Bytes. */
  readonly size: number;
}

/** What a triage body holds. */
export interface Triage {
  readonly drivers: readonly TriageDriver[];
  readonly unloaded: readonly TriageUnloaded[];
  readonly dataBlocks: readonly DataBlock[];
  /** The stack of the crashed thread, from where it stood to its top; null where there is none. */
  readonly stack: DataBlock | null;
  /**
   * File offsets of copies of the crashed processor's `_KPRCB`, of its thread's `_ETHREAD` and of that one's `_EPROCESS`;
   * null where there is none. Their sizes stand in the debugger block.
   */
  readonly current: { readonly prcb: number | null; readonly thread: number | null; readonly process: number | null };
  /** The copy of KDDEBUGGER_DATA64, already decoded by Windows. */
  readonly debuggerData: Uint8Array | null;
  /** Bytes of the primary part; secondary data may follow. */
  readonly sizeOfDump: number;
  readonly softErrors: readonly SoftError[];
}

/** Where things stand in the parts whose layout depends on the width of a pointer. */
interface Places {
  readonly wide: boolean;
  /** In TRIAGE_DUMP; the fields up to StringPoolSize are the same. */
  readonly debuggerData: number;
  readonly dataBlocks: number;
  /** A driver entry: its smallest size, and fields of the KLDR_DATA_TABLE_ENTRY in it. */
  readonly driver: {
    readonly size: number;
    readonly base: number;
    readonly sizeOfImage: number;
    readonly checkSum: number;
    readonly timeDateStamp: number;
  };
  /** The list of unloaded drivers: where its first entry stands, and fields of an entry. */
  readonly unloaded: {
    readonly first: number;
    readonly size: number;
    readonly name: number;
    readonly start: number;
    readonly end: number;
  };
}

const WIDE: Places = {
  wide: true,
  debuggerData: 0x70,
  dataBlocks: 0x78,
  driver: { size: 0x90, base: 0x38, sizeOfImage: 0x48, checkSum: 0x80, timeDateStamp: 0x88 },
  unloaded: { first: 8, size: 0x38, name: 0x10, start: 0x28, end: 0x30 },
};
const NARROW: Places = {
  wide: false,
  debuggerData: 0x58,
  dataBlocks: 0x60,
  driver: { size: 0x4c, base: 0x1c, sizeOfImage: 0x24, checkSum: 0x44, timeDateStamp: 0x48 },
  unloaded: { first: 4, size: 0x28, name: 0x08, start: 0x20, end: 0x24 },
};

/** Reads the triage body at `bodyOffset` (a file offset). A list that cannot be read is left empty with a soft error. */
export function readTriage(source: ByteSource, bodyOffset: number, wide = true): Triage | Failure {
  const places = wide ? WIDE : NARROW;
  const head = bytesAt(source, bodyOffset, TRIAGE_SIZE);
  if (failed(head)) return head;
  const softErrors: SoftError[] = [];
  const check = <T>(what: string, value: T[] | Failure): T[] => {
    if (!failed(value)) return value;
    softErrors.push({ code: 'triage-part', message: `the ${what} cannot be read: ${value.message}` });
    return [];
  };
  const valid = bytesAt(source, u32(head, 0x08), 4);
  if (failed(valid) || u32(valid, 0) !== VALID) {
    softErrors.push({
      code: 'triage-incomplete',
      message: 'the mark at the end of the triage data is missing: the file was cut or not written to its end',
    });
  }
  const debuggerAt = u32(head, places.debuggerData);
  const debuggerSize = u32(head, places.debuggerData + 4);
  const debuggerData = debuggerAt === 0 || debuggerSize > 0x1000 ? null : bytesAt(source, debuggerAt, debuggerSize);
  const drivers = check('driver list', readDrivers(source, head, places));
  const unloaded = check('list of unloaded drivers', readUnloaded(source, u32(head, 0x18), places));
  const dataBlocks = check(
    'table of data blocks',
    readBlocks(source, u32(head, places.dataBlocks), u32(head, places.dataBlocks + 4), wide),
  );
  const copyAt = (field: number): number | null => {
    const at = u32(head, field);
    return at === 0 || at >= source.byteLength ? null : at;
  };
  return {
    drivers,
    unloaded,
    dataBlocks,
    stack: readStack(source, head, wide),
    current: { prcb: copyAt(0x1c), process: copyAt(0x20), thread: copyAt(0x24) },
    debuggerData: failed(debuggerData) ? null : debuggerData,
    sizeOfDump: u32(head, 0x04),
    softErrors,
  };
}

/** CallStackOffset, SizeOfCallStack and TopOfStack. */
function readStack(source: ByteSource, head: Uint8Array, wide: boolean): DataBlock | null {
  const [offset, size, address] = [u32(head, 0x28), u32(head, 0x2c), pointer(head, 0x48, wide)];
  const isThere = offset !== 0 && size !== 0 && address !== 0n && offset + size <= source.byteLength;
  return isThere ? { address, offset, size } : null;
}

function readDrivers(source: ByteSource, head: Uint8Array, { wide, driver }: Places): TriageDriver[] | Failure {
  const list = u32(head, 0x30);
  const count = u32(head, 0x34);
  const pool = u32(head, 0x38);
  if (list === 0 || count === 0) return [];
  if (count > MOST_DRIVERS) return new Failure('corrupt', `${count} drivers cannot be true`);
  // Entries of 32-bit dumps need not fill up the 8 bytes on whose border the names begin.
  const gap = wide ? (pool - list) / count : Math.floor((pool - list) / count / 4) * 4;
  const stride = Number.isInteger(gap) && gap >= driver.size && gap <= 0x200 ? gap : driver.size;
  const bytes = bytesAt(source, list, count * stride);
  if (failed(bytes)) return bytes;
  return Array.from({ length: count }, (_, i) => {
    const at = i * stride;
    return {
      base: pointer(bytes, at + driver.base, wide),
      sizeOfImage: u32(bytes, at + driver.sizeOfImage),
      checkSum: u32(bytes, at + driver.checkSum),
      timeDateStamp: u32(bytes, at + driver.timeDateStamp),
      path: readString(source, u32(bytes, at)),
    };
  });
}

/** DUMP_STRING: a length in characters, then UTF-16LE. */
function readString(source: ByteSource, offset: number): string | null {
  if (offset === 0) return null;
  const length = bytesAt(source, offset, 4);
  if (failed(length) || u32(length, 0) > LONGEST_NAME) return null;
  const text = bytesAt(source, offset + 4, u32(length, 0) * 2);
  return failed(text) ? null : (utf16(text, 0, text.length).split('\0')[0] ?? null);
}

function readUnloaded(source: ByteSource, offset: number, { wide, unloaded }: Places): TriageUnloaded[] | Failure {
  if (offset === 0) return [];
  const head = bytesAt(source, offset, 4);
  if (failed(head)) return head;
  const count = u32(head, 0);
  if (count > MOST_DRIVERS) return new Failure('corrupt', `${count} unloaded drivers cannot be true`);
  const bytes = bytesAt(source, offset + unloaded.first, count * unloaded.size);
  if (failed(bytes)) return bytes;
  return Array.from({ length: count }, (_, i) => {
    const at = i * unloaded.size;
    const length = Math.min(u16(bytes, at), 24);
    return {
      name: utf16(bytes, at + unloaded.name, length).split('\0')[0] ?? '',
      start: pointer(bytes, at + unloaded.start, wide),
      end: pointer(bytes, at + unloaded.end, wide),
    };
  });
}

/**
 * TRIAGE_DATA_BLOCK: 16 bytes with a 64-bit address. In 32-bit dumps entries of 12 bytes with a 32-bit address are known
 * too: the form of which more entries can be true is taken, in doubt the one of 16 bytes.
 */
function readBlocks(source: ByteSource, offset: number, count: number, wide: boolean): DataBlock[] | Failure {
  if (offset === 0 || count === 0) return [];
  if (count > MOST_BLOCKS) return new Failure('corrupt', `${count} data blocks cannot be true`);
  const long = bytesAt(source, offset, count * 16);
  const longBlocks = failed(long) ? [] : parseBlocks(long, 16, source.byteLength, wide);
  if (wide || longBlocks.length === count) return failed(long) ? long : longBlocks;
  const short = bytesAt(source, offset, count * 12);
  const shortBlocks = failed(short) ? [] : parseBlocks(short, 12, source.byteLength, wide);
  if (failed(long) && failed(short)) return short;
  return shortBlocks.length > longBlocks.length ? shortBlocks : longBlocks;
}

/** The entries that lie in the file and, in a 32-bit dump, below 4 GB. */
function parseBlocks(bytes: Uint8Array, stride: 12 | 16, fileBytes: number, wide: boolean): DataBlock[] {
  const blocks: DataBlock[] = [];
  for (let at = 0; at < bytes.length; at += stride) {
    // A 32-bit kernel may sign-extend its addresses.
    const isShort = !wide && (stride === 12 || u32(bytes, at + 4) === 0xffffffff);
    const address = pointer(bytes, at, !isShort);
    const block = { address, offset: u32(bytes, at + stride - 8), size: u32(bytes, at + stride - 4) };
    if (!wide && (address === 0n || address + BigInt(block.size) > 0x1_0000_0000n)) continue;
    if (block.size > 0 && block.offset + block.size <= fileBytes) blocks.push(block);
  }
  return blocks;
}

const pointer = (bytes: Uint8Array, at: number, wide: boolean): VirtualAddress =>
  virtual(wide ? u64(bytes, at) : BigInt(u32(bytes, at)));

function bytesAt(source: ByteSource, offset: number, length: number): Uint8Array | Failure {
  if (offset + length > source.byteLength) {
    return new Failure(
      'short-file',
      `${length} bytes at file offset ${hex(offset)} are needed, the file ends at ${hex(source.byteLength)}`,
      { position: offset },
    );
  }
  const bytes = new Uint8Array(length);
  source.read(fileOffset(offset), bytes);
  return bytes;
}
