/**
 * A slow and simple reader of processes, objects and handles for the tests of this folder: every offset is spelled out here
 * again, from the reference, and nothing is shared with the code that writes.
 */

import type { BuiltDump } from '../build-dump.js';

/** Offsets of one generation. */
export interface HandLayout {
  width: 4 | 8;
  /** `_EPROCESS`: links, pid, create, exit, object table, token, image name, parent, first quota usage, audit name. */
  process: {
    size: number; pid: number; links: number; create: number; exit: number; table: number; token: number; name: number;
    parent: number; quota: number; audit: number; threads: number;
  }; // prettier-ignore
  thread: { link: number; pid: number; tid: number };
  /** `_HANDLE_TABLE`. */
  table: { code: number; next: number; pid: number; list: number; count: number };
  /** `_OBJECT_TYPE`. */
  type: { list: number; name: number; index: number; objects: number; handles: number; key: number };
  /** How headers tell the type. */
  header: 'pointer' | 'index' | 'cookie';
  /** How entries tell the object: a pointer, or the shift of one; x86 of Windows 8 and later have a count too. */
  entry: 'pointer' | 'counted' | 23 | 20 | 11;
  token: { logonId: number; users: number };
}

const X64_TABLE = { code: 8, next: 0, pid: 0x28, list: 0x18, count: 0x58 };
const X64_TYPE = { list: 0, name: 0x10, index: 0x28, objects: 0x2c, handles: 0x30, key: 0xc0 };
const X86_TYPE = { list: 0, name: 8, index: 0x14, objects: 0x18, handles: 0x1c, key: 0x84 };
const TOKEN = { logonId: 0x18, users: 0x98 };

const X64_19041: HandLayout = {
  width: 8,
  process: {
    size: 0xa40, pid: 0x440, links: 0x448, create: 0x468, exit: 0x840, table: 0x570, token: 0x4b8, name: 0x5a8, parent: 0x540,
    quota: 0x470, audit: 0x5c0, threads: 0x5e0,
  },
  thread: { link: 0x4e8, pid: 0x478, tid: 0x480 },
  table: X64_TABLE,
  type: X64_TYPE,
  header: 'cookie',
  entry: 20,
  token: TOKEN,
}; // prettier-ignore

const X64_26100: HandLayout = {
  ...X64_19041,
  process: {
    size: 0x840, pid: 0x1d0, links: 0x1d8, create: 0x1f8, exit: 0x5c0, table: 0x300, token: 0x248, name: 0x338, parent: 0x2d0,
    quota: 0x200, audit: 0x350, threads: 0x370,
  },
  thread: { link: 0x578, pid: 0x508, tid: 0x510 },
}; // prettier-ignore

/** By `ARCHITECTURE-BUILD`. */
export const HAND_LAYOUTS: Readonly<Record<string, HandLayout>> = {
  'x64-19041': X64_19041,
  'x64-22000': {
    ...X64_19041,
    process: { ...X64_19041.process, size: 0xb80 },
    thread: { link: 0x538, pid: 0x4c8, tid: 0x4d0 },
  },
  'x64-la57': { ...X64_19041, entry: 11 },
  'x64-26100': X64_26100,
  'arm64-26100': {
    ...X64_26100,
    process: {
      size: 0x900, pid: 0x1c0, links: 0x1c8, create: 0x1e8, exit: 0x680, table: 0x2f0, token: 0x238, name: 0x328, parent: 0x2c0,
      quota: 0x1f0, audit: 0x340, threads: 0x360,
    },
    thread: { link: 0x558, pid: 0x4e8, tid: 0x4f0 },
  },
  'x64-9600': {
    width: 8,
    process: {
      size: 0x708, pid: 0x2e0, links: 0x2e8, create: 0x2d0, exit: 0x640, table: 0x408, token: 0x348, name: 0x438, parent: 0x3d0,
      quota: 0x300, audit: 0x450, threads: 0x470,
    },
    thread: { link: 0x688, pid: 0x620, tid: 0x628 },
    table: X64_TABLE,
    type: X64_TYPE,
    header: 'index',
    entry: 20,
    token: TOKEN,
  },
  'x64-7601': {
    width: 8,
    process: {
      size: 0x4f8, pid: 0x180, links: 0x188, create: 0x168, exit: 0x170, table: 0x200, token: 0x208, name: 0x2e0, parent: 0x290,
      quota: 0x198, audit: 0x390, threads: 0x308,
    },
    thread: { link: 0x428, pid: 0x3b8, tid: 0x3c0 },
    table: { code: 0, next: 0x5c, pid: 0x10, list: 0x20, count: 0x58 },
    type: { ...X64_TYPE, key: 0xb8 },
    header: 'index',
    entry: 'pointer',
    token: { logonId: 0x18, users: 0x90 },
  },
  'x86-2600': {
    width: 4,
    process: {
      size: 0x260, pid: 0x84, links: 0x88, create: 0x70, exit: 0x78, table: 0xc4, token: 0xc8, name: 0x174, parent: 0x14c,
      quota: 0x90, audit: 0x1f4, threads: 0x190,
    },
    thread: { link: 0x22c, pid: 0x1ec, tid: 0x1f0 },
    table: { code: 0, next: 0x38, pid: 8, list: 0x1c, count: 0x3c },
    type: { list: 0x38, name: 0x40, index: 0x4c, objects: 0x50, handles: 0x54, key: 0xac },
    header: 'pointer',
    entry: 'pointer',
    token: { logonId: 0x18, users: 0x68 },
  },
  'x86-7601': {
    width: 4,
    process: {
      size: 0x2c0, pid: 0xb4, links: 0xb8, create: 0xa0, exit: 0xa8, table: 0xf4, token: 0xf8, name: 0x16c, parent: 0x140,
      quota: 0xc0, audit: 0x1ec, threads: 0x188,
    },
    thread: { link: 0x268, pid: 0x22c, tid: 0x230 },
    table: { code: 0, next: 0x34, pid: 8, list: 0x10, count: 0x30 },
    type: { ...X86_TYPE, key: 0x7c },
    header: 'index',
    entry: 'pointer',
    token: { logonId: 0x18, users: 0x90 },
  },
  'x86-19041': {
    width: 4,
    process: {
      size: 0x500, pid: 0xe4, links: 0xe8, create: 0x100, exit: 0x388, table: 0x18c, token: 0x12c, name: 0x1ac, parent: 0x170,
      quota: 0x108, audit: 0x1c0, threads: 0x1d0,
    },
    thread: { link: 0x2e4, pid: 0x2ac, tid: 0x2b0 },
    table: { code: 8, next: 0, pid: 0x18, list: 0x10, count: 0x4c },
    type: X86_TYPE,
    header: 'cookie',
    entry: 'counted',
    token: { logonId: 0x18, users: 0x94 },
  },
}; // prettier-ignore

