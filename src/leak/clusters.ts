/**
 * Who is behind tags in lock step: of those who allocate under them, the filter or the driver that is no part of Windows is
 * likely the cause, and file systems, the filter manager, the network stack and the kernel allocate with it.
 * docs/verdict.md has the rules.
 */

import { countersOf } from '../result/pool.js';
import { tagInWords, tagKey } from '../result/tag.js';
import { toNumber } from '../result/result.js';
import type { Confidence, ModuleInfo, PoolKind, PoolTagRow, Suspect, TagCluster, TagOwner } from '../result/result.js';
import { atMost, rank } from './confidence.js';
import type { LeakFacts } from './facts.js';
import type { MemoryReading } from './memory-flags.js';
import { isSuspicious } from './suspects.js';
import { inStepWith, steppers, type Stepper } from './tags/lock-step.js';
import type { TagOwners } from './tags/owners.js';
import { isThirdParty } from './tags/third-party.js';
import { isKernelImage } from './tags/windows-tags.js';
import { MAXIMUM_STEPPERS } from './thresholds.js';
import { amount, list } from './wording.js';

/** File systems and others that files are opened through: filters sit above them, and they are none. */
const BELOW_FILTERS: ReadonlySet<string> = new Set([
  'ntfs', 'refs', 'refsv1', 'fastfat', 'exfat', 'udfs', 'cdfs', 'npfs', 'msfs', 'mup', 'rdbss', 'mrxsmb', 'mrxsmb10',
  'mrxsmb20', 'mrxdav', 'dfsc', 'csc', 'csvfs', 'cimfs', 'p9rdr', 'fltmgr',
]); // prettier-ignore

/** What clusters are looked for in. */
export interface ClusterFacts {
  readonly facts: Pick<LeakFacts, 'modules' | 'functions' | 'poolTags'>;
  readonly owners: TagOwners;
  /** All tags that may be in lock step. */
  readonly all: readonly Stepper[];
}

/** Tags whose counts may be in lock step, those left out that cannot be true. */
export function steppersOf({ poolTags, options }: LeakFacts, memory: MemoryReading): Stepper[] {
  const { pool } = options;
  const usable = (row: PoolTagRow, kind: PoolKind): boolean =>
    (pool === undefined || pool === kind) && !memory.implausibleTags[kind].has(row);
  return poolTags?.complete === true ? steppers(poolTags.rows, usable) : [];
}

/** Of those the ones that are in lock step with another, so many at most: their owners are asked for as well. */
export function partnered(all: readonly Stepper[]): PoolTagRow[] {
  const most = [...all].sort((a, b) => b.outstanding - a.outstanding).slice(0, MAXIMUM_STEPPERS);
  return most.filter((one) => inStepWith(one, all).length > 0).map(({ row }) => row);
}

/** Says which tags are in lock step with a suspect, and adds that to its reasons. */
export function addClusters(suspects: readonly Suspect[], known: ClusterFacts): void {
  for (const suspect of suspects) {
    const row = known.facts.poolTags?.rows.find(({ hex }) => hex === suspect.key);
    const found = row === undefined ? null : clusterOf(suspect, row, known);
    suspect.cluster = found?.cluster ?? null;
    if (found === null) continue;
    const { cluster, below } = found;
    const tags = list(
      cluster.members.map(({ tag }) => tagInWords(tag)),
      8,
    );
    const message =
      below === null
        ? `In lock step with it: ${tags}`
        : `A tag of ${below.module}, as this one is, is in lock step with others: ${tags}`;
    if (isSuspicious(suspect)) suspect.reasons.push({ code: 'lock-step', message });
    firstOfCandidates(suspect, cluster);
  }
}

/** Of those who could be behind a tag of Windows, the one that the cluster leads to comes first, and it is said why. */
function firstOfCandidates({ candidates = null }: Suspect, { culprit }: TagCluster): void {
  const place = candidates?.drivers.findIndex(({ base }) => base === culprit?.base) ?? -1;
  const driver = candidates?.drivers[place];
  if (culprit === null || candidates === null || driver === undefined) return;
  candidates.drivers.splice(place, 1);
  candidates.drivers.unshift({ ...driver, because: 'tags in lock step lead to it' });
}

/** A cluster, and the part of Windows that the suspect shares with it where it is not of it. */
interface Found {
  readonly cluster: TagCluster;
  readonly below: TagOwner | null;
}

/** The cluster that a suspect is part of; null where none is. */
function clusterOf(suspect: Pick<Suspect, 'pool' | 'confidence'>, row: PoolTagRow, known: ClusterFacts): Found | null {
  const own = known.all.find((one) => one.row === row && one.pool === suspect.pool);
  if (own !== undefined) {
    const others = inStepWith(own, known.all);
    if (others.length > 0) return made(suspect, own, others, makerOf([own, ...others], known), known.owners);
  }
  return byOwner(suspect, row, known);
}

