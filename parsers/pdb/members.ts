/**
 * The members of structures and enumerations: LF_FIELDLIST records, which are sequences of sub-records and may continue in
 * another record (LF_INDEX). Sub-records are padded to 4 bytes with bytes of 0xF0 and above.
 */

import { u16, u32 } from '../bytes/fields.js';
import { textAt } from './symbol-kinds.js';
import type { TypeIndex } from './type-index.js';
import {
  afterNumericLeaf,
  LF_BCLASS,
  LF_BINTERFACE,
  LF_ENUMERATE,
  LF_FIELDLIST,
  LF_INDEX,
  LF_IVBCLASS,
  LF_MEMBER,
  LF_METHOD,
  LF_NESTTYPE,
  LF_ONEMETHOD,
  LF_STMEMBER,
  LF_VBCLASS,
  LF_VFUNCTAB,
  numericLeaf,
} from './type-kinds.js';

/** Members of one type. */
const MOST_MEMBERS = 1 << 16;

/** A data member, a base class (without a name of its own), or an enumerator (whose value is in `offset`). */
export interface Member {
  readonly kind: 'member' | 'base' | 'enumerator';
  readonly name: string;
  readonly type: number;
  /** Bytes from the start of the structure; the value of an enumerator, or `null` where it is past 2^53. */
  readonly offset: number | null;
}

interface Step {
  readonly member: Member | null;
  /** Where the next sub-record begins, before padding. */
  readonly next: number;
}

const afterText = (b: Uint8Array, at: number): number => {
  const nul = b.indexOf(0, at);
  return nul < 0 ? b.length : nul + 1;
};

/** Where the first NUL from `at` on stands, or the end. */
function endOfText(b: Uint8Array, at: number): number {
  let stop = at;
  while (stop < b.length && b[stop] !== 0) stop++;
  return stop;
}

/** Numbers below it stand as they are: see `numericLeaf`. */
const SMALL_NUMBERS = 0x8000;

/** Bit 2..4 of a method's attributes: 4 and 6 introduce a virtual function and carry the place of its pointer. */
const introducesVirtual = (attributes: number): boolean => [4, 6].includes((attributes >>> 2) & 7);

/** One sub-record at `at`; `null` when it is of an unknown kind or cut off. */
function step(b: Uint8Array, at: number): Step | null {
  switch (u16(b, at)) {
    case LF_MEMBER: {
      const offset = numericLeaf(b, at + 8);
      if (offset === null || offset.value < 0) return null;
      const name = textAt(b, offset.next, b.length);
      return {
        member: { kind: 'member', name, type: u32(b, at + 4), offset: offset.value },
        next: afterText(b, offset.next),
      };
    }
    case LF_ENUMERATE: {
      const next = afterNumericLeaf(b, at + 4);
      if (next === null) return null;
      const name = textAt(b, next, b.length);
      const offset = numericLeaf(b, at + 4)?.value ?? null;
      return { member: { kind: 'enumerator', name, type: 0, offset }, next: afterText(b, next) };
    }
    case LF_BCLASS:
    case LF_BINTERFACE: {
      const offset = numericLeaf(b, at + 8);
      if (offset === null || offset.value < 0) return null;
      return { member: { kind: 'base', name: '', type: u32(b, at + 4), offset: offset.value }, next: offset.next };
    }
    case LF_VBCLASS:
    case LF_IVBCLASS: {
      const first = afterNumericLeaf(b, at + 12);
      const second = first === null ? null : afterNumericLeaf(b, first);
      return second === null ? null : { member: null, next: second };
    }
    case LF_VFUNCTAB:
      return { member: null, next: at + 8 };
    case LF_STMEMBER:
    case LF_METHOD:
    case LF_NESTTYPE:
      return { member: null, next: afterText(b, at + 8) };
    case LF_ONEMETHOD:
      return { member: null, next: afterText(b, at + (introducesVirtual(u16(b, at + 2)) ? 12 : 8)) };
    default:
      return null;
  }
}

/** The members in the order of the file; `null` when the list is damaged, continues in a circle or holds what is not known. */
export function readMembers(types: TypeIndex, fieldList: number): readonly Member[] | null {
  const members: Member[] = [];
  const seen = new Set<number>();
  let list: number | null = fieldList;
  while (list !== null) {
    const b: Buffer | null = types.record(list);
    if (b === null || seen.has(list) || u16(b, 0) !== LF_FIELDLIST) return null;
    seen.add(list);
    list = null;
    let at = 2;
    while (at + 4 <= b.length) {
      if (u16(b, at) === LF_INDEX) {
        if (at + 8 > b.length) return null;
        list = u32(b, at + 4);
        break;
      }
      // Nearly all are members near the beginning of their structure: told without the objects of the general way.
      const offset = u16(b, at) === LF_MEMBER && at + 10 <= b.length ? u16(b, at + 8) : SMALL_NUMBERS;
      if (offset < SMALL_NUMBERS) {
        const stop = endOfText(b, at + 10);
        if (members.length >= MOST_MEMBERS) return null;
        members.push({ kind: 'member', name: b.toString('utf8', at + 10, stop), type: u32(b, at + 4), offset });
        at = Math.min(stop + 1, b.length);
        while ((b[at] ?? 0) >= 0xf0) at += Math.max(1, (b[at] ?? 0) & 0xf);
        continue;
      }
      const found = step(b, at);
      if (found === null || found.next > b.length || members.length >= MOST_MEMBERS) return null;
      if (found.member !== null) members.push(found.member);
      at = found.next;
      while ((b[at] ?? 0) >= 0xf0) at += Math.max(1, (b[at] ?? 0) & 0xf);
    }
  }
  return members;
}
