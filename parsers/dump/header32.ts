/**
 * DUMP_HEADER32: the first 0x1000 bytes of every 32-bit kernel dump, the same from Windows 2000 to Windows 10. Bytes
 * that Windows did not set hold the repeated ASCII `PAGE`: such a field is null here, as are those that a build did not
 * have yet.
 */

import { Parser } from 'binary-parser';
import { physical, type PhysicalAddress, virtual } from '../addresses.js';
import { u32 } from '../bytes/fields.js';
import { address, set32, set64, text, type DumpHeader, type PhysicalRun } from './header.js';

/** Bytes of DUMP_HEADER32; the body begins here. */
export const HEADER32_SIZE = 0x1000;

/** Runs that fit into the 700 bytes of PhysicalMemoryBlock. */
const MOST_RUNS = 86;
/** Pages that 32-bit systems can number: PAE and PSE-36 reach 64 GB, page frame numbers 4 TB at most. */
const MOST_PAGES = 2 ** 30;

interface RawHeader {
  majorVersion: number;
  minorVersion: number;
  directoryTableBase: number;
  pfnDataBase: number;
  psLoadedModuleList: number;
  psActiveProcessHead: number;
  machineImageType: number;
  numberProcessors: number;
  bugCheckCode: number;
  bugCheckParameters: number[];
  paeEnabled: number;
  kdSecondaryVersion: number;
  kdDebuggerDataBlock: number;
  exceptionCode: number;
  exceptionAddress: number;
  attributes: number;
  bootId: number;
  dumpType: number;
  miniDumpFields: number;
  secondaryDataState: number;
  productType: number;
  suiteMask: number;
  writerStatus: number;
  requiredDumpSpace: bigint;
  systemUpTime: bigint;
  systemTime: bigint;
}

const parser = new Parser()
  .endianness('little')
  .seek(0x008)
  .uint32('majorVersion')
  .uint32('minorVersion')
  .uint32('directoryTableBase')
  .uint32('pfnDataBase')
  .uint32('psLoadedModuleList')
  .uint32('psActiveProcessHead')
  .uint32('machineImageType')
  .uint32('numberProcessors')
  .uint32('bugCheckCode')
  .array('bugCheckParameters', { type: 'uint32le', length: 4 })
  .seek(32)
  .uint8('paeEnabled')
  .uint8('kdSecondaryVersion')
  .seek(2)
  .uint32('kdDebuggerDataBlock')
  .seek(0x7d0 - 0x064)
  .uint32('exceptionCode')
  .seek(8)
  .uint32('exceptionAddress')
  .seek(0x8a0 - 0x7e0)
  .uint32('attributes')
  .uint32('bootId')
  .seek(0xf88 - 0x8a8)
  .uint32('dumpType')
  .uint32('miniDumpFields')
  .uint32('secondaryDataState')
  .uint32('productType')
  .uint32('suiteMask')
  .uint32('writerStatus')
  .uint64('requiredDumpSpace')
  .seek(16)
  .uint64('systemUpTime')
  .uint64('systemTime');

const wide = (value: number): bigint => BigInt(value);
/** Flags of one byte: anything but 0 and 1 was not set. */
const flag = (value: number): boolean | null => (value > 1 ? null : value === 1);

/** Reads the header from its 0x1000 bytes, which must begin with `PAGEDUMP`. */
export function parseHeader32(bytes: Uint8Array): DumpHeader {
  const raw = parser.parse(bytes) as RawHeader;
  const exceptionCode = set32(raw.exceptionCode);
  return {
    signature: 'PAGEDUMP',
    headerSize: HEADER32_SIZE,
    majorVersion: set32(raw.majorVersion),
    minorVersion: set32(raw.minorVersion),
    directoryTableBase: tableBase(raw.directoryTableBase),
    pfnDataBase: address(wide(raw.pfnDataBase)),
    psLoadedModuleList: address(wide(raw.psLoadedModuleList)),
    psActiveProcessHead: address(wide(raw.psActiveProcessHead)),
    paeEnabled: flag(raw.paeEnabled),
    machineImageType: set32(raw.machineImageType),
    numberProcessors: set32(raw.numberProcessors),
    bugCheckCode: set32(raw.bugCheckCode),
    bugCheckParameters: raw.bugCheckParameters.map(wide),
    versionUser: text(bytes, 0x03c, 32),
    kdDebuggerDataBlock: address(wide(raw.kdDebuggerDataBlock)),
    physicalMemory: parseRuns(bytes),
    exception:
      exceptionCode === null || exceptionCode === 0
        ? null
        : { code: exceptionCode, address: virtual(wide(raw.exceptionAddress)) },
    dumpType: set32(raw.dumpType),
    requiredDumpSpace: set64(raw.requiredDumpSpace),
    systemTime: set64(raw.systemTime),
    comment: text(bytes, 0x820, 128),
    systemUpTime: set64(raw.systemUpTime),
    miniDumpFields: set32(raw.miniDumpFields),
    secondaryDataState: set32(raw.secondaryDataState),
    productType: set32(raw.productType),
    suiteMask: set32(raw.suiteMask),
    writerStatus: set32(raw.writerStatus),
    kdSecondaryVersion: flag(raw.paeEnabled) === null ? null : raw.kdSecondaryVersion,
    attributes: set32(raw.attributes),
    bootId: set32(raw.bootId),
  };
}

/** A page directory stands on a page border, PAE's table of directory pointers on one of 32 bytes. */
function tableBase(value: number): PhysicalAddress | null {
  const base = set32(value) === null ? 0 : value - (value % 32);
  return base === 0 ? null : physical(base);
}

/** PhysicalMemoryBlock at 0x64: null unless counts and runs can be true. */
function parseRuns(bytes: Uint8Array): DumpHeader['physicalMemory'] {
  const count = u32(bytes, 0x064);
  const numberOfPages = u32(bytes, 0x068);
  if (count === 0 || count > MOST_RUNS || numberOfPages > MOST_PAGES) return null;
  const runs: PhysicalRun[] = [];
  for (let i = 0; i < count; i++) {
    const basePage = u32(bytes, 0x06c + i * 8);
    const pageCount = u32(bytes, 0x070 + i * 8);
    if (basePage + pageCount > MOST_PAGES) return null;
    runs.push({ basePage, pageCount });
  }
  return { numberOfPages, runs };
}
