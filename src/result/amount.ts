/** How an amount of memory is printed for people: one rule for headlines, messages, reports, pages, summaries and differences. */

import type { Count } from './result.js';

const UNITS = ['KB', 'MB', 'GB', 'TB', 'PB', 'EB'];

/**
 * Bytes in binary units with one decimal, whatever the unit: `586.9 MB`, `1.0 GB`; below 1 KB exact: `512 bytes`. The unit
 * is the largest of which there is one. (1 MB = 1,048,576 bytes, as Windows tools mean it. What is printed in the look of a
 * Windows tool follows that tool.)
 */
export function sizeText(bytes: Count | bigint): string {
  const exact = typeof bytes === 'number' ? Math.trunc(bytes) : bytes;
  let amount = Number(exact);
  if (!(Math.abs(amount) >= 1024)) return `${exact} ${Math.abs(amount) === 1 ? 'byte' : 'bytes'}`;
  let unit = -1;
  // 1023.95 would print as 1024.0
  do {
    amount /= 1024;
    unit++;
  } while (Math.abs(amount) >= 1023.95 && unit < UNITS.length - 1);
  return `${amount.toFixed(1)} ${UNITS[unit] ?? ''}`;
}
