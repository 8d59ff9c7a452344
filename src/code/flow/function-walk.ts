/**
 * Walks functions from a known beginning: one ends where control does not go on and no jump before leads further; the next
 * begins behind the padding. What was walked is kept, so that several places cost one walk.
 */

import { OP, type Operations } from '../../../parsers/code/operations.js';
import type { Machine } from './machine.js';
import type { CodeWork } from './work.js';

/** No function is longer; larger ones are cut. Bytes. */
export const LONGEST_FUNCTION = 0x10000;
/** A jump so many bytes ahead stays in its function; one that goes further may be a call at the function's end. */
export const NEAR_JUMP = 0x200;
const MOST_WALKED = 40_000;
/** Bytes that are decoded at once behind a place that is looked for: most functions end soon. */
const PIECE = 0x60;

/** What walking needs of an image. */
interface WalkedCode {
  readonly machine: Machine;
  /** The image's base modulo 2^32. */
  readonly base: number;
  readonly work: CodeWork;
  bytes(rva: number, length: number): Uint8Array;
  exportAt(rva: number): boolean;
}

/** Functions from RVA `first` on, up to `high`. */
export class FunctionWalk {
  /** Where functions begin and end; the last one goes on. */
  private readonly starts: number[];
  private readonly ends: number[] = [];
  private furthest: number;
  /** Operations that were looked at, and up to where bytes were decoded. */
  private done = 0;
  private decoded: number;

  /** `ops` is written over, and belongs to the walk from now on. */
  constructor(
    private readonly ops: Operations,
    private readonly code: WalkedCode,
    readonly first: number,
    readonly high: number,
  ) {
    this.starts = [first];
    this.furthest = first;
    this.decoded = first;
    this.ops.clear();
  }

  /** The function around an RVA; null where the walk does not come upon it. */
  find(rva: number): { start: number; end: number } | null {
    const limit = Math.min(this.high, rva + LONGEST_FUNCTION);
    while ((this.ends[this.ends.length - 1] ?? -1) <= rva && this.step(rva, limit));
    const i = firstAbove(this.ends, rva);
    const start = this.starts[i] ?? this.first;
    const { ops } = this;
    const cut = ops.count === 0 ? start : (ops.at[ops.count - 1] ?? 0) + (ops.length[ops.count - 1] ?? 0);
    const end = this.ends[i] ?? cut;
    return rva >= start && rva < end ? { start, end } : null;
  }

  /** Adds the operations of a function that was walked whole; false where it was not. */
  give(start: number, end: number, out: Operations, most: number): boolean {
    const i = firstAbove(this.ends, start);
    if (this.starts[i] !== start || this.ends[i] !== end) return false;
    const { ops, code } = this;
    const first = firstAt(ops, start);
    const last = firstAt(ops, end);
    if (last - first > most) return false;
    // A last byte that is no instruction may be the first one of a longer one that is cut: decoding tells.
    const known = ops.kind[last - 1] === OP.stop ? last - 1 : last;
    for (let n = first; n < known; n++) out.addCopy(ops, n);
    const at = known < last ? (ops.at[known] ?? end) : end;
    if (at < end) code.machine.decoder.decode(code.bytes(at, end - at), at, code.base, out, Infinity);
    return true;
  }

  /** Looks at one more operation; false where there is none before `limit`. */
  private step(rva: number, limit: number): boolean {
    const { ops, code } = this;
    const i = this.done;
    if (code.work.isSpent()) return false;
    if (i >= ops.count && !this.more(rva, limit)) return false;
    this.done++;
    const at = ops.at[i] ?? 0;
    const end = at + (ops.length[i] ?? 0);
    const current = this.starts.length - 1;
    const start = this.starts[current] ?? 0;
    if (at === start && isPadding(code, at, ops, i)) {
      this.starts[current] = this.furthest = end;
      return true;
    }
    const kind = ops.kind[i] ?? OP.none;
    const target = ops.immediate[i] ?? 0;
    const leads = kind === OP.branch || kind === OP.jump;
    if (leads && target > this.furthest && target - start < LONGEST_FUNCTION && target < this.high) {
      if (kind === OP.branch || (target - end < NEAR_JUMP && !code.exportAt(target))) this.furthest = target;
    }
    if (!stops(kind) || end <= this.furthest) return true;
    this.ends.push(end);
    this.starts.push(end);
    this.furthest = end;
    return true;
  }

  /** Decodes the next piece. */
  private more(rva: number, limit: number): boolean {
    const { ops, code } = this;
    const size = Math.min(Math.max(rva - this.decoded, 0) + PIECE, limit - this.decoded);
    if (size <= 0) return false;
    const before = ops.count;
    code.machine.decoder.decode(code.bytes(this.decoded, size), this.decoded, code.base, ops, MOST_WALKED);
    code.work.steps += ops.count - before;
    if (ops.count === before) return false;
    this.decoded = (ops.at[ops.count - 1] ?? 0) + (ops.length[ops.count - 1] ?? 0);
    return true;
  }
}

/** Index of the first number above `value` in an ascending list. */
function firstAbove(list: readonly number[], value: number): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((list[middle] ?? 0) <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The first operation at or behind an RVA. */
function firstAt(ops: Operations, rva: number): number {
  let [low, high] = [0, ops.count];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ops.at[middle] ?? 0) < rva) low = middle + 1;
    else high = middle;
  }
  return low;
}

function isPadding(code: WalkedCode, at: number, ops: Operations, i: number): boolean {
  if (ops.kind[i] === OP.stop) return true;
  if (ops.kind[i] !== OP.none || ops.killed[i] !== 0) return false;
  const [first, second] = code.bytes(at, 4);
  return code.machine.name === 'arm64'
    ? first === 0x1f && second === 0x20
    : first === 0x90 || first === 0x66 || (first === 0x0f && second === 0x1f);
}

/** True for what control does not go on behind. */
export function stops(kind: number): boolean {
  return (
    kind === OP.jump || kind === OP.jumpMemory || kind === OP.jumpRegister || kind === OP.return || kind === OP.stop
  );
}
