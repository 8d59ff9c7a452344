/**
 * Puts a PE file into memory as the kernel does when it loads a driver: sections at their RVAs, base relocations applied,
 * imports bound to addresses. As in real kernels the names of imports may be gone afterwards: they stand in a section that is
 * discarded.
 */

import { canonical, getU32, getU64, putU32, putU64, type Va } from '../bytes.js';
import { PAGE } from '../physical-memory.js';
import type { Section } from '../images/pe-image.js';

const DIRECTORY = { import: 1, relocation: 5 } as const;
const HIGHLOW = 3;
const DIR64 = 10;

export interface LoadedFile {
  /** All pages, one after the other. */
  memory: Uint8Array;
  sections: Section[];
  timeDateStamp: number;
  checkSum: number;
}

export interface LoadOptions {
  base: Va;
  /** Addresses of functions by name. */
  exports: Readonly<Record<string, Va>>;
  /** Take the names of imports away, and let the directory point into the section INIT. */
  discardImports?: boolean;
}

const u16 = (bytes: Uint8Array, at: number): number => (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);

function asciiz(bytes: Uint8Array, at: number): string {
  const end = bytes.indexOf(0, at);
  return Buffer.from(bytes.subarray(at, end)).toString('latin1');
}

/** Bytes of the image in memory: whole pages. */
export function loadedSize(file: Uint8Array): number {
  return Math.ceil(getU32(file, getU32(file, 0x3c) + 0x18 + 0x38) / PAGE) * PAGE;
}

export function loadFile(file: Uint8Array, options: LoadOptions): LoadedFile {
  const pe = getU32(file, 0x3c);
  const optional = pe + 0x18;
  const wide = u16(file, optional) === 0x20b;
  const memory = new Uint8Array(loadedSize(file));
  memory.set(file.subarray(0, getU32(file, optional + 0x3c)));
  const table = optional + u16(file, pe + 0x14);
  const sections: Section[] = [];
  for (let i = 0; i < u16(file, pe + 6); i++) {
    const at = table + i * 40;
    const [size, rva, stored, from] = [8, 12, 16, 20].map((offset) => getU32(file, at + offset)) as [
      number,
      number,
      number,
      number,
    ];
    memory.set(file.subarray(from, from + Math.min(stored, Math.ceil(size / PAGE) * PAGE)), rva);
    const name = Buffer.from(file.subarray(at, at + 8))
      .toString('latin1')
      .replace(/\0+$/, '');
    sections.push({ name, rva, size: Math.ceil(size / PAGE) * PAGE, characteristics: getU32(file, at + 36) });
  }
  const directories = optional + (wide ? 0x70 : 0x60);
  const directory = (index: number): number => getU32(file, directories + index * 8);
  const base = canonical(options.base);
  relocate(memory, directory(DIRECTORY.relocation), base - preferredBase(file, optional, wide));
  bind(memory, directory(DIRECTORY.import), wide, options);
  if (wide) putU64(memory, optional + 0x18, base);
  else putU32(memory, optional + 0x1c, Number(base & 0xffffffffn));
  const init = sections.find(({ name }) => name === 'INIT');
  if (options.discardImports === true && init !== undefined) putU32(memory, directories + 8, init.rva);
  return { memory, sections, timeDateStamp: getU32(file, pe + 8), checkSum: getU32(file, optional + 0x40) };
}

function preferredBase(file: Uint8Array, optional: number, wide: boolean): bigint {
  return wide ? getU64(file, optional + 0x18) : BigInt(getU32(file, optional + 0x1c));
}

function relocate(memory: Uint8Array, rva: number, delta: bigint): void {
  for (let at = rva; rva !== 0 && getU32(memory, at + 4) >= 8; at += getU32(memory, at + 4)) {
    const page = getU32(memory, at);
    for (let entry = at + 8; entry < at + getU32(memory, at + 4); entry += 2) {
      const place = page + (u16(memory, entry) & 0xfff);
      const kind = u16(memory, entry) >> 12;
      if (kind === HIGHLOW) putU32(memory, place, Number(BigInt.asUintN(32, BigInt(getU32(memory, place)) + delta)));
      else if (kind === DIR64) putU64(memory, place, BigInt.asUintN(64, getU64(memory, place) + delta));
      else if (kind !== 0) throw new Error(`base relocation of kind ${kind}`);
    }
  }
}

function bind(memory: Uint8Array, rva: number, wide: boolean, options: LoadOptions): void {
  const width = wide ? 8 : 4;
  const erased: [number, number][] = [];
  for (let at = rva; rva !== 0 && getU32(memory, at + 12) !== 0; at += 20) {
    const [names, addresses] = [getU32(memory, at), getU32(memory, at + 16)];
    let i = 0;
    for (; getU32(memory, names + i * width) !== 0; i++) {
      const hint = getU32(memory, names + i * width);
      const name = asciiz(memory, hint + 2);
      const target = options.exports[name];
      if (target === undefined) throw new Error(`nothing exports ${name}`);
      if (wide) putU64(memory, addresses + i * 8, canonical(target));
      else putU32(memory, addresses + i * 4, Number(canonical(target) & 0xffffffffn));
      erased.push([hint, name.length + 3]);
    }
    const library = getU32(memory, at + 12);
    erased.push([names, i * width], [library, asciiz(memory, library).length], [at, 20]);
  }
  if (options.discardImports === true) for (const [at, length] of erased) memory.fill(0, at, at + length);
}
