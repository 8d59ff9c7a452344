/** Brings the tables of a shared history in line from time to time, so that other hosts see what was done meanwhile. */

import type { SharedHistory } from '../store/server/shared-history.js';

/** Between two times at least; and so many times what one takes. */
const PAUSE = 10_000;
const TIMES = 20;

export class TablesUp {
  private timer: NodeJS.Timeout | null = null;
  private pause = PAUSE;
  private working: Promise<void> = Promise.resolve();

  constructor(
    private readonly history: Pick<SharedHistory, 'bringUp'>,
    private readonly failed: (error: unknown) => void,
  ) {}

  /** There is something new. */
  changed(): void {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      const begun = performance.now();
      this.working = this.history
        .bringUp({ wait: false })
        .then(() => undefined)
        .catch(this.failed)
        .finally(() => {
          this.pause = Math.max(PAUSE, (performance.now() - begun) * TIMES);
        });
    }, this.pause).unref();
  }

  /** All that was done is in the tables. Throws HistoryError. */
  async end(): Promise<void> {
    if (this.timer !== null) clearTimeout(this.timer);
    await this.working;
    await this.history.bringUp();
  }
}
