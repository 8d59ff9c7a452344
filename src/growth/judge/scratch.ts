/** The working memory of judging a series: whoever judges many makes it once and hands it on. */

import { PHASES } from './growth-thresholds.js';

/** Most points of a series that pairs are made of; longer ones are condensed first. */
export const MOST_POINTS = 256;

/** What one judgement writes into while it lasts. A judgement inside of another takes `inner`. */
export class Scratch {
  /** The slopes of all pairs. */
  readonly slopes = new Float64Array((MOST_POINTS * (MOST_POINTS - 1)) / 2);
  /** Two halves of a merge sort. */
  readonly sorted = new Float64Array(MOST_POINTS);
  readonly merged = new Float64Array(MOST_POINTS);
  /** What a profile leaves: valid as long as the judgement. */
  readonly level = new Float64Array(MOST_POINTS);
  readonly residual = new Float64Array(MOST_POINTS);
  readonly phaseOf = new Uint8Array(MOST_POINTS);
  readonly profile = new Float64Array(PHASES);
  /** Where the points of each phase begin. */
  readonly counts = new Uint16Array(PHASES + 1);
  /** Values that one function selects from. */
  readonly selected = new Float64Array(MOST_POINTS);
  private below: Scratch | null = null;

  private hours = new Float64Array(MOST_POINTS);
  private values = new Float64Array(MOST_POINTS);

  /** Room for the points of a series of any length. */
  points(count: number): { readonly hours: Float64Array; readonly values: Float64Array } {
    if (count > this.hours.length) {
      this.hours = new Float64Array(count * 2);
      this.values = new Float64Array(count * 2);
    }
    return { hours: this.hours, values: this.values };
  }

  get inner(): Scratch {
    return (this.below ??= new Scratch());
  }
}
