/**
 * How much work following code takes, counted, and where it ends: nothing that code holds may make a run last. What was
 * cut off is said by whoever asked.
 */

/** Counts steps against limits. A step is an instruction decoded, looked at or carried out, or a call looked into. */
export class CodeWork {
  /** Steps so far. */
  steps = 0;
  /** Functions that were followed. */
  functions = 0;
  private end: number;

  /** @param most Steps in all. */
  constructor(most = Infinity) {
    this.end = most;
  }

  /** Steps that may still be done. */
  get left(): number {
    return Math.max(0, this.end - this.steps);
  }

  /** True where no step is left: what was asked since may have been cut off. */
  isSpent(): boolean {
    return this.steps >= this.end;
  }

  /** Does something with at most so many steps, and no more than are left. `isCut`: they did not suffice. */
  within<T>(most: number, action: () => T): { readonly value: T; readonly isCut: boolean } {
    const { end } = this;
    this.end = Math.min(end, this.steps + most);
    try {
      const value = action();
      return { value, isCut: this.isSpent() };
    } finally {
      this.end = end;
    }
  }
}
