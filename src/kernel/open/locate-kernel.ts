/** Finds the nt kernel's image in a dump, and the debugger block in it, also where the header's pointers are wrong. */

import { PAGE_SIZE, plus, virtual, type VirtualAddress } from '../../../parsers/addresses.js';
import { failed, hex } from '../../../parsers/bytes/failure.js';
import { u16 } from '../../../parsers/bytes/fields.js';
import type { DumpHeader } from '../../../parsers/dump/header.js';
import {
  DebuggerData,
  debuggerDataSize,
  decodeDebuggerData,
  KDBG_HEADER_SIZE,
  type DecodeKeys,
} from '../../../parsers/kernel/debugger-data.js';
import { commonKldr } from '../../../parsers/kernel/kldr.js';
import { field, walkList } from '../../../parsers/kernel/structures.js';
import type { VirtualMemory } from '../../../parsers/paging/virtual-memory.js';
import { readImageHeaders, type ImageHeaders } from '../../../parsers/pe/image.js';
import type { KernelSymbols } from '../../../symbols/kernel-symbols.js';

/** The kernel's image. */
export interface KernelImage {
  readonly base: VirtualAddress;
  /** Null where the header page is not in the dump. */
  readonly headers: ImageHeaders | null;
  /** Bytes, from the headers, else from the module list; null where neither tells. */
  readonly size: number | null;
  /** How it was found, where not through the module list. */
  readonly note: string | null;
}

/** No kernel image is larger. */
const LARGEST_KERNEL = 64 * 1024 * 1024;
const MOST_MODULES = 4096;

/**
 * The kernel's image: the module that holds the head of PsLoadedModuleList; else what a plain debugger block says; else
 * the nearest image header below an address that is known to lie in the kernel.
 */
export function locateKernel(memory: VirtualMemory, header: DumpHeader): KernelImage | null {
  const head = header.psLoadedModuleList;
  if (head !== null) {
    const kldr = commonKldr(memory.pointerSize);
    for (const entry of walkList(memory, head, MOST_MODULES).entries) {
      const bytes = memory.read(entry, kldr.size);
      if (failed(bytes)) continue;
      const base = virtual(field(bytes, kldr, 'DllBase', memory.pointerSize) ?? 0n);
      const size = Number(field(bytes, kldr, 'SizeOfImage') ?? 0n);
      if (base !== 0n && head >= base && head < base + BigInt(size) && mayBegin(memory, base)) {
        return kernelAt(memory, base, size, null);
      }
    }
  }
  const block = header.kdDebuggerDataBlock === null ? null : readPlainBlock(memory, header.kdDebuggerDataBlock);
  const kernBase = block?.pointer('KernBase') ?? null;
  if (kernBase !== null && !failed(readImageHeaders(memory, kernBase))) {
    return kernelAt(memory, kernBase, null, 'found through the debugger block');
  }
  for (const hint of [head, header.pfnDataBase, header.kdDebuggerDataBlock, header.psActiveProcessHead]) {
    const base = hint === null ? null : imageBelow(memory, hint);
    if (base !== null) return kernelAt(memory, base, null, `found by the image header below ${hex(hint ?? 0)}`);
  }
  return null;
}

function kernelAt(memory: VirtualMemory, base: VirtualAddress, size: number | null, note: string | null): KernelImage {
  const headers = readImageHeaders(memory, base);
  return failed(headers) ? { base, headers: null, size, note } : { base, headers, size: headers.sizeOfImage, note };
}

/** False where the page at `base` can be read and holds no image header: an entry of the list is damaged then. */
function mayBegin(memory: VirtualMemory, base: VirtualAddress): boolean {
  const headers = readImageHeaders(memory, base);
  return !failed(headers) || headers.code !== 'corrupt';
}

