/** Windows' time stamps as the result writes them. */

/** FILETIME of 1970-01-01, and of 10000-01-01, in units of 100 ns. */
const EPOCH = 116_444_736_000_000_000n;
const LATEST = 2_650_467_744_000_000_000n;

/** A FILETIME (100 ns since 1601 UTC) as ISO 8601 with milliseconds; null for impossible ones. */
export function fileTimeText(time: bigint | null): string | null {
  if (time === null || time < EPOCH || time >= LATEST) return null;
  return new Date(Number((time - EPOCH) / 10_000n)).toISOString();
}
