/** An image's bytes, by RVA, as far as they can be read. */

import { plus } from '../../../parsers/addresses.js';
import { failed } from '../../../parsers/bytes/failure.js';
import type { VirtualMemory } from '../../../parsers/paging/virtual-memory.js';
import type { ImageHeaders, ImageSection } from '../../../parsers/pe/image.js';
import type { CodeModule } from './code-module.js';
import type { Machine } from '../flow/machine.js';

export class ImageBytes {
  /** The image's base modulo 2^32. */
  readonly base: number;
  private page: { rva: number; bytes: Uint8Array } | null = null;

  constructor(
    readonly machine: Machine,
    readonly memory: VirtualMemory,
    readonly headers: ImageHeaders,
    readonly module: CodeModule,
  ) {
    this.base = Number(BigInt.asIntN(32, module.base));
  }

  /** Up to `length` bytes at an RVA, ending at the first missing page. */
  bytes(rva: number, length: number): Uint8Array {
    const { memory, module } = this;
    const room = Math.min(length, module.sizeOfImage - rva);
    if (room <= 0 || rva < 0) return new Uint8Array(0);
    if (room <= 16) {
      // Single instructions are asked for one after another.
      if (this.page === null || rva < this.page.rva || rva + room > this.page.rva + this.page.bytes.length) {
        const start = rva & ~0xfff;
        this.page = { rva: start, bytes: this.gathered(start, 0x2000) };
      }
      const at = rva - this.page.rva;
      return this.page.bytes.subarray(at, at + room);
    }
    const whole = memory.read(plus(module.base, rva), room);
    return failed(whole) ? this.gathered(rva, room) : whole;
  }

  private gathered(rva: number, length: number): Uint8Array {
    const { memory, module } = this;
    const parts: Uint8Array[] = [];
    for (const chunk of memory.chunks(plus(module.base, rva), Math.min(length, module.sizeOfImage - rva))) {
      if (failed(chunk.bytes)) break;
      parts.push(chunk.bytes.slice());
    }
    return Buffer.concat(parts);
  }

  /** The executable section that holds an RVA, or null. */
  sectionAt(rva: number): ImageSection | null {
    return this.headers.sections.find((s) => s.executable && rva >= s.rva && rva < s.rva + s.size) ?? null;
  }

  /** Where a pointer in the image leads: an RVA; null where it cannot be read or leads elsewhere. */
  pointerAt(rva: number): number | null {
    const { base, sizeOfImage } = this.module;
    if (rva < 0 || rva + this.machine.pointerSize > sizeOfImage) return null;
    const pointer = this.memory.readPointer(plus(base, rva));
    if (failed(pointer)) return null;
    const inside = Number(pointer - base);
    return inside > 0 && inside < sizeOfImage ? inside : null;
  }
}
