/**
 * `_MDL`: a size that is that of its header and of as many page frames as its bytes span, a page-aligned start, and what
 * its flags promise: frames that exist, a mapping with the same offset in the page, frames that page tables agree with.
 */

import { failed } from '../../../../parsers/bytes/failure.js';
import { u32, u64 } from '../../../../parsers/bytes/fields.js';
import { plus, virtual, type VirtualAddress } from '../../../../parsers/addresses.js';
import type { StructLayout } from '../../../../parsers/kernel/layout.js';
import type { FigureSource } from '../../../../symbols/kernel-symbols.js';
import type { KeptBlock } from '../blocks/sample.js';
import type { Decoder, Recognized } from './recognized.js';
import { Fields, type ContentWorld } from './world.js';

const PAGE = 4096;
const LARGEST_SHORT = 0x7fff;
/** Frames of one list that are looked at. */
const MOST_FRAMES = 32;
/** Frame numbers have 40 bits; the highest of the machine is not asked for where nothing tells it. */
const HIGHEST_FRAME = 2 ** 40;
/** Documented bits of MdlFlags. */
const MAPPED = 0x0001;
const LOCKED = 0x0002;
const NONPAGED = 0x0004;
const FIXED_SIZE = 0x0008;
const PARTIAL = 0x0010;
const WRITE = 0x0080;

/** A list that proved to be one. */
export interface FoundMdl {
  readonly flags: number;
  readonly bytes: number;
  readonly process: VirtualAddress | null;
  readonly next: VirtualAddress;
  readonly source: FigureSource;
}

/** Reads memory descriptor lists. */
export class Mdls {
  private readonly highest: number;

  constructor(private readonly world: ContentWorld) {
    const last = world.kernel.variable('MmHighestPhysicalPage');
    this.highest = failed(last) || last.value <= 0n || last.value >= HIGHEST_FRAME ? HIGHEST_FRAME : Number(last.value);
  }

  /** The list at an address; null where none proves to be there. */
  at(address: VirtualAddress): FoundMdl | null {
    if (!this.world.isKernelPointer(address)) return null;
    for (const { value, source } of this.world.layoutsOf('_MDL')) {
      const head = this.world.at(address, value);
      const size = head?.u16('Size') ?? 0;
      if (head === null || size < value.size || size > LARGEST_SHORT) continue;
      const bytes = this.world.memory.read(address, Math.min(size, value.size + MOST_FRAMES * this.world.pointerSize));
      if (failed(bytes)) continue;
      const found = this.read(value, bytes, size, source);
      if (found !== null) return found;
    }
    return null;
  }

  /** The list at the start of `bytes`, of which `room` bytes are at most the list's. */
  read(layout: StructLayout, bytes: Uint8Array, room: number, source: FigureSource): FoundMdl | null {
    const { world } = this;
    const mdl = new Fields(layout, bytes, 0, world.pointerSize);
    const [size, flags] = [mdl.u16('Size'), mdl.u16('MdlFlags')];
    const [count, offset] = [mdl.u32('ByteCount'), mdl.u32('ByteOffset')];
    const [next, start] = [mdl.pointer('Next'), mdl.pointer('StartVa')];
    const [mapped, process] = [mdl.pointer('MappedSystemVa'), mdl.pointer('Process')];
    if (size === null || flags === null || count === null || offset === null) return null;
    if (next === null || start === null || mapped === null || process === null) return null;
    const pages = Math.ceil((offset + count) / PAGE);
    const needed = layout.size + pages * world.pointerSize;
    // Pages that were allocated for a list may be fewer than were asked for; all others have exactly as many.
    const isOwnPages = start === 0n && (flags & LOCKED) !== 0;
    if (count === 0 || offset >= PAGE || start % BigInt(PAGE) !== 0n) return null;
    if (size > room || (isOwnPages ? size < needed || (size - needed) % world.pointerSize !== 0 : size !== needed))
      return null;
    if (!world.isLink(next) || !world.isLink(process)) return null;
    if (!this.keepsPromises(flags, { start, offset, mapped }, this.framesOf(bytes, layout.size, pages))) return null;
    return { flags, bytes: count, process: process === 0n ? null : process, next, source };
  }

  /** Null where a frame cannot be one. */
  private framesOf(bytes: Uint8Array, at: number, pages: number): number[] | null {
    const { pointerSize } = this.world;
    const frames: number[] = [];
    for (let i = 0; i < Math.min(pages, MOST_FRAMES) && at + (i + 1) * pointerSize <= bytes.length; i++) {
      const place = at + i * pointerSize;
      const frame = pointerSize === 8 ? u64(bytes, place) : BigInt(u32(bytes, place));
      if (frame === 0n || frame > this.highest) return null;
      frames.push(Number(frame));
    }
    return frames.length === 0 ? null : frames;
  }

  private keepsPromises(
    flags: number,
    { start, offset, mapped }: { start: VirtualAddress; offset: number; mapped: VirtualAddress },
    frames: readonly number[] | null,
  ): boolean {
    const { world } = this;
    if ((flags & (MAPPED | NONPAGED | LOCKED)) === 0) {
      // Only described yet: nothing but its own fields speaks for it.
      return start !== 0n && mapped === 0n && (flags & ~(FIXED_SIZE | PARTIAL | WRITE)) === 0;
    }
    if (frames === null) return false;
    if ((flags & (MAPPED | NONPAGED)) === 0) return true;
    if (!world.isKernelPointer(virtual(mapped & ~0xfffn)) || Number(mapped & 0xfffn) !== offset) return false;
    if ((flags & NONPAGED) !== 0 && mapped !== plus(start, offset)) return false;
    // Where page tables tell the frame, they decide.
    const physical = world.memory.translate(virtual(mapped & ~0xfffn));
    return failed(physical) || Math.floor(physical / PAGE) === frames[0];
  }
}

/** Recognizes blocks that are a list. */
export class MdlDecoder implements Decoder {
  readonly kind = 'Mdl';
  readonly plural = 'memory descriptor lists';

  constructor(
    private readonly world: ContentWorld,
    private readonly mdls: Mdls,
  ) {}

  read({ data, room }: KeptBlock): Recognized | null {
    for (const { value, source } of this.world.layoutsOf('_MDL')) {
      const mdl = this.mdls.read(value, data, room, source);
      if (mdl === null) continue;
      if (mdl.next !== 0n && this.mdls.at(mdl.next) === null) continue;
      const process = this.world.processAt(mdl.process);
      const traits = [
        ...((mdl.flags & LOCKED) === 0 ? [] : ['pages locked']),
        ...((mdl.flags & MAPPED) === 0 ? [] : ['mapped']),
        ...((mdl.flags & NONPAGED) === 0 ? [] : ['of nonpaged pool']),
      ];
      return {
        leads: process === null ? [] : [{ how: 'of', name: process }],
        ...{ traits, driver: null, source: mdl.source },
      };
    }
    return null;
  }
}
