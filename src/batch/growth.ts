/** How a group's tag grows from dump to dump of one machine, as `dumpleak trend` judges it. */

import { basename } from 'node:path';
import { Collector } from '../growth/read/collector.js';
import { readResults } from '../growth/read/read-dump.js';
import type { Judgement } from '../growth/judge/judge.js';
import { makeTrend } from '../growth/trend.js';
import { byTime, type Group } from './groups.js';
import type { DumpEntry } from './inputs/entries.js';
import type { DumpRecord } from './journal/history.js';
import { groupBy } from './machines.js';

export interface GroupGrowth {
  /** The machine that it is of. */
  machine: string;
  /** Bytes an hour; null where too few points tell. */
  perHour: number | null;
  judgement: Judgement;
  /** Milliseconds since 1970, and the bytes that the tag held. */
  points: [number, number][];
}

/** Dumps of one machine that are compared: more say no more. */
const MOST_DUMPS = 200;
/** Machines of a group that are looked at. */
const MOST_MACHINES = 20;

/** What the growth of a group is judged by. */
export interface GrowthPlan<G extends Group = Group> {
  readonly group: G;
  /** Machines, and all their dumps that have a time, in order of their times. */
  readonly machines: readonly { machine: string; dumps: readonly DumpRecord[] }[];
}

/**
 * By what the growth of every group is judged: the machines with the most dumps, as long as it is two. All dumps of the
 * machine count, also those in which the tag was still small.
 */
export function growthPlans<G extends Group>(
  groups: readonly G[],
  records: readonly DumpRecord[],
  machineOf: ReadonlyMap<string, string>,
): GrowthPlan<G>[] {
  const timed = groupBy(
    records.filter(({ summary }) => summary.systemTime !== null),
    ({ id }) => machineOf.get(id) ?? null,
  );
  const byMachine = new Map([...timed].map(([machine, dumps]) => [machine, dumps.toSorted(byTime)]));
  return groups.map((group) => {
    const candidates = group.machines
      .map((machine) => ({ machine, dumps: byMachine.get(machine) ?? [] }))
      .filter(({ dumps }) => dumps.length >= 2)
      .sort((a, b) => b.dumps.length - a.dumps.length || (a.machine < b.machine ? -1 : 1))
      .slice(0, MOST_MACHINES);
    const most = candidates[0]?.dumps.length ?? 0;
    const machines = candidates
      .filter(({ dumps }) => dumps.length === most)
      .map(({ machine, dumps }) => ({ machine, dumps: dumps.slice(-MOST_DUMPS) }));
    return { group, machines };
  });
}

/** Of several machines, the growth on the one on which it grows most; null where none tells. */
export function strongest(found: readonly (GroupGrowth | null)[]): GroupGrowth | null {
  const known = found.filter((growth) => growth !== null);
  return known.toSorted((a, b) => (b.perHour ?? -Infinity) - (a.perHour ?? -Infinity))[0] ?? null;
}

/** The growth of a group's tag from dump to dump of one machine, by their lines in order of time; null where it cannot be told. */
export function growthOn(group: Group, machine: string, entries: Iterable<DumpEntry | null>): GroupGrowth | null {
  const collector = new Collector();
  for (const entry of entries) {
    if (entry === null) continue;
    const name = basename(entry.path);
    collector.files.push({ path: entry.path, name, fileTime: 0, kind: 'result', samples: 0 });
    const { poolTags } = entry.result;
    const rows =
      poolTags?.rows.filter(({ tag, hex }) => (group.key === null ? tag === group.tag : hex === group.key)) ?? [];
    const ofTag = { ...entry.result, poolTags: poolTags && { ...poolTags, rows } };
    readResults(Buffer.from(JSON.stringify(ofTag)), name, collector);
  }
  if (collector.samples.length < 2) return null;
  const trend = makeTrend(collector, { kinds: ['pool-tag'], pool: group.pool });
  const judged = trend.series.find(({ series }) => series.name.tag === group.tag && series.name.pool === group.pool);
  if (judged === undefined || judged.series.ranks.length < 2) return null;
  const { ranks, values } = judged.series;
  return {
    machine,
    perHour: judged.verdict.main.verdict.perHour,
    judgement: judged.verdict.judgement,
    points: [...ranks].map((rank, i) => [trend.times[rank] ?? 0, values[i] ?? 0]),
  };
}
