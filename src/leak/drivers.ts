/**
 * Who allocates under a tag: ranks the modules that hold it. Every module with a trace of the tag is listed; how much
 * it is trusted depends on what the trace is, on who else has one, and on how much could be searched.
 */

import { printable } from '../../parsers/text-safety.js';
import type { TagHit } from '../kernel/state.js';
import { isCodeKind, KIND_ORDER, orderOf } from '../result/evidence-kinds.js';
import type { Confidence, Evidence, EvidenceKind, Hex, ModuleInfo, Searched, SuspectDriver } from '../result/result.js';
import type { BugCheckReading } from './bugcheck/bug-checks.js';
import type { ContentTrace } from './content-evidence.js';
import { atMost, lower, rank } from './confidence.js';
import type { HitJudgement } from './code/hits.js';
import { MAXIMUM_EVIDENCE, NOT_TRANSLATABLE_PERCENT, PAGES_MISSING_PERCENT } from './thresholds.js';
import type { TagRule } from './tags/tag-rules.js';
import type { VerifierTrace } from './verifier-evidence.js';
import { isKernelImage, ownerModules } from './tags/windows-tags.js';

/** What ranking needs to know of a tag. */
export interface TagFacts {
  hits: readonly TagHit[];
  /** What a place of the tag is worth. */
  judge(hit: TagHit): HitJudgement;
  modules: readonly ModuleInfo[];
  /** Null where nothing was searched. */
  searched: Searched | null;
  /** Documented binary of the tag, and where that stands; null where undocumented. */
  binary: string | null;
  source: string | null;
  /** A default tag of many drivers, or a tag that Windows is documented to use: no driver is named from it. */
  common: boolean;
  bugCheck: BugCheckReading | null;
  /** Modules that a rule leads to from the tag itself. */
  rules?: readonly TagRule[];
  /** Modules that the tag's blocks point into. */
  contents?: readonly ContentTrace[];
  /** Modules for which Driver Verifier tracks allocations of the tag. */
  verifier?: readonly VerifierTrace[];
  /** The confidence that the tag leaks at all: no driver is accused with more. */
  limit: Confidence;
  /** False where there may be modules, or parts of them, that could not be searched because the list is damaged. */
  modulesComplete?: boolean;
  /** The most that a module may be accused with, by its place, where what the dump says of it contradicts itself. */
  doubts?: ReadonlyMap<number, { limit: Confidence }>;
}

interface Trace {
  evidence: Evidence;
  strength: Confidence;
  /** Found in a page that the dump lacks and the image on disk has. */
  fromDisk?: boolean;
}

interface Candidate {
  name: string;
  /** Of its image; null for a module that is no longer loaded. */
  base: Hex | null;
  /** Place in the module list; past it for a module that is no longer loaded. */
  place: number;
  kernel: boolean;
  /** At most MAXIMUM_EVIDENCE of a kind and strength. */
  traces: Trace[];
  /** Of all traces, those that were not kept included. */
  count: number;
}

/** All modules with a trace of the tag, best first. */
export function rankDrivers(facts: TagFacts): SuspectDriver[] {
  const candidates = gather(facts);
  return candidates
    .map((candidate) => ({ candidate, confidence: judge(candidate, candidates, facts) }))
    .sort((a, b) => compare(a, b))
    .map(({ candidate, confidence }) => ({
      module: candidate.name,
      base: candidate.base,
      confidence,
      evidence: evidenceOf(candidate),
    }));
}

/** True when so much of the modules was missing that a driver elsewhere may hold the tag as well. */
export function searchIsPoor(searched: Searched | null): boolean {
  if (!searched) return true;
  const pages = searched.pagesPresent + searched.pagesMissing;
  const modules = searched.modules + searched.notTranslatable;
  return (
    searched.pagesMissing * 100 > pages * PAGES_MISSING_PERCENT ||
    searched.notTranslatable * 100 > modules * NOT_TRANSLATABLE_PERCENT
  );
}

/** True when every page of every module was searched. */
function sawAll(searched: Searched | null): boolean {
  return searched !== null && searched.pagesMissing === 0 && searched.notTranslatable === 0;
}

