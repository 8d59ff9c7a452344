/**
 * A PE image as it lies in memory: headers, sections, and the CodeView record that names its PDB. Every part is read
 * on its own, because a dump often holds the header page and not the rest.
 */

import { plus, type VirtualAddress } from '../addresses.js';
import { failed, hex, Failure } from '../bytes/failure.js';
import { asciiz, u16, u32, u64 } from '../bytes/fields.js';
import type { VirtualMemory } from '../paging/virtual-memory.js';

const MZ = 0x5a4d;
const PE = 0x00004550;
const PE32 = 0x10b;
const PE32_PLUS = 0x20b;
const IMAGE_SCN_MEM_EXECUTE = 0x20000000;
const IMAGE_SCN_MEM_DISCARDABLE = 0x02000000;
const IMAGE_DEBUG_TYPE_CODEVIEW = 2;
const RSDS = 0x53445352;
/** Windows refuses images with more. */
const MOST_SECTIONS = 96;
const MOST_DEBUG_ENTRIES = 32;
const SECTION_SIZE = 40;
/** No file system that Windows starts from has longer names. */
export const LONGEST_FILE_NAME = 255;

/** One section of the section table. */
export interface ImageSection {
  readonly name: string;
  readonly rva: number;
  /** Bytes in memory. */
  readonly size: number;
  readonly executable: boolean;
  /** The kernel drops it once the driver has begun. */
  readonly discardable: boolean;
  /** Where its bytes begin in the file, and how many of them there are. */
  readonly fileOffset: number;
  readonly fileSize: number;
}

/** A directory of the optional header. */
export interface DataDirectory {
  readonly rva: number;
  readonly size: number;
}

/** What the headers of an image say. */
export interface ImageHeaders {
  readonly machine: number;
  readonly timeDateStamp: number;
  /** IMAGE_FILE_* bits. */
  readonly characteristics: number;
  /** Bytes. */
  readonly sizeOfImage: number;
  readonly checkSum: number;
  /** RVA of the first function; 0 for images without one. */
  readonly entryPoint: number;
  /** The base that the linker chose; in a loaded image the one it was loaded at. */
  readonly imageBase: bigint;
  /** Bytes: where sections may begin in memory. */
  readonly sectionAlignment: number;
  /** Bytes of headers that are mapped. */
  readonly sizeOfHeaders: number;
  /** IMAGE_SUBSYSTEM_*: 1 is native. */
  readonly subsystem: number;
  readonly sections: readonly ImageSection[];
  /** Up to 16 entries, in the order of the specification. */
  readonly directories: readonly DataDirectory[];
}

/** Indexes into `ImageHeaders.directories`. */
export const DIRECTORY = {
  export: 0,
  import: 1,
  resource: 2,
  exception: 3,
  security: 4,
  relocation: 5,
  debug: 6,
  loadConfig: 10,
  importAddresses: 12,
  delayImport: 13,
} as const;

/** The identity of the PDB that was made with an image. */
export interface CodeView {
  /** The file's name without its path; at most 255 characters. */
  readonly name: string;
  /** 32 upper-case hexadecimal digits, as symbol stores spell it. */
  readonly guid: string;
  readonly age: number;
}

/** Reads the headers of the image at `base`; sections and directories are empty where their page is missing. */
export function readImageHeaders(memory: VirtualMemory, base: VirtualAddress): ImageHeaders | Failure {
  const dos = memory.read(base, 0x40);
  if (failed(dos)) return dos;
  const newHeader = u32(dos, 0x3c);
  if (u16(dos, 0) !== MZ || newHeader < 4 || newHeader > 0x10000) {
    return new Failure('corrupt', `no image header stands at ${hex(base)}`, { address: base });
  }
  const head = memory.read(plus(base, newHeader), 0x18 + 0x70);
  if (failed(head)) return head;
  const magic = u16(head, 0x18);
  if (u32(head, 0) !== PE || (magic !== PE32 && magic !== PE32_PLUS)) {
    return new Failure('corrupt', `no PE header stands at ${hex(base)}+${hex(newHeader)}`, { address: base });
  }
  const optionalSize = u16(head, 0x14);
  const sectionCount = Math.min(u16(head, 6), MOST_SECTIONS);
  const directoriesAt = magic === PE32_PLUS ? 0x70 : 0x60;
  const directoryCount = Math.min(
    16,
    u32(head, 0x18 + directoriesAt - 4),
    Math.max(0, optionalSize - directoriesAt) >>> 3,
  );
  const directoryBytes = memory.read(plus(base, newHeader + 0x18 + directoriesAt), directoryCount * 8);
  const sectionBytes = memory.read(plus(base, newHeader + 0x18 + optionalSize), sectionCount * SECTION_SIZE);
  return {
    machine: u16(head, 4),
    timeDateStamp: u32(head, 8),
    characteristics: u16(head, 0x16),
    sizeOfImage: u32(head, 0x18 + 0x38),
    checkSum: u32(head, 0x18 + 0x40),
    entryPoint: u32(head, 0x18 + 0x10),
    imageBase: magic === PE32_PLUS ? u64(head, 0x18 + 0x18) : BigInt(u32(head, 0x18 + 0x1c)),
    sectionAlignment: u32(head, 0x18 + 0x20),
    sizeOfHeaders: u32(head, 0x18 + 0x3c),
    subsystem: u16(head, 0x18 + 0x44),
    sections: failed(sectionBytes) ? [] : parseSections(sectionBytes),
    directories: failed(directoryBytes)
      ? []
      : Array.from({ length: directoryCount }, (_, i) => ({
          rva: u32(directoryBytes, i * 8),
          size: u32(directoryBytes, i * 8 + 4),
        })),
  };
}

