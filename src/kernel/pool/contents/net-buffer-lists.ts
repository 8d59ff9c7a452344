/**
 * NET_BUFFER_LIST of NDIS 6, by its documented declaration (no kernel's symbols tell it): its first buffer names a chain of
 * memory descriptor lists that prove themselves and hold at least as many bytes as the buffer says.
 */

import type { VirtualAddress } from '../../../../parsers/addresses.js';
import { failed } from '../../../../parsers/bytes/failure.js';
import { u32 } from '../../../../parsers/bytes/fields.js';
import type { KeptBlock } from '../blocks/sample.js';
import type { Mdls } from './mdls.js';
import type { Decoder, Recognized } from './recognized.js';
import { pointerAt, type ContentWorld } from './world.js';

/** What NDIS may have in front of the list. */
const LAST_START = 0x80;
const LONGEST_CHAIN = 64;
const MOST_CHILDREN = 0x10000;

/** Offsets in the list, then in a buffer. */
const LAYOUTS = {
  8: {
    list: { first: 8, parent: 0x18, pool: 0x20, source: 0x78, children: 0x84, size: 0x90 },
    buffer: { current: 8, currentOffset: 0x10, length: 0x18, chain: 0x20, offset: 0x28, pool: 0x38, size: 0x40 },
  },
  4: {
    list: { first: 4, parent: 0xc, pool: 0x10, source: 0x3c, children: 0x44, size: 0x50 },
    buffer: { current: 4, currentOffset: 8, length: 0xc, chain: 0x10, offset: 0x14, pool: 0x1c, size: 0x20 },
  },
} as const;

/** Recognizes lists of network buffers. */
export class NetBufferListDecoder implements Decoder {
  readonly kind = 'net buffer list';
  readonly plural = 'lists of network buffers (NDIS)';

  constructor(
    private readonly world: ContentWorld,
    private readonly mdls: Mdls,
  ) {}

  read({ data }: KeptBlock): Recognized | null {
    const { pointerSize } = this.world;
    const { list } = LAYOUTS[pointerSize];
    for (let at = 0; at <= LAST_START && at + list.size <= data.length; at += 2 * pointerSize) {
      const pointer = (offset: number): VirtualAddress => pointerAt(data, at + offset, pointerSize);
      const pool = pointer(list.pool);
      if (!this.world.isKernelPointer(pool) || !this.world.isKernelPointer(pointer(list.first))) continue;
      if (![0, list.parent, list.source].every((offset) => this.world.isLink(pointer(offset)))) continue;
      if (u32(data, at + list.children) > MOST_CHILDREN || !this.isBuffer(pointer(list.first))) continue;
      return {
        leads: [{ how: 'of the pool at', name: `0x${pool.toString(16)}` }],
        ...{ traits: [], driver: null, source: null },
      };
    }
    return null;
  }

  private isBuffer(address: VirtualAddress): boolean {
    const { memory, pointerSize } = this.world;
    const { buffer } = LAYOUTS[pointerSize];
    const bytes = memory.read(address, buffer.size);
    if (failed(bytes)) return false;
    const pointer = (offset: number): VirtualAddress => pointerAt(bytes, offset, pointerSize);
    if (!this.world.isLink(pointer(0)) || !this.world.isLink(pointer(buffer.pool))) return false;
    const [length, offset] = [u32(bytes, buffer.length), u32(bytes, buffer.offset)];
    let room = 0;
    let hasCurrent = false;
    let currentRoom = 0;
    let at = pointer(buffer.chain);
    for (let i = 0; i < LONGEST_CHAIN && at !== 0n; i++) {
      const mdl = this.mdls.at(at);
      if (mdl === null) return false;
      room += mdl.bytes;
      if (at === pointer(buffer.current)) [hasCurrent, currentRoom] = [true, mdl.bytes];
      at = mdl.next;
    }
    return hasCurrent && u32(bytes, buffer.currentOffset) <= currentRoom && offset + length <= room;
  }
}