function gather(facts: TagFacts): Candidate[] {
  const byPlace = new Map<number, Candidate>();
  const candidate = (place: number, name: string): Candidate => {
    const known = byPlace.get(place);
    if (known) return known;
    const base = facts.modules[place]?.base ?? null;
    const made = { name: printable(name), base, place, kernel: isKernelImage(name), traces: [], count: 0 };
    byPlace.set(place, made);
    return made;
  };
  for (const hit of facts.hits) {
    const module = facts.modules[hit.module];
    if (!module) continue;
    const judgement = facts.judge(hit);
    const { kind } = judgement;
    // High is only what was followed to an allocator, whoever judged it.
    const strength = judgement.callsAllocator === true ? judgement.strength : atMost(judgement.strength, 'medium');
    const holder = candidate(hit.module, module.name);
    const alike = holder.traces.filter((trace) => trace.evidence.kind === kind && trace.strength === strength);
    if (alike.length >= MAXIMUM_EVIDENCE) holder.count++;
    else add(holder, { evidence: evidenceOfHit(hit, judgement), strength, fromDisk: hit.fromDisk === true });
  }
  if (facts.binary !== null) {
    const note = `${facts.source ?? 'the list of tags'} says that ${printable(facts.binary)} uses this tag`;
    for (const place of ownerModules(facts.binary, facts.modules)) {
      const module = facts.modules[place];
      if (!module) continue;
      add(candidate(place, module.name), { evidence: nothing('pooltag-file', note), strength: 'medium' });
    }
  }
  for (const { module: place, strength, note } of facts.rules ?? []) {
    const module = facts.modules[place];
    if (module) add(candidate(place, module.name), { evidence: nothing('tag-rule', note), strength });
  }
  for (const { module: place, strength, note } of facts.contents ?? []) {
    const module = facts.modules[place];
    if (module)
      add(candidate(place, module.name), {
        evidence: { ...nothing('allocation-content', note), from: 'dump' },
        strength,
      });
  }
  for (const { module: place, strength, note } of facts.verifier ?? []) {
    const module = facts.modules[place];
    if (module)
      add(candidate(place, module.name), { evidence: { ...nothing('verifier', note), from: 'dump' }, strength });
  }
  const named = facts.bugCheck?.driver;
  if (facts.bugCheck && named !== null && named !== undefined) {
    const loaded = facts.modules.findIndex(({ name }) => name.toLowerCase() === named.toLowerCase());
    const place = loaded < 0 ? facts.modules.length : loaded;
    const pool = facts.bugCheck.resource === 'pool';
    const note = `${facts.bugCheck.message}. ${pool ? 'It does not say under which tag' : 'That concerns system PTEs, not pool'}`;
    const strength = pool ? 'medium' : 'low';
    add(candidate(place, facts.modules[loaded]?.name ?? named), { evidence: nothing('bugcheck', note), strength });
  }
  return [...byPlace.values()];
}

function add(candidate: Candidate, trace: Trace): void {
  candidate.traces.push(trace);
  candidate.count++;
}

/** Evidence of which only this is known. */
export function nothing(kind: EvidenceKind, note: string): Evidence {
  return {
    kind,
    from: null,
    address: null,
    offset: null,
    bytes: null,
    ascii: null,
    section: null,
    executable: null,
    symbol: null,
    instruction: null,
    callsAllocator: null,
    call: null,
    function: null,
    note,
  };
}

/** One occurrence as the result shows it. */
export function evidenceOfHit(hit: TagHit, judgement: HitJudgement): Evidence {
  const { kind, note, callsAllocator, instruction, call, function: range } = judgement;
  const from = hit.fromDisk === true ? 'file' : 'dump';
  return { ...nothing(kind, note), from, ...where(hit), callsAllocator, instruction, call, function: range };
}

function where(hit: TagHit): Partial<Evidence> {
  const bytes = [...hit.bytes.subarray(0, 16)];
  return {
    address: `0x${hit.address.toString(16)}`,
    offset: `0x${hit.offset.toString(16)}`,
    bytes: bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(' '),
    ascii: bytes.map((byte) => (byte >= 0x20 && byte <= 0x7e ? String.fromCharCode(byte) : '.')).join(''),
    section: hit.section === null ? null : printable(hit.section),
    executable: hit.executable,
  };
}

/** The strongest trace of a kind; null where the candidate has none. */
function best(candidate: Candidate, kind: EvidenceKind): Confidence | null {
  let found: Confidence | null = null;
  for (const { evidence, strength } of candidate.traces) {
    if (evidence.kind === kind && (found === null || rank(strength) > rank(found))) found = strength;
  }
  return found;
}

/** The best that code shows: whole constants, halves, or data that code is seen to allocate with. */
function inCode(candidate: Candidate): Confidence | null {
  if (allocates(candidate)) return 'high';
  const [whole, halves] = [best(candidate, 'code-immediate'), best(candidate, 'code-immediate-pair')];
  return whole === null || (halves !== null && rank(halves) > rank(whole)) ? halves : whole;
}

function judge(candidate: Candidate, all: readonly Candidate[], facts: TagFacts): Confidence {
  const others = all.filter((other) => other !== candidate);
  let confidence = atMost(ownTraces(candidate, others, facts.searched), facts.limit);
  // What Driver Verifier counted needs no search, and a shared tag says nothing against it.
  const tracked = best(candidate, 'verifier');
  if (tracked !== null && rank(tracked) > 0) return atMost(tracked, facts.limit);
  if (facts.common) confidence = 'low';
  if (confidence === 'high' && searchIsPoor(facts.searched)) confidence = lower(confidence, 1);
  // Whoever could not be looked at may be the one: that costs as much as a rival.
  if (facts.modulesComplete === false) confidence = lower(confidence, 1);
  return atMost(confidence, facts.doubts?.get(candidate.place)?.limit ?? 'high');
}

