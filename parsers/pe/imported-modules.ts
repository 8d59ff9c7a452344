/** The names of the modules that an image imports from: the import directory in memory, without the functions. */

import { plus, type VirtualAddress } from '../addresses.js';
import { failed, Failure } from '../bytes/failure.js';
import { asciiz, u32 } from '../bytes/fields.js';
import type { VirtualMemory } from '../paging/virtual-memory.js';
import { DIRECTORY, type ImageHeaders } from './image.js';

/** Drivers import from a handful of modules. */
const MOST_MODULES = 256;
const DESCRIPTOR_SIZE = 20;
const LONGEST_NAME = 256;

/**
 * Lower-case names, in file order. Empty for an image without imports. Fails where a page of them is missing: linkers put
 * them into INIT sections, which are discarded once a driver runs.
 */
export function importedModules(
  memory: VirtualMemory,
  base: VirtualAddress,
  headers: ImageHeaders,
): string[] | Failure {
  if (headers.directories.length <= DIRECTORY.import) {
    return new Failure('corrupt', 'the directories of the image are missing');
  }
  const directory = headers.directories[DIRECTORY.import];
  if (directory === undefined || directory.rva === 0) return [];
  const names: string[] = [];
  for (let i = 0; i < MOST_MODULES; i++) {
    const at = directory.rva + i * DESCRIPTOR_SIZE;
    const descriptor = memory.read(plus(base, at), DESCRIPTOR_SIZE);
    if (failed(descriptor)) return descriptor;
    const rva = u32(descriptor, 12);
    if (rva === 0) return names;
    const name = rva < headers.sizeOfImage ? readName(memory, plus(base, rva)) : NO_NAME;
    if (failed(name)) return name;
    names.push(name.toLowerCase());
  }
  return new Failure('corrupt', `more than ${MOST_MODULES} imported modules`);
}

const NO_NAME = new Failure('corrupt', 'the name of an imported module lies outside of the image');

/** A name of printable characters; what else stands there was overwritten since. */
function readName(memory: VirtualMemory, address: VirtualAddress): string | Failure {
  const room = Math.min(LONGEST_NAME, 0x1000 - Number(address & 0xfffn));
  const first = memory.read(address, room);
  const bytes = failed(first) || first.includes(0) ? first : memory.read(address, LONGEST_NAME);
  if (failed(bytes)) return bytes;
  const name = asciiz(bytes, 0, bytes.length);
  return /^[\x21-\x7e]+$/.test(name) ? name : new Failure('corrupt', 'the name of an imported module is no name');
}
