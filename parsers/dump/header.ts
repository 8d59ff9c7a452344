/** What a dump header says, for both widths, and how its fields are told from those that Windows did not set. */

import { virtual, type PhysicalAddress, type VirtualAddress } from '../addresses.js';
import { asciiz, u32 } from '../bytes/fields.js';

/** `PAGE` as a little-endian number: what unset header bytes hold. */
const FILLER32 = 0x45474150;
const FILLER64 = 0x4547415045474150n;

/** One run of physical pages. */
export interface PhysicalRun {
  /** Page frame number of the first page. */
  readonly basePage: number;
  readonly pageCount: number;
}

/** What `_EXCEPTION_RECORD32` or `_EXCEPTION_RECORD64` of the header says. */
export interface ExceptionRecord {
  readonly code: number;
  readonly address: VirtualAddress;
}

/** The header's fields. Null = unset (`PAGE` filler) or impossible. Addresses of 32-bit systems are zero-extended. */
export interface DumpHeader {
  readonly signature: 'PAGEDUMP' | 'PAGEDU64';
  /** Bytes: 0x1000 (32-bit) or 0x2000; the body begins here. */
  readonly headerSize: number;
  readonly majorVersion: number | null;
  /** The NT build number: 7601, 19041, ... */
  readonly minorVersion: number | null;
  /** CR3 without the bits that are no address: a PCID on x64, the five low bits on x86. */
  readonly directoryTableBase: PhysicalAddress | null;
  readonly pfnDataBase: VirtualAddress | null;
  readonly psLoadedModuleList: VirtualAddress | null;
  readonly psActiveProcessHead: VirtualAddress | null;
  /** Whether the page tables are PAE's; null in 64-bit headers, which have no such field. */
  readonly paeEnabled: boolean | null;
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

export const set32 = (value: number): number | null => (value === FILLER32 ? null : value);
export const set64 = (value: bigint): bigint | null => (value === FILLER64 ? null : value);
/** A 32- or 64-bit address; null where it is unset or zero. */
export const address = (value: bigint): VirtualAddress | null =>
  value === FILLER64 || value === BigInt(FILLER32) || value === 0n ? null : virtual(value);

/** ASCII up to the first NUL; null where it is unset or empty. */
export function text(bytes: Uint8Array, offset: number, length: number): string | null {
  if (u32(bytes, offset) === FILLER32) return null;
  const value = asciiz(bytes, offset, length);
  return value === '' ? null : value;
}