/** What the candidate's traces are worth beside those of the other modules. */
function ownTraces(candidate: Candidate, others: readonly Candidate[], searched: Searched | null): Confidence {
  const users = others.filter((other) => inCode(other) !== null && !isOutdone(other, candidate));
  const accused: Confidence = best(candidate, 'bugcheck') ?? 'low';
  const code = inCode(candidate);
  const listed = best(candidate, 'pooltag-file') !== null;
  let traces: Confidence = 'low';
  if (code !== null && others.some((other) => isOutdone(candidate, other))) {
    traces = listed && !candidate.kernel ? 'medium' : 'low';
  } else if (code !== null) {
    traces = amongUsers(candidate, users, code);
    // A list that names this module and none of its rivals decides between a few.
    if (listed && rank(traces) < 1 && !candidate.kernel) traces = 'medium';
  } else if (users.length === 0) {
    if (listed) traces = 'medium';
    // Data is not what allocates: code that does may stand in any page that was not seen.
    if (others.length === 0 && best(candidate, 'data') === 'medium' && sawAll(searched)) traces = 'medium';
    // A registration of contexts is made for nothing else: it says who, where no code of another loads the tag.
    if (best(candidate, 'filter-context') === 'medium') traces = 'medium';
    // Nobody else's code loads the tag: then who stands in its blocks may be believed.
    if (best(candidate, 'allocation-content') === 'medium') traces = 'medium';
    // A rule counts where nobody else has more than text: a list or a constant elsewhere says another thing.
    const rivals = others.some((other) => KIND_ORDER.some((kind) => kind !== 'string' && best(other, kind) !== null));
    if (!rivals && best(candidate, 'tag-rule') === 'medium') traces = 'medium';
  }
  return rank(accused) > rank(traces) ? accused : traces;
}

/** Code that allocates under the tag. */
function allocates({ traces }: Candidate): boolean {
  return traces.some(({ evidence }) => evidence.callsAllocator === true);
}

/** True where the code of one surely gives the tag to no allocator, and that of the other does. */
function isOutdone(candidate: Candidate, by: Candidate): boolean {
  if (!allocates(by) || by.kernel || allocates(candidate)) return false;
  const code = candidate.traces.filter(({ evidence: { kind } }) => isCodeKind(kind));
  return code.every(({ evidence }) => evidence.callsAllocator === false);
}

/** Code that loads the tag: alone it says who; with one rival it says probably; with more it says nothing sure. */
function amongUsers(candidate: Candidate, users: readonly Candidate[], code: Confidence): Confidence {
  const drivers = users.filter(({ kernel }) => !kernel);
  // The kernel allocates for drivers, and holds many constants: it is less likely than a driver.
  if (candidate.kernel) return drivers.length === 0 ? atMost(code, 'medium') : 'low';
  if (drivers.length === 0) return users.length === 0 ? code : atMost(code, 'medium');
  return drivers.length === 1 ? atMost(code, 'medium') : 'low';
}

interface Ranked {
  candidate: Candidate;
  confidence: Confidence;
}

function compare(a: Ranked, b: Ranked): number {
  const named = Number(best(b.candidate, 'bugcheck') !== null) - Number(best(a.candidate, 'bugcheck') !== null);
  if (named !== 0) return named;
  const confidence = rank(b.confidence) - rank(a.confidence);
  if (confidence !== 0) return confidence;
  for (const kind of KIND_ORDER) {
    const strength = strengthOf(b.candidate, kind) - strengthOf(a.candidate, kind);
    if (strength !== 0) return strength;
  }
  return (
    Number(a.candidate.kernel) - Number(b.candidate.kernel) ||
    Number(allocates(b.candidate)) - Number(allocates(a.candidate)) ||
    a.candidate.place - b.candidate.place
  );
}

function strengthOf(candidate: Candidate, kind: EvidenceKind): number {
  const found = best(candidate, kind);
  return found === null ? 0 : rank(found) + 1;
}

/** What comes from the image on disk is told as such, with what it would be in the dump. */
function asShown({ evidence, fromDisk }: Trace): Evidence {
  if (fromDisk !== true) return evidence;
  const note = `${evidence.kind} in a page that the dump lacks, from the driver file: ${evidence.note ?? ''}`;
  return { ...evidence, kind: 'disk-image', note };
}

/** The best evidence first, at most MAXIMUM_EVIDENCE; the last says how many more there are. */
function evidenceOf(candidate: Candidate): Evidence[] {
  const sorted = [...candidate.traces].sort(
    (a, b) => orderOf(a.evidence.kind) - orderOf(b.evidence.kind) || rank(b.strength) - rank(a.strength),
  );
  const kept = sorted.slice(0, MAXIMUM_EVIDENCE).map(asShown);
  const more = candidate.count - kept.length;
  const last = kept.at(-1);
  if (more > 0 && last) {
    kept[kept.length - 1] = { ...last, note: `${last.note ?? ''} (${more} more in this module)` };
  }
  return kept;
}
