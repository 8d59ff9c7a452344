/** The answer in one line, and whether a pool leak is suspected. */

import { sizeText } from '../result/amount.js';
import { printable } from '../../parsers/text-safety.js';
import type { PoolKind, Recipe, Suspect, TagOwner, Verdict } from '../result/result.js';
import { tagInWords, tagKey } from '../result/tag.js';
import { clusterCulprit, culpritOf, namedDrivers, theDriver } from './culprit.js';
import type { LeakFacts } from './facts.js';
import type { HolderJudgement } from './objects/holders.js';
import { hasNoTables, nextSteps } from './next-steps.js';
import type { Finding } from './next-steps.js';
import { largeTags, type LargeTag } from './subjects.js';
import { recipeOf } from './recipe/suspect-recipe.js';
import { amountText, isSuspicious } from './suspects.js';
import type { Readings } from './suspects.js';
import { largeParts, type LargePart } from './not-pool.js';
import { NOT_POOL_MOST_PERCENT, NOT_POOL_PERCENT, PAGE_BYTES } from './thresholds.js';
import { whereOf } from './where-memory.js';
import { list, percentText, poolName, sentence } from './wording.js';
import type { TagOwners } from './tags/owners.js';
import { sharedDefault } from './tags/windows-tags.js';

/** Flags that say what ran out when pool did not: what it is, and the words for it. */
const EXHAUSTION_FLAGS: ReadonlyMap<string, { name: string; says: string }> = new Map([
  ['commit-near-limit', { name: 'commit', says: 'commit is near its limit' }],
  ['low-available-memory', { name: 'physical memory', says: 'physical memory is short' }],
  ['low-system-ptes', { name: 'system PTEs', says: 'system PTEs are short' }],
  ['system-ptes-exhausted', { name: 'system PTEs', says: 'system PTEs ran out' }],
]);

const EXHAUSTED_RESOURCES = { 'physical-memory': 'physical memory', 'system-ptes': 'system PTEs' } as const;

/** The verdict over all suspects; those that were only asked for are no suspicion. */
export function makeVerdict(
  facts: LeakFacts,
  readings: Readings,
  suspects: readonly Suspect[],
  judgements: ReadonlyMap<Suspect, HolderJudgement> = new Map(),
  owners: TagOwners = new Map(),
): Verdict {
  const finding = find(facts, readings, suspects, judgements, owners);
  const { leakSuspected, headline } = finding;
  const accused = readings.bugCheck?.resource === 'pool' ? readings.bugCheck : null;
  return {
    leakSuspected,
    headline,
    nextSteps: nextSteps(facts, readings, suspects, finding, judgements),
    culprit: culpritOf(leakSuspected, suspects, accused, judgements, sentence(noTagTells(facts)), finding.notPool),
    recipe: recipe(facts, suspects, finding),
  };
}

/** Of the first suspect, else of the tag of Windows that the headline speaks of. */
function recipe(facts: LeakFacts, suspects: readonly Suspect[], { windowsTag }: Finding): Recipe | null {
  const first = suspects.find(isSuspicious) ?? null;
  const row = facts.poolTags?.rows.find(({ hex, tag }) => (first === null ? tag === windowsTag : hex === first.key));
  return row === undefined ? null : recipeOf(facts, row, first);
}

