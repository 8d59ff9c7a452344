/** A history as a whole, for the outputs of a batch and for the store. */

import { groupDumps, type Group } from '../groups.js';
import { growthOn, growthPlans, strongest, type GroupGrowth } from '../growth.js';
import type { DumpEntry } from '../inputs/entries.js';
import type { DumpRecord, FailureRecord, History } from '../journal/history.js';
import { assignMachines, groupBy } from '../machines.js';

export interface Machine {
  id: string;
  /** Null where nothing tells. */
  name: string | null;
  dumps: number;
  firstSeen: string | null;
  lastSeen: string | null;
}

export interface Overview {
  records: DumpRecord[];
  failures: FailureRecord[];
  /** Machine of each dump, by the dump's id. */
  machineOf: Map<string, string>;
  machines: Machine[];
  groups: (Group & { growth: GroupGrowth | null })[];
}

/** A history as a whole, with the growth of its groups. */
export function overviewOf(history: History): Overview {
  const causes = causesOf(history);
  const growth = new Map(
    growthPlans(causes.groups, causes.records, causes.machineOf).map(({ group, machines }) => {
      const found = machines.map(({ machine, dumps }) => growthOn(group, machine, linesOf(history, dumps)));
      return [group.id, strongest(found)];
    }),
  );
  return withGrowth(causes, growth);
}

function* linesOf(history: History, dumps: readonly DumpRecord[]): Generator<DumpEntry | null> {
  for (const record of dumps) yield history.entryOf(record);
}

/** What the summaries of all dumps tell: all but the growth of groups. */
export interface Causes extends Omit<Overview, 'groups'> {
  groups: Group[];
}

export function causesOf(history: History): Causes {
  const records = history.records();
  const machineOf = assignMachines(records.map(({ id, summary }) => ({ id, facts: summary.machine })));
  const groups = groupDumps(records, machineOf);
  return { records, failures: history.failed(), machineOf, machines: describeMachines(records, machineOf), groups };
}

export function withGrowth(causes: Causes, growth: ReadonlyMap<string, GroupGrowth | null>): Overview {
  return { ...causes, groups: causes.groups.map((group) => ({ ...group, growth: growth.get(group.id) ?? null })) };
}

function describeMachines(records: readonly DumpRecord[], machineOf: ReadonlyMap<string, string>): Machine[] {
  const byMachine = groupBy(records, ({ id }) => machineOf.get(id) ?? null);
  return [...byMachine]
    .map(([id, dumps]): Machine => {
      const times = dumps.flatMap(({ summary }) => summary.systemTime ?? []).sort();
      const name = dumps.map(({ summary }) => summary.machine.name).find((known) => known !== null) ?? null;
      return { id, name, dumps: dumps.length, firstSeen: times[0] ?? null, lastSeen: times.at(-1) ?? null };
    })
    .sort((a, b) => b.dumps - a.dumps || ((a.name ?? a.id) < (b.name ?? b.id) ? -1 : 1));
}