export interface HandEntry {
  handle: number;
  object: bigint;
  access: number;
  count: number;
}

export class HandObjects {
  private readonly headerSize: bigint;
  private types: Map<bigint, string> | null = null;
  private cookie: number | null = null;

  constructor(
    private readonly dump: BuiltDump,
    readonly layout: HandLayout,
  ) {
    this.headerSize = layout.width === 8 ? 0x30n : 0x18n;
  }

  bytes(address: bigint, length: number): Buffer {
    const bytes = this.dump.readVirtual(address, length);
    if (!bytes) throw new Error(`nothing at ${address.toString(16)}`);
    return Buffer.from(bytes);
  }

  u8(address: bigint): number {
    return this.bytes(address, 1).readUInt8(0);
  }

  u32(address: bigint): number {
    return this.bytes(address, 4).readUInt32LE(0);
  }

  u64(address: bigint): bigint {
    return this.bytes(address, 8).readBigUInt64LE(0);
  }

  word(address: bigint): bigint {
    return this.layout.width === 8 ? this.u64(address) : BigInt(this.u32(address));
  }

  text(string: bigint): string {
    const length = this.bytes(string, 2).readUInt16LE(0);
    return length === 0 ? '' : this.bytes(this.word(string + BigInt(this.layout.width)), length).toString('utf16le');
  }

  /** A field of the debugger block. */
  kdbg(offset: number): bigint {
    const value = this.u64(this.dump.truth.kdbg.address + BigInt(offset));
    return this.layout.width === 8 ? value : value & 0xffff_ffffn;
  }

  /** Addresses of processes in the active list, at most so many. */
  active(most = 100_000): bigint[] {
    return this.list(this.kdbg(0x50), this.layout.process.links, most);
  }

  list(head: bigint, offset: number, most = 100_000): bigint[] {
    const found: bigint[] = [];
    for (let at = this.word(head); at !== head && found.length < most; at = this.word(at))
      found.push(at - BigInt(offset));
    return found;
  }

  processField(process: bigint, field: keyof HandLayout['process']): bigint {
    const at = process + BigInt(this.layout.process[field]);
    return field === 'create' || field === 'exit' ? this.u64(at) : this.word(at);
  }

  imageName(process: bigint): string {
    const bytes = this.bytes(process + BigInt(this.layout.process.name), 15);
    const end = bytes.indexOf(0);
    return bytes.toString('latin1', 0, end < 0 ? 15 : end);
  }

  imagePath(process: bigint): string {
    return this.text(this.processField(process, 'audit'));
  }

  /** Names of types by the address of their objects: along the list behind the first type object. */
  typeNames(): Map<bigint, string> {
    if (this.types) return this.types;
    const root = this.word(this.kdbg(0xa0));
    this.types = new Map();
    for (const entry of this.list(root + BigInt(this.layout.type.list), 0)) {
      // The creator's header is the nearest to the object's.
      const type = entry + (this.layout.width === 8 ? 0x20n : 0x10n) + this.headerSize;
      this.types.set(type, this.text(type + BigInt(this.layout.type.name)));
    }
    return this.types;
  }

