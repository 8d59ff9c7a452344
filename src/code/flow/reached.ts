/** The instructions of a function that a path leads to. */

/** A list of instructions, looked up by RVA. */
export class Reached {
  private readonly ats: number[] = [];
  private readonly lengths: number[] = [];
  private isSorted = true;

  add(at: number, length: number): void {
    if (at < (this.ats[this.ats.length - 1] ?? -Infinity)) this.isSorted = false;
    this.ats.push(at);
    this.lengths.push(length);
  }

  has(rva: number): boolean {
    return this.get(rva) !== undefined;
  }

  /** The length of the instruction at an RVA, in bytes; undefined where none was come to. */
  get(rva: number): number | undefined {
    if (!this.isSorted) this.sort();
    const { ats } = this;
    let [low, high] = [0, ats.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((ats[middle] ?? 0) <= rva) low = middle + 1;
      else high = middle;
    }
    return low > 0 && ats[low - 1] === rva ? this.lengths[low - 1] : undefined;
  }

  /** By RVA; of several at one, the one that was added last comes last. */
  private sort(): void {
    const order = [...this.ats.keys()].sort((a, b) => (this.ats[a] ?? 0) - (this.ats[b] ?? 0) || a - b);
    const [ats, lengths] = [this.ats.slice(), this.lengths.slice()];
    order.forEach((from, to) => {
      this.ats[to] = ats[from] ?? 0;
      this.lengths[to] = lengths[from] ?? 0;
    });
    this.isSorted = true;
  }
}
