/** Object headers, and the optional headers below them, as each generation lays them out. */

import { putU32, putVa, type Va } from '../bytes.js';
import type { KernelFacts } from '../kernel-facts.js';
import { PAGE } from '../physical-memory.js';
import { Piece, putText } from './piece.js';
import type { PoolPages } from './pool-pages.js';
import type { Thing } from './model/things.js';

const CREATOR = 0x01;
const NAME = 0x02;
const HANDLE = 0x04;
const QUOTA = 0x08;
const PROCESS = 0x10;
/** Of Windows XP not published. */
const QUOTA_INFO = '_OBJECT_HEADER_QUOTA_INFO';

/** From the object upwards to lower addresses: the lowest bit is nearest. */
const OPTIONAL: readonly (readonly [bit: number, type: string])[] = [
  [CREATOR, '_OBJECT_HEADER_CREATOR_INFO'],
  [NAME, '_OBJECT_HEADER_NAME_INFO'],
  [HANDLE, '_OBJECT_HEADER_HANDLE_INFO'],
  [QUOTA, QUOTA_INFO],
  [PROCESS, '_OBJECT_HEADER_PROCESS_INFO'],
];

const EXCLUSIVE = 0x08;
const PERMANENT = 0x10;
const DEFAULT_SECURITY_QUOTA = 0x20;
const SINGLE_HANDLE_ENTRY = 0x40;
/** Before Windows 7: the creator's header stands directly below. */
const OLD_CREATOR = 0x04;

export class ObjectHeaders {
  readonly size: number;
  private security: Va | null = null;
  private readonly distance = new Map<number, number>();

  constructor(
    private readonly kernel: KernelFacts,
    private readonly pool: PoolPages,
    readonly cookie: number,
  ) {
    this.size = kernel.structs['_OBJECT_HEADER']?.fields['Body'] ?? 0x30;
  }

  /** The optional headers that an object has. */
  mask(thing: Thing): number {
    const { kind } = thing;
    return (
      (kind.name === 'Type' ? CREATOR : 0) |
      (thing.named === null ? 0 : NAME) |
      (kind.maintainsHandleCount ? HANDLE : 0) |
      (QUOTA_INFO in this.kernel.structs && (kind.name === 'Process' || kind.name === 'Event') ? QUOTA : 0) |
      (this.exclusive(thing) ? PROCESS : 0)
    );
  }

  /** Before Windows 7 the header about quota says it. */
  private exclusive(thing: Thing): boolean {
    return thing.exclusive !== null && this.kernel.build >= 7600;
  }

  /** Bytes from an optional header up to the object's: all present ones with its bit or a lower one. */
  distanceOf(mask: number, bit: number): number {
    const key = mask * 0x100 + bit;
    let sum = this.distance.get(key);
    if (sum === undefined) {
      sum = 0;
      for (const [one, type] of OPTIONAL)
        if ((mask & one) !== 0 && one <= bit) sum += this.kernel.structs[type]?.size ?? 0;
      this.distance.set(key, sum);
    }
    return sum;
  }

  /** Takes the block of an object; its header and body stand in one page. `extra` bytes follow the body. */
  place(thing: Thing, extra = 0): Piece {
    const { kind } = thing;
    const before = this.distanceOf(this.mask(thing), 0xff);
    const block = this.pool.allocate(kind.pool, kind.tag, before + this.size + kind.size + extra, true);
    thing.header = block.va + before;
    thing.body = thing.header + this.size;
    return new Piece(this.kernel, '', block.bytes, thing.body);
  }

