/** The truth as JSON text: addresses as hex, large counters as decimal strings, one list element a line. */

import type { Truth } from './truth.js';

const ADDRESSES = new Set([
  'directoryTableBase',
  'kdDebuggerDataBlock',
  'address',
  'base',
  'start',
  'end',
  'tableAddress',
]);

function plain(key: string, value: unknown): unknown {
  if (typeof value !== 'bigint') return value;
  if (value >= 0x8000_0000_0000n || ADDRESSES.has(key)) return `0x${value.toString(16)}`;
  const safe = value <= BigInt(Number.MAX_SAFE_INTEGER) && value >= BigInt(Number.MIN_SAFE_INTEGER);
  return safe ? Number(value) : value.toString();
}

function layOut(value: unknown, depth: number): string {
  const pad = ' '.repeat(depth + 1);
  const end = `\n${' '.repeat(depth)}`;
  if (Array.isArray(value) && value.some((item) => typeof item === 'object')) {
    return `[\n${value.map((item) => pad + JSON.stringify(item)).join(',\n')}${end}]`;
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value) && depth < 2) {
    const entries = Object.entries(value).map(
      ([key, item]) => `${pad}${JSON.stringify(key)}: ${layOut(item, depth + 1)}`,
    );
    return `{\n${entries.join(',\n')}${end}}`;
  }
  return JSON.stringify(value);
}

/** Always the same text for the same truth. */
export function truthJson(truth: Truth): string {
  return `${layOut(JSON.parse(JSON.stringify(truth, plain)), 0)}\n`;
}
