/** Numbers, sizes, shares, times and addresses as people read them. 1 MB = 1,048,576 bytes, as Windows tools mean it. */

import { sizeText } from '../../result/amount.js';
import type { Count, Hex } from '../../result/result.js';

const PAGE_BYTES = 4096n;
const HEX = /^0x[0-9a-f]{1,16}$/i;

/** What stands where a figure is not known. */
export const NOT_KNOWN = 'n/a';

/** A count as an exact integer, whichever way the contract writes it. A fraction is cut off. */
export function exactInteger(value: Count | bigint): bigint {
  return typeof value === 'number' ? BigInt(Math.trunc(value)) : BigInt(value);
}

/** `615,424,000`; `n/a` for null. */
export function thousands(value: Count | bigint | null): string {
  return value === null
    ? NOT_KNOWN
    : exactInteger(value)
        .toString()
        .replace(/\B(?=(\d{3})+$)/g, ',');
}

/** Bytes as amounts are printed (src/result/amount): `586.9 MB`; `n/a` for null. */
export function humanBytes(value: Count | bigint | null): string {
  return value === null ? NOT_KNOWN : sizeText(value);
}

/** Pages of 4096 bytes as bytes. */
function pageBytes(pages: Count | bigint): bigint {
  return exactInteger(pages) * PAGE_BYTES;
}

/** Pages in binary units: `606.9 MB`. */
export function humanPages(pages: Count | bigint | null): string {
  return pages === null ? NOT_KNOWN : humanBytes(pageBytes(pages));
}

/** `part / whole`; null where either is unknown or the whole is not positive. */
export function ratio(part: Count | bigint | null, whole: Count | bigint | null): number | null {
  if (part === null || whole === null || exactInteger(whole) <= 0n) return null;
  return Number(part) / Number(whole);
}

/** A share (0.97) as `97.0 %`; `n/a` for null. What is not nothing never prints as `0.0 %`. */
export function percent(share: number | null): string {
  if (share === null || !Number.isFinite(share)) return NOT_KNOWN;
  if (share !== 0 && Math.abs(share) < 0.0005) return '<0.1 %';
  return `${(share * 100).toFixed(1)} %`;
}

/** How many times as many: `4 times as many`, and `as many` for 1. */
export function timesAsMany(times: number): string {
  return times === 1 ? 'as many' : `${times} times as many`;
}

/** `1 page`, `2 pages`: the number with thousands separators and the noun that fits it. */
export function counted(value: Count | bigint, singular: string, plural = `${singular}s`): string {
  return `${thousands(value)} ${exactInteger(value) === 1n ? singular : plural}`;
}

/** Seconds as `10 d 0 h 12 min`, `12 min 5 s`, `5 s`; `n/a` for null. */
export function duration(seconds: number | null): string {
  if (seconds === null || !Number.isFinite(seconds) || seconds < 0) return NOT_KNOWN;
  const whole = Math.floor(seconds);
  const minutes = Math.floor(whole / 60);
  const hours = Math.floor(minutes / 60);
  if (hours >= 24) return `${thousands(Math.floor(hours / 24))} d ${hours % 24} h ${minutes % 60} min`;
  if (hours > 0) return `${hours} h ${minutes % 60} min`;
  return minutes > 0 ? `${minutes} min ${whole % 60} s` : `${whole} s`;
}

/** Milliseconds as `412 ms` or `1.2 s`. */
export function elapsed(milliseconds: number): string {
  return milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}

/** An ISO time in UTC as `2026-11-19 22:10:05 UTC`; other text stays as it is; `n/a` for null. */
export function utc(time: string | null): string {
  if (time === null) return NOT_KNOWN;
  const parts = /^(\d{4,6}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z$/.exec(time);
  return parts === null ? time : `${parts[1] ?? ''} ${parts[2] ?? ''} UTC`;
}

/** An address or code of the contract as a number; null where it is null or not hexadecimal. */
export function parseHex(text: Hex | null): bigint | null {
  return text !== null && HEX.test(text) ? BigInt(text) : null;
}

/** As the debugger prints addresses: `fffff880`044b5000` in a 64-bit system, `826fa130` in a 32-bit one. */
export function debuggerAddress(address: bigint, wide: boolean): string {
  const digits = BigInt.asUintN(64, address).toString(16);
  if (!wide) return digits.padStart(8, '0');
  const all = digits.padStart(16, '0');
  return `${all.slice(0, 8)}\`${all.slice(8)}`;
}
