/** Order statistics without sorting. */

/**
 * The k-th smallest (from 0) of the first `count` values, which are moved about: afterwards those before k are not
 * larger and those after it not smaller. Values must not be NaN.
 */
export function select(values: Float64Array, count: number, k: number): number {
  let low = 0;
  let high = count - 1;
  while (high > low) {
    if (high - low < 12) {
      insertionSort(values, low, high);
      break;
    }
    // Median of three as the pivot.
    const middle = (low + high) >> 1;
    const a = values[low] ?? 0;
    const b = values[middle] ?? 0;
    const c = values[high] ?? 0;
    const pivot = a < b ? (b < c ? b : a < c ? c : a) : a < c ? a : b < c ? c : b;
    let i = low;
    let j = high;
    while (i <= j) {
      while ((values[i] ?? 0) < pivot) i++;
      while ((values[j] ?? 0) > pivot) j--;
      if (i <= j) {
        const swap = values[i] ?? 0;
        values[i] = values[j] ?? 0;
        values[j] = swap;
        i++;
        j--;
      }
    }
    if (k <= j) high = j;
    else if (k >= i) low = i;
    else break;
  }
  return values[k] ?? NaN;
}

function insertionSort(values: Float64Array, low: number, high: number): void {
  for (let i = low + 1; i <= high; i++) {
    const value = values[i] ?? 0;
    let j = i - 1;
    while (j >= low && (values[j] ?? 0) > value) {
      values[j + 1] = values[j] ?? 0;
      j--;
    }
    values[j + 1] = value;
  }
}

/** The median of the first `count` values, which are moved about; the mean of the middle two. NaN of none. */
export function median(values: Float64Array, count = values.length): number {
  if (count === 0) return NaN;
  const upper = select(values, count, count >> 1);
  if (count % 2 === 1) return upper;
  let lower = -Infinity;
  for (let i = 0; i < count >> 1; i++) if ((values[i] ?? 0) > lower) lower = values[i] ?? 0;
  return (lower + upper) / 2;
}

/** The value below which a share of the first `count` values lies, which are moved about. NaN of none. */
export function quantile(values: Float64Array, count: number, share: number): number {
  return count === 0 ? NaN : select(values, count, Math.min(count - 1, Math.floor(share * count)));
}
