/** The whole analysis of one kernel state: what is wrong with pool, and who did it. Changes nothing it is given. */

import { tagInWords, tagKey } from '../result/tag.js';
import { printable } from '../../parsers/text-safety.js';
import { toNumber } from '../result/result.js';
import { addClusters, partnered, steppersOf } from './clusters.js';
import { whereMemoryIs, whereOf } from './where-memory.js';
import type {
  Candidates,
  MemoryFlag,
  MemoryPart,
  ModuleInfo,
  PoolTagRow,
  PoolTags,
  Suspect,
  UnloadedModule,
  Verdict,
  Warning,
} from '../result/result.js';
import { readBugCheck } from './bugcheck/bug-checks.js';
import type { BugCheckLookup, BugCheckReading } from './bugcheck/bug-checks.js';
import { areaOf, candidatesOf } from './candidates.js';
import type { LeakFacts } from './facts.js';
import { judgeHolders, unreadHolders, type HolderJudgement } from './objects/holders.js';
import { memoryFlags } from './memory-flags.js';
import { typeOfTag, withObjects } from './objects/object-subjects.js';
import { reconcile, reconciliationWarnings } from './code/reconcile.js';
import { findSubjects, makeSuspects, rowsOf, verifierIsOn, verifierMessage } from './suspects.js';
import type { Readings } from './suspects.js';
import { MAXIMUM_SUSPECTS } from './thresholds.js';
import { ownedRows, ownersOf, type TagOwners } from './tags/owners.js';
import { makeVerdict } from './verdict.js';
import { amount } from './wording.js';

/** The parts of the result that are judgement. */
export interface LeakFindings {
  flags: MemoryFlag[];
  reconciliation: PoolTags['reconciliation'];
  suspects: Suspect[];
  owners: TagOwners;
  whereMemoryIs: MemoryPart[] | null;
  verdict: Verdict;
  warnings: Warning[];
}

/** Judges a kernel state. The modules are searched at most once: for all suspect tags and those whose owners are named together. */
export function findLeak(facts: LeakFacts): LeakFindings {
  const memory = memoryFlags(facts.memory, facts.poolTags);
  const bugCheck = facts.bugCheck
    ? readBugCheck(facts.bugCheck.code, facts.bugCheck.parameters, bugCheckLookup(facts))
    : null;
  const readings: Readings = { memory, bugCheck, reconciliation: reconcile(facts.poolTags, facts.memory) };
  const everything = withObjects(facts, findSubjects(facts, readings));
  const subjects = limited(everything);
  const all = steppersOf(facts, readings.memory);
  const owned = facts.poolTags === null ? [] : [...ownedRows(facts.poolTags, facts.options.owners), ...partnered(all)];
  const keys = [...new Set([...subjects.map(({ row }) => row), ...owned].map(tagKey))];
  const search = keys.length > 0 && facts.modules !== null ? facts.search(keys) : null;
  const wanted = subjects.map(({ row, pool }) => ({ key: tagKey(row), pool }));
  const sampled = wanted.length > 0 ? (facts.sample?.(wanted) ?? null) : null;
  const suspects = makeSuspects(facts, readings, subjects, { search, sampled });
  const owners = ownersOf(facts, [...new Set([...subjects.map(({ row }) => row), ...owned])], search, bugCheck);
  for (const suspect of suspects) suspect.candidates = candidatesFor(facts, suspect, owners);
  addClusters(suspects, { facts, owners, all });
  const judgements = judgeSuspects(facts, suspects);
  const warnings = [
    ...memory.warnings,
    ...(memory.pressure.nonpaged.implausible || memory.pressure.paged.implausible
      ? reconciliationWarnings({
          nonPaged: memory.pressure.nonpaged.implausible ? null : readings.reconciliation.nonPaged,
          paged: memory.pressure.paged.implausible ? null : readings.reconciliation.paged,
        })
      : reconciliationWarnings(readings.reconciliation)),
    ...aboutState(facts, bugCheck),
    ...aboutSubjects(facts, everything.length - subjects.length),
  ];
  const verdict = makeVerdict(facts, readings, suspects, judgements, owners);
  return {
    ...{ flags: memory.flags, reconciliation: readings.reconciliation, suspects, owners, verdict, warnings },
    whereMemoryIs: whereMemoryIs(whereOf(facts)),
  };
}

/** Who could be behind a tag of Windows that works for others; null for other tags and where no module is known. */
function candidatesFor(
  { modules, functions, poolTags }: LeakFacts,
  suspect: Suspect,
  owners: TagOwners,
): Candidates | null {
  const rowOf = (tag: string): PoolTagRow | undefined => poolTags?.rows.find((row) => row.tag === tag);
  const row = poolTags?.rows.find(({ hex }) => hex === suspect.key);
  const area = row === undefined ? null : areaOf(row);
  if (area === null || modules === null || !functions) return null;
  return candidatesOf(area, modules, functions, ({ base }) => {
    for (const { tag, outstanding } of suspect.related ?? []) {
      const other = rowOf(tag);
      if (other === undefined || owners.get(tagKey(other))?.base !== base) continue;
      return `its tag ${tagInWords(tag)} goes with this one, with ${amount(toNumber(outstanding))} allocations: a hint, it may be chance`;
    }
    return null;
  });
}

