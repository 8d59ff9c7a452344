/**
 * References that no handle explains. From Windows 8 on a handle takes a stock of references when it is made, so pointer
 * counts are about 32,767 for each handle (262,143 on 8.0) until the stock is taken out (reference: objects-and-pool-blocks,
 * section 5.4). Whether that holds is told by the objects: nearly all must then have few references left.
 */

import type { HandleCensus } from './handles/handle-census.js';

/** How pointer counts are read. */
export interface ReferenceRule {
  /** Handles have references in stock that are to be taken out of the count. */
  readonly withStock: boolean;
  /** Objects that were looked at, and those of them that have few references left by this rule. */
  readonly checked: number;
  readonly agree: number;
}

const MOST_CHECKED = 100_000;
const ENOUGH = 0.8;

/** References of an object beyond those of its handles, by a rule. */
function left(census: HandleCensus, object: number, withStock: boolean): number {
  const { facts } = census;
  const stock = withStock ? (census.stock[object] ?? 0) : 0;
  return (facts.pointerCount[object] ?? 0) - stock - (facts.handleCount[object] ?? 0);
}

/** True where every handle of an object was found: only then its count can be read. */
const isWhole = (census: HandleCensus, object: number): boolean =>
  (census.facts.type[object] ?? -1) >= 0 && census.facts.handleCount[object] === census.handlesFound[object];

/** The rule that the objects prove; null where none does. */
export function referenceRule(census: HandleCensus): ReferenceRule | null {
  const rules = census.encoding.references === null ? [false] : [true, false];
  const step = Math.max(1, Math.floor(census.objects.count / MOST_CHECKED));
  let best: ReferenceRule | null = null;
  for (const withStock of rules) {
    let checked = 0;
    let agree = 0;
    for (let object = 0; object < census.objects.count; object += step) {
      if (!isWhole(census, object)) continue;
      checked++;
      const rest = left(census, object, withStock);
      if (rest >= 0 && rest <= 2 * (census.handlesFound[object] ?? 0) + 2) agree++;
    }
    if (agree >= checked * ENOUGH && checked > 0 && agree > (best?.agree ?? 0)) best = { withStock, checked, agree };
  }
  return best;
}

/** References of an object beyond its handles; null where not all its handles are known or the count cannot be. */
export function beyondHandles(census: HandleCensus, rule: ReferenceRule, object: number): number | null {
  if (!isWhole(census, object)) return null;
  const rest = left(census, object, rule.withStock);
  return rest < 0 ? null : rest;
}
