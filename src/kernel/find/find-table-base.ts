/**
 * Where else than in the header the directory table base of a kernel stands, for dumps whose header holds a wrong
 * one (converted memory, damage): in the start-up block of the processors, in the System process, and in top-level
 * tables themselves, one entry of which points back at the table. All are looked for in physical memory, because
 * without a base nothing can be translated; who asks checks what is found. (The processors' saved state, KPRCB, holds
 * CR3 as well, but is found through a virtual address only.)
 */

import { PAGE_SIZE, pfn, physical, type PhysicalAddress } from '../../../parsers/addresses.js';
import { u32, u64 } from '../../../parsers/bytes/fields.js';
import { ABSENT } from '../../../parsers/dump/page-index.js';
import { MACHINE, type Dump } from '../../../parsers/dump/open-dump.js';
import type { PhysicalMemory } from '../../../parsers/dump/physical-memory.js';

/** A base and where it stood, for people. */
export interface TableBase {
  readonly root: PhysicalAddress;
  readonly from: string;
}

/** Pages of physical memory looked through at most: 1 GB. */
const MOST_PAGES = 1 << 18;
/** Bases given out at most. */
const MOST_FOUND = 1024;
/** Places looked at where the System process' name stands, at most: there is one that counts. */
const MOST_NAMES = 256;

/** Bases found, the cheapest to find first. Nothing for processors that are not known. */
export function* otherTableBases(dump: Dump, memory: PhysicalMemory): Iterable<TableBase> {
  const given = new Set<number>();
  for (const found of candidates(dump, memory)) {
    if (given.has(found.root)) continue;
    given.add(found.root);
    yield found;
    if (given.size >= MOST_FOUND) return;
  }
}

function* candidates(dump: Dump, memory: PhysicalMemory): Iterable<TableBase> {
  const machine = dump.header.machineImageType;
  const wide = machine === MACHINE.AMD64 || machine === MACHINE.ARM64;
  if (!wide && machine !== MACHINE.I386) return;
  if (machine === MACHINE.AMD64) yield* startBlocks(memory);
  const place = wide ? PLACES[8] : PLACES[4];
  const mapsItself = wide ? pointsAtItself : pointsAtItselfX86;
  const directories = new Map<number, number[]>();
  let names = 0;
  for (const [at, page] of presentPages(dump, memory)) {
    if (mapsItself(page, at)) {
      yield { root: physical(at * PAGE_SIZE), from: 'a top-level page table that maps itself' };
    }
    const four = wide || directories.size >= MOST_FOUND ? null : fourDirectories(page, at);
    if (four !== null) directories.set(at, four);
    for (let name = page.indexOf(SYSTEM); name >= 0 && names < MOST_NAMES; names++) {
      yield* systemProcess(at * PAGE_SIZE + name, memory, place);
      name = page.indexOf(SYSTEM, name + 1);
    }
  }
  if (directories.size === 0) return;
  for (const [at, page] of presentPages(dump, memory)) yield* pointersTo(directories, page, at);
}

/** Pages with their numbers, as far as they are looked through; the buffer is the same for all. */
function* presentPages(dump: Dump, memory: PhysicalMemory): Iterable<[number: number, page: Buffer]> {
  const page = Buffer.alloc(PAGE_SIZE);
  let at = dump.pages?.nextPresent(pfn(0)) ?? ABSENT;
  for (let seen = 0; at !== ABSENT && seen < MOST_PAGES; seen++) {
    const offset = memory.locate(at * PAGE_SIZE);
    if (offset >= 0) {
      memory.readAt(offset, page);
      yield [at, page];
    }
    at = dump.pages?.nextPresent(pfn(at + 1)) ?? ABSENT;
  }
}

const LOW_MEGABYTE_PAGES = 256;
/** The start of PROCESSOR_START_BLOCK: a near jump (E9), then a flag of 1 at +4. Two bytes between vary. */
const START_MASK = 0xffffffffffff00ffn;
const START_MARK = 0x00000001000600e9n;
const LONG_MODE_TARGET = 0x70;
const START_CR3 = 0xa0;

/** PROCESSOR_START_BLOCK (x64): the page in the first megabyte from which other processors start, with a CR3. */
function* startBlocks(memory: PhysicalMemory): Iterable<TableBase> {
  const block = new Uint8Array(START_CR3 + 8);
  for (let page = 1; page < LOW_MEGABYTE_PAGES; page++) {
    if (memory.read(physical(page * PAGE_SIZE), block) !== null) continue;
    if ((u64(block, 0) & START_MASK) !== START_MARK) continue;
    if (u64(block, LONG_MODE_TARGET) >> 47n !== 0x1ffffn) continue;
    const root = tableBase(block, START_CR3);
    if (root !== null) yield { root, from: 'the start-up block of the processors' };
  }
}