/** The base of the image that covers `address`, searched downwards page by page. */
function imageBelow(memory: VirtualMemory, address: VirtualAddress): VirtualAddress | null {
  const top = virtual(address & ~0xfffn);
  for (let down = 0; down < LARGEST_KERNEL; down += PAGE_SIZE) {
    const base = plus(top, -down);
    const mark = memory.read(base, 2);
    if (failed(mark) || u16(mark, 0) !== 0x5a4d) continue;
    const headers = readImageHeaders(memory, base);
    if (!failed(headers) && headers.sizeOfImage > down) return base;
  }
  return null;
}

/** The block at `address` if it is there in the clear. */
function readPlainBlock(memory: VirtualMemory, address: VirtualAddress): DebuggerData | null {
  const head = memory.read(address, KDBG_HEADER_SIZE);
  if (failed(head)) return null;
  const size = debuggerDataSize(head);
  if (failed(size)) return null;
  const bytes = memory.read(address, size);
  return failed(bytes) ? null : new DebuggerData(bytes, address, false, memory.pointerSize);
}

/**
 * The debugger block: where the header says, where the kernel's symbols say, then by searching the kernel's image.
 * Encoded blocks are decoded where the symbols know the keys. A block is accepted only when it names this kernel's base.
 */
export function locateDebuggerData(
  memory: VirtualMemory,
  header: DumpHeader,
  kernel: KernelImage | null,
  symbols: KernelSymbols | null,
): DebuggerData | null {
  const keys = symbols === null ? null : decodeKeys(memory, symbols);
  const fits = (block: DebuggerData | null): block is DebuggerData =>
    block !== null && (kernel === null || block.pointer('KernBase') === kernel.base);
  const places = [header.kdDebuggerDataBlock, symbols?.address('KdDebuggerDataBlock')?.value ?? null];
  for (const place of places) {
    if (place === null) continue;
    const block = readPlainBlock(memory, place) ?? (keys === null ? null : readEncodedBlock(memory, place, keys));
    if (fits(block)) return block;
  }
  if (kernel?.size === null || kernel === null) return null;
  return searchBlock(memory, kernel.base, Math.min(kernel.size, LARGEST_KERNEL), fits);
}

function decodeKeys(memory: VirtualMemory, symbols: KernelSymbols): DecodeKeys | null {
  const value = (name: string): bigint | null => {
    const address = symbols.address(name);
    const read = address === null ? null : memory.readU64(address.value);
    return read === null || failed(read) ? null : read;
  };
  const KiWaitNever = value('KiWaitNever');
  const KiWaitAlways = value('KiWaitAlways');
  const flag = symbols.address('KdpDataBlockEncoded');
  if (KiWaitNever === null || KiWaitAlways === null || flag === null) return null;
  return { KiWaitNever, KiWaitAlways, KdpDataBlockEncoded: flag.value };
}

function readEncodedBlock(memory: VirtualMemory, address: VirtualAddress, keys: DecodeKeys): DebuggerData | null {
  const head = memory.read(address, KDBG_HEADER_SIZE);
  if (failed(head)) return null;
  const size = debuggerDataSize(decodeDebuggerData(head, keys));
  if (failed(size)) return null;
  const bytes = memory.read(address, (size + 7) & ~7);
  return failed(bytes) ? null : new DebuggerData(decodeDebuggerData(bytes, keys), address, true);
}

/** Looks for `KDBG` in the image's pages; the block is aligned to 8 bytes, so its tag never crosses a page. */
function searchBlock(
  memory: VirtualMemory,
  base: VirtualAddress,
  size: number,
  fits: (block: DebuggerData | null) => block is DebuggerData,
): DebuggerData | null {
  const tag = Buffer.from('KDBG');
  for (const chunk of memory.chunks(base, size)) {
    if (failed(chunk.bytes)) continue;
    const bytes = Buffer.from(chunk.bytes.buffer, chunk.bytes.byteOffset, chunk.bytes.length);
    for (let at = bytes.indexOf(tag); at >= 0; at = bytes.indexOf(tag, at + 1)) {
      const block = readPlainBlock(memory, plus(base, chunk.offset + at - 0x10));
      if (fits(block)) return block;
    }
  }
  return null;
}
