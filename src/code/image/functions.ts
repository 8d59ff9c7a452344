/**
 * Finds the function that holds a place in code: by the exception table, else by walking from a place that is known to
 * begin one. x86 images have no exception table; on x64 and ARM64 functions that call nothing need no entry.
 */

import { OP, Operations } from '../../../parsers/code/operations.js';
import type { ImageSection } from '../../../parsers/pe/image.js';
import type { ExceptionTable, FunctionEntry } from '../../../parsers/pe/exception-table.js';
import type { Machine } from '../flow/machine.js';
import type { CodeWork } from '../flow/work.js';
import { LONGEST_FUNCTION, NEAR_JUMP, stops, type FunctionWalk } from '../flow/function-walk.js';
import { Stretch } from '../flow/stretch.js';

/** A function, as far as its bounds are known. RVAs; `end` is the first byte after it. */
export interface FunctionRange {
  readonly start: number;
  readonly end: number;
  /** What says where it begins. */
  readonly source: 'exception-table' | 'export' | 'call-target' | 'padding' | 'synchronized';
}

/** What finding functions needs of an image. */
export interface CodeSource {
  readonly machine: Machine;
  readonly table: ExceptionTable | null;
  /** The image's base modulo 2^32. */
  readonly base: number;
  readonly work: CodeWork;
  /** Up to `length` bytes at an RVA, ending at the first missing page. */
  bytes(rva: number, length: number): Uint8Array;
  /** The executable section that holds an RVA, or null. */
  sectionAt(rva: number): ImageSection | null;
  /** The exported function that begins at an RVA. */
  exportAt(rva: number): boolean;
  /** The nearest place at or before an RVA that a call in the image goes to; null where none does. */
  callTargetBefore(rva: number): number | null;
  /** ARM64: an instruction that branches to the part of a function that begins at an RVA and stands apart from it. */
  branchTo(rva: number): number | null;
  /** The walk over functions from one that begins at RVA `at`, up to `high`. */
  walkFrom(at: number, high: number): FunctionWalk;
}

/** Parts of a function from one that stands apart to the first one, at most. */
const MOST_APART = 4;
/** Bytes between a known beginning and the place, at most. */
const FURTHEST = 0x8000;
/** Where nothing is known, decoding begins so many bytes before: x86 falls into step after a few instructions. */
const RUN_UP = 96;
/** And looked at behind it, at most: bytes, and instructions in all. */
const AHEAD = 0x400;
const MOST_AROUND = 4000;

/** The function around an RVA; null where there is no code that can be read. */
export function findFunction(source: CodeSource, rva: number): FunctionRange | null {
  const entry = source.table?.entryAt(rva) ?? null;
  if (source.table !== null && entry !== null) {
    const primary = ownerOf(source, source.table, entry);
    return {
      start: primary.start,
      end: Math.min(primary.end, primary.start + LONGEST_FUNCTION),
      source: 'exception-table',
    };
  }
  const section = source.sectionAt(rva);
  if (section === null) return null;
  const gap = source.table?.gapAt(rva) ?? { start: 0, end: 0xffffffff };
  const low = Math.max(gap.start, section.rva);
  const high = Math.min(gap.end, section.rva + section.size);
  const known = knownStart(source, low, rva);
  const walked = known === null ? null : source.walkFrom(known.at, high).find(rva);
  if (walked !== null && known !== null) {
    const kind = source.exportAt(walked.start) ? 'export' : walked.start === known.at ? known.source : 'padding';
    return { ...walked, source: kind };
  }
  return synchronized(source, Math.max(low, rva - RUN_UP), rva, high);
}

/** The first entry of the function around an entry. ARM64: parts that stand apart belong to whoever branches to them. */
function ownerOf(source: CodeSource, table: ExceptionTable, entry: FunctionEntry): FunctionEntry {
  let primary = table.primaryOf(entry);
  for (let steps = 0; steps < MOST_APART && table.isLoosePart(primary); steps++) {
    const from = source.branchTo(primary.start);
    const other = from === null ? null : table.entryAt(from);
    if (other === null) break;
    primary = table.primaryOf(other);
  }
  return primary;
}

