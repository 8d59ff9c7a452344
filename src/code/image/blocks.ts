/** The operations of a function as blocks: where control comes in, and where jumps lead. */

import { OP, type Operations } from '../../../parsers/code/operations.js';

/** Used again for every function. */
class Scratch {
  /** Places where a block begins, places that were come to, and blocks that wait to be carried out. */
  leaders = new Uint8Array(0);
  seen = new Uint8Array(0);
  dirty = new Uint8Array(0);
  /** By place of a jump or branch: the place that it leads to; -1 where it leaves the function. */
  targets = new Int32Array(0);

  reset(count: number): void {
    if (this.leaders.length <= count) {
      const size = 2 * count + 256;
      this.leaders = new Uint8Array(size);
      this.seen = new Uint8Array(size);
      this.dirty = new Uint8Array(size);
      this.targets = new Int32Array(size);
      return;
    }
    for (const bytes of [this.leaders, this.seen, this.dirty]) bytes.fill(0, 0, count + 1);
  }
}

const scratch = new Scratch();
/** Blocks of one function; the arrays are used again for the next one. */
export class Blocks {
  /** By place of an operation: 1 where a block begins, where it was carried out, and where a block waits for that. */
  readonly leaders: Uint8Array;
  readonly seen: Uint8Array;
  readonly dirty: Uint8Array;
  /** By place of a jump or branch: the place that it leads to; -1 where it leaves the function. */
  readonly targets: Int32Array;
  /** Operations stand in stretches of ascending RVAs; these are where they begin. */
  private readonly stretches: number[] = [0];

  constructor(private readonly ops: Operations) {
    const { count } = ops;
    scratch.reset(count);
    ({ leaders: this.leaders, seen: this.seen, dirty: this.dirty, targets: this.targets } = scratch);
    for (let i = 1; i < count; i++) if ((ops.at[i] ?? 0) < (ops.at[i - 1] ?? 0)) this.stretches.push(i);
    for (let i = 0; i < count; i++) {
      const kind = ops.kind[i];
      if (kind !== OP.branch && kind !== OP.jump) continue;
      const target = this.indexOf(ops.immediate[i] ?? 0);
      this.targets[i] = target;
      if (target >= 0) this.leaders[target] = 1;
      this.leaders[i + 1] = 1;
    }
  }

  /** The first operation at an RVA; -1 where none is. */
  indexOf(rva: number): number {
    const { ops, stretches } = this;
    for (let s = 0; s < stretches.length; s++) {
      let low = stretches[s] ?? 0;
      const end = stretches[s + 1] ?? ops.count;
      let high = end;
      while (low < high) {
        const middle = (low + high) >>> 1;
        if ((ops.at[middle] ?? 0) < rva) low = middle + 1;
        else high = middle;
      }
      if (low < end && ops.at[low] === rva) return low;
    }
    return -1;
  }
}
