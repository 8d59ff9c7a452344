/** Finds named symbols in one pass over the symbol stream, without making a string of every name in it. */

import { u32 } from '../bytes/fields.js';
import type { MsfStream } from './msf.js';
import { forEachRecord, int32 } from './records.js';
import {
  NAME_AT,
  OFFSET_AT,
  PUBLIC_IS_CODE,
  S_GDATA32,
  S_LDATA32,
  S_LPROCREF,
  S_PROCREF,
  S_PUB32,
  SEGMENT_AT,
  textAt,
} from './symbol-kinds.js';
import { MACHINE_X86, undecorate } from './undecorate.js';

/** A record that has a name that was asked for. */
export interface SymbolHit {
  readonly name: string;
  readonly kind: number;
  /** 0 for public symbols, 1 for global data and functions, 2 for those of one module only. The lowest wins. */
  readonly rank: number;
  /** Of a procedure reference: the module's number, from 1. */
  readonly segment: number;
  /** Of a procedure reference: where its record stands in the module's stream. */
  readonly offset: number;
  readonly isFunction: boolean;
  /** Of data: its type's number. */
  readonly type: number;
}

const RANKS: ReadonlyMap<number, number> = new Map([
  [S_PUB32, 0],
  [S_GDATA32, 1],
  [S_PROCREF, 1],
  [S_LDATA32, 2],
  [S_LPROCREF, 2],
]);

/** Records that are kept; names stand for one address, or for a few in different modules. */
const MOST_HITS = 1 << 16;
/** Most bytes at the start of a name that tell whether it may be one that is looked for. */
const LONGEST_START = 8;

/** Which beginnings the names have: a bitmap by the hash of the first 4 and the last 4 of their first bytes. */
interface Beginnings {
  readonly slots: Uint32Array;
  /** From the first of those bytes to the last 4. */
  readonly second: number;
}

const slotOf = (first: number, second: number): number =>
  (Math.imul(first, 0x9e3779b1) ^ Math.imul(second, 0x85ebca6b)) >>> 16;

/** `null` when a name is too short to be told by its beginning. */
function beginnings(names: ReadonlySet<string>, decorated: boolean): Beginnings | null {
  // The NUL after a name belongs to its beginning, except where `@8` may stand between them.
  const all = [...names].map((name) => Buffer.from(decorated ? name : `${name}\0`));
  const length = all.reduce((shortest, name) => Math.min(shortest, name.length), LONGEST_START) & ~1;
  if (length < 4) return null;
  const slots = new Uint32Array(0x10000 / 32);
  for (const name of all) {
    const slot = slotOf(u32(name, 0), u32(name, length - 4));
    slots[slot >>> 5] = (slots[slot >>> 5] ?? 0) | (1 << (slot & 31));
  }
  return { slots, second: length - 4 };
}

const lacks = (slots: Uint32Array, slot: number): boolean => (((slots[slot >>> 5] ?? 0) >>> (slot & 31)) & 1) === 0;

const isDecoration = (byte: number | undefined): boolean => byte === 0x5f || byte === 0x40;

/**
 * Every record that carries one of `names`, compared exactly after x86 decoration is taken off public names. `damage` says where a
 * damaged stream ended the pass.
 */
export function findSymbols(
  stream: MsfStream,
  names: ReadonlySet<string>,
  machine: number,
): { readonly hits: readonly SymbolHit[]; readonly damage: string | null } {
  const hits: SymbolHit[] = [];
  const decorated = machine === MACHINE_X86;
  const known = beginnings(names, decorated);
  const slots = known?.slots ?? null;
  const secondWord = (known?.second ?? 0) / 2;
  const damage = forEachRecord(stream, 0, stream.byteLength, (b, words, at, end) => {
    const kind = words[at >>> 1] ?? 0;
    const isPublic = kind === S_PUB32;
    if (!isPublic && !RANKS.has(kind)) return true;
    const nameAt = at + NAME_AT;
    if (nameAt >= end) return true;
    const w = nameAt >>> 1;
    if (slots !== null && lacks(slots, slotOf(int32(words, w), int32(words, w + secondWord)))) {
      if (!decorated || !isDecoration(b[nameAt])) return true;
      if (lacks(slots, slotOf(u32(b, nameAt + 1), u32(b, nameAt + 1 + secondWord * 2)))) return true;
    }
    const raw = textAt(b, nameAt, end);
    const name = isPublic ? undecorate(raw, machine) : raw;
    if (!names.has(name)) return true;
    hits.push({
      name,
      kind,
      rank: RANKS.get(kind) ?? 0,
      segment: words[(at + SEGMENT_AT) >>> 1] ?? 0,
      offset: u32(b, at + OFFSET_AT),
      isFunction: isPublic ? (u32(b, at + 2) & PUBLIC_IS_CODE) !== 0 : kind === S_PROCREF || kind === S_LPROCREF,
      type: kind === S_GDATA32 || kind === S_LDATA32 ? u32(b, at + 2) : 0,
    });
    return hits.length < MOST_HITS;
  });
  return {
    hits,
    damage: hits.length < MOST_HITS ? damage : `${stream.name}: the same names come up ${MOST_HITS} times`,
  };
}
