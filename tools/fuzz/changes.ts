/** Makes hostile inputs out of good ones: a list of changes for each seed number, the same each time. */

import { Prng } from '../../test-dumps/prng.js';
import type { FuzzTarget } from './target.js';

/** One change of a byte string. `copy` moves what stands elsewhere to `at`; `repeat` puts a piece in several times. */
export type Change =
  | { kind: 'set'; at: number; bytes: readonly number[] }
  | { kind: 'copy'; at: number; from: number; length: number }
  | { kind: 'insert'; at: number; bytes: readonly number[] }
  | { kind: 'repeat'; at: number; length: number; times: number }
  | { kind: 'remove'; at: number; length: number }
  | { kind: 'cut'; at: number }
  | { kind: 'random'; length: number; seed: number };

/** Which input a seed number stands for. */
export interface Plan {
  /** Index in the target's seeds. */
  readonly which: number;
  readonly changes: readonly Change[];
}

/** The values that break readers: borders of widths, sign bits, `PAGE` filler. */
const NASTY = [0, 1, 0x7f, 0x80, 0xff, 0xfff, 0x1000, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, 0x45474150, 0xfffffff0]; // prettier-ignore
const PAGE = 0x1000;
const HOT = 0x2100;
/** Texts are short enough to be grown; dumps are not. */
const GROWABLE = 4 * 2 ** 20;

/** Chooses the seed input and the changes that a number stands for. `seedOf` gives the good inputs. */
export function planOf(target: FuzzTarget, number: number, seedOf: (which: number) => Uint8Array): Plan {
  const random = new Prng(number).fork(target.name);
  const which = random.int(0, target.seeds.length - 1);
  const good = seedOf(which);
  if (random.chance(0.02)) {
    return { which, changes: [{ kind: 'random', length: random.int(0, 200_000), seed: random.u32() }] };
  }
  const places = new Places(good, Math.min(good.length, target.hot ?? HOT), random);
  const changes: Change[] = [];
  const count = random.int(1, 12);
  for (let i = 0; i < count; i++) changes.push(oneChange(good, target, places, random));
  return { which, changes };
}

/** Where changes go: half of them to the start, the others to pages that are not all zeros. */
class Places {
  private readonly pages: number[] = [];

  constructor(
    private readonly good: Uint8Array,
    private readonly hot: number,
    private readonly random: Prng,
  ) {
    const zeros = Buffer.alloc(PAGE);
    for (let at = 0; at < good.length; at += PAGE) {
      const page = good.subarray(at, at + PAGE);
      if (zeros.compare(page, 0, page.length, 0, page.length) !== 0) this.pages.push(at);
    }
  }

  any(): number {
    if (this.random.chance(0.5)) return this.random.int(0, Math.max(0, this.hot - 1));
    const page = this.pages.length === 0 ? 0 : this.random.pick(this.pages);
    return Math.min(Math.max(0, this.good.length - 1), page + this.random.int(0, PAGE - 1));
  }
}

function oneChange(good: Uint8Array, target: FuzzTarget, places: Places, random: Prng): Change {
  const at = places.any();
  const { words } = target;
  if (words !== undefined && random.chance(0.3)) {
    return { kind: 'insert', at, bytes: [...Buffer.from(random.pick(words))] };
  }
  if (random.chance(0.04)) return { kind: 'cut', at: random.int(0, good.length) };
  if (good.length <= GROWABLE && random.chance(words === undefined ? 0.08 : 0.3)) {
    const length = random.int(1, random.chance(0.2) ? 5000 : 40);
    const kind = random.pick(['remove', 'repeat', 'insert'] as const);
    if (kind === 'remove') return { kind, at, length };
    if (kind === 'repeat') return { kind, at, length, times: random.int(1, random.chance(0.1) ? 3000 : 5) };
    return { kind, at, bytes: [...random.bytes(random.int(1, 16))] };
  }
  const width = random.pick([1, 2, 4, 8]);
  const aligned = at - (at % width);
  // A pointer that leads to another structure does more than one that leads nowhere.
  if (random.chance(0.25)) {
    const from = places.any();
    return { kind: 'copy', at: aligned, from: from - (from % width), length: random.pick([width, 8, 8, 64, PAGE]) };
  }
  return { kind: 'set', at: aligned, bytes: valueBytes(good, aligned, width, random) };
}

/** A nasty value, a random one, or the one that stands there with one bit changed or a little added. */
function valueBytes(good: Uint8Array, at: number, width: number, random: Prng): number[] {
  const way = random.int(0, 3);
  if (way < 2) {
    const value = way === 0 ? random.pick(NASTY) : random.u32();
    const high = random.chance(0.5) ? value : random.pick([0, 0xffffffff, 0xfffff800]);
    return Array.from({ length: width }, (_, i) => ((i < 4 ? value : high) >>> (8 * (i % 4))) & 255);
  }
  const bytes = Array.from({ length: width }, (_, i) => good[at + i] ?? 0);
  const which = random.int(0, width - 1);
  const old = bytes[which] ?? 0;
  bytes[which] = way === 2 ? old ^ (1 << random.int(0, 7)) : (old + random.int(-2, 2)) & 255;
  return bytes;
}

/** The input with the changes made, in their order. The good input stays as it is. */
export function applyChanges(good: Uint8Array, changes: readonly Change[]): Uint8Array {
  let result: Uint8Array = good.slice();
  for (const change of changes) result = applyOne(result, change);
  return result;
}

function applyOne(bytes: Uint8Array, change: Change): Uint8Array {
  const at = 'at' in change ? Math.min(change.at, bytes.length) : 0;
  switch (change.kind) {
    case 'set':
      bytes.set(change.bytes.slice(0, bytes.length - at), at);
      return bytes;
    case 'copy':
      bytes.set(bytes.slice(change.from, change.from + Math.min(change.length, bytes.length - at)), at);
      return bytes;
    case 'insert':
      return spliced(bytes, at, at, Uint8Array.from(change.bytes), 1);
    case 'repeat':
      return spliced(bytes, at, at, bytes.slice(at, at + change.length), change.times);
    case 'remove':
      return spliced(bytes, at, Math.min(bytes.length, at + change.length), new Uint8Array(0), 0);
    case 'cut':
      return bytes.subarray(0, at);
    case 'random':
      return new Prng(change.seed).bytes(change.length);
  }
}

/** The bytes with those from `start` to `end` replaced by `piece`, so many times. */
function spliced(bytes: Uint8Array, start: number, end: number, piece: Uint8Array, times: number): Uint8Array {
  const result = new Uint8Array(bytes.length - (end - start) + piece.length * times);
  result.set(bytes.subarray(0, start));
  for (let i = 0; i < times; i++) result.set(piece, start + i * piece.length);
  result.set(bytes.subarray(end), start + piece.length * times);
  return result;
}
