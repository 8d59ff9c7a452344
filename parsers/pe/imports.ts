/**
 * The import tables of an image, delay-loaded ones included: which slot of the import address table is which function.
 * Layouts are those of the PE specification. In memory the names are often gone, because they stand in a section that
 * is discarded after the start.
 */

import { plus, type VirtualAddress } from '../addresses.js';
import { failed } from '../bytes/failure.js';
import { asciiz, u32 } from '../bytes/fields.js';
import type { VirtualMemory } from '../paging/virtual-memory.js';
import { DIRECTORY, type ImageHeaders } from './image.js';

const MOST_DESCRIPTORS = 1024;
/** Slots of all descriptors together. */
const MOST_SLOTS = 0x10000;
const LONGEST_NAME = 512;
const DESCRIPTOR = 20;
const DELAY_DESCRIPTOR = 32;
/** Slots read at once. */
const SLOTS_A_READ = 64;

/** What the import tables name. */
export interface Imports {
  /** By RVA of the slot. Functions that are imported by number have none. */
  readonly names: ReadonlyMap<number, string>;
  /** False where pages of the tables were missing or they cannot be true: more may be imported. */
  readonly complete: boolean;
}

/** Reads the import tables; what is missing only costs its own names. */
export function readImports(
  memory: VirtualMemory,
  base: VirtualAddress,
  headers: ImageHeaders,
  pointer: 4 | 8,
): Imports {
  return new ImportReader(memory, base, headers, pointer).read();
}

class ImportReader {
  private readonly names = new Map<number, string>();
  private complete = true;
  private slots = 0;

  constructor(
    private readonly memory: VirtualMemory,
    private readonly base: VirtualAddress,
    private readonly headers: ImageHeaders,
    private readonly pointer: 4 | 8,
  ) {}

  read(): Imports {
    // Names from the lookup table, else from the slots themselves (in images that have only those).
    this.descriptors(DIRECTORY.import, DESCRIPTOR, 12, (d) => {
      this.thunks(u32(d, 0) || u32(d, 16), u32(d, 16));
    });
    this.descriptors(DIRECTORY.delayImport, DELAY_DESCRIPTOR, 4, (d) => {
      // Bit 0: fields are RVAs. Others are of compilers long gone.
      if ((u32(d, 0) & 1) !== 0) this.thunks(u32(d, 16), u32(d, 12));
    });
    return { names: this.names, complete: this.complete };
  }

  /** Walks an array of descriptors; the one without a name ends it. */
  private descriptors(which: number, size: number, nameAt: number, each: (descriptor: Uint8Array) => void): void {
    const directory = this.headers.directories[which];
    if (directory === undefined || directory.rva === 0) return;
    for (let i = 0; i < MOST_DESCRIPTORS; i++) {
      const descriptor = this.at(directory.rva + i * size, size);
      if (descriptor === null) {
        this.complete = false;
        return;
      }
      if (u32(descriptor, nameAt) === 0) return;
      each(descriptor);
    }
    this.complete = false;
  }

  private thunks(names: number, slots: number): void {
    const { pointer } = this;
    if (names === 0 || slots === 0) return;
    for (let done = 0; ; done += SLOTS_A_READ) {
      const bytes = this.some(names + done * pointer, SLOTS_A_READ * pointer);
      for (let i = 0; i * pointer < bytes.length; i++) {
        const low = u32(bytes, i * pointer);
        const high = pointer === 8 ? u32(bytes, i * pointer + 4) : low;
        if (low === 0 && (pointer === 4 || high === 0)) return;
        if (++this.slots > MOST_SLOTS) {
          this.complete = false;
          return;
        }
        // The highest bit: imported by number.
        if (high >>> 31 === 1) continue;
        this.name(low, slots + (done + i) * pointer);
      }
      if (bytes.length < SLOTS_A_READ * pointer) {
        this.complete = false;
        return;
      }
    }
  }

  private name(rva: number, slot: number): void {
    if (rva >= this.headers.sizeOfImage || slot >= this.headers.sizeOfImage) return;
    const bytes = this.some(rva + 2, LONGEST_NAME);
    const text = asciiz(bytes, 0, bytes.length);
    if (bytes.length === 0) this.complete = false;
    else if (text.length < bytes.length && /^[\x21-\x7e]+$/.test(text)) this.names.set(slot, text);
  }

  private at(rva: number, length: number): Uint8Array | null {
    if (rva + length > this.headers.sizeOfImage) return null;
    const bytes = this.memory.read(plus(this.base, rva), length);
    return failed(bytes) ? null : bytes;
  }

  /** Up to `length` bytes, ending where the image or its pages in memory end. */
  private some(rva: number, length: number): Uint8Array {
    const room = Math.min(length, this.headers.sizeOfImage - rva);
    if (room <= 0) return new Uint8Array(0);
    const whole = this.at(rva, room);
    if (whole !== null) return whole;
    return this.at(rva, Math.min(room, 0x1000 - (rva & 0xfff))) ?? new Uint8Array(0);
  }
}
