/** Turns the tags that are reported into suspects: reasons, what speaks against them, confidence, and drivers. */

import { sizeText } from '../result/amount.js';
import { countersOf, reconciliationOf } from '../result/pool.js';
import { numberedTag, tagInWords, tagKey } from '../result/tag.js';
import { printable } from '../../parsers/text-safety.js';
import { toNumber } from '../result/result.js';
import type { Note, PoolKind, PoolTagRow, PoolTags, Suspect } from '../result/result.js';
import type { TagHit, TagSearch, VerifierState } from '../kernel/state.js';
import type { BugCheckReading } from './bugcheck/bug-checks.js';
import { rank, suspectConfidence } from './confidence.js';
import type { AgainstCode } from './confidence.js';
import { rankDrivers } from './drivers.js';
import { contentTraces } from './content-evidence.js';
import type { LeakFacts, SampledBlocks } from './facts.js';
import type { MemoryReading } from './memory-flags.js';
import { isUnexplained, unexplainedMessage } from './code/reconcile.js';
import { relatedTags } from './tags/related-tags.js';
import type { Subject } from './subjects.js';
import { requestedSubject, suspiciousTags } from './subjects.js';
import { PAGE_BYTES } from './thresholds.js';
import { fitsUnloaded, frameworkRules, tagMeaning } from './tags/tag-rules.js';
import { list, poolName, share } from './wording.js';
import { verifierTraces } from './verifier-evidence.js';
import { isCacheTag, isHandleObjectTag } from './tags/windows-tags.js';

/** What is known besides the facts: the readings made of them. */
export interface Readings {
  memory: MemoryReading;
  reconciliation: PoolTags['reconciliation'];
  bugCheck: BugCheckReading | null;
}

/** The tags to report: by the rules, and asked for. The first by confidence comes later, when all is known. */
export function findSubjects(facts: LeakFacts, readings: Readings): Subject[] {
  const { poolTags, options } = facts;
  if (!poolTags) return [];
  const pools: PoolKind[] = options.pool === undefined ? ['nonpaged', 'paged'] : [options.pool];
  const subjects = pools.flatMap((pool) =>
    suspiciousTags(poolTags, pool, readings.memory, readings.bugCheck, facts.modules),
  );
  if (options.tag === undefined) return subjects;
  for (const row of rowsOf(poolTags, options.tag)) {
    const used = pools.filter((pool) => toNumber(countersOf(row, pool).allocs) !== 0);
    for (const pool of used.length > 0 ? used : pools.slice(0, 1)) {
      if (subjects.some((known) => known.row === row && known.pool === pool)) continue;
      subjects.push(requestedSubject(row, pool, facts.modules));
    }
  }
  return subjects;
}

/** The rows that a user means: by the four characters (blanks at the end may be left out), or by the key as `0x...`. */
export function rowsOf(poolTags: PoolTags, tag: string): PoolTagRow[] {
  const wanted = tag.padEnd(4);
  const byName = poolTags.rows.filter((row) => row.tag === wanted);
  const key = numberedTag(tag)?.key;
  return byName.length > 0 || key === undefined ? byName : poolTags.rows.filter((row) => tagKey(row) === key);
}

/** What was looked for: the tags in modules, and what stands in their blocks, in order of the subjects. */
export interface Found {
  readonly search: TagSearch | null;
  readonly sampled: readonly SampledBlocks[] | null;
}

/** Makes the suspects, surest first; those that were only asked for come last. */
export function makeSuspects(
  facts: LeakFacts,
  readings: Readings,
  subjects: readonly Subject[],
  found: Found,
): Suspect[] {
  return subjects
    .map((subject, i) => ({
      subject,
      suspect: makeSuspect(facts, readings, subject, { search: found.search, sampled: found.sampled?.[i] ?? null }),
    }))
    .sort(
      (a, b) =>
        Number(b.subject.suspicious) - Number(a.subject.suspicious) ||
        rank(b.suspect.confidence) - rank(a.suspect.confidence) ||
        b.subject.bytes - a.subject.bytes,
    )
    .map(({ suspect }) => suspect);
}