function parseSections(bytes: Uint8Array): ImageSection[] {
  const sections: ImageSection[] = [];
  for (let at = 0; at + SECTION_SIZE <= bytes.length; at += SECTION_SIZE) {
    sections.push({
      name: asciiz(bytes, at, 8),
      size: u32(bytes, at + 8) || u32(bytes, at + 16),
      rva: u32(bytes, at + 12),
      executable: (u32(bytes, at + 36) & IMAGE_SCN_MEM_EXECUTE) !== 0,
      discardable: (u32(bytes, at + 36) & IMAGE_SCN_MEM_DISCARDABLE) !== 0,
      fileOffset: u32(bytes, at + 20),
      fileSize: u32(bytes, at + 16),
    });
  }
  return sections;
}

/** The section that holds an RVA, or null. */
export function sectionAt(headers: ImageHeaders, rva: number): ImageSection | null {
  return headers.sections.find((s) => rva >= s.rva && rva < s.rva + s.size) ?? null;
}

/**
 * The time stamp that the linker put into the debug directory beside that of the header: another witness of it. Null
 * where there is no debug directory or its page is missing.
 */
export function debugTimeStamp(memory: VirtualMemory, base: VirtualAddress, headers: ImageHeaders): number | null {
  const directory = headers.directories[DIRECTORY.debug];
  if (directory === undefined || directory.rva === 0 || directory.size < 28) return null;
  const stamp = memory.readU32(plus(base, directory.rva + 4));
  return failed(stamp) || stamp === 0 ? null : stamp;
}

/**
 * Bytes of the image by its section table: the end of its last section, on the border where another would begin. Null
 * where the table is missing. Another witness of SizeOfImage.
 */
export function sectionsEnd({ sections, sectionAlignment }: ImageHeaders): number | null {
  if (sections.length === 0) return null;
  const unit = sectionAlignment >= 0x20 && sectionAlignment <= 0x1000000 ? sectionAlignment : 0x1000;
  const end = Math.max(...sections.map(({ rva, size }) => rva + size));
  return Math.ceil(end / unit) * unit;
}

/** The RSDS record of the debug directory, or why there is none. */
export function readCodeView(memory: VirtualMemory, base: VirtualAddress, headers: ImageHeaders): CodeView | Failure {
  const directory = headers.directories[DIRECTORY.debug];
  if (directory === undefined || directory.rva === 0) return new Failure('corrupt', 'the image names no PDB');
  const count = Math.min(MOST_DEBUG_ENTRIES, Math.floor(directory.size / 28));
  const entries = memory.read(plus(base, directory.rva), count * 28);
  if (failed(entries)) return entries;
  for (let at = 0; at < entries.length; at += 28) {
    if (u32(entries, at + 12) !== IMAGE_DEBUG_TYPE_CODEVIEW) continue;
    const size = Math.min(u32(entries, at + 16), 0x400);
    const rva = u32(entries, at + 20);
    if (rva === 0 || size < 25) continue;
    const record = memory.read(plus(base, rva), size);
    if (failed(record)) return record;
    if (u32(record, 0) !== RSDS) continue;
    const path = Buffer.from(record.subarray(24)).toString('utf8').split('\0')[0] ?? '';
    const name = path.split(/[\\/]/).at(-1) ?? path;
    if (name.length > LONGEST_FILE_NAME) return new Failure('corrupt', 'the name of the PDB is no file name');
    return { name, guid: guidText(record, 4), age: u32(record, 20) };
  }
  return new Failure('corrupt', 'the image has no RSDS record');
}

/** A GUID as 32 upper-case hexadecimal digits: Data1, Data2, Data3, then eight bytes. */
function guidText(b: Uint8Array, at: number): string {
  const part = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');
  let text = part(u32(b, at), 8) + part(u16(b, at + 4), 4) + part(u16(b, at + 6), 4);
  for (let i = 8; i < 16; i++) text += part(b[at + i] ?? 0, 2);
  return text.toUpperCase();
}
