/**
 * `MmPagingFile` without symbols: an array of pointers in the kernel's data whose targets are paging files, told by their
 * sizes and their names. The debugger block says how many there are, but not where.
 */

import { plus, virtual, type VirtualAddress } from '../../../parsers/addresses.js';
import { failed } from '../../../parsers/bytes/failure.js';
import { u32, u64 } from '../../../parsers/bytes/fields.js';
import type { StructLayout } from '../../../parsers/kernel/layout.js';
import { field, readUnicodeString } from '../../../parsers/kernel/structures.js';
import type { VirtualMemory } from '../../../parsers/paging/virtual-memory.js';
import { dataSections } from './data-sections.js';
import type { KernelImage } from '../open/locate-kernel.js';

/** Distinct pointers that are looked behind, at most. */
const MOST_LOOKS = 200_000;
/** `\??\C:\pagefile.sys`, `\DosDevices\C:\swapfile.sys`: not `\SystemRoot\...`, as modules have it in this very place. */
const FILE_NAME = /^\\(?:\?\?|DosDevices|Device)\\[\x20-\x7e]{2,200}\.[A-Za-z]{1,8}$/i;
/** Pages that no paging file has; pointers are larger. */
const TOO_LARGE = 2 ** 31;

/** Where the array of `count` pointers begins, or null where no such array, or more than one, was found. */
export function findPagingFiles(
  memory: VirtualMemory,
  image: KernelImage,
  layout: StructLayout,
  count: number,
): VirtualAddress | null {
  if (count === 0) return null;
  const isFile = fileTest(memory, layout);
  const width = memory.pointerSize;
  let found: VirtualAddress | null = null;
  let run = 0;
  for (const { rva, size } of dataSections(image)) {
    run = 0;
    const start = plus(image.base, rva);
    for (const chunk of memory.chunks(start, size)) {
      if (failed(chunk.bytes)) {
        run = 0;
        continue;
      }
      for (let at = 0; at + width <= chunk.bytes.length; at += width) {
        const low = u32(chunk.bytes, at);
        const isKernel = width === 4 ? low >= 0x8000_0000 : u32(chunk.bytes, at + 4) >= 0xffff_8000;
        const pointer = isKernel && low % width === 0 ? (width === 4 ? BigInt(low) : u64(chunk.bytes, at)) : 0n;
        run = pointer !== 0n && isFile(virtual(pointer)) ? run + 1 : 0;
        if (run !== count) continue;
        if (found !== null) return null;
        found = plus(start, chunk.offset + at - (count - 1) * width);
      }
    }
  }
  return found;
}

/** Says of an address whether a `_MMPAGING_FILE` stands there; remembers its answers. */
function fileTest(memory: VirtualMemory, layout: StructLayout): (address: VirtualAddress) => boolean {
  const name = layout.fields['PageFileName']?.offset ?? null;
  const known = new Map<bigint, boolean>();
  const look = (address: VirtualAddress): boolean => {
    const bytes = name === null ? null : memory.read(address, layout.size);
    if (name === null || bytes === null || failed(bytes)) return false;
    const pages = (of: string): number => Number(field(bytes, layout, of, memory.pointerSize) ?? -1n);
    const [size, free, least, most] = [pages('Size'), pages('FreeSpace'), pages('MinimumSize'), pages('MaximumSize')];
    if (size <= 0 || free < 0 || free > size || least > size || size > most || most >= TOO_LARGE) return false;
    const text = readUnicodeString(memory, bytes, name);
    return !failed(text) && FILE_NAME.test(text);
  };
  return (address) => {
    let answer = known.get(address);
    if (answer === undefined) {
      if (known.size >= MOST_LOOKS) return false;
      answer = look(address);
      known.set(address, answer);
    }
    return answer;
  };
}