/** Says of suspects whose tag is an object type's who holds the objects, and judges that. */
function judgeSuspects({ objects }: LeakFacts, suspects: readonly Suspect[]): Map<Suspect, HolderJudgement> {
  const judgements = new Map<Suspect, HolderJudgement>();
  for (const suspect of suspects) {
    suspect.holders = null;
    const type = typeOfTag(objects, { hex: suspect.key ?? '' });
    if (type === null || !objects) continue;
    const reading = objects.holdersOf(type.type);
    if (reading === null) {
      judgements.set(suspect, unreadHolders(type, Number(objects.processes?.ended ?? 0)));
      continue;
    }
    suspect.holders = reading.holders;
    // Who holds the objects is known: that no code holds the tag of their type tells nothing.
    suspect.against = suspect.against.filter(({ code }) => code !== 'driver-not-found');
    judgements.set(suspect, judgeHolders(reading, toNumber(suspect.outstanding)));
  }
  return judgements;
}

/** The largest suspicious tags, and all that were asked for. */
function limited(subjects: ReturnType<typeof findSubjects>): ReturnType<typeof findSubjects> {
  const largest = subjects.filter(({ suspicious }) => suspicious).sort((a, b) => b.bytes - a.bytes);
  const asked = subjects.filter(({ suspicious }) => !suspicious);
  return [...largest.slice(0, MAXIMUM_SUSPECTS), ...asked.slice(0, MAXIMUM_SUSPECTS)];
}

function aboutState(facts: LeakFacts, bugCheck: BugCheckReading | null): Warning[] {
  const warnings: Warning[] = [];
  const { verifier } = facts;
  if (verifierIsOn(verifier)) {
    warnings.push({ code: 'verifier-active', where: 'poolTags', message: verifierMessage(verifier) });
  }
  if (verifier !== null && verifier.specialPoolTag !== null && verifier.specialPoolTag !== 0) {
    const tag = tagCharacters(verifier.specialPoolTag);
    const message = `Special pool is on for tag ${tag} (MmSpecialPoolTag): each such allocation takes pages of its own`;
    warnings.push({ code: 'special-pool-active', where: 'poolTags', message });
  }
  if (bugCheck?.class === 'pool-corruption') {
    warnings.push({ code: 'pool-corruption', where: 'poolTags', message: bugCheck.message });
  }
  if (bugCheck?.class === 'verifier-driver' && bugCheck.driver === null) {
    warnings.push({ code: 'bugcheck-driver-unknown', where: 'suspects', message: bugCheck.message });
  }
  return warnings;
}

function aboutSubjects(facts: LeakFacts, dropped: number): Warning[] {
  const warnings: Warning[] = [];
  if (dropped > 0) {
    const message = `${dropped} more tags are suspicious; the ${MAXIMUM_SUSPECTS} largest are reported`;
    warnings.push({ code: 'more-suspects', where: 'suspects', message });
  }
  const { tag } = facts.options;
  if (tag !== undefined && (!facts.poolTags || rowsOf(facts.poolTags, tag).length === 0)) {
    const name = printable(tag);
    const message = !facts.poolTags
      ? `Tag ${name} was asked for, but the dump holds no pool tag tables`
      : facts.poolTags.complete
        ? `Tag ${name} was asked for, but nothing was ever allocated under it`
        : `Tag ${name} was asked for, but stands in none of the tables that could be read`;
    warnings.push({ code: 'tag-not-counted', where: 'suspects', message });
  }
  return warnings;
}

/** A tag's four characters from its key, unprintable ones as `.`. */
function tagCharacters(key: number): string {
  const bytes = [0, 8, 16, 24].map((shift) => (key >>> shift) & (shift === 24 ? 0x7f : 0xff));
  return bytes.map((byte) => (byte >= 0x20 && byte <= 0x7e ? String.fromCharCode(byte) : '.')).join('');
}

/** Addresses and names answered from the module lists. */
function bugCheckLookup(facts: LeakFacts): BugCheckLookup {
  const { modules, unloaded } = facts;
  return {
    readText: (address) => facts.readText(address),
    moduleAt: (address) =>
      modules?.find(({ base, end }) => address >= BigInt(base) && address < BigInt(end))?.name ?? null,
    moduleNamed: (name) => named(name, modules ?? []) ?? named(name, unloaded ?? []),
  };
}

/** A module by name or path, with or without extension, whatever the letter case. */
function named(name: string, modules: readonly (ModuleInfo | UnloadedModule)[]): string | null {
  const wanted = (name.split(/[\\/]/).at(-1) ?? '').toLowerCase();
  if (wanted === '') return null;
  const stem = (text: string): string => text.toLowerCase().replace(/\.(?:sys|dll|exe)$/, '');
  return (
    modules.find((module) => module.name.toLowerCase() === wanted)?.name ??
    modules.find((module) => stem(module.name) === stem(wanted))?.name ??
    null
  );
}