function makeSuspect(
  facts: LeakFacts,
  readings: Readings,
  subject: Subject,
  { search, sampled }: { readonly search: TagSearch | null; readonly sampled: SampledBlocks | null },
): Suspect {
  const { row, pool, bytes, outstanding, reasons } = subject;
  const counters = countersOf(row, pool);
  const { physical, pressure } = readings.memory;
  const usage = pressure[pool].usage;
  const searched = search?.searched ?? null;
  const usable = (other: PoolTagRow, kind: PoolKind): boolean => !readings.memory.implausibleTags[kind].has(other);
  const against = speaksAgainst(facts, readings, subject);
  const codes = (notes: readonly Note[]): string[] => notes.map(({ code }) => code);
  const confidence = suspectConfidence(codes(reasons), codes(against));
  const hits: readonly TagHit[] = search?.hits.get(tagKey(row)) ?? [];
  const drivers = rankDrivers({
    hits,
    judge: (hit) => facts.judge(hit, tagKey(row)),
    modules: facts.modules ?? [],
    searched,
    binary: row.binary,
    source: row.tagSource === 'built-in' ? 'the built-in list of tags' : row.tagSource,
    common: subject.shared !== null || subject.windows,
    bugCheck: readings.bugCheck,
    rules: subject.windows ? [] : frameworkRules(row.tag, facts.modules ?? [], facts.links),
    contents: sampled?.contents ? contentTraces(sampled.contents, facts.modules ?? [], sampled.follows) : [],
    verifier: verifierTraces(facts.verifier, tagKey(row), outstanding, facts.modules ?? []),
    limit: confidence,
    modulesComplete: facts.modulesComplete,
    ...(facts.moduleDoubts === undefined ? {} : { doubts: facts.moduleDoubts }),
  });
  against.push(...contradictedDrivers(facts, drivers));
  if (!facts.modulesComplete) {
    against.push(
      note(
        'modules-missing',
        'The module list is damaged: drivers that neither it nor an image header tells of may hold the tag as well',
      ),
    );
  }
  if (searched) against.push(...aboutSearch(subject, searched, hits.length, facts.unloaded));
  else against.push(note('not-searched', 'No module could be searched for the tag'));
  return {
    tag: row.tag,
    key: row.hex,
    pool,
    bytes: counters.bytes,
    outstanding: counters.outstanding,
    averageBytes: outstanding > 0 && bytes >= 0 ? Math.floor(bytes / outstanding) : null,
    shareOfPool: usage === null || usage === 0 ? null : share(bytes, usage * PAGE_BYTES),
    shareOfMemory: physical === null ? null : share(bytes, physical * PAGE_BYTES),
    confidence,
    reasons,
    against,
    drivers,
    searched,
    related: facts.poolTags ? relatedTags(facts.poolTags, row, pool, usable) : [],
    ...(sampled === null ? {} : { contents: sampled.contents, billed: sampled.billed ?? null }),
  };
}

/** Which of the drivers are held back, and why: what the dump says of them contradicts itself. */
function contradictedDrivers(facts: LeakFacts, drivers: Suspect['drivers']): Note[] {
  return [...(facts.moduleDoubts ?? [])].flatMap(([place, { limit, message }]) => {
    const name = printable(facts.modules?.[place]?.name ?? '');
    if (!drivers.some(({ module }) => module === name)) return [];
    const text = `What the dump says of ${name} contradicts itself, so it is accused with ${limit} confidence at most: ${printable(message)}`;
    return [note('module-contradicted', text)];
  });
}

function note(code: AgainstCode, message: string): Note {
  return { code, message };
}

/** What speaks against a leak of this tag, or is not known. */
function speaksAgainst(facts: LeakFacts, readings: Readings, subject: Subject): Note[] {
  const { row, pool } = subject;
  const { memory, reconciliation, bugCheck } = readings;
  const notes: Note[] = [];
  const add = (code: AgainstCode, message: string): number => notes.push(note(code, message));
  add('single-snapshot', 'One dump shows how much is in use, not whether it grows');
  if (!subject.suspicious) {
    add('not-suspicious', 'No rule finds this tag suspicious; it is reported because it was asked for');
  }
  if (memory.implausibleTags[pool].has(row)) {
    add('implausible-counter', 'The counters of this tag cannot be true');
  }
  if (facts.poolTags && !facts.poolTags.complete) {
    add(
      'incomplete-tables',
      `Not all tables of tags could be read (${facts.poolTags.tables} were): the figures of this tag are partial`,
    );
  }
  // Whose objects these are is asked of their holders.
  if (subject.windows && subject.byCount !== true) {
    const owner = row.binary ?? 'Windows';
    add(
      'windows-tag',
      `${owner} is documented to use this tag: whoever makes it allocate is the cause, not necessarily the owner of the tag`,
    );
  }
  const meaning = subject.shared === null ? tagMeaning(row, facts.modules, facts.links) : null;
  if (meaning) add(meaning.code, meaning.message);
  if (subject.windows && isCacheTag(row.tag)) {
    add('cache-tag', 'This is a cache of Windows, which grows with the load and shrinks when memory is short');
  }
  if (subject.shared !== null) {
    add(
      'shared-tag',
      `The tag ${tagInWords(row.tag)} is ${subject.shared}, shared by drivers that have nothing in common: it names none of them`,
    );
  }
  const figures = reconciliationOf({ reconciliation }, pool);
  if (memory.pressure[pool].implausible) {
    add(
      'implausible-pool-usage',
      `The usage counter of ${poolName(pool)} cannot be true, so the tag cannot be compared with the pool`,
    );
  } else if (figures && isUnexplained(figures)) {
    add('unexplained-pool', unexplainedMessage(pool, figures));
  }
  if (memory.physical === null) add('memory-unknown', 'How much physical memory there is is not known');
  if (verifierIsOn(facts.verifier)) add('verifier-active', verifierMessage(facts.verifier));
  if (facts.verifier && inSpecialPool(facts.verifier.specialPoolTag, row)) {
    add(
      'special-pool',
      'Special pool is on for this tag: each allocation takes pages of its own, so its pool grows without a leak',
    );
  }
  if (bugCheck?.class === 'pool-corruption') add('pool-corruption', bugCheck.message);
  return notes;
}