interface KnownStart {
  at: number;
  source: 'call-target' | 'padding';
}

/** The nearest place before `rva` at which a function surely or very probably begins. */
function knownStart(source: CodeSource, low: number, rva: number): KnownStart | null {
  const target = source.callTargetBefore(rva);
  const called = target !== null && target >= low && rva - target <= FURTHEST ? target : null;
  const padded =
    source.table !== null && source.table.count > 0 && rva - low <= FURTHEST ? low : paddingBefore(source, low, rva);
  if (called === null && padded === null) return null;
  return called !== null && called >= (padded ?? 0)
    ? { at: called, source: 'call-target' }
    : { at: padded ?? rva, source: 'padding' };
}

/** Behind the last padding before a place: two or more 0xCC that end at a multiple of 16, or a usual x86 prologue. */
function paddingBefore(source: CodeSource, low: number, rva: number): number | null {
  const from = Math.max(low, rva - 0x1000);
  const bytes = source.bytes(from, rva - from);
  if (source.machine.name === 'arm64') return rva - low <= FURTHEST ? low : null;
  if (bytes.length < rva - from) return null;
  source.work.steps += bytes.length >>> 4;
  const padded = behindPadding(bytes, from);
  const prologue = source.machine.name === 'x86' ? lastPrologue(bytes, padded) : -1;
  if (prologue >= 0) {
    const isPatchable = bytes[prologue - 1] === 0xff && bytes[prologue - 2] === 0x8b;
    return from + (isPatchable ? prologue - 2 : prologue);
  }
  if (padded >= 0) return from + padded;
  // A section begins with a function.
  return from === low ? low : null;
}

/** The last place behind padding, at a multiple of 16; -1 where there is none. */
function behindPadding(bytes: Uint8Array, from: number): number {
  for (let at = bytes.length - 1 - ((from + bytes.length - 1) % 16); at >= 2; at -= 16)
    if (bytes[at] !== 0xcc && bytes[at - 1] === 0xcc && bytes[at - 2] === 0xcc) return at;
  return -1;
}

/** `push ebp; mov ebp,esp`. */
const PROLOGUE = Buffer.from([0x55, 0x8b, 0xec]);

/** The last of these behind a place, with two bytes before it; -1 where there is none. */
function lastPrologue(bytes: Uint8Array, behind: number): number {
  const start = Math.max(behind, 0);
  const searched = Buffer.from(bytes.buffer, bytes.byteOffset + start, bytes.length - start);
  const at = searched.lastIndexOf(PROLOGUE);
  return at < 0 || start + at < 2 ? -1 : start + at;
}

/** A stretch of code around a place, from an instruction border that decoding falls into. */
function synchronized(source: CodeSource, low: number, rva: number, high: number): FunctionRange | null {
  const { alignment } = source.machine;
  const from = alignment === 4 ? (low + 3) & ~3 : low;
  if (source.bytes(rva & -alignment, alignment).length < alignment) return null;
  let first = from;
  // The page before may be missing.
  if (source.bytes(from, rva - from).length < rva - from) first = rva & ~0xfff;
  const code = new Stretch(source, ops, first, rva + AHEAD, MOST_AROUND);
  let [start, furthest, last] = [first, 0, rva + 1];
  for (let i = 0; code.has(i); i++) {
    const at = ops.at[i] ?? 0;
    last = at + (ops.length[i] ?? 0);
    const target = ops.immediate[i] ?? 0;
    const isNear = ops.kind[i] === OP.jump && target - last < NEAR_JUMP;
    if (ops.kind[i] === OP.branch || isNear) furthest = Math.max(furthest, target);
    if (!stops(ops.kind[i] ?? OP.none)) continue;
    if (last <= rva) start = last;
    else if (last > furthest) break;
  }
  return { start, end: Math.min(high, last), source: 'synchronized' };
}

/** Used again for every function that is looked for. */
const ops = new Operations();
