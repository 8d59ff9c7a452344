/** What the single steps of a series from sample to sample tell. */

export interface Steps {
  falls: number;
  rises: number;
  largestRise: number;
  rise: number;
  low: number;
  high: number;
}

/** Looks at every step; values hold no NaN. */
export function readSteps(values: Float64Array): Steps {
  const first = values[0] ?? 0;
  const steps = { falls: 0, rises: 0, largestRise: 0, rise: 0, low: first, high: first };
  let before = first;
  for (let i = 1; i < values.length; i++) {
    const value = values[i] ?? 0;
    const change = value - before;
    if (change < 0) steps.falls++;
    else if (change > 0) {
      steps.rises++;
      if (change > steps.largestRise) steps.largestRise = change;
    }
    if (value < steps.low) steps.low = value;
    else if (value > steps.high) steps.high = value;
    before = value;
  }
  steps.rise = before - first;
  return steps;
}
