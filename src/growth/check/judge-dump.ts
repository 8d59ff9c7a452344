/** A dump against a baseline and limits: what holds more than it may. A pure function of a result. */

import { countersOf, POOLS } from '../../result/pool.js';
import { toNumber, type AnalysisResult, type Confidence, type Hex, type Note, type PoolKind } from '../../result/result.js'; // prettier-ignore
import { tagKey } from '../../result/tag.js';
import { tagAndPool, type Baseline } from './baseline.js';
import { driversOf, inBytes } from './named-drivers.js';

/** `--tag T=BYTES`: what a tag may hold at most, both pools together. */
export interface TagLimit {
  /** As it was typed. */
  readonly tag: string;
  /** Without the protected bit. */
  readonly key: number;
  readonly bytes: number;
}

export interface Allowance {
  /** Null where only limits count. */
  readonly baseline: Baseline | null;
  /** Of what the baseline says, percent. */
  readonly maxGrowthPercent: number;
  /** Bytes; growth up to this passes, whatever it is in percent. */
  readonly minGrowthBytes: number;
  readonly limits: readonly TagLimit[];
}

/** One thing that holds more than it may. */
export interface Excess {
  /** What was compared: a tag with the baseline, a driver with the baseline, or a tag with its limit. */
  readonly what: 'tag' | 'driver' | 'limit';
  /** Null of a driver. */
  readonly tag: string | null;
  readonly key: Hex | null;
  /** Null of a driver, and of a limit: that is for both pools. */
  readonly pool: PoolKind | null;
  readonly bytes: number;
  /** Null where no baseline was given. */
  readonly baselineBytes: number | null;
  readonly allowedBytes: number;
  /** The driver itself, or the one that is named for the tag; null where nobody is. */
  readonly driver: string | null;
  /** How sure it is that the driver allocates under the tag. */
  readonly confidence: Confidence | null;
}

/** `undecided`: the dump does not tell what its tags hold. `unreadable`: it could not be analyzed. */
export type CheckOutcome = 'passed' | 'failed' | 'undecided' | 'unreadable';

export interface DumpCheck {
  readonly path: string;
  readonly outcome: CheckOutcome;
  /** Why it is undecided or unreadable; null otherwise. */
  readonly reason: Note | null;
  /** Largest excess first. */
  readonly excesses: readonly Excess[];
  /** Tags with a baseline or without one that were compared. */
  readonly tagsCompared: number;
  readonly notes: readonly Note[];
}

/** Why the tags of a result cannot be compared with anything; null where they can. */
export function whyNotComparable({ poolTags, warnings }: AnalysisResult): Note | null {
  if (poolTags === null) {
    const message = 'the dump tells nothing of pool tags: a kernel or complete dump is needed';
    return warnings.find(({ code }) => code === 'triage-dump' || code === 'pool-tagging-off') ?? { code: 'no-pool-tags', message }; // prettier-ignore
  }
  if (poolTags.complete) return null;
  return { code: 'pool-tags-incomplete', message: 'the tables of pool tags are not whole: what a tag holds is not known' }; // prettier-ignore
}

/** Compares a result with what is allowed. */
export function checkResult(result: AnalysisResult, allowance: Allowance): DumpCheck {
  const { path } = result.dump;
  const reason = whyNotComparable(result);
  if (reason !== null) {
    const { code, message } = reason;
    return { path, outcome: 'undecided', reason: { code, message }, excesses: [], tagsCompared: 0, notes: [] };
  }
  const { baseline } = allowance;
  const named = driverByTag(result);
  const excesses = [...overLimits(result, allowance, named), ...(baseline === null ? [] : overBaseline(result, { ...allowance, baseline }, named))]; // prettier-ignore
  excesses.sort((a, b) => b.bytes - b.allowedBytes - (a.bytes - a.allowedBytes));
  return {
    ...{ path, outcome: excesses.length > 0 ? 'failed' : 'passed', reason: null, excesses },
    tagsCompared: result.poolTags?.rows.length ?? 0,
    notes: baseline === null ? [] : otherMachine(result, baseline),
  };
}

type DriverByTag = ReadonlyMap<string, { module: string; confidence: Confidence }>;