/**
 * A tag of a part of Windows that is in lock step with nothing, while another tag of the same part is: what makes the one
 * grow makes the other grow. The kernel has too many parts for that.
 */
function byOwner(suspect: Pick<Suspect, 'pool' | 'confidence'>, row: PoolTagRow, known: ClusterFacts): Found | null {
  const owner = known.owners.get(tagKey(row)) ?? null;
  if (owner === null || isMaker(owner, known.facts) || isKernelImage(owner.module)) return null;
  const found = new Map<string, { maker: Maker; steps: Stepper[] }>();
  for (const one of known.all) {
    if (known.owners.get(tagKey(one.row))?.base !== owner.base) continue;
    const steps = [one, ...inStepWith(one, known.all)];
    const maker = makerOf(steps, known);
    if (maker !== null) found.set(maker.owner.base ?? maker.owner.module, { maker, steps });
  }
  const [only, ...more] = found.values();
  if (only === undefined || more.length > 0 || only.steps.length < 3) return null;
  const outstanding = toNumber(countersOf(row, suspect.pool).outstanding);
  const own = { row, pool: suspect.pool, outstanding };
  return made(suspect, own, only.steps, only.maker, known.owners, owner);
}

/** Who is likely behind a group. */
interface Maker {
  readonly owner: TagOwner;
  readonly confidence: Confidence;
  readonly steps: readonly Stepper[];
}

/** The one member that is a filter or no part of Windows; null where there are several, none, or members of nobody. */
function makerOf(steps: readonly Stepper[], { facts, owners }: ClusterFacts): Maker | null {
  const members = steps.map(({ row }) => owners.get(tagKey(row)) ?? null);
  if (members.includes(null)) return null;
  const makers = members.filter((owner) => owner !== null && isMaker(owner, facts));
  const [first] = makers;
  if (first === undefined || first === null || makers.some((owner) => owner?.base !== first.base)) return null;
  const isProven = first.basis === 'code' && first.confidence === 'high';
  const isGroup = steps.length > 2;
  const confidence = isProven && isGroup ? 'high' : isProven || isGroup ? atMost(first.confidence, 'medium') : 'low';
  return { owner: first, confidence, steps };
}

function isMaker(owner: TagOwner, { modules, functions }: ClusterFacts['facts']): boolean {
  if (rank(owner.confidence) === 0 || isKernelImage(owner.module)) return false;
  if (isThirdParty(owner, modules)) return true;
  return isFilter(owner, modules ?? [], functions);
}

function isFilter(
  { base, module }: TagOwner,
  modules: readonly ModuleInfo[],
  functions: LeakFacts['functions'],
): boolean {
  if (BELOW_FILTERS.has(module.toLowerCase().replace(/\.sys$/, ''))) return false;
  const place = modules.findIndex((one) => one.base === base);
  return place >= 0 && functions?.functionsOf(place)?.names.has('FltRegisterFilter') === true;
}

/** @param below the part of Windows that a suspect shares with the group, where it is not of it. */
function made(
  { confidence }: Pick<Suspect, 'confidence'>,
  own: Stepper,
  others: readonly Stepper[],
  maker: Maker | null,
  owners: TagOwners,
  below: TagOwner | null = null,
): Found {
  const cluster: TagCluster = {
    members: others.map(({ row, pool, outstanding }) => ({
      key: row.hex,
      tag: row.tag,
      pool,
      outstanding: countersOf(row, pool).outstanding,
      ratio: own.outstanding > 0 ? Math.round((outstanding / own.outstanding) * 1000) / 1000 : 0,
      owner: owners.get(tagKey(row)) ?? null,
    })),
    culprit:
      maker === null
        ? null
        : {
            module: maker.owner.module,
            base: maker.owner.base,
            confidence: atMost(below === null ? maker.confidence : atMost(maker.confidence, 'medium'), confidence),
            because: becauseOf(own, maker, owners, below),
          },
  };
  return { cluster, below };
}

/** `WCsc (wcifs.sys), NtfC (Ntfs.sys) and IoFE (ntoskrnl.exe) have 503,677, ...` */
function becauseOf({ row }: Stepper, { owner, steps }: Maker, owners: TagOwners, below: TagOwner | null): string {
  const names = steps.map(
    (step) => `${tagInWords(step.row.tag)} (${owners.get(tagKey(step.row))?.module ?? 'not known'})`,
  );
  const counts = steps.map(({ outstanding }) => amount(outstanding));
  const group = `${list(names, 8)} are in lock step: ${list(counts, 8)} allocations outstanding, and hardly any was freed. Of their owners ${owner.module} is likely the one that makes the others allocate`;
  if (below === null) return group;
  return `${group}; ${tagInWords(row.tag)} is of ${below.module}, which allocates with it`;
}
