/**
 * Who allocates under the largest tags, suspects or not: by what the kernel counts of objects, by lists, by code that the one
 * search over the modules found, by the rule for WDF, by a bug check. Nobody is named for a tag that drivers share, and of
 * several that may be it none: an innocent name is worse than none. docs/verdict.md has the rules.
 */

import { printable } from '../../../parsers/text-safety.js';
import { tagKey } from '../../result/tag.js';
import { isCodeKind } from '../../result/evidence-kinds.js';
import { toNumber } from '../../result/result.js';
import type { Evidence, ModuleInfo, PoolTagRow, PoolTags, SuspectDriver, TagOwner } from '../../result/result.js';
import type { TagHit, TagSearch } from '../../kernel/state.js';
import { builtInTags } from '../../../symbols/tags/built-in.js';
import { isWindowsBinary } from '../../../symbols/tags/windows-binaries.js';
import type { BugCheckReading } from '../bugcheck/bug-checks.js';
import { wasCutOff } from '../code/code-evidence.js';
import type { HitJudgement } from '../code/hits.js';
import { rank } from '../confidence.js';
import { rankDrivers } from '../drivers.js';
import type { LeakFacts } from '../facts.js';
import { typeOfTag } from '../objects/object-subjects.js';
import { COUNTS_AGREE_PERCENT, OWNED_TAGS } from '../thresholds.js';
import { frameworkRules } from './tag-rules.js';
import { documentedBinary, isKernelImage, ownerModules, sharedDefault } from './windows-tags.js';

/** Owners by the key of their tag; a tag that is not in it was not looked at. Null: nobody is named. */
export type TagOwners = ReadonlyMap<number, TagOwner | null>;

/** The largest tags of each pool and of both together, so many in all: those whose owners are looked for. */
export function ownedRows({ rows }: Pick<PoolTags, 'rows'>, most = OWNED_TAGS): PoolTagRow[] {
  const ofEach = Math.floor(most / 4);
  const largest = (bytes: (row: PoolTagRow) => number): PoolTagRow[] =>
    rows
      .filter((row) => bytes(row) > 0)
      .sort((a, b) => bytes(b) - bytes(a))
      .slice(0, ofEach);
  const chosen = new Set([
    ...largest(({ nonPaged }) => toNumber(nonPaged.bytes)),
    ...largest(({ paged }) => toNumber(paged.bytes)),
  ]);
  for (const row of rows) {
    if (chosen.size >= most) break;
    if (toNumber(row.nonPaged.bytes) > 0 || toNumber(row.paged.bytes) > 0) chosen.add(row);
  }
  return rows.filter((row) => chosen.has(row)).slice(0, most);
}

/** Names the owners of rows. `search`: of their keys among others; null where no module could be searched. */
export function ownersOf(
  facts: LeakFacts,
  rows: readonly PoolTagRow[],
  search: TagSearch | null,
  bugCheck: BugCheckReading | null,
): TagOwners {
  return new Map(rows.map((row) => [tagKey(row), ownerOf(facts, row, search, bugCheck)]));
}

function ownerOf(
  facts: LeakFacts,
  row: PoolTagRow,
  search: TagSearch | null,
  bugCheck: BugCheckReading | null,
): TagOwner | null {
  const { modules } = facts;
  if (modules === null || sharedDefault(row.tag) !== null) return null;
  const binary = documentedBinary(row);
  const listed = binary === null ? [] : ownerModules(binary, modules);
  const isWindows = binary !== null && listed.length > 0 && isWindowsBinary(binary);
  const elsewhere = (module: number): boolean => !isWindows || listed.length > 1 || !listed.includes(module);
  const judge = (hit: TagHit): HitJudgement => (facts.judgeForOwner ?? facts.judge)(hit, tagKey(row));
  // What Windows is documented to allocate is asked of the others alone: its own code would take the most work.
  const hits = search?.hits.get(tagKey(row))?.filter((hit) => elsewhere(hit.module)) ?? [];
  const drivers = rankDrivers({
    hits: tellingHits(hits, judge),
    judge,
    modules,
    searched: search?.searched ?? null,
    binary: isWindows && listed.length === 1 ? null : row.binary,
    source: row.tagSource,
    common: false,
    bugCheck: null,
    rules: isWindows ? [] : frameworkRules(row.tag, modules, facts.links),
    limit: 'high',
    modulesComplete: facts.modulesComplete,
    ...(facts.moduleDoubts === undefined ? {} : { doubts: facts.moduleDoubts }),
  });
  const likely = drivers.filter(({ confidence }) => rank(confidence) > 0);
  const [only] = listed;
  if (isWindows && listed.length === 1 && only !== undefined) {
    return likely.length > 0 ? null : (ofType(facts, row, modules) ?? ofList(row, modules[only]));
  }
  if (isWindows && likely.some(({ base }) => !listed.some((place) => modules[place]?.base === base))) return null;
  // Whoever was not followed to the end may allocate as well.
  const isCut = drivers.some(({ evidence }) => evidence.some(({ note }) => wasCutOff(note)));
  return ofType(facts, row, modules) ?? (isCut ? null : (theOne(likely) ?? accused(drivers, bugCheck)));
}

