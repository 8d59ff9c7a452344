/** The export directory of an image in memory, as far as it names the function that an address lies in. */

import { plus, type VirtualAddress } from '../addresses.js';
import { failed, Failure } from '../bytes/failure.js';
import { asciiz, u16, u32 } from '../bytes/fields.js';
import type { VirtualMemory } from '../paging/virtual-memory.js';
import { DIRECTORY, sectionAt, type ImageHeaders } from './image.js';

/** Ordinals have 16 bits. */
const MOST_EXPORTS = 0x10000;
const LONGEST_NAME = 512;

/** An exported function at or before an address. */
export interface NearestExport {
  readonly name: string;
  readonly rva: number;
}

/**
 * The last export with a name that begins at or before `rva` in the same section; null where there is none. Fails where pages of the directory
 * are missing or it cannot be true.
 */
export function nearestExport(
  memory: VirtualMemory,
  base: VirtualAddress,
  headers: ImageHeaders,
  rva: number,
): NearestExport | Failure | null {
  const directory = headers.directories[DIRECTORY.export];
  if (directory === undefined || directory.rva === 0) return null;
  const head = memory.read(plus(base, directory.rva), 40);
  if (failed(head)) return head;
  const [functionCount, nameCount] = [u32(head, 0x14), u32(head, 0x18)];
  if (functionCount > MOST_EXPORTS || nameCount > MOST_EXPORTS) {
    return new Failure('corrupt', 'the export directory cannot be true');
  }
  if (nameCount === 0) return null;
  const functions = memory.read(plus(base, u32(head, 0x1c)), functionCount * 4);
  if (failed(functions)) return functions;
  const ordinals = memory.read(plus(base, u32(head, 0x24)), nameCount * 2);
  if (failed(ordinals)) return ordinals;
  const section = sectionAt(headers, rva);
  const isForwarder = (at: number): boolean => at >= directory.rva && at < directory.rva + directory.size;
  let best = -1;
  let nearest = -1;
  for (let i = 0; i < nameCount; i++) {
    const ordinal = u16(ordinals, i * 2);
    if (ordinal >= functionCount) continue;
    const at = u32(functions, ordinal * 4);
    if (at === 0 || at > rva || at <= nearest || isForwarder(at) || sectionAt(headers, at) !== section) continue;
    [best, nearest] = [i, at];
  }
  if (best < 0) return null;
  const pointer = memory.readU32(plus(base, u32(head, 0x20) + best * 4));
  if (failed(pointer)) return pointer;
  const name = readName(memory, plus(base, pointer));
  return failed(name) ? name : { name, rva: nearest };
}

/** Names of exported functions by their RVA; those that other modules provide (forwarders) are left out. */
export function readExports(
  memory: VirtualMemory,
  base: VirtualAddress,
  headers: ImageHeaders,
): ReadonlyMap<number, string> | Failure {
  const names = new Map<number, string>();
  const directory = headers.directories[DIRECTORY.export];
  if (directory === undefined || directory.rva === 0) return names;
  const head = memory.read(plus(base, directory.rva), 40);
  if (failed(head)) return head;
  const [functionCount, nameCount] = [u32(head, 0x14), u32(head, 0x18)];
  if (functionCount > MOST_EXPORTS || nameCount > MOST_EXPORTS) {
    return new Failure('corrupt', 'the export directory cannot be true');
  }
  const functions = memory.read(plus(base, u32(head, 0x1c)), functionCount * 4);
  if (failed(functions)) return functions;
  const pointers = memory.read(plus(base, u32(head, 0x20)), nameCount * 4);
  if (failed(pointers)) return pointers;
  const ordinals = memory.read(plus(base, u32(head, 0x24)), nameCount * 2);
  if (failed(ordinals)) return ordinals;
  for (let i = 0; i < nameCount; i++) {
    const ordinal = u16(ordinals, i * 2);
    const at = ordinal < functionCount ? u32(functions, ordinal * 4) : 0;
    if (at === 0 || (at >= directory.rva && at < directory.rva + directory.size) || names.has(at)) continue;
    const name = readName(memory, plus(base, u32(pointers, i * 4)));
    if (!failed(name) && name !== '') names.set(at, name);
  }
  return names;
}

/** A text that ends in a zero byte, also where the page behind it is missing. */
function readName(memory: VirtualMemory, address: VirtualAddress): string | Failure {
  const room = Math.min(LONGEST_NAME, 0x1000 - Number(address & 0xfffn));
  const first = memory.read(address, room);
  if (failed(first)) return first;
  const text = asciiz(first, 0, room);
  if (text.length < room) return text;
  const whole = memory.read(address, LONGEST_NAME);
  return failed(whole) ? whole : asciiz(whole, 0, LONGEST_NAME);
}
