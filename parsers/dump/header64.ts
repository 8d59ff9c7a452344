/**
 * DUMP_HEADER64: the first 0x2000 bytes of every 64-bit kernel dump (x64 and ARM64), the same from Windows XP x64 to
 * Windows 11. Bytes that Windows did not set hold the repeated ASCII `PAGE`: such a field is null here.
 */

import { Parser } from 'binary-parser';
import { PAGE_SIZE, physical, type PhysicalAddress, virtual, type VirtualAddress } from '../addresses.js';
import { asciiz, u32, u64 } from '../bytes/fields.js';

/** Bytes of DUMP_HEADER64; the body begins here. */
export const HEADER64_SIZE = 0x2000;

/** `PAGE` as a little-endian number: what unset header bytes hold. */
const FILLER32 = 0x45474150;
const FILLER64 = 0x4547415045474150n;
/** Runs that fit into the 700 bytes of PhysicalMemoryBlock. */
const MOST_RUNS = 42;

/** One run of physical pages. */
export interface PhysicalRun {
  /** Page frame number of the first page. */
  readonly basePage: number;
  readonly pageCount: number;
}

/** `_EXCEPTION_RECORD64` of the header. */
export interface ExceptionRecord {
  readonly code: number;
  readonly address: VirtualAddress;
}

/** The header's fields. Null = unset (`PAGE` filler) or impossible. */
export interface DumpHeader {
  readonly signature: 'PAGEDU64';
  readonly headerSize: number;
  readonly majorVersion: number | null;
  /** The NT build number: 7601, 19041, ... */
  readonly minorVersion: number | null;
  /** CR3 with the PCID bits masked off. */
  readonly directoryTableBase: PhysicalAddress | null;
  readonly pfnDataBase: VirtualAddress | null;
  readonly psLoadedModuleList: VirtualAddress | null;
  readonly psActiveProcessHead: VirtualAddress | null;
  readonly machineImageType: number | null;
  readonly numberProcessors: number | null;
  readonly bugCheckCode: number | null;
  readonly bugCheckParameters: readonly bigint[];
  readonly versionUser: string | null;
  readonly kdDebuggerDataBlock: VirtualAddress | null;
  /** Null where the block is unset or cannot be true. */
  readonly physicalMemory: { readonly numberOfPages: number; readonly runs: readonly PhysicalRun[] } | null;
  readonly exception: ExceptionRecord | null;
  readonly dumpType: number | null;
  /** Bytes. */
  readonly requiredDumpSpace: bigint | null;
  /** 100 ns since 1601 UTC. */
  readonly systemTime: bigint | null;
  readonly comment: string | null;
  /** 100 ns. */
  readonly systemUpTime: bigint | null;
  readonly miniDumpFields: number | null;
  readonly secondaryDataState: number | null;
  readonly productType: number | null;
  readonly suiteMask: number | null;
  readonly writerStatus: number | null;
  readonly kdSecondaryVersion: number | null;
  readonly attributes: number | null;
  readonly bootId: number | null;
}

interface RawHeader {
  majorVersion: number;
  minorVersion: number;
  directoryTableBase: bigint;
  pfnDataBase: bigint;
  psLoadedModuleList: bigint;
  psActiveProcessHead: bigint;
  machineImageType: number;
  numberProcessors: number;
  bugCheckCode: number;
  bugCheckParameters: bigint[];
  kdDebuggerDataBlock: bigint;
  exceptionCode: number;
  exceptionAddress: bigint;
  dumpType: number;
  requiredDumpSpace: bigint;
  systemTime: bigint;
  systemUpTime: bigint;
  miniDumpFields: number;
  secondaryDataState: number;
  productType: number;
  suiteMask: number;
  writerStatus: number;
  kdSecondaryVersion: number;
  attributes: number;
  bootId: number;
}

const parser = new Parser()
  .endianness('little')
  .seek(0x008)
  .uint32('majorVersion')
  .uint32('minorVersion')
  .uint64('directoryTableBase')
  .uint64('pfnDataBase')
  .uint64('psLoadedModuleList')
  .uint64('psActiveProcessHead')
  .uint32('machineImageType')
  .uint32('numberProcessors')
  .uint32('bugCheckCode')
  .seek(4)
  .array('bugCheckParameters', { type: 'uint64le', length: 4 })
  .seek(32)
  .uint64('kdDebuggerDataBlock')
  .seek(0xf00 - 0x088)
  .uint32('exceptionCode')
  .seek(12)
  .uint64('exceptionAddress')
  .seek(0xf98 - 0xf18)
  .uint32('dumpType')
  .seek(4)
  .uint64('requiredDumpSpace')
  .uint64('systemTime')
  .seek(0x1030 - 0xfb0)
  .uint64('systemUpTime')
  .uint32('miniDumpFields')
  .uint32('secondaryDataState')
  .uint32('productType')
  .uint32('suiteMask')
  .uint32('writerStatus')
  .seek(1)
  .uint8('kdSecondaryVersion')
  .seek(2)
  .uint32('attributes')
  .uint32('bootId');

