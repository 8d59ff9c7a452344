/** The outputs of a batch while it goes on: written again from time to time, so that one slow dump hides none of the others. */

/** From the first result to the first writing, in milliseconds. */
const FIRST = 2_000;
/** Between two of them at least; and so many times what a writing takes. */
const PAUSE = 10_000;
const TIMES = 20;

export class RollingOutputs {
  private timer: NodeJS.Timeout | null = null;
  private pause: number;

  /** `write` makes all outputs; it must not throw. */
  constructor(
    private readonly write: () => void,
    private readonly pauses: { readonly first: number; readonly least: number } = { first: FIRST, least: PAUSE },
  ) {
    this.pause = pauses.first;
  }

  /** There is something new to be written. */
  changed(): void {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      const begun = performance.now();
      this.write();
      this.pause = Math.max(this.pauses.least, (performance.now() - begun) * TIMES);
    }, this.pause).unref();
  }

  /** From here on nothing is written. */
  end(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }
}
