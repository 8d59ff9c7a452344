/**
 * A kernel's objects in a small memory of its own, written by numbers from the reference (objects-and-pool-blocks,
 * sections 2 to 6), which the readers do not see.
 */

import { plus, virtual, physical, type PhysicalAddress, type VirtualAddress } from '../../../parsers/addresses.js';
import { Failure } from '../../../parsers/bytes/failure.js';
import { MemoryBase } from '../../../parsers/paging/memory-base.js';
import type { Sourced } from '../../../symbols/kernel-symbols.js';
import type { ObjectRoots } from './roots.js';

const PAGE = 4096n;

/** Memory of pages that are there or not. */
export class SparseMemory extends MemoryBase {
  readonly pages = new Map<bigint, Uint8Array>();
  reads = 0;

  constructor(readonly pointerSize: 4 | 8) {
    super();
  }

  translate(address: VirtualAddress): PhysicalAddress | Failure {
    return this.pages.has(address / PAGE) ? physical(0) : new Failure('not-mapped', `no page at ${address}`);
  }

  read(address: VirtualAddress, length: number): Uint8Array | Failure {
    this.reads++;
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length;) {
      const at = BigInt.asUintN(64, address + BigInt(done));
      const page = this.pages.get(at / PAGE);
      if (page === undefined) return new Failure('not-in-dump', `no page at ${at.toString(16)}`);
      const from = Number(at % PAGE);
      const count = Math.min(length - done, 4096 - from);
      bytes.set(page.subarray(from, from + count), done);
      done += count;
    }
    return bytes;
  }

  write(address: bigint, bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i++) {
      const at = BigInt.asUintN(64, address + BigInt(i));
      let page = this.pages.get(at / PAGE);
      if (page === undefined) this.pages.set(at / PAGE, (page = new Uint8Array(4096)));
      page[Number(at % PAGE)] = bytes[i] ?? 0;
    }
  }
}

/** Offsets of one generation, in bytes; copied from the tables of the reference. */
export interface Generation {
  readonly name: string;
  readonly architecture: 'x86' | 'x64' | 'arm64';
  readonly build: number;
  readonly levels?: number;
  readonly process: {
    size: number; pid: number; links: number; create: number; exit: number; table: number; token: number;
    image: number; parent: number; threads: number; quota: number; path: number;
  }; // prettier-ignore
  readonly tableCode: number;
  readonly next: number;
  readonly tableId: number;
  readonly tableSize: number;
  /** The old form: counted in the table. */
  readonly tableCount?: number;
  readonly key: number;
  readonly typeSize: number;
  readonly typeName: number;
  readonly typeIndex: number;
  /** How headers name types. */
  readonly typing: 'pointer' | 'index' | 'cookie';
  readonly entry: 'old' | 'wide23' | 'wide20' | 'wide11' | 'narrow26' | 'narrow27' | 'narrow';
}

const NEW_X64 = { tableCode: 8, next: 0, tableId: 0x28, tableSize: 0x80, key: 0xc0, typeSize: 0xd8, typeName: 0x10, typeIndex: 0x28 } as const; // prettier-ignore
const NEW_X86 = {
  tableCode: 8,
  next: 0,
  tableId: 0x18,
  key: 0x84,
  typeSize: 0x90,
  typeName: 8,
  typeIndex: 0x14,
} as const;