/** Of each module the first place that is seen to allocate, or all: one is enough, and following code takes time. */
function tellingHits(hits: readonly TagHit[], judge: (hit: TagHit) => HitJudgement): TagHit[] {
  const ofModule = new Map<number, TagHit[]>();
  for (const hit of hits) {
    const list = ofModule.get(hit.module);
    if (list) list.push(hit);
    else ofModule.set(hit.module, [hit]);
  }
  return [...ofModule.values()].flatMap((all) => {
    const telling = all.find((hit) => hit.executable !== false && judge(hit).callsAllocator === true);
    return telling === undefined ? all : [telling];
  });
}

/** Objects of a type are the kernel's allocations, as long as they are as many as the allocations of the tag. */
function ofType({ objects }: LeakFacts, row: PoolTagRow, modules: readonly ModuleInfo[]): TagOwner | null {
  const type = typeOfTag(objects, row);
  const kernel = modules.find(({ name }) => isKernelImage(name));
  if (type === null || kernel === undefined) return null;
  const allocations = toNumber(row.nonPaged.outstanding) + toNumber(row.paged.outstanding);
  const count = toNumber(type.objects);
  if (Math.abs(allocations - count) * 100 > count * COUNTS_AGREE_PERCENT) return null;
  return { module: printable(kernel.name), base: kernel.base, confidence: 'high', basis: 'object-type' };
}

/** A list that spells the tag is believed; a line for a group of tags may catch those of others. */
function ofList(row: PoolTagRow, module: ModuleInfo | undefined): TagOwner | null {
  if (module === undefined) return null;
  const isSpelled = row.tagSource === 'pooltag.txt' || builtInTags().lookupExact(row.tag) !== null;
  return { module: printable(module.name), base: module.base, confidence: isSpelled ? 'medium' : 'low', basis: 'list' };
}

/** The only certain one, else the only likely one. */
function theOne(likely: readonly SuspectDriver[]): TagOwner | null {
  const certain = likely.filter(({ confidence }) => confidence === 'high');
  const [only, ...more] = certain.length > 0 ? certain : likely;
  if (only === undefined || more.length > 0) return null;
  const { module, base = null, confidence, evidence } = only;
  return { module, base, confidence, basis: basisOf(evidence) };
}

/** A driver that the bug check names for pool it left, and that holds the tag. */
function accused(drivers: readonly SuspectDriver[], bugCheck: BugCheckReading | null): TagOwner | null {
  const name = bugCheck?.resource === 'pool' ? bugCheck.driver?.toLowerCase() : undefined;
  const driver = drivers.find(({ module }) => module.toLowerCase() === name);
  if (driver === undefined || driver.evidence.every(({ kind }) => kind === 'string')) return null;
  return { module: driver.module, base: driver.base ?? null, confidence: 'medium', basis: 'bugcheck' };
}

/** What the strongest evidence of a driver is; a constant in data that code is seen to allocate with is code. */
function basisOf(evidence: readonly Evidence[]): TagOwner['basis'] {
  if (evidence.some(({ kind, callsAllocator }) => isCodeKind(kind) || callsAllocator === true)) return 'code';
  if (evidence.some(({ kind }) => kind === 'pooltag-file')) return 'list';
  if (evidence.some(({ kind }) => kind === 'tag-rule')) return 'rule';
  return 'data';
}