function find(
  facts: LeakFacts,
  readings: Readings,
  suspects: readonly Suspect[],
  judgements: ReadonlyMap<Suspect, HolderJudgement>,
  owners: TagOwners,
): Finding {
  const finding: Finding = { leakSuspected: false, headline: '', exhausted: [], missing: missing(facts) };
  const first = suspects.find(isSuspicious);
  const verified = readings.bugCheck?.class === 'verifier-driver' ? readings.bugCheck : null;
  if (first)
    return { ...finding, leakSuspected: true, headline: suspectHeadline(first, judgements.get(first) ?? null) };
  if (verified?.resource === 'pool') return { ...finding, leakSuspected: true, headline: verified.message };

  const full = fullPool(readings, facts.options.pool);
  if (full) {
    const { usage, limit, basis } = readings.memory.pressure[full];
    const share = `${sentence(poolName(full))} is at ${percentText(usage ?? 0, limit ?? 0)} of the ${basis ?? 'limit'}`;
    return { ...finding, leakSuspected: true, headline: `${share}, but ${noTagTells(facts)}` };
  }
  const exhausted = exhaustion(readings);
  const elsewhere = largeParts(whereOf(facts), facts.modules);
  if (exhausted.length > 0 && finding.missing.length === 0) {
    const what = [...exhausted.map(({ text }) => text), ...elsewhere.map(({ says }) => says)].join('; ');
    return {
      ...finding,
      exhausted: exhausted.map(({ name }) => name),
      elsewhere,
      ...(isSmall(readings)
        ? { notPool: [...exhausted.map(({ text }) => sentence(text)), ...because(elsewhere)] }
        : {}),
      headline: `${innocence(readings)}: ${what}${besideThem(readings, elsewhere)}${highPools(facts, readings)}`,
    };
  }
  if (finding.missing.length > 0) {
    const also = exhausted.length === 0 ? '' : `. Seen without it: ${exhausted.map(({ text }) => text).join('; ')}`;
    const why = hasNoTables(facts.dumpType)
      ? `this dump holds ${nothingOf(finding.missing)}`
      : `${nothingOf(finding.missing)} could be read from this dump`;
    const headline = `No statement about pool leaks is possible: ${why}${also}`;
    return { ...finding, leakSuspected: null, exhausted: exhausted.map(({ name }) => name), headline };
  }
  const large = largeTags(facts, readings).filter(({ row }) => !suspects.some(({ tag }) => tag === row.tag));
  const ofWindows = large.find(({ windows }) => windows);
  if (ofWindows !== undefined) {
    return { ...finding, leakSuspected: null, windowsTag: ofWindows.row.tag, headline: largeHeadline(ofWindows) };
  }
  const [most] = elsewhere;
  if (
    most !== undefined &&
    most.pages * 100 >= (readings.memory.physical ?? 0) * NOT_POOL_MOST_PERCENT &&
    isSmall(readings)
  ) {
    const what = elsewhere.map(({ says }) => says).join('; ');
    const headline = `Not in the pool: ${what}${besideThem(readings, elsewhere)}`;
    return { ...finding, elsewhere, notPool: because(elsewhere), headline };
  }
  const [other] = large;
  const word = other === undefined ? '' : `; ${largeWord(other, owners.get(tagKey(other.row)) ?? null)}`;
  return {
    ...finding,
    leakSuspected: saysLittle(facts, readings) ? null : false,
    ...(other === undefined ? {} : { largeTag: other.row.tag }),
    elsewhere,
    headline: calm(facts, readings, suspects) + word + elsewhere.map(({ says }) => `; ${says}`).join(''),
  };
}

function nothingOf(missing: readonly string[]): string {
  return missing.length > 1 ? `neither ${missing.join(' nor ')}` : `no ${missing.join()}`;
}

function missing(facts: LeakFacts): string[] {
  return facts.poolTags === null ? ['pool tag tables', ...(facts.memory === null ? ['memory totals'] : [])] : [];
}

function fullPool(readings: Readings, only: PoolKind | undefined): PoolKind | undefined {
  const pools: PoolKind[] = only === undefined ? ['nonpaged', 'paged'] : [only];
  return pools.find((pool) => readings.memory.pressure[pool].level === 'excessive');
}

function exhaustion(readings: Readings): { name: string; text: string }[] {
  const found: { name: string; text: string }[] = [];
  const { bugCheck } = readings;
  const { resource } = bugCheck ?? { resource: null };
  if (bugCheck && (resource === 'physical-memory' || resource === 'system-ptes')) {
    const name = EXHAUSTED_RESOURCES[resource];
    found.push({ name, text: `${name} ran out. ${bugCheck.message}` });
  }
  for (const flag of readings.memory.flags) {
    const known = EXHAUSTION_FLAGS.get(flag.code);
    if (known) found.push({ name: known.name, text: `${known.says} (${flag.message})` });
  }
  return found;
}

/** Whether both pools are known to be far from their limits. */
function isSmall({ memory: { pressure } }: Readings): boolean {
  return [pressure.nonpaged, pressure.paged].every(({ level }) => level === 'normal');
}

const because = (elsewhere: readonly LargePart[]): string[] => elsewhere.map(({ says }) => sentence(says));

/** A pool that holds much of memory itself is said beside what else does. */
function besideThem({ memory: { pressure, physical } }: Readings, elsewhere: readonly LargePart[]): string {
  if (elsewhere.length === 0 || physical === null) return '';
  const said = (['nonpaged', 'paged'] as const).flatMap((pool) => {
    const { usage } = pressure[pool];
    if (usage === null || usage * 100 < physical * NOT_POOL_PERCENT) return [];
    return [`${poolName(pool)} holds ${sizeText(usage * PAGE_BYTES)} (${percentText(usage, physical)})`];
  });
  return said.length === 0 ? '' : `; ${said.join('; ')}`;
}

/** What may be said of pool when something else ran out: it depends on whether both pools are known to be small. */
function innocence(readings: Readings): string {
  return isSmall(readings) ? 'Not a pool leak' : 'No pool leak seen in this snapshot';
}

/** Why no tag is named for a pool that is full: of tags that were not read nothing is said. */
function noTagTells({ poolTags }: LeakFacts): string {
  if (poolTags === null) return 'the dump holds no pool tag tables to tell by whom';
  return poolTags.complete
    ? 'no tag stands out'
    : 'not all tag tables could be read, and none of the tags that were read explains it';
}

