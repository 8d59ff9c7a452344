/** Where functions of x86 images begin, by the calls that go there: these images have no exception table. */

import { plus } from '../../../parsers/addresses.js';
import { failed } from '../../../parsers/bytes/failure.js';
import { u32 } from '../../../parsers/bytes/fields.js';
import type { ImageBytes } from '../image/image-bytes.js';

const LARGEST_SCANNED = 256 * 1024 * 1024;

/** RVAs that direct calls (E8) go to, and that follow something that ends a function: sorted. */
export function callTargets(code: ImageBytes): Uint32Array {
  const found = new Set<number>();
  for (const section of code.headers.sections) {
    if (!section.executable || section.size > LARGEST_SCANNED) continue;
    const { memory, base, sizeOfImage } = code.module;
    const end = section.rva + section.size;
    for (const chunk of memory?.chunks(plus(base, section.rva), Math.min(section.size, sizeOfImage - section.rva)) ??
      []) {
      if (failed(chunk.bytes)) continue;
      const { bytes } = chunk;
      const start = section.rva + chunk.offset;
      for (let at = bytes.indexOf(0xe8); at >= 0 && at + 5 <= bytes.length; at = bytes.indexOf(0xe8, at + 1)) {
        const target = (start + at + 5 + (u32(bytes, at + 1) | 0)) | 0;
        if (target >= section.rva && target < end) found.add(target);
      }
    }
  }
  const ends = (rva: number): boolean => {
    if (rva % 16 === 0) return true;
    const [a, , last] = code.bytes(rva - 3, 3);
    if (last === 0xcc || last === 0x90 || last === 0xc3) return true;
    // Behind `ret n`; four zeros are the constant of an instruction more often than padding.
    if (last === 0 && a === 0xc2) return true;
    const [b0, b1, b2, b3, b4] = code.bytes(rva, 5);
    const isPrologue = b0 === 0x55 && b1 === 0x8b && b2 === 0xec;
    return isPrologue || (b0 === 0x8b && b1 === 0xff && b2 === 0x55 && b3 === 0x8b && b4 === 0xec);
  };
  return Uint32Array.from(found).sort().filter(ends);
}
