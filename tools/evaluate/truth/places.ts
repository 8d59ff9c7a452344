/** Where the structures of a built dump stand in its file: what is damaged on purpose. */

import type { BuiltDump } from '../../../test-dumps/built-dump.js';
import { PAGE } from '../../../test-dumps/physical-memory.js';

/** A field of a structure: its name, and where it stands in the file. */
export interface FieldPlace {
  readonly name: string;
  readonly at: number;
  readonly bytes: number;
}

/** `_KLDR_DATA_TABLE_ENTRY`: offset and size of every field, by size of a pointer. */
const KLDR: Readonly<Record<4 | 8, Readonly<Record<string, readonly [number, number]>>>> = {
  4: {
    Flink: [0, 4], Blink: [4, 4], ExceptionTable: [8, 4], DllBase: [0x18, 4], EntryPoint: [0x1c, 4], SizeOfImage: [0x20, 4],
    'FullDllName.Length': [0x24, 2], 'FullDllName.MaximumLength': [0x26, 2], 'FullDllName.Buffer': [0x28, 4],
    'BaseDllName.Length': [0x2c, 2], 'BaseDllName.MaximumLength': [0x2e, 2], 'BaseDllName.Buffer': [0x30, 4],
    Flags: [0x34, 4], LoadCount: [0x38, 2], CheckSum: [0x40, 4], TimeDateStamp: [0x58, 4],
  },
  8: {
    Flink: [0, 8], Blink: [8, 8], ExceptionTable: [0x10, 8], DllBase: [0x30, 8], EntryPoint: [0x38, 8], SizeOfImage: [0x40, 4],
    'FullDllName.Length': [0x48, 2], 'FullDllName.MaximumLength': [0x4a, 2], 'FullDllName.Buffer': [0x50, 8],
    'BaseDllName.Length': [0x58, 2], 'BaseDllName.MaximumLength': [0x5a, 2], 'BaseDllName.Buffer': [0x60, 8],
    Flags: [0x68, 4], LoadCount: [0x6c, 2], CheckSum: [0x78, 4], TimeDateStamp: [0x9c, 4],
  },
}; // prettier-ignore

/** Fields of the PE headers that a reader looks at, from the first byte of `PE\0\0`. */
const PE: Readonly<Record<string, readonly [number, number]>> = {
  Signature: [0, 4], Machine: [4, 2], NumberOfSections: [6, 2], TimeDateStamp: [8, 4], SizeOfOptionalHeader: [0x14, 2],
  Magic: [0x18, 2], AddressOfEntryPoint: [0x28, 4], SectionAlignment: [0x38, 4], SizeOfImage: [0x50, 4], SizeOfHeaders: [0x54, 4],
  CheckSum: [0x58, 4],
}; // prettier-ignore
const SECTION = 40;

/** A built dump with the places of its structures. */
export class Places {
  readonly width: 4 | 8;
  /** File offsets of the module list's entries that the file holds, in list order. */
  readonly entries: readonly number[];
  /** File offsets of header pages. */
  readonly headers: readonly number[];
  /** File offsets of stored pages that are not zeros. */
  readonly pages: readonly number[];
  /** File offsets of the pages of pool tag tables. */
  readonly tagTables: readonly number[];

  constructor(readonly built: BuiltDump) {
    const { truth } = built;
    this.width = truth.kernel.base < 0x1_0000_0000n ? 4 : 8;
    this.entries = this.walkEntries();
    this.headers = truth.modules.flatMap(({ base }) => this.at(base) ?? []);
    const first = built.firstPage;
    const pages = new Set<number>();
    for (const { offset, bytes } of built.pieces()) {
      if (offset >= first && bytes.some((byte) => byte !== 0)) pages.add(offset - ((offset - first) % PAGE));
    }
    this.pages = [...pages];
    const { tableAddresses, entries, recordSize } = truth.pool;
    this.tagTables = tableAddresses.flatMap((table) => this.pagesOf(table, entries * recordSize));
  }

  /** File offset of a virtual address; null where the file lacks it. */
  at(address: bigint): number | null {
    return this.built.whereIs(address).at;
  }

  read(at: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    this.built.read(at, bytes);
    return bytes;
  }

  /** The fields of the list entry at a file offset. */
  entryFields(at: number): FieldPlace[] {
    return Object.entries(KLDR[this.width]).map(([name, [offset, bytes]]) => ({ name, at: at + offset, bytes }));
  }

  /** The header fields of the image whose first page is at a file offset, its section table and directories included. */
  headerFields(page: number): FieldPlace[] {
    const nt = page + Number(this.number(page + 0x3c, 4));
    const fields = Object.entries(PE).map(([name, [offset, bytes]]) => ({ name, at: nt + offset, bytes }));
    const directories = nt + 0x18 + (this.width === 4 ? 0x60 : 0x70);
    for (let i = 0; i < 16; i++) fields.push({ name: `directory ${i}`, at: directories + i * 8, bytes: 8 });
    const sections = nt + 0x18 + Number(this.number(nt + 0x14, 2));
    for (let i = 0; i < Number(this.number(nt + 6, 2)); i++) {
      for (const [name, offset] of [['VirtualSize', 8], ['VirtualAddress', 12], ['Characteristics', 36]] as const) {
        fields.push({ name: `section ${i} ${name}`, at: sections + i * SECTION + offset, bytes: 4 });
      } // prettier-ignore
    }
    return [{ name: 'e_magic', at: page, bytes: 2 }, { name: 'e_lfanew', at: page + 0x3c, bytes: 4 }, ...fields];
  }

  number(at: number, bytes: number): bigint {
    return this.read(at, bytes).reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
  }

  private pagesOf(address: bigint, length: number): number[] {
    const found: number[] = [];
    for (let at = address - (address & 0xfffn); at < address + BigInt(length); at += BigInt(PAGE)) {
      const place = this.at(at);
      if (place !== null) found.push(place);
    }
    return found;
  }

  private walkEntries(): number[] {
    const { psLoadedModuleList: head } = this.built.truth.header;
    const found: number[] = [];
    const next = (address: bigint): bigint => {
      const at = this.at(address);
      const value = at === null ? head : this.number(at, this.width);
      return value;
    };
    for (let entry = next(head); entry !== head && found.length < 4096; entry = next(entry)) {
      const at = this.at(entry);
      if (at !== null) found.push(at);
    }
    return found;
  }
}