/** Pools that are noticeably full although no tag stands out, as the end of a sentence. */
function highPools(facts: LeakFacts, readings: Readings): string {
  const parts: string[] = [];
  for (const pool of ['nonpaged', 'paged'] as const) {
    const { level, usage, limit, basis } = readings.memory.pressure[pool];
    if (level !== 'high' || usage === null || limit === null || basis === null) continue;
    parts.push(`; ${poolName(pool)} is at ${percentText(usage, limit)} of the ${basis}, but ${noTagTells(facts)}`);
  }
  return parts.join('');
}

/** With a part of the tags alone, and pools of which nothing is known, a leak may be anywhere. */
function saysLittle({ poolTags }: LeakFacts, { memory }: Readings): boolean {
  const { nonpaged, paged } = memory.pressure;
  return poolTags?.complete === false && nonpaged.usage === null && paged.usage === null;
}

function calm(facts: LeakFacts, readings: Readings, suspects: readonly Suspect[]): string {
  const { nonpaged, paged } = readings.memory.pressure;
  const gaps: string[] = [];
  if (facts.poolTags && !facts.poolTags.complete) gaps.push('not all tag tables could be read');
  if (nonpaged.usage === null && paged.usage === null) gaps.push('the usage of the pools is not known');
  let text = 'No pool leak seen in this snapshot';
  if (facts.options.pool !== undefined) text += ` (only ${poolName(facts.options.pool)} was looked at)`;
  if (gaps.length > 0) text += `, but that says little: ${list(gaps)}`;
  const [asked] = suspects;
  if (asked) text += `; ${amountText(asked)} in ${poolName(asked.pool)}`;
  text += highPools(facts, readings);
  if (readings.bugCheck?.class === 'exhaustion') text += `; ${readings.bugCheck.message}`;
  const { warnings } = readings.memory;
  if (warnings.some(({ code }) => code.startsWith('implausible-'))) {
    text += '; some counters cannot be true and were not used';
  }
  return text;
}

/** A tag of Windows holds most of its pool: what that is, accusing nobody. */
function largeHeadline({ row, pool, bytes, share }: LargeTag): string {
  const what = `${sentence(poolName(pool))}: ${sizeText(bytes)} under tag ${tagInWords(row.tag)}, ${share} of it`;
  return `${what}, a tag of Windows: whether that is a leak, and of whom, cannot be told from the tag`;
}

/** A tag of a driver that holds most of its pool without a rule to suspect it by: what it is, and whose. */
function largeWord({ row, pool, bytes, share }: LargeTag, owner: TagOwner | null): string {
  const whose =
    owner === null
      ? 'of a driver that is not known'
      : `of ${printable(owner.module)}${owner.confidence === 'high' ? '' : ', probably'}`;
  return `${share} of ${poolName(pool)} (${sizeText(bytes)}) is under tag ${tagInWords(row.tag)} ${sharedDefault(row.tag) === null ? whose : 'that drivers share'}`;
}

function suspectHeadline(suspect: Suspect, judgement: HolderJudgement | null): string {
  const what = `${poolName(suspect.pool)}: ${amountText(suspect)}`;
  const begin = suspect.confidence === 'low' ? `Possible leak in ${what}` : sentence(what);
  const isDriver = theDriver(suspect) !== null && judgement?.kind === 'unknown';
  return judgement === null || isDriver ? `${begin}, ${byWhom(suspect)}` : `${begin}: ${judgement.says}`;
}

/** Who allocates it, as surely as it is known. */
function byWhom(suspect: Suspect): string {
  const { likely, certain } = namedDrivers(suspect);
  const names = (drivers: typeof likely): string => list(drivers.map(({ module }) => module));
  const maker = clusterCulprit(suspect);
  if (maker !== null) {
    const by = maker.confidence === 'high' ? 'because of' : 'probably because of';
    return `${by} ${printable(maker.module)}, whose allocations are in lock step`;
  }
  if (certain.length === 1) return `allocated by ${names(certain)}`;
  if (likely.length > 0) return `probably allocated by ${names(likely).replace(' and ', ' or ')}`;
  if (sharedDefault(suspect.tag) !== null) return 'a tag that many drivers share, so no driver is named';
  if (suspect.against.some(({ code }) => code === 'windows-tag')) {
    return 'a tag of Windows: whoever makes it allocate is not known from the tag';
  }
  if (suspect.drivers.length > 0) {
    return `driver not certain (${names(suspect.drivers)} ${suspect.drivers.length === 1 ? 'holds' : 'hold'} the tag)`;
  }
  if (suspect.searched && suspect.against.some(({ code }) => code === 'modules-missing')) {
    return 'but none of the modules that could be found holds the tag in the pages that are in this dump';
  }
  if (suspect.searched) return 'but no loaded module holds the tag in the pages that are in this dump';
  return 'driver not known: the modules could not be searched';
}
