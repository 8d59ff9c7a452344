/** How a group's tag grows from dump to dump of one machine, as `dumpleak trend` judges it. */

import { basename } from 'node:path';
import { Collector } from '../growth/read/collector.js';
import { readResults } from '../growth/read/read-dump.js';
import type { Judgement } from '../growth/judge/judge.js';
import { makeTrend } from '../growth/trend.js';
import { byTime, type Group } from './groups.js';
import type { DumpRecord, History } from './journal/history.js';
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

/**
 * The growth of every group, by its id: of the machine with the most dumps, among equals the one that grows most. All
 * dumps of the machine count, also those in which the tag was still small. Null where no machine has two dumps with a time.
 */
export function growthOf(
  groups: readonly Group[],
  records: readonly DumpRecord[],
  machineOf: ReadonlyMap<string, string>,
  history: History,
): Map<string, GroupGrowth | null> {
  const byMachine = groupBy(
    records.filter(({ summary }) => summary.systemTime !== null),
    ({ id }) => machineOf.get(id) ?? null,
  );
  return new Map(
    groups.map((group) => {
      const candidates = group.machines
        .map((machine) => ({ machine, dumps: byMachine.get(machine) ?? [] }))
        .filter(({ dumps }) => dumps.length >= 2)
        .sort((a, b) => b.dumps.length - a.dumps.length || (a.machine < b.machine ? -1 : 1))
        .slice(0, MOST_MACHINES);
      const most = candidates[0]?.dumps.length ?? 0;
      const found = candidates
        .filter(({ dumps }) => dumps.length === most)
        .flatMap(({ machine, dumps }) => growthOn(group, machine, dumps, history) ?? []);
      found.sort((a, b) => (b.perHour ?? -Infinity) - (a.perHour ?? -Infinity));
      return [group.id, found[0] ?? null];
    }),
  );
}

function growthOn(group: Group, machine: string, dumps: DumpRecord[], history: History): GroupGrowth | null {
  const collector = new Collector();
  for (const record of dumps.toSorted(byTime).slice(-MOST_DUMPS)) {
    const entry = history.entryOf(record);
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
