/** Finds named symbols in one pass over the symbol stream, without making a string of every name in it. */

import { u16, u32 } from '../bytes/fields.js';
import type { MsfStream } from './msf.js';
import { forEachRecord } from './records.js';
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

const slotOf = (first: number): number => Math.imul(first, 0x9e3779b1) >>> 16;

/** Which 4-byte beginnings the names have; `null` when a name is too short to be told by its beginning. */
function beginnings(names: ReadonlySet<string>): Uint8Array | null {
  const slots = new Uint8Array(0x10000);
  for (const name of names) {
    const bytes = Buffer.from(name);
    if (bytes.length < 4) return null;
    slots[slotOf(u32(bytes, 0))] = 1;
  }
  return slots;
}

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
  const slots = beginnings(names);
  const decorated = machine === MACHINE_X86;
  const damage = forEachRecord(stream, 0, stream.byteLength, (b, at, end) => {
    const kind = u16(b, at);
    const isPublic = kind === S_PUB32;
    if (!isPublic && !RANKS.has(kind)) return true;
    const nameAt = at + NAME_AT;
    if (nameAt >= end) return true;
    if (slots !== null && slots[slotOf(u32(b, nameAt))] === 0) {
      if (!decorated || !isDecoration(b[nameAt]) || slots[slotOf(u32(b, nameAt + 1))] === 0) return true;
    }
    const raw = textAt(b, nameAt, end);
    const name = isPublic ? undecorate(raw, machine) : raw;
    if (!names.has(name)) return true;
    hits.push({
      name,
      kind,
      rank: RANKS.get(kind) ?? 0,
      segment: u16(b, at + SEGMENT_AT),
      offset: u32(b, at + OFFSET_AT),
      isFunction: isPublic ? (u32(b, at + 2) & PUBLIC_IS_CODE) !== 0 : kind === S_PROCREF || kind === S_LPROCREF,
      type: kind === S_GDATA32 || kind === S_LDATA32 ? u32(b, at + 2) : 0,
    });
    return true;
  });
  return { hits, damage };
}
