/**
 * Objects of the kernel-mode driver framework. No kernel's symbols tell their layout; what its published source says of the
 * first fields is proved each time: a table of functions in the framework's image, a type and a size that fit, a list of
 * children that closes, and globals that hold the driver's name beside the very tag of the block (WDF_DRIVER_GLOBALS).
 */

import { plus, virtual, type VirtualAddress } from '../../../../parsers/addresses.js';
import { failed } from '../../../../parsers/bytes/failure.js';
import { u16, u32 } from '../../../../parsers/bytes/fields.js';
import { toVirtual } from '../../../../parsers/heap/memory.js';
import { plainTag } from '../../../../parsers/kernel/tag.js';
import type { KeptBlock } from '../blocks/sample.js';
import type { Decoder, Recognized } from './recognized.js';
import { pointerAt, type ContentWorld } from './world.js';

const FRAMEWORK = 'wdf01000.sys';
/** Headers of the framework's pool stand in front of the object. */
const LAST_START = 0x80;
/** Bytes of the driver's globals in which the documented part of them is looked for. */
const GLOBALS_BYTES = 0x800;
const NAME_BYTES = 32;
const TYPES = { least: 0x1000, most: 0x13ff };
const MOST_REFERENCES = 1_000_000;
const MOST_KEPT = 10_000;

/** Offsets of `FxObject`; WDF_DRIVER_GLOBALS: Driver, DriverFlags, DriverTag, DriverName[32]. */
const LAYOUTS = {
  8: { type: 8, size: 0xa, references: 0xc, globals: 0x10, children: 0x20, tag: 0xc, name: 0x10 },
  4: { type: 4, size: 6, references: 8, globals: 0xc, children: 0x14, tag: 8, name: 0xc },
} as const;

/** Recognizes objects of the framework. */
export class WdfObjectDecoder implements Decoder {
  readonly kind = 'WDF object';
  readonly plural = 'framework objects (WDF)';
  private readonly drivers = new Map<string, string | null>();

  constructor(private readonly world: ContentWorld) {}

  read({ address, data, room, key }: KeptBlock): Recognized | null {
    const { pointerSize } = this.world;
    const layout = LAYOUTS[pointerSize];
    const step = 2 * pointerSize;
    for (let at = 0; at <= LAST_START && at + layout.children + step <= data.length; at += step) {
      const type = u16(data, at + layout.type);
      const size = u16(data, at + layout.size);
      if (type < TYPES.least || type > TYPES.most || size < layout.children + step || at + size > room) continue;
      const references = u32(data, at + layout.references);
      if (references === 0 || references > MOST_REFERENCES) continue;
      if (!this.isTable(pointerAt(data, at, pointerSize))) continue;
      if (!this.closes(data, at + layout.children, plus(toVirtual(address), at + layout.children))) continue;
      const name = this.driverOf(pointerAt(data, at + layout.globals, pointerSize), key);
      if (name === null) continue;
      const module = this.world.names.moduleNamed(name);
      return {
        leads: [{ how: 'of the driver', name: module?.name ?? name }],
        driver: module === null ? null : { how: 'of the driver', module, offset: null },
        traits: [`type 0x${type.toString(16)}`],
        source: null,
      };
    }
    return null;
  }

  /** A table of functions in the framework's image, whose first leads to its code. */
  private isTable(address: VirtualAddress): boolean {
    const { world } = this;
    const isOwn = (at: VirtualAddress): boolean => world.moduleAt(at)?.name.toLowerCase() === FRAMEWORK;
    if (!world.isKernelPointer(address) || !isOwn(address)) return false;
    const first = world.memory.readPointer(address);
    return !failed(first) && isOwn(first);
  }

  /** A list whose first and last entry lead back to its head. */
  private closes(data: Uint8Array, at: number, head: VirtualAddress): boolean {
    const { memory, pointerSize } = this.world;
    const [first, last] = [pointerAt(data, at, pointerSize), pointerAt(data, at + pointerSize, pointerSize)];
    if (first === head || last === head) return first === last;
    if (!this.world.isKernelPointer(first) || !this.world.isKernelPointer(last)) return false;
    const [back, on] = [memory.readPointer(plus(first, pointerSize)), memory.readPointer(last)];
    return !failed(back) && !failed(on) && back === head && on === head;
  }

  /** The service name beside the tag; null where it stands nowhere in the globals, or two stand there. */
  private driverOf(globals: VirtualAddress, key: number): string | null {
    if (!this.world.isKernelPointer(globals)) return null;
    const known = `${globals.toString(16)} ${key}`;
    let name = this.drivers.get(known);
    if (name === undefined) {
      name = this.readName(globals, key);
      if (this.drivers.size < MOST_KEPT) this.drivers.set(known, name);
    }
    return name;
  }

  private readName(globals: VirtualAddress, key: number): string | null {
    const { memory, pointerSize } = this.world;
    const layout = LAYOUTS[pointerSize];
    const names = new Set<string>();
    for (const { bytes } of memory.chunks(virtual(globals), GLOBALS_BYTES)) {
      if (failed(bytes)) break;
      for (let at = 0; at + layout.name + NAME_BYTES <= bytes.length; at += pointerSize) {
        if (plainTag(u32(bytes, at + layout.tag)) !== key) continue;
        const name = nameIn(bytes.subarray(at + layout.name, at + layout.name + NAME_BYTES));
        if (name !== null) names.add(name);
      }
    }
    const [name] = names;
    return names.size === 1 ? (name ?? null) : null;
  }
}

/** A name of printable characters and nothing but zeros behind it. */
function nameIn(bytes: Uint8Array): string | null {
  const match = /^([\x21-\x7e]{1,31})\0+$/.exec(Buffer.from(bytes).toString('latin1'));
  return match?.[1] ?? null;
}
