/**
 * TRIAGE_DUMP: the body of a type 4 dump (minidump). It holds the driver lists, a decoded debugger block and scattered
 * data blocks, but no page tables and no pool tag tables. Layout as on 64-bit Windows; every offset in it is a file
 * offset. The driver entry's stride of 0x90 and the strings' length in characters were verified on real dumps of
 * 19041 (x64) and 22000 (ARM64).
 */

import { fileOffset, virtual, type VirtualAddress } from '../addresses.js';
import { failed, hex, ReadFailure } from '../bytes/failure.js';
import { u16, u32, u64, utf16 } from '../bytes/fields.js';
import type { ByteSource } from '../bytes/source.js';
import type { SoftError } from './page-index.js';

/** `TRGD` at ValidOffset. */
const VALID = 0x44475254;
const TRIAGE_SIZE = 0x80;
const DRIVER_STRIDE = 0x90;
const UNLOADED_STRIDE = 0x38;
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
  /** The copy of KDDEBUGGER_DATA64, already decoded by Windows. */
  readonly debuggerData: Uint8Array | null;
  /** Bytes of the primary part; secondary data may follow. */
  readonly sizeOfDump: number;
  readonly softErrors: readonly SoftError[];
}

/** Reads the triage body at `bodyOffset` (a file offset). A list that cannot be read is left empty with a soft error. */
export function readTriage(source: ByteSource, bodyOffset: number): Triage | ReadFailure {
  const head = bytesAt(source, bodyOffset, TRIAGE_SIZE);
  if (failed(head)) return head;
  const softErrors: SoftError[] = [];
  const check = <T>(what: string, value: T[] | ReadFailure): T[] => {
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
  const debuggerSize = u32(head, 0x74);
  const debuggerData =
    u32(head, 0x70) === 0 || debuggerSize > 0x1000 ? null : bytesAt(source, u32(head, 0x70), debuggerSize);
  const drivers = check('driver list', readDrivers(source, head));
  const unloaded = check('list of unloaded drivers', readUnloaded(source, u32(head, 0x18)));
  const dataBlocks = check('table of data blocks', readBlocks(source, u32(head, 0x78), u32(head, 0x7c)));
  return {
    drivers,
    unloaded,
    dataBlocks,
    debuggerData: failed(debuggerData) ? null : debuggerData,
    sizeOfDump: u32(head, 0x04),
    softErrors,
  };
}

function readDrivers(source: ByteSource, head: Uint8Array): TriageDriver[] | ReadFailure {
  const list = u32(head, 0x30);
  const count = u32(head, 0x34);
  const pool = u32(head, 0x38);
  if (list === 0 || count === 0) return [];
  if (count > MOST_DRIVERS) return new ReadFailure('corrupt', `${count} drivers cannot be true`);
  const gap = (pool - list) / count;
  const stride = Number.isInteger(gap) && gap >= DRIVER_STRIDE && gap <= 0x200 ? gap : DRIVER_STRIDE;
  const bytes = bytesAt(source, list, count * stride);
  if (failed(bytes)) return bytes;
  return Array.from({ length: count }, (_, i) => {
    const at = i * stride;
    return {
      base: virtual(u64(bytes, at + 0x38)),
      sizeOfImage: u32(bytes, at + 0x48),
      checkSum: u32(bytes, at + 0x80),
      timeDateStamp: u32(bytes, at + 0x88),
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

function readUnloaded(source: ByteSource, offset: number): TriageUnloaded[] | ReadFailure {
  if (offset === 0) return [];
  const head = bytesAt(source, offset, 4);
  if (failed(head)) return head;
  const count = u32(head, 0);
  if (count > MOST_DRIVERS) return new ReadFailure('corrupt', `${count} unloaded drivers cannot be true`);
  const bytes = bytesAt(source, offset + 8, count * UNLOADED_STRIDE);
  if (failed(bytes)) return bytes;
  return Array.from({ length: count }, (_, i) => {
    const at = i * UNLOADED_STRIDE;
    const length = Math.min(u16(bytes, at), 24);
    return {
      name: utf16(bytes, at + 0x10, length).split('\0')[0] ?? '',
      start: virtual(u64(bytes, at + 0x28)),
      end: virtual(u64(bytes, at + 0x30)),
    };
  });
}

function readBlocks(source: ByteSource, offset: number, count: number): DataBlock[] | ReadFailure {
  if (offset === 0 || count === 0) return [];
  if (count > MOST_BLOCKS) return new ReadFailure('corrupt', `${count} data blocks cannot be true`);
  const bytes = bytesAt(source, offset, count * 16);
  if (failed(bytes)) return bytes;
  const blocks: DataBlock[] = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const block = { address: virtual(u64(bytes, at)), offset: u32(bytes, at + 8), size: u32(bytes, at + 12) };
    if (block.size > 0 && block.offset + block.size <= source.byteLength) blocks.push(block);
  }
  return blocks;
}

function bytesAt(source: ByteSource, offset: number, length: number): Uint8Array | ReadFailure {
  if (offset + length > source.byteLength) {
    return new ReadFailure(
      'short-file',
      `${length} bytes at file offset ${hex(offset)} are needed, the file ends at ${hex(source.byteLength)}`,
    );
  }
  const bytes = new Uint8Array(length);
  source.read(fileOffset(offset), bytes);
  return bytes;
}
