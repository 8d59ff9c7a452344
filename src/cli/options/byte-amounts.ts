/** Amounts of memory on a command line. */

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

/** Reads `1048576`, `512KB`, `1.5 MB`, `2g` (1 KB = 1024 bytes) as bytes; null for other text. */
export function byteAmount(text: string): number | null {
  const match = /^(\d{1,15}(?:\.\d{1,6})?) ?(?:([kmgt])i?b?|b|bytes)?$/i.exec(text.trim());
  if (match === null) return null;
  const bytes = Math.round(Number(match[1]) * (UNITS[(match[2] ?? '').toLowerCase()] ?? NaN));
  return Number.isSafeInteger(bytes) ? bytes : null;
}
