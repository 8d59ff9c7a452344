/**
 * Finds where any of many patterns of three bytes may stand, in about the time that a native search for one takes: for
 * each place two halves of each byte are looked up in small tables, sixteen places at a time (the way of searching that is
 * known as "Teddy"). A place that is found holds bytes which patterns of one group have there, not always one of them.
 */

import { AT_ONCE, pagesFor, TRIPLE, tripleModule } from './triple-code.js';

/** Bytes that are looked at in one call, and of what may be read behind them. */
const PIECE = 0x20000;
const BEHIND = 2 * AT_ONCE;
/** Groups of patterns: a bit each. */
const GROUPS = 8;
const [FROM, OUT] = [0x100, 0x100 + PIECE + BEHIND];
/** What one sixteen with a place takes. */
const ENTRY = 8;
const MEMORY = OUT + (PIECE / AT_ONCE) * ENTRY;

interface Scanner {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly scan: (from: number, to: number, out: number) => number;
}

/** What Node's types leave out. */
interface Engine {
  readonly WebAssembly: {
    readonly Module: new (bytes: Uint8Array) => object;
    readonly Instance: new (module: object) => { readonly exports: Scanner };
  };
}

/** Searches for one set of patterns. */
export class TripleFinder {
  private readonly bytes: Uint8Array;
  private readonly entries: Int32Array;

  private constructor(
    private readonly scanner: Scanner,
    patterns: readonly Uint8Array[],
  ) {
    this.bytes = new Uint8Array(scanner.memory.buffer);
    this.entries = new Int32Array(scanner.memory.buffer);
    this.bytes.set(tables(patterns));
  }

  /** Null where the processor or the engine has no instructions for sixteen bytes, or no memory for it is to be had. */
  static of(patterns: readonly Uint8Array[]): TripleFinder | null {
    try {
      const { Module, Instance } = (globalThis as unknown as Engine).WebAssembly;
      return new TripleFinder(new Instance(new Module(tripleModule(pagesFor(MEMORY)))).exports, patterns);
    } catch {
      return null;
    }
  }

  /** Calls `found` with the places below `end` at which a pattern may begin, in ascending order. */
  each(bytes: Uint8Array, end: number, found: (at: number) => void): void {
    const limit = Math.min(end, bytes.length - TRIPLE + 1);
    for (let start = 0; start < limit; start += PIECE) {
      const count = Math.min(PIECE, limit - start);
      const copied = Math.min(count + TRIPLE - 1, bytes.length - start);
      this.bytes.set(bytes.subarray(start, start + copied), FROM);
      const last = this.scanner.scan(FROM, FROM + count, OUT);
      for (let entry = OUT; entry < last; entry += ENTRY) {
        const first = (this.entries[entry >> 2] ?? 0) - FROM;
        let bits = this.entries[(entry >> 2) + 1] ?? 0;
        for (; bits !== 0; bits &= bits - 1) {
          const at = first + 31 - Math.clz32(bits & -bits);
          // Behind the last place are bytes of an earlier piece.
          if (at < count) found(start + at);
        }
      }
    }
  }
}

/** For each half of each byte: by its value, the groups that have a pattern with it. Similar patterns share a group. */
function tables(patterns: readonly Uint8Array[]): Uint8Array {
  const sorted = [...patterns].sort((a, b) => Buffer.compare(a.subarray(0, TRIPLE), b.subarray(0, TRIPLE)));
  const made = new Uint8Array(2 * TRIPLE * AT_ONCE);
  sorted.forEach((pattern, i) => {
    const group = 1 << Math.floor((i * GROUPS) / sorted.length);
    for (let at = 0; at < TRIPLE; at++) {
      const byte = pattern[at] ?? 0;
      for (const place of [2 * at * AT_ONCE + (byte & 0xf), (2 * at + 1) * AT_ONCE + (byte >>> 4)])
        made[place] = (made[place] ?? 0) | group;
    }
  });
  return made;
}
