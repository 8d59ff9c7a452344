/**
 * One entry of PsLoadedModuleList as its bytes say it, before anything is believed: the fields of
 * `_KLDR_DATA_TABLE_ENTRY`, and its two names, each only where it can be one.
 */

import { virtual, type VirtualAddress } from '../../../parsers/addresses.js';
import { failed, type Failure } from '../../../parsers/bytes/failure.js';
import { u16 } from '../../../parsers/bytes/fields.js';
import { commonKldr } from '../../../parsers/kernel/kldr.js';
import type { StructLayout } from '../../../parsers/kernel/layout.js';
import { field, readUnicodeString } from '../../../parsers/kernel/structures.js';
import type { VirtualMemory } from '../../../parsers/paging/virtual-memory.js';
import { LONGEST_FILE_NAME } from '../../../parsers/pe/image.js';

/** Longest path of a driver that is believed, in characters. */
const LONGEST_PATH = 1024;
/** A module larger than this is a damaged entry. */
const LARGEST_MODULE = 1 << 30;

/** A name in an entry. */
export interface EntryName {
  /** Null where it cannot be read or can be none. */
  readonly text: string | null;
  /** What is wrong with it; null where nothing is, or where its page is merely missing. */
  readonly wrong: string | null;
}

/** An entry. */
export interface ListEntry {
  readonly address: VirtualAddress;
  readonly base: VirtualAddress;
  /** Address of the first function; 0 for modules without one. */
  readonly entryPoint: VirtualAddress;
  /** Bytes; 0 where it cannot be true. */
  readonly size: number;
  /** A file name. */
  readonly baseName: EntryName;
  readonly fullName: EntryName;
  /** 0 where the entry holds none. */
  readonly checkSum: number;
  readonly timeDateStamp: number;
}

/** Reads the entry at `address`. `layout` is the kernel's own, which alone may tell where TimeDateStamp stands. */
export function readListEntry(
  memory: VirtualMemory,
  address: VirtualAddress,
  layout: StructLayout = commonKldr(memory.pointerSize),
): ListEntry | Failure {
  const kldr = commonKldr(memory.pointerSize);
  const stamp = layout.fields['TimeDateStamp'];
  const bytes = memory.read(address, Math.max(kldr.size, stamp === undefined ? 0 : stamp.offset + 4));
  if (failed(bytes)) return bytes;
  const pointer = (name: string): VirtualAddress => virtual(field(bytes, kldr, name, memory.pointerSize) ?? 0n);
  const number = (from: StructLayout, name: string): number => Number(field(bytes, from, name) ?? 0n);
  const size = number(kldr, 'SizeOfImage');
  const at = (name: string): number => kldr.fields[name]?.offset ?? 0;
  return {
    address,
    base: pointer('DllBase'),
    entryPoint: pointer('EntryPoint'),
    size: size > LARGEST_MODULE ? 0 : size,
    baseName: readFileName(memory, bytes, at('BaseDllName')),
    fullName: readName(memory, bytes, at('FullDllName'), LONGEST_PATH),
    checkSum: number(kldr, 'CheckSum'),
    timeDateStamp: number(layout, 'TimeDateStamp'),
  };
}

/** True where an entry can be one: what a pointer into something else leads to hardly ever passes. */
export function isPlausible({ base, size, baseName, fullName }: ListEntry): boolean {
  return (
    base !== 0n && (base & 0xfffn) === 0n && isOfKernel(base) && size > 0 && (baseName.text ?? fullName.text) !== null
  );
}

/** The upper half of the address space: of 64-bit addresses, and of 32-bit ones. */
function isOfKernel(address: bigint): boolean {
  return address >= 0xffff_8000_0000_0000n || (address >= 0x8000_0000n && address < 0x1_0000_0000n);
}

/** The UNICODE_STRING of a file's name, at most 255 characters and without a path. */
export function readFileName(memory: VirtualMemory, bytes: Uint8Array, offset: number): EntryName {
  const name = readName(memory, bytes, offset, LONGEST_FILE_NAME);
  if (name.text === null || isFileName(name.text)) return name;
  return { text: null, wrong: 'is no file name' };
}

/** A UNICODE_STRING of at most `most` characters. Ends at a NUL, which is wrong inside of one. */
function readName(memory: VirtualMemory, bytes: Uint8Array, offset: number, most: number): EntryName {
  const length = u16(bytes, offset) / 2;
  if (length > most) return { text: null, wrong: `has ${length} characters` };
  const text = readUnicodeString(memory, bytes, offset);
  if (failed(text)) return { text: null, wrong: text.code === 'corrupt' ? 'cannot be a text' : null };
  if (text === '') return { text: null, wrong: 'is empty' };
  const end = text.indexOf('\0');
  if (end < 0) return { text: text.toWellFormed(), wrong: null };
  return { text: end === 0 ? null : text.slice(0, end).toWellFormed(), wrong: 'holds a NUL' };
}

/** Characters that no file system of Windows takes in a name; control characters are left to what prints. */
const NOT_IN_NAMES = /[\\/:*?"<>|]/;

/** True for what can be the name of a file. */
export function isFileName(text: string): boolean {
  return text !== '' && text.length <= LONGEST_FILE_NAME && !NOT_IN_NAMES.test(text);
}

/** The last part of a path. */
export const fileName = (path: string): string => path.split('\\').at(-1) ?? '';