function aboutSearch(
  subject: Subject,
  searched: NonNullable<Suspect['searched']>,
  hits: number,
  unloaded: LeakFacts['unloaded'],
): Note[] {
  const notes: Note[] = [];
  const total = searched.pagesPresent + searched.pagesMissing;
  const modules = searched.modules + searched.notTranslatable;
  if (searched.pagesMissing > 0 || searched.notTranslatable > 0) {
    const pages = `${searched.pagesMissing} of ${total} pages of the modules were not in this dump`;
    const images = `${searched.notTranslatable} of ${modules} modules could not be searched at all`;
    const gaps = searched.notTranslatable > 0 ? `${pages}, and ${images}` : pages;
    notes.push(note('pages-missing', `${gaps}: the tag may stand there as well`));
  }
  if (hits === 0) {
    const tag = tagInWords(subject.row.tag);
    const found = `No page of ${searched.modules} modules that is in this dump holds the tag ${tag}`;
    notes.push(note('driver-not-found', `${found}. ${whatThatMeans(subject.row, searched, unloaded)}`));
  }
  return notes;
}

/** The reasons for which a tag can be missing from all modules. */
function whatThatMeans(
  row: PoolTagRow,
  searched: NonNullable<Suspect['searched']>,
  unloaded: LeakFacts['unloaded'],
): string {
  if (isHandleObjectTag(row.tag)) return 'The kernel takes it from the type of the object: no code need hold it';
  const reasons = [
    ...(searched.pagesMissing > 0 ? [`its code is among the ${searched.pagesMissing} pages that are missing`] : []),
    'the tag is computed at run time',
    'a framework gives it (WDF: the first four characters of the service name)',
    ...(unloaded === null || unloaded.length > 0 ? ['its driver was unloaded'] : []),
  ];
  const meaning = `Either ${reasons.join(', or ')}`;
  const fitting = (unloaded ?? []).filter(({ name }) => fitsUnloaded(row, name)).map(({ name }) => name);
  const names = [...new Set(fitting)];
  return names.length === 0
    ? meaning
    : `${meaning}. By its name the tag fits ${list(names)}, which ${names.length === 1 ? 'was' : 'were'} unloaded before the dump`;
}

/** True when Driver Verifier is on for some driver. */
export function verifierIsOn(verifier: VerifierState | null): verifier is VerifierState {
  return verifier !== null && verifier.level !== null && verifier.level !== 0;
}

/** What an active Driver Verifier means for the figures. */
export function verifierMessage(verifier: VerifierState): string {
  const level = verifier.level === null ? 'unknown flags' : `flags 0x${verifier.level.toString(16)}`;
  const drivers = verifier.drivers.length === 0 ? 'drivers that could not be listed' : list(verifier.drivers, 8);
  return `Driver Verifier is on (${level}) for ${drivers}: verified drivers use more pool than usual`;
}

/** Special pool goes by a tag, which may hold `?` for one character and a `*` for the rest. */
function inSpecialPool(specialPoolTag: number | null, row: PoolTagRow): boolean {
  if (specialPoolTag === null || specialPoolTag === 0) return false;
  const key = tagKey(row);
  for (let i = 0; i < 4; i++) {
    const wanted = (specialPoolTag >>> (8 * i)) & (i === 3 ? 0x7f : 0xff);
    if (wanted === 0x2a) return true;
    if (wanted !== 0x3f && wanted !== ((key >>> (8 * i)) & 0xff)) return false;
  }
  return true;
}

/** One phrase for a suspect: `586.9 MB under tag Leak`. */
export function amountText(suspect: Suspect): string {
  return `${sizeText(toNumber(suspect.bytes))} under tag ${tagInWords(suspect.tag)}`;
}

/** True for a suspect by the rules, false for one that was only asked for. */
export function isSuspicious(suspect: Suspect): boolean {
  return suspect.reasons.some(({ code }) => code !== 'requested');
}
