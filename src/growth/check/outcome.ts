/** All dumps of a check together. */

import type { Baseline } from './baseline.js';
import type { CheckOutcome, DumpCheck } from './judge-dump.js';

export interface CheckReport {
  /** The file of the baseline; null where only limits counted. */
  readonly baselineFile: string | null;
  readonly baseline: Baseline | null;
  readonly maxGrowthPercent: number;
  readonly minGrowthBytes: number;
  readonly limits: readonly { readonly tag: string; readonly bytes: number }[];
  readonly dumps: readonly DumpCheck[];
}

/** `failed` where a dump failed, else `unreadable` or `undecided` where one cannot be compared: nobody may take that for passed. */
export function outcomeOf({ dumps }: Pick<CheckReport, 'dumps'>): CheckOutcome {
  const has = (outcome: CheckOutcome): boolean => dumps.some((dump) => dump.outcome === outcome);
  return has('failed') ? 'failed' : has('unreadable') ? 'unreadable' : has('undecided') ? 'undecided' : 'passed';
}