const set32 = (value: number): number | null => (value === FILLER32 ? null : value);
const set64 = (value: bigint): bigint | null => (value === FILLER64 ? null : value);
const address = (value: bigint): VirtualAddress | null => (value === FILLER64 || value === 0n ? null : virtual(value));

/** Reads the header from its 0x2000 bytes, which must begin with `PAGEDU64`. */
export function parseHeader64(bytes: Uint8Array): DumpHeader {
  const raw = parser.parse(bytes) as RawHeader;
  const exceptionCode = set32(raw.exceptionCode);
  return {
    signature: 'PAGEDU64',
    headerSize: HEADER64_SIZE,
    majorVersion: set32(raw.majorVersion),
    minorVersion: set32(raw.minorVersion),
    directoryTableBase: tableBase(raw.directoryTableBase),
    pfnDataBase: address(raw.pfnDataBase),
    psLoadedModuleList: address(raw.psLoadedModuleList),
    psActiveProcessHead: address(raw.psActiveProcessHead),
    machineImageType: set32(raw.machineImageType),
    numberProcessors: set32(raw.numberProcessors),
    bugCheckCode: set32(raw.bugCheckCode),
    bugCheckParameters: raw.bugCheckParameters,
    versionUser: text(bytes, 0x060, 32),
    kdDebuggerDataBlock: address(raw.kdDebuggerDataBlock),
    physicalMemory: parseRuns(bytes),
    exception:
      exceptionCode === null || exceptionCode === 0
        ? null
        : { code: exceptionCode, address: virtual(raw.exceptionAddress) },
    dumpType: set32(raw.dumpType),
    requiredDumpSpace: set64(raw.requiredDumpSpace),
    systemTime: set64(raw.systemTime),
    comment: text(bytes, 0xfb0, 128),
    systemUpTime: set64(raw.systemUpTime),
    miniDumpFields: set32(raw.miniDumpFields),
    secondaryDataState: set32(raw.secondaryDataState),
    productType: set32(raw.productType),
    suiteMask: set32(raw.suiteMask),
    writerStatus: set32(raw.writerStatus),
    kdSecondaryVersion: u32(bytes, 0x104c) === FILLER32 ? null : raw.kdSecondaryVersion,
    attributes: set32(raw.attributes),
    bootId: set32(raw.bootId),
  };
}

/** Masks the 12 low bits (a PCID may stand there) and everything past 52 bits; null when nothing is left. */
function tableBase(value: bigint): PhysicalAddress | null {
  if (value === FILLER64) return null;
  const base = Number(value & 0x000ffffffffff000n);
  return base === 0 ? null : physical(base);
}

function text(bytes: Uint8Array, offset: number, length: number): string | null {
  if (u32(bytes, offset) === FILLER32) return null;
  const value = asciiz(bytes, offset, length);
  return value === '' ? null : value;
}

/** PhysicalMemoryBlock at 0x88: null unless counts and runs can be true. */
function parseRuns(bytes: Uint8Array): DumpHeader['physicalMemory'] {
  const count = u32(bytes, 0x088);
  if (count === FILLER32 || count === 0 || count > MOST_RUNS) return null;
  const runs: PhysicalRun[] = [];
  for (let i = 0; i < count; i++) {
    const at = 0x098 + i * 16;
    const basePage = u64(bytes, at);
    const pageCount = u64(bytes, at + 8);
    if (basePage + pageCount > 2n ** 40n) return null;
    runs.push({ basePage: Number(basePage), pageCount: Number(pageCount) });
  }
  const numberOfPages = u64(bytes, 0x090);
  if (numberOfPages > 2n ** 40n) return null;
  return { numberOfPages: Number(numberOfPages), runs };
}

/** Bytes of a run's pages. */
export const runBytes = (run: PhysicalRun): number => run.pageCount * PAGE_SIZE;