  /** Writes the headers of a placed object, when all that refers to it is known. */
  write(thing: Thing, bytes: Uint8Array, typeBody: Va, quotaBlock: Va): void {
    const mask = this.mask(thing);
    const header = new Piece(this.kernel, '_OBJECT_HEADER', bytes, thing.header);
    header.word('PointerCount', thing.handles + thing.inverse + thing.references);
    header.word('HandleCount', thing.handles);
    const single = (mask & HANDLE) !== 0 && (thing.holders?.size ?? 0) <= 1;
    const flags =
      (this.exclusive(thing) ? EXCLUSIVE : 0) |
      (thing.permanent ? PERMANENT : 0) |
      DEFAULT_SECURITY_QUOTA |
      (single ? SINGLE_HANDLE_ENTRY : 0);
    if (header.has('TypeIndex')) {
      header.u8('InfoMask', mask);
      header.u8('TypeIndex', this.typeIndex(thing));
      header.u8('Flags', flags);
    } else {
      header.pointer('Type', typeBody);
      for (const [bit, field] of [
        [NAME, 'NameInfoOffset'],
        [HANDLE, 'HandleInfoOffset'],
        [QUOTA, 'QuotaInfoOffset'],
      ] as const)
        if ((mask & bit) !== 0) header.u8(field, this.distanceOf(mask, bit));
      header.u8('Flags', flags | ((mask & CREATOR) !== 0 ? OLD_CREATOR : 0));
    }
    header.pointer('QuotaBlockCharged', quotaBlock);
    // A fast reference: its low bits are a count.
    header.pointer('SecurityDescriptor', this.descriptor() + this.pool.fastMask);
    const optional = (bit: number, type: string): Piece =>
      new Piece(this.kernel, type, bytes, thing.header - this.distanceOf(mask, bit));
    if ((mask & NAME) !== 0) this.writeName(thing, optional(NAME, '_OBJECT_HEADER_NAME_INFO'));
    if ((mask & HANDLE) !== 0) this.writeHolders(thing, optional(HANDLE, '_OBJECT_HEADER_HANDLE_INFO'), single);
    if ((mask & PROCESS) !== 0)
      optional(PROCESS, '_OBJECT_HEADER_PROCESS_INFO').pointer('ExclusiveProcess', thing.exclusive?.thing.body ?? 0);
    if ((mask & QUOTA) !== 0) optional(QUOTA, QUOTA_INFO).u32('NonPagedPoolCharge', thing.kind.size);
  }

  /** A security descriptor that all objects share: revision 1, self-relative, with an empty list of rights. */
  private descriptor(): Va {
    if (this.security === null) {
      const block = this.pool.allocate('pagedPool', 'ObSc', 0x40);
      block.bytes.set(Uint8Array.of(1, 0, 4, 0x80), block.va % PAGE);
      this.security = block.va;
    }
    return this.security;
  }

  /** Where a type object's link in the list of all types stands. */
  typeListEntry(thing: Thing): Va {
    return thing.header - this.distanceOf(this.mask(thing), CREATOR);
  }

  /** From Windows 10 on mixed with the cookie and the second byte of the header's address. */
  private typeIndex(thing: Thing): number {
    const { index } = thing.kind;
    return this.kernel.build < 10240 ? index : index ^ this.cookie ^ (Math.floor(thing.header / 0x100) & 0xff);
  }

  private writeName(thing: Thing, info: Piece): void {
    const text = thing.named ?? '';
    const buffer = this.pool.allocate('pagedPool', 'ObNm', text.length * 2 + 2);
    putText(buffer.bytes, buffer.va % PAGE, text);
    info.unicode('Name', text.length, buffer.va);
    if (thing.directory) info.pointer('Directory', thing.directory.body);
  }

  /** One process inline, or a table of them. */
  private writeHolders(thing: Thing, info: Piece, single: boolean): void {
    const holders = [...(thing.holders ?? [])];
    const at = info.va % PAGE;
    const narrow = this.kernel.pointerSize === 4;
    const entry = (bytes: Uint8Array, offset: number, process: Va, count: number): void => {
      if (narrow) putU32(bytes, offset, process);
      else putVa(bytes, offset, process);
      putU32(bytes, offset + (narrow ? 4 : 8), count);
    };
    const [first] = holders;
    if (single) {
      if (first) entry(info.bytes, at, first[0].thing.body, first[1]);
      return;
    }
    const step = narrow ? 8 : 16;
    const table = this.pool.allocate('pagedPool', 'ObHd', step / 2 + holders.length * step);
    putU32(table.bytes, table.va % PAGE, holders.length);
    holders.forEach(([process, count], i) => {
      entry(table.bytes, (table.va % PAGE) + step / 2 + i * step, process.thing.body, count);
    });
    info.pointer('HandleCountDataBase', table.va);
  }
}