  /** The type of an object by its header. */
  typeOf(header: bigint): string {
    const at = this.layout.width === 8 ? { type: 0x10n, index: 0x18n } : { type: 8n, index: 0xcn };
    if (this.layout.header === 'pointer') return this.typeNames().get(this.word(header + at.type)) ?? '?';
    const stored = this.u8(header + at.index);
    const index = this.layout.header === 'index' ? stored : stored ^ this.findCookie() ^ Number((header >> 8n) & 0xffn);
    for (const [type, name] of this.typeNames())
      if (this.u8(type + BigInt(this.layout.type.index)) === index) return name;
    return '?';
  }

  /** The object behind the pointer to the first type is itself of type 2. */
  findCookie(): number {
    if (this.cookie === null) {
      const header = this.word(this.kdbg(0xa0)) - this.headerSize;
      const stored = this.u8(header + (this.layout.width === 8 ? 0x18n : 0xcn));
      this.cookie = stored ^ 2 ^ Number((header >> 8n) & 0xffn);
    }
    return this.cookie;
  }

  headerOf(body: bigint): bigint {
    return body - this.headerSize;
  }

  /** Pointer and handle counts. */
  counts(header: bigint): { pointers: number; handles: number } {
    return { pointers: Number(this.word(header)), handles: Number(this.word(header + BigInt(this.layout.width))) };
  }

  /** The name of an object, or null. */
  objectName(header: bigint): string | null {
    const wide = this.layout.width === 8;
    let distance: bigint;
    if (this.layout.header === 'pointer') distance = BigInt(this.u8(header + (wide ? 0x18n : 0xcn)));
    else {
      const mask = this.u8(header + (wide ? 0x1an : 0xen));
      const size = wide ? 0x20n : 0x10n;
      distance = (mask & 2) === 0 ? 0n : size + ((mask & 1) === 0 ? 0n : size);
    }
    return distance === 0n ? null : this.text(header - distance + BigInt(this.layout.width));
  }

  /** The whole path of a file: its device's name, the folder it was opened from, and its own name. */
  filePath(body: bigint): string {
    const wide = this.layout.width === 8;
    const [device, related, name] = wide ? [8n, 0x40n, 0x58n] : [4n, 0x20n, 0x30n];
    const folder = this.word(body + related);
    const own = this.text(body + name);
    if (folder !== 0n) return `${this.filePath(folder)}\\${own}`;
    const header = this.headerOf(this.word(body + device));
    return `\\Device\\${this.objectName(header) ?? '?'}${own}`;
  }

  /** The path of a registry key of 19041: names from its control block upwards. */
  keyPath(body: bigint): string {
    let path = '';
    for (let block = this.word(body + 8n); block !== 0n; block = this.word(block + 0x48n)) {
      const name = this.word(block + 0x50n);
      const length = this.bytes(name + 0x18n, 2).readUInt16LE(0);
      path = `\\${this.bytes(name + 0x1an, length).toString('latin1')}${path}`;
    }
    return path;
  }

  /** The file behind a section of 19041: section, control area, fast pointer. */
  sectionFile(body: bigint): string | null {
    const area = this.word(body + 0x28n);
    const file = this.word(area + 0x40n) & ~15n;
    return file === 0n ? null : this.filePath(file);
  }

  /** All entries of a table that are in use; leaves that are not there are counted. */
  entries(table: bigint): { entries: HandEntry[]; absent: number; level: number } {
    const { width } = this.layout;
    const code = this.word(table + BigInt(this.layout.table.code));
    const level = Number(code & 3n);
    const perLeaf = width === 8 ? 256 : 512;
    const leaves = this.u32(table + BigInt(this.layout.table.next)) / 4 / perLeaf;
    const perPage = 0x1000 / width;
    const top = code & ~7n;
    const entries: HandEntry[] = [];
    let absent = 0;
    for (let leaf = 0; leaf < leaves; leaf++) {
      let page = top;
      if (level === 2) page = this.word(top + BigInt(Math.floor(leaf / perPage) * width));
      if (level > 0) page = this.word(page + BigInt((leaf % perPage) * width));
      const bytes = this.dump.readVirtual(page, 0x1000);
      if (!bytes) {
        absent++;
        continue;
      }
      this.leaf(Buffer.from(bytes), leaf * perLeaf, entries);
    }
    return { entries, absent, level };
  }

  private leaf(bytes: Buffer, first: number, entries: HandEntry[]): void {
    const { width, entry } = this.layout;
    const step = width * 2;
    for (let i = 1; i < 0x1000 / step; i++) {
      const low = width === 8 ? bytes.readBigUInt64LE(i * step) : BigInt(bytes.readUInt32LE(i * step));
      if (low === 0n) continue;
      const high = bytes.readUInt32LE(i * step + width);
      const plain = entry === 'pointer' || entry === 'counted';
      const object = plain ? low & ~7n : BigInt.asUintN(64, (BigInt.asIntN(64, low) >> BigInt(entry)) << 4n);
      const bits = entry === 23 ? 19n : entry === 20 ? 16n : 7n;
      const count = entry === 'counted' ? high >>> 27 : plain ? 0 : Number((low >> 1n) & ((1n << bits) - 1n));
      entries.push({ handle: (first + i) * 4, object, access: high & 0x1ff_ffff, count });
    }
  }
}