/** Generations of every kind of entry, header and processor. */
export const WORLDS: readonly Generation[] = [
  { name: 'x64 3790', architecture: 'x64', build: 3790, tableCode: 0, next: 0x64, tableId: 0x10, tableSize: 0x70, tableCount: 0x68,
    key: 0x118, typeSize: 0x2c0, typeName: 0x78, typeIndex: 0x90, typing: 'pointer', entry: 'old',
    process: { size: 0x3e0, pid: 0xd8, links: 0xe0, create: 0xc0, exit: 0xc8, table: 0x158, token: 0x160, image: 0x268, parent: 0x218, threads: 0x2b0, quota: 0xf0, path: 0x318 } },
  { name: 'x64 7601', architecture: 'x64', build: 7601, tableCode: 0, next: 0x5c, tableId: 0x10, tableSize: 0x68, tableCount: 0x58,
    key: 0xb8, typeSize: 0xd0, typeName: 0x10, typeIndex: 0x28, typing: 'index', entry: 'old',
    process: { size: 0x4d0, pid: 0x180, links: 0x188, create: 0x168, exit: 0x170, table: 0x200, token: 0x208, image: 0x2e0, parent: 0x290, threads: 0x328, quota: 0x198, path: 0x390 } },
  { name: 'x64 9200', architecture: 'x64', build: 9200, ...NEW_X64, typing: 'index', entry: 'wide23',
    process: { size: 0x660, pid: 0x2e0, links: 0x2e8, create: 0x2d0, exit: 0x610, table: 0x408, token: 0x348, image: 0x438, parent: 0x3d0, threads: 0x480, quota: 0x300, path: 0x450 } },
  { name: 'x64 9600', architecture: 'x64', build: 9600, ...NEW_X64, typing: 'index', entry: 'wide20',
    process: { size: 0x6b8, pid: 0x2e0, links: 0x2e8, create: 0x2d0, exit: 0x640, table: 0x408, token: 0x348, image: 0x438, parent: 0x3d0, threads: 0x480, quota: 0x300, path: 0x450 } },
  { name: 'x64 19041', architecture: 'x64', build: 19045, ...NEW_X64, typing: 'cookie', entry: 'wide20',
    process: { size: 0xa40, pid: 0x440, links: 0x448, create: 0x468, exit: 0x840, table: 0x570, token: 0x4b8, image: 0x5a8, parent: 0x540, threads: 0x5f0, quota: 0x470, path: 0x5c0 } },
  { name: 'x64 26100', architecture: 'x64', build: 26200, ...NEW_X64, typeSize: 0xe0, typing: 'cookie', entry: 'wide20',
    process: { size: 0x840, pid: 0x1d0, links: 0x1d8, create: 0x1f8, exit: 0x5c0, table: 0x300, token: 0x248, image: 0x338, parent: 0x2d0, threads: 0x380, quota: 0x200, path: 0x350 } },
  { name: 'x64 22000, five levels', architecture: 'x64', build: 22000, levels: 5, ...NEW_X64, typing: 'cookie', entry: 'wide11',
    process: { size: 0xb80, pid: 0x440, links: 0x448, create: 0x468, exit: 0x840, table: 0x570, token: 0x4b8, image: 0x5a8, parent: 0x540, threads: 0x5f0, quota: 0x470, path: 0x5c0 } },
  { name: 'ARM64 26100', architecture: 'arm64', build: 26100, ...NEW_X64, typeSize: 0xe0, typing: 'cookie', entry: 'wide20',
    process: { size: 0x900, pid: 0x1c0, links: 0x1c8, create: 0x1e8, exit: 0x680, table: 0x2f0, token: 0x238, image: 0x328, parent: 0x2c0, threads: 0x370, quota: 0x1f0, path: 0x340 } },
  { name: 'x86 2600', architecture: 'x86', build: 2600, tableCode: 0, next: 0x38, tableId: 8, tableSize: 0x44, tableCount: 0x3c,
    key: 0xac, typeSize: 0x190, typeName: 0x40, typeIndex: 0x4c, typing: 'pointer', entry: 'narrow',
    process: { size: 0x260, pid: 0x84, links: 0x88, create: 0x70, exit: 0x78, table: 0xc4, token: 0xc8, image: 0x174, parent: 0x14c, threads: 0x1a0, quota: 0x90, path: 0x1f4 } },
  { name: 'x86 7601', architecture: 'x86', build: 7601, tableCode: 0, next: 0x34, tableId: 8, tableSize: 0x3c, tableCount: 0x30,
    key: 0x7c, typeSize: 0x88, typeName: 8, typeIndex: 0x14, typing: 'index', entry: 'narrow',
    process: { size: 0x2c0, pid: 0xb4, links: 0xb8, create: 0xa0, exit: 0xa8, table: 0xf4, token: 0xf8, image: 0x16c, parent: 0x140, threads: 0x198, quota: 0xc0, path: 0x1ec } },
  { name: 'x86 9200', architecture: 'x86', build: 9200, ...NEW_X86, tableSize: 0x5c, typing: 'index', entry: 'narrow26',
    process: { size: 0x2e8, pid: 0xb4, links: 0xb8, create: 0xa8, exit: 0x2b8, table: 0x150, token: 0xec, image: 0x170, parent: 0x134, threads: 0x19c, quota: 0xc8, path: 0x184 } },
  { name: 'x86 19041', architecture: 'x86', build: 19041, ...NEW_X86, tableSize: 0x80, typing: 'cookie', entry: 'narrow27',
    process: { size: 0x500, pid: 0xe4, links: 0xe8, create: 0x100, exit: 0x388, table: 0x18c, token: 0x12c, image: 0x1ac, parent: 0x170, threads: 0x1d8, quota: 0x108, path: 0x1c0 } },
]; // prettier-ignore

