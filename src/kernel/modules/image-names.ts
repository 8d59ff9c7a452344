/** What an image calls itself: in its export directory, in its version resource, and by the name of its PDB. */

import { plus, type VirtualAddress } from '../../../parsers/addresses.js';
import { failed } from '../../../parsers/bytes/failure.js';
import { asciiz, u32 } from '../../../parsers/bytes/fields.js';
import type { VirtualMemory } from '../../../parsers/paging/virtual-memory.js';
import { DIRECTORY, type CodeView, type ImageHeaders } from '../../../parsers/pe/image.js';
import type { ImageVersion } from '../../../parsers/pe/version.js';

/** A name and where it stands. */
export interface ImageName {
  readonly text: string;
  readonly from: 'its export directory' | 'its version resource' | 'its PDB';
}

/**
 * The names in an image, the most telling first. Drivers are often given other names than they were built with
 * (`dump_storport.sys`, `ntoskrnl.exe`), so that another name alone contradicts nothing.
 */
export function imageNames(
  memory: VirtualMemory,
  base: VirtualAddress,
  headers: ImageHeaders,
  codeView: CodeView | null,
  version: ImageVersion | null,
): ImageName[] {
  const names: ImageName[] = [];
  const exported = exportName(memory, base, headers);
  if (exported !== null) names.push({ text: exported, from: 'its export directory' });
  const original = version?.originalFilename ?? '';
  if (FILE_NAME.test(original)) names.push({ text: original, from: 'its version resource' });
  if (codeView !== null) names.push({ text: `${codeView.name.replace(/\.pdb$/i, '')}.sys`, from: 'its PDB' });
  return names;
}

const FILE_NAME = /^[\x21-\x7e]{1,60}\.[A-Za-z]{3}$/;

function exportName(memory: VirtualMemory, base: VirtualAddress, headers: ImageHeaders): string | null {
  const exports = headers.directories[DIRECTORY.export];
  if (exports === undefined || exports.rva === 0) return null;
  const directory = memory.read(plus(base, exports.rva), 0x10);
  const text = failed(directory) ? directory : memory.read(plus(base, u32(directory, 0x0c)), 64);
  const name = failed(text) ? '' : asciiz(text, 0, 64);
  return FILE_NAME.test(name) ? name : null;
}

/** A name without extension and without the prefix of drivers for writing dumps, in lower case. */
export function stem(name: string): string {
  const dot = name.lastIndexOf('.');
  return (dot > 0 ? name.slice(0, dot) : name).toLowerCase().replace(/^dump_/, '');
}

/** True for two names of one file: `kd` and `kdcom`, `mcupdate` and `mcupdate_GenuineIntel`, `hal` and `halmacpi`. */
export function isAlias(one: string, other: string): boolean {
  const [a, b] = [stem(one), stem(other)];
  return a === b || (Math.min(a.length, b.length) >= 2 && (a.startsWith(b) || b.startsWith(a)));
}
