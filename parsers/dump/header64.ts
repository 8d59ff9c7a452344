/**
 * DUMP_HEADER64: the first 0x2000 bytes of every 64-bit kernel dump (x64 and ARM64), the same from Windows XP x64 to
 * Windows 11. Bytes that Windows did not set hold the repeated ASCII `PAGE`: such a field is null here.
 */

import { Parser } from 'binary-parser';
import { physical, type PhysicalAddress, virtual } from '../addresses.js';
import { u32, u64 } from '../bytes/fields.js';
import { address, set32, set64, text, type DumpHeader, type PhysicalRun } from './header.js';

/** Bytes of DUMP_HEADER64; the body begins here. */
export const HEADER64_SIZE = 0x2000;

/** Runs that fit into the 700 bytes of PhysicalMemoryBlock. */
const MOST_RUNS = 42;

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
    paeEnabled: null,
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
    kdSecondaryVersion: set32(u32(bytes, 0x104c)) === null ? null : raw.kdSecondaryVersion,
    attributes: set32(raw.attributes),
    bootId: set32(raw.bootId),
  };
}

/** Masks the 12 low bits (a PCID may stand there) and everything past 52 bits; null when nothing is left. */
function tableBase(value: bigint): PhysicalAddress | null {
  if (set64(value) === null) return null;
  const base = Number(value & 0x000ffffffffff000n);
  return base === 0 ? null : physical(base);
}

/** PhysicalMemoryBlock at 0x88: null unless counts and runs can be true. */
function parseRuns(bytes: Uint8Array): DumpHeader['physicalMemory'] {
  const count = u32(bytes, 0x088);
  if (set32(count) === null || count === 0 || count > MOST_RUNS) return null;
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