function driverByTag(result: AnalysisResult): DriverByTag {
  return new Map(
    driversOf(result).flatMap(({ module, confidence, tags }) =>
      tags.map(({ hex, pool }) => [tagAndPool(hex, pool), { module, confidence }] as const),
    ),
  );
}

function overLimits({ poolTags }: AnalysisResult, { limits }: Allowance, named: DriverByTag): Excess[] {
  return limits.flatMap(({ tag, key, bytes: allowedBytes }) => {
    const row = poolTags?.rows.find((one) => tagKey(one) === key);
    if (row === undefined) return [];
    const bytes = toNumber(row.nonPaged.bytes) + toNumber(row.paged.bytes);
    if (!(bytes > allowedBytes)) return [];
    const driver = named.get(tagAndPool(row.hex, 'nonpaged')) ?? named.get(tagAndPool(row.hex, 'paged'));
    return [{ what: 'limit', tag, key: row.hex, pool: null, bytes, baselineBytes: null, allowedBytes, ...nameOf(driver) } as const]; // prettier-ignore
  });
}

function overBaseline(
  result: AnalysisResult,
  { baseline, maxGrowthPercent, minGrowthBytes, limits }: Allowance & { baseline: Baseline },
  named: DriverByTag,
): Excess[] {
  const before = new Map(baseline.tags.map(({ hex, pool, bytes }) => [tagAndPool(hex, pool), bytes]));
  const allowed = (bytes: number): number => Math.max(Math.floor(bytes * (1 + maxGrowthPercent / 100)), bytes + minGrowthBytes); // prettier-ignore
  const limited = new Set(limits.map(({ key }) => key));
  const excesses: Excess[] = [];
  for (const row of result.poolTags?.rows ?? []) {
    // A limit that is given for the tag counts in place of the baseline.
    if (limited.has(tagKey(row))) continue;
    for (const pool of POOLS) {
      const key = tagAndPool(row.hex, pool);
      const bytes = toNumber(countersOf(row, pool).bytes);
      const baselineBytes = before.get(key) ?? 0;
      const allowedBytes = allowed(baselineBytes);
      if (!(bytes > allowedBytes)) continue;
      const { tag, hex } = row;
      excesses.push({ what: 'tag', tag, key: hex, pool, bytes, baselineBytes, allowedBytes, ...nameOf(named.get(key)) }); // prettier-ignore
    }
  }
  const drivers = new Map(baseline.drivers.map(({ module, bytes }) => [module.toLowerCase(), bytes]));
  for (const { module, confidence, tags } of driversOf(result)) {
    const counted = tags.filter(({ hex }) => !limited.has(tagKey({ hex })));
    const bytes = inBytes(counted);
    const ofTags = counted.reduce((sum, { hex, pool }) => sum + (before.get(tagAndPool(hex, pool)) ?? 0), 0);
    const baselineBytes = Math.max(ofTags, drivers.get(module.toLowerCase()) ?? 0);
    const allowedBytes = allowed(baselineBytes);
    if (!(bytes > allowedBytes)) continue;
    excesses.push({ what: 'driver', tag: null, key: null, pool: null, bytes, baselineBytes, allowedBytes, driver: module, confidence }); // prettier-ignore
  }
  return excesses;
}

const nameOf = (driver: { module: string; confidence: Confidence } | undefined) => ({
  driver: driver?.module ?? null,
  confidence: driver?.confidence ?? null,
});

/** What makes the comparison doubtful: another Windows has other tags. */
function otherMachine({ system, dump }: AnalysisResult, { buildNumber, architecture }: Baseline): Note[] {
  const build = system?.buildNumber ?? null;
  const differs = (one: unknown, other: unknown): boolean => one !== null && other !== null && one !== other;
  if (!differs(build, buildNumber) && !differs(dump.architecture, architecture)) return [];
  const message = `the baseline is of build ${String(buildNumber ?? 'n/a')} (${architecture ?? 'n/a'}), the dump of build ${String(build ?? 'n/a')} (${dump.architecture ?? 'n/a'}): tags of Windows differ between them`; // prettier-ignore
  return [{ code: 'other-build', message }];
}
