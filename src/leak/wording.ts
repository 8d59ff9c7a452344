/** How figures stand in messages: always with their unit, and shares with what they are shares of. */

import { printable } from '../../parsers/text-safety.js';
import { sizeText } from '../result/amount.js';
import type { PoolKind, ProcessName } from '../result/result.js';
import { PAGE_BYTES } from './thresholds.js';

/** `155371 pages (606.9 MB)` */
export function pagesText(pages: number): string {
  return `${pages} pages (${sizeText(pages * PAGE_BYTES)})`;
}

/** value / limit * 100 with one decimal; 0 where the limit is not positive. */
export function percent(value: number, limit: number): number {
  return limit > 0 ? Math.round((value / limit) * 1000) / 10 : 0;
}

/** `81.3 %` */
export function percentText(value: number, limit: number): string {
  return `${percent(value, limit)} %`;
}

/** A share with three decimals; with the first digit that is not 0 where it has none in three: little is not nothing. */
export function share(value: number, whole: number): number {
  const exact = value / whole;
  return Math.abs(exact) < 0.0005 ? Number(exact.toPrecision(1)) : Math.round(exact * 1000) / 1000;
}

/** `nonpaged pool` */
export function poolName(pool: PoolKind): string {
  return `${pool} pool`;
}

/** `a`, `a and b`, `a, b and 3 more` */
export function list(names: readonly string[], most = 4): string {
  const safe = names.map(printable);
  if (safe.length > most) return `${safe.slice(0, most).join(', ')} and ${safe.length - most} more`;
  const last = safe.at(-1) ?? '';
  return safe.length < 2 ? last : `${safe.slice(0, -1).join(', ')} and ${last}`;
}

/** First letter in upper case. */
export function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** `71,197` */
export function amount(count: number): string {
  return String(Math.trunc(count)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `1 handle`, `71,197 handles` */
export function counted(count: number, one: string, more = `${one}s`): string {
  return `${amount(count)} ${count === 1 ? one : more}`;
}

/** `watchman.exe (pid 4324)` */
export function processText({ image, pid }: ProcessName): string {
  return `${image === '' ? 'a process without a name' : printable(image)} (pid ${pid})`;
}