/** Types of a world; their index from 2 on. */
export const TYPE_NAMES = [
  'Type',
  'Directory',
  'Process',
  'Thread',
  'Token',
  'Event',
  'File',
  'Key',
  'Section',
  'Mutant',
];
const KEYS = ['ObjT', 'Dire', 'Proc', 'Thre', 'Toke', 'Even', 'File', 'Key ', 'Sect', 'Muta'];
/** 2025-06-01 in units of 100 ns since 1601. */
export const CREATED = 133_932_096_000_000_000n;
const HEADER = { 8: 0x30, 4: 0x18 } as const;

/** One process to be written. */
export interface ProcessSpec {
  readonly pid: number;
  readonly image: string;
  readonly parent?: number;
  readonly ended?: boolean;
  readonly createdSeconds?: number;
  readonly path?: string;
}

/** A world that is being written. */
export class ObjectWorld {
  readonly memory: SparseMemory;
  readonly width: 4 | 8;
  readonly globals = new Map<string, VirtualAddress>();
  readonly types: VirtualAddress[] = [];
  readonly processes: VirtualAddress[] = [];
  readonly cookie: number;
  private next: bigint;
  private readonly links: bigint[] = [];
  private readonly head: bigint;
  private readonly root: bigint;
  private readonly pool: bigint;

  constructor(
    readonly generation: Generation,
    cookie = 0x5a,
  ) {
    this.width = generation.architecture === 'x86' ? 4 : 8;
    this.memory = new SparseMemory(this.width);
    const half = generation.build < 9600 ? 0xffff_fa80_1200_0000n : 0xffff_9a01_2000_0000n;
    this.pool = this.width === 4 ? 0x8a00_0000n : half;
    this.next = this.pool;
    this.cookie = generation.typing === 'cookie' ? cookie : 0;
    this.head = this.allocate(32);
    this.root = this.writeTypes();
  }

  allocate(size: number, align = 16): bigint {
    const unit = BigInt(align);
    const at = ((this.next + unit - 1n) / unit) * unit;
    this.next = at + BigInt(size);
    this.memory.write(at, new Uint8Array(size));
    return at;
  }