/** One of the upper 256 entries is valid and holds the page's own number, as Windows' map of its page tables needs. */
function pointsAtItself(page: Buffer, number: number): boolean {
  const low = (number % 0x100000) * PAGE_SIZE;
  const high = Math.floor(number / 0x100000);
  for (let at = PAGE_SIZE / 2; at < PAGE_SIZE; at += 8) {
    const word = u32(page, at);
    if ((word & 1) !== 0 && (word & 0xfffff000) >>> 0 === low && (u32(page, at + 4) & 0xfffff) === high) return true;
  }
  return false;
}

/** Of a 32-bit page directory without PAE: the entry for 0xC0000000, where Windows maps the page tables. */
const SELF_X86 = 0x300 * 4;

function pointsAtItselfX86(page: Buffer, number: number): boolean {
  const word = u32(page, SELF_X86);
  return (word & 1) !== 0 && word >>> 12 === number;
}

/** With PAE the last of four page directories begins with entries for all four, itself the fourth: their frames, or null. */
function fourDirectories(page: Buffer, number: number): number[] | null {
  const frames = [0, 8, 16, 24].map((at) => ((u32(page, at) & 1) === 0 ? null : frameOf(page, at)));
  const known = frames.filter((frame) => frame !== null);
  return known.length === 4 && known[3] === number && new Set(known).size === 4 ? known : null;
}

const frameOf = (page: Buffer, at: number): number => (u32(page, at + 4) & 0xfffff) * 0x100000 + (u32(page, at) >>> 12);

/** Tables of page directory pointers (PAE, 32 bytes) that hold the frames of one of these sets of directories. */
function* pointersTo(
  directories: ReadonlyMap<number, readonly number[]>,
  page: Buffer,
  number: number,
): Iterable<TableBase> {
  for (let at = 0; at < PAGE_SIZE; at += 32) {
    if ((u32(page, at + 24) & 1) === 0) continue;
    const four = directories.get(frameOf(page, at + 24));
    if (four === undefined || number === four[3]) continue;
    if (!four.every((frame, i) => (u32(page, at + i * 8) & 1) !== 0 && frameOf(page, at + i * 8) === frame)) continue;
    yield { root: physical(number * PAGE_SIZE + at), from: 'page directories that map themselves' };
  }
}

const SYSTEM = Buffer.from('System\0\0\0\0\0\0\0\0\0');
/** By pointer size, over all builds: where `_EPROCESS.ImageFileName` can stand, and `_KPROCESS.DirectoryTableBase`. */
const PLACES = {
  4: { nameFrom: 0x100, nameTo: 0x280, step: 4, directoryTableBase: 0x18 },
  8: { nameFrom: 0x200, nameTo: 0x700, step: 8, directoryTableBase: 0x28 },
} as const;
/** `_DISPATCHER_HEADER.Type` of a process, at the start of `_EPROCESS`. */
const PROCESS_OBJECT = 3;

/** `_EPROCESS` before a name at a physical address: a process header, with a base that can be one. */
function* systemProcess(
  name: number,
  memory: PhysicalMemory,
  { nameFrom, nameTo, step, directoryTableBase }: (typeof PLACES)[4 | 8],
): Iterable<TableBase> {
  if (name % step !== 0) return;
  const head = new Uint8Array(directoryTableBase + step);
  for (let back: number = nameFrom; back <= nameTo; back += step) {
    const start = name - back;
    if (start < 0 || (start % PAGE_SIZE) + head.length > PAGE_SIZE) continue;
    if (memory.read(physical(start), head) !== null || head[0] !== PROCESS_OBJECT) continue;
    const root = (step === 4 ? tableBaseX86 : tableBase)(head, directoryTableBase);
    if (root !== null) yield { root, from: 'the System process' };
  }
}

/** A page directory's address, or with PAE that of 32 bytes of pointers. */
function tableBaseX86(bytes: Uint8Array, at: number): PhysicalAddress | null {
  const value = u32(bytes, at);
  return value === 0 || value % 32 !== 0 ? null : physical(value);
}

/** A CR3 value: an address of a page, which other than its 12 low bits (a PCID) nothing else stands beside. */
function tableBase(bytes: Uint8Array, at: number): PhysicalAddress | null {
  const value = u64(bytes, at);
  const base = Number(value & 0x000ffffffffff000n);
  return value >> 52n !== 0n || base === 0 ? null : physical(base);
}
