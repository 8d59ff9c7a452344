/** Long series made short: the median of the samples of each stretch, in stretches that divide a cycle evenly. */

import { MOST_POINTS } from './scratch.js';
import { median } from './select.js';

export interface Points {
  hours: Float64Array;
  values: Float64Array;
}

/** At most MOST_POINTS points, none for stretches without a sample. */
export function condense(hours: Float64Array, values: Float64Array, cycleHours: number): Points {
  const first = hours[0] ?? 0;
  const span = (hours[hours.length - 1] ?? 0) - first;
  const perCycle = Math.floor(((MOST_POINTS - 1) * cycleHours) / span);
  // A last sample on the border falls into a stretch of its own.
  const width = perCycle >= 1 ? cycleHours / perCycle : span / (MOST_POINTS - 1);
  const out = { hours: new Float64Array(MOST_POINTS), values: new Float64Array(MOST_POINTS) };
  const buffer = new Float64Array(values.length);
  let points = 0;
  for (let i = 0; i < values.length;) {
    const cell = Math.floor(((hours[i] ?? 0) - first) / width + 1e-9);
    let count = 0;
    let sum = 0;
    while (i < values.length && Math.floor(((hours[i] ?? 0) - first) / width + 1e-9) === cell) {
      buffer[count++] = values[i] ?? 0;
      sum += (hours[i] ?? 0) - first;
      i++;
    }
    if (points === MOST_POINTS) break;
    out.hours[points] = first + sum / count;
    out.values[points] = median(buffer, count);
    points++;
  }
  return { hours: out.hours.subarray(0, points), values: out.values.subarray(0, points) };
}