  pointer(at: bigint, value: bigint): void {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, value), true);
    this.memory.write(at, bytes.subarray(0, this.width));
  }

  u32(at: bigint, value: number): void {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, value >>> 0, true);
    this.memory.write(at, bytes);
  }

  u64(at: bigint, value: bigint): void {
    this.u32(at, Number(value & 0xffffffffn));
    this.u32(at + 4n, Number(value >> 32n));
  }

  text(at: bigint, text: string): void {
    const bytes = Buffer.from(text, 'utf16le');
    const buffer = this.allocate(bytes.length, 2);
    this.memory.write(buffer, bytes);
    this.u32(at, bytes.length | (bytes.length << 16));
    this.pointer(at + BigInt(this.width), buffer);
  }

  private get body(): bigint {
    return BigInt(HEADER[this.width]);
  }

  /** An object with its header; returns the body. */
  object(
    type: string,
    size: number,
    more: { name?: string; directory?: bigint; creator?: boolean; pointers?: bigint; handles?: number } = {},
  ): bigint {
    const w = BigInt(this.width);
    const named = more.name === undefined ? 0 : this.width * 4;
    const creator = more.creator === true ? this.width * 4 : 0;
    const start = this.allocate(named + creator + Number(this.body) + size);
    const header = start + BigInt(named + creator);
    const body = header + this.body;
    this.pointer(header, more.pointers ?? 1n);
    this.pointer(header + w, BigInt(more.handles ?? 0));
    const index = TYPE_NAMES.indexOf(type) + 2;
    const typeAt = this.width === 8 ? 0x18n : 0xcn;
    const old = this.generation.typing === 'pointer';
    if (old) this.pointer(header + (this.width === 8 ? 0x10n : 8n), this.types[index - 2] ?? 0n);
    const nameDistance = named === 0 ? 0 : named + creator;
    const bytes = old
      ? Uint8Array.of(nameDistance, 0, 0, creator > 0 ? 4 : 0)
      : Uint8Array.of(this.encodeType(index, header), 0, (creator > 0 ? 1 : 0) | (named > 0 ? 2 : 0), 0);
    this.memory.write(header + typeAt, bytes);
    if (more.name !== undefined) {
      const info = header - BigInt(nameDistance);
      this.pointer(info, more.directory ?? 0n);
      this.text(info + w, more.name);
    }
    return body;
  }

  encodeType(index: number, header: bigint): number {
    if (this.generation.typing !== 'cookie') return index;
    return index ^ this.cookie ^ Number((header >> 8n) & 0xffn);
  }

  private writeTypes(): bigint {
    const { typeSize, typeName, typeIndex, key } = this.generation;
    const counts = [4, 8];
    for (const [i, name] of TYPE_NAMES.entries()) {
      const type = this.object('Type', typeSize, { name, creator: true });
      this.types.push(virtual(type));
      this.text(type + BigInt(typeName), name);
      this.u32(type + BigInt(typeIndex), i + 2);
      for (const [k, more] of counts.entries()) this.u32(type + BigInt(typeIndex + more), 1000 + i * 10 + k);
      this.memory.write(type + BigInt(key), Buffer.from(KEYS[i] ?? '', 'latin1'));
    }
    // The first type object was written before it could point to itself.
    if (this.generation.typing === 'pointer') {
      for (const type of this.types)
        this.pointer(type - this.body + (this.width === 8 ? 0x10n : 8n), this.types[0] ?? 0n);
    }
    const ring = [
      (this.types[0] ?? 0n) + BigInt(typeName - this.width * 2),
      ...this.types.map((type) => type - this.body - BigInt(this.width * 4)),
    ];
    ring.forEach((link, i) => {
      this.pointer(link, ring[(i + 1) % ring.length] ?? 0n);
      this.pointer(link + BigInt(this.width), ring[(i + ring.length - 1) % ring.length] ?? 0n);
    });
    const root = this.object('Directory', this.width * 40, { name: '\\' });
    const directory = this.object('Directory', this.width * 40, { name: 'ObjectTypes', directory: root });
    this.types.forEach((type, i) => {
      this.directoryEntry(directory, (i * 7) % 37, type);
      this.pointer(type - this.body - BigInt(this.width * 8), directory);
    });
    this.directoryEntry(root, 11, directory);
    this.variable('ObpRootDirectoryObject', root);
    this.variable('ObpTypeObjectType', this.types[0] ?? 0n);
    this.globals.set('PsActiveProcessHead', virtual(this.head));
    return root;
  }

  get rootDirectory(): bigint {
    return this.root;
  }

  directoryEntry(directory: bigint, bucket: number, object: bigint): void {
    const slot = directory + BigInt(bucket * this.width);
    const entry = this.allocate(this.width * 3);
    const before = this.memory.readPointer(virtual(slot)) as bigint;
    this.pointer(entry, before);
    this.pointer(entry + BigInt(this.width), object);
    this.pointer(slot, entry);
  }

  variable(name: string, value: bigint): void {
    const at = this.allocate(8);
    this.pointer(at, value);
    this.globals.set(name, virtual(at));
  }

  process(spec: ProcessSpec): bigint {
    const { process: p } = this.generation;
    const at = this.object('Process', p.size, { pointers: 10n });
    this.memory.write(at, Uint8Array.of(3, 0, 0, 0));
    if (spec.ended === true) this.u32(at + 4n, 1);
    this.pointer(at + (this.width === 8 ? 0x28n : 0x18n), BigInt(0x1000 * (spec.pid + 1)));
    this.pointer(at + BigInt(p.pid), BigInt(spec.pid));
    const created = CREATED + BigInt(spec.createdSeconds ?? spec.pid) * 10_000_000n;
    this.u64(at + BigInt(p.create), created);
    if (spec.ended === true) this.u64(at + BigInt(p.exit), created + 600_000_000n);
    this.pointer(at + BigInt(p.parent), BigInt(spec.parent ?? 0));
    this.memory.write(at + BigInt(p.image), Buffer.from(spec.image.slice(0, 15), 'latin1'));
    this.u32(at + BigInt(p.threads), spec.ended === true ? 0 : 5);
    this.pointer(at + BigInt(p.quota), 5000n);
    this.pointer(at + BigInt(p.quota + this.width), 7000n);
    if (spec.path !== undefined) {
      const info = this.allocate(16);
      this.text(info, spec.path);
      this.pointer(at + BigInt(p.path), info);
    }
    this.processes.push(virtual(at));
    this.links.push(at + BigInt(p.links));
    return at;
  }

  /** Closes the list of processes. */
  linkProcesses(): void {
    const w = BigInt(this.width);
    const ring = [this.head, ...this.links];
    ring.forEach((link, i) => {
      this.pointer(link, ring[(i + 1) % ring.length] ?? 0n);
      this.pointer(link + w, ring[(i + ring.length - 1) % ring.length] ?? 0n);
    });
  }

  /** References that a fresh handle takes in stock. */
  get stock(): bigint {
    const { entry } = this.generation;
    return { old: 0n, narrow: 0n, wide20: 0x7fffn, wide23: 0x3ffffn, wide11: 0x7fn, narrow27: 0x1fn, narrow26: 0x3fn }[
      entry
    ];
  }

  /** A table of the handles to `objects` (bodies; null leaves an entry free), with as many levels as it takes. */
  handleTable(process: bigint, objects: readonly (bigint | null)[], access = 0x1f0003): bigint {
    const pid = Number(this.memory.readU32(virtual(process + BigInt(this.generation.process.pid))));
    const table = this.writeTable(objects, pid, true, access);
    this.pointer(process + BigInt(this.generation.process.table), table);
    return table;
  }

  /** The table of ids: the entry of id n is that of handle n, and leads to the object itself. */
  idTable(ids: ReadonlyMap<number, bigint>): bigint {
    const objects: (bigint | null)[] = [];
    const perLeaf = this.width === 8 ? 256 : 512;
    for (const [id, body] of ids) {
      const entry = id / 4;
      objects[entry - 1 - Math.floor(entry / perLeaf)] = body;
    }
    for (let i = 0; i < objects.length; i++) objects[i] ??= null;
    const table = this.writeTable(objects, 0, false, 0);
    this.variable('PspCidTable', table);
    return table;
  }

  private writeTable(objects: readonly (bigint | null)[], pid: number, toHeader: boolean, access: number): bigint {
    const { generation: g, width } = this;
    const size = width === 8 ? 16 : 8;
    const perLeaf = 4096 / size;
    const leaves: bigint[] = [];
    for (let i = 0; i < Math.max(1, objects.length); i += perLeaf - 1) {
      const leaf = this.allocate(4096, 4096);
      leaves.push(leaf);
      objects.slice(i, i + perLeaf - 1).forEach((body, k) => {
        const at = leaf + BigInt((k + 1) * size);
        if (body === null) {
          // A free entry links to the next one, beside the word that says it is free.
          this.u32(at + BigInt(size / 2), (k + 2) * 4);
          return;
        }
        this.writeEntry(at, toHeader ? body - this.body : body, access);
        if (toHeader) this.countHandle(body);
      });
    }
    const perTable = 4096 / width;
    const above = (pages: readonly bigint[]): bigint => {
      const page = this.allocate(4096, 4096);
      pages.forEach((below, i) => { this.pointer(page + BigInt(i * width), below); }); // prettier-ignore
      return page;
    };
    const [only = 0n] = leaves;
    let code = only;
    if (leaves.length > perTable) {
      const middle: bigint[] = [];
      for (let i = 0; i < leaves.length; i += perTable) middle.push(above(leaves.slice(i, i + perTable)));
      code = above(middle) + 2n;
    } else if (leaves.length > 1) code = above(leaves) + 1n;
    const table = this.allocate(g.tableSize);
    this.pointer(table + BigInt(g.tableCode), code);
    this.u32(table + BigInt(g.next), leaves.length * perLeaf * 4);
    this.u32(table + BigInt(g.tableId), pid);
    const live = objects.filter((body) => body !== null).length;
    if (g.tableCount !== undefined) this.u32(table + BigInt(g.tableCount), live);
    else this.u32(table + (width === 8 ? 0x58n : g.tableSize === 0x5c ? 0x28n + 0xcn : 0x40n + 0xcn), live);
    return table;
  }

  /** Handle and pointer count of an object, as taking a handle changes them. */
  private countHandle(body: bigint): void {
    const header = body - this.body;
    const w = BigInt(this.width);
    const pointers = this.memory.readPointer(virtual(header)) as bigint;
    const handles = this.memory.readPointer(virtual(header + w)) as bigint;
    this.pointer(header, pointers + 1n + this.stock);
    this.pointer(header + w, handles + 1n);
  }

  writeEntry(at: bigint, object: bigint, access: number): void {
    const { entry } = this.generation;
    const low = BigInt.asUintN(64, object);
    const stock = this.stock;
    // Unlocked, inheritable, protected: bits that are masked off.
    const wide = (shift: bigint, flags: bigint): void => {
      this.u64(at, BigInt.asUintN(64, ((low >> 4n) << shift) | flags | (stock << 1n) | 1n));
      this.u32(at + 8n, access);
    };
    if (entry === 'old') {
      this.u64(at, low | 3n);
      this.u32(at + 8n, access);
    } else if (entry === 'wide23') wide(23n, 5n << 20n);
    else if (entry === 'wide20') wide(20n, 3n << 17n);
    else if (entry === 'wide11') wide(11n, 3n << 8n);
    else {
      this.u32(at, Number(low) | 3);
      const shift = entry === 'narrow27' ? 27n : 26n;
      this.u32(at + 4n, access | Number(entry === 'narrow' ? 0n : stock << shift));
    }
  }

  roots(more: Partial<ObjectRoots> = {}): ObjectRoots {
    const address = (name: string): Sourced<VirtualAddress> | null => {
      const value = this.globals.get(name);
      return value === undefined ? null : { value, source: 'kdbg' };
    };
    return {
      memory: this.memory,
      symbols: { address, layout: () => null },
      architecture: this.generation.architecture,
      buildNumber: this.generation.build,
      pagingLevels: this.generation.levels ?? 4,
      sizeOfProcess: null,
      knownOffsets: new Map(),
      directoryTableBase: this.width === 8 ? 0x28 : 0x18,
      processListHead: address('PsActiveProcessHead'),
      ...more,
    };
  }

  /** Takes the page of an address out of the memory. */
  lose(address: bigint): void {
    this.memory.pages.delete(BigInt.asUintN(64, address) / PAGE);
  }

  headerOf(body: bigint): bigint {
    return plus(virtual(body), -Number(this.body));
  }
}
