/** A series as one line of blocks. */

const BLOCKS = '▁▂▃▄▅▆▇█';
const ASCII = '_.,-=+*#';

/**
 * Values at times as `width` blocks from `start` to `end`, each the mean of its stretch, from the lowest to the highest
 * value; a blank where a stretch has no sample. ASCII characters instead of blocks where `ascii` is set.
 */
export function sparkline(
  times: readonly number[] | Float64Array,
  values: readonly number[] | Float64Array,
  range: { start: number; end: number; width: number; ascii: boolean },
): string {
  const { start, end, width } = range;
  const sums = new Float64Array(width);
  const counts = new Uint32Array(width);
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? NaN;
    if (Number.isNaN(value)) continue;
    const share = end > start ? ((times[i] ?? 0) - start) / (end - start) : 0;
    const cell = Math.max(0, Math.min(width - 1, Math.floor(share * width)));
    sums[cell] = (sums[cell] ?? 0) + value;
    counts[cell] = (counts[cell] ?? 0) + 1;
  }
  let low = Infinity;
  let high = -Infinity;
  for (let c = 0; c < width; c++) {
    if (counts[c] === 0) continue;
    const mean = (sums[c] ?? 0) / (counts[c] ?? 1);
    sums[c] = mean;
    low = Math.min(low, mean);
    high = Math.max(high, mean);
  }
  const signs = range.ascii ? ASCII : BLOCKS;
  let line = '';
  for (let c = 0; c < width; c++) {
    const share = high > low ? ((sums[c] ?? 0) - low) / (high - low) : 0;
    line += counts[c] === 0 ? ' ' : (signs[Math.min(7, Math.floor(share * 8))] ?? '');
  }
  return line;
}
