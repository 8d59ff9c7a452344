/** Brings the tables of a shared history in line with its lines: summaries of all dumps are read, whole results only of new ones. */

import { createHash } from 'node:crypto';
import type { Group } from '../../groups.js';
import { growthOn, growthPlans, strongest, type GroupGrowth, type GrowthPlan } from '../../growth.js';
import type { History } from '../../journal/history.js';
import { causesOf, withGrowth, type Causes, type Overview } from '../../outputs/overview.js';
import { VERSION } from '../../../version.js';
import { setState, stateOf, type Session } from '../engine.js';
import { fill, putDumps, type Fresh } from '../fill.js';
import { lastSequence, loadHistory, readEntries } from './entries.js';

/** Lines that the tables could not take; the caller sets them aside and begins again. */
export class Refused extends Error {
  constructor(readonly lines: readonly { sequence: number; why: string }[]) {
    super('lines were refused');
  }
}

/** Whether the tables hold all lines. */
export async function isUp(session: Session): Promise<boolean> {
  return (await stateOf(session, 'journal')) === String(await lastSequence(session));
}

/** Within a transaction whose caller holds the lock. Throws Refused. */
export async function bringUp(session: Session, words: string): Promise<void> {
  const last = await lastSequence(session);
  const history = await loadHistory(session, words, last);
  const { overview, keys } = await overviewOn(session, history);
  const read = async (records: Parameters<typeof readEntries>[1]) => readEntries(session, records);
  await fill(session, overview, read, putEach);
  // Of a dump that was read again, the result before is worth nothing.
  const current = overview.records.map(({ offset }) => offset);
  await session.query(
    `update entries e set line = null where line is not null and sequence <= $1 and sequence <> all($2)
       and (forgotten_at is not null or exists (select from entries later where later.kind = 'dump' and later.file_key = e.file_key and later.sequence > e.sequence))`,
    [last, current],
  );
  await setState(session, 'growth', JSON.stringify(keys));
  await setState(session, 'journal', String(last));
}

/** Puts in dumps; where the tables take some not, one by one, to tell which. */
async function putEach(session: Session, dumps: readonly Fresh[]): Promise<void> {
  await session.exec('savepoint of_all');
  try {
    await putDumps(session, dumps);
    await session.exec('release savepoint of_all');
    return;
  } catch (error) {
    if (!isOfData(error)) throw error;
    await session.exec('rollback to savepoint of_all');
  }
  const lines: { sequence: number; why: string }[] = [];
  for (const dump of dumps) {
    await session.exec('savepoint of_one');
    try {
      await putDumps(session, [dump]);
      await session.exec('release savepoint of_one');
    } catch (error) {
      if (!isOfData(error)) throw error;
      await session.exec('rollback to savepoint of_one');
      lines.push({ sequence: dump.record.offset, why: error instanceof Error ? error.message : String(error) });
    }
  }
  if (lines.length > 0) throw new Refused(lines);
}

/** The values are to blame: out of a column's range, too long for an index. */
function isOfData(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return /^(?:22|23|54)/.test(code);
}

/** A history as a whole. Of a group whose dumps did not change, by its key, the growth is what it was. */
export async function overviewOn(
  session: Session,
  history: History,
): Promise<{ overview: Overview; keys: Record<string, string> }> {
  const causes = causesOf(history);
  const plans = growthPlans(causes.groups, causes.records, causes.machineOf);
  const before = await growthBefore(session, causes);
  const growth = new Map<string, GroupGrowth | null>();
  const keys: Record<string, string> = {};
  for (const plan of plans) {
    const { id } = plan.group;
    const key = keyOf(plan);
    keys[id] = key;
    const known = before.get(id);
    growth.set(id, known?.key === key ? known.growth : await growthOf(session, plan));
  }
  return { overview: withGrowth(causes, growth), keys };
}

async function growthOf(session: Session, { group, machines }: GrowthPlan): Promise<GroupGrowth | null> {
  const found: (GroupGrowth | null)[] = [];
  for (const { machine, dumps } of machines) found.push(growthOn(group, machine, await readEntries(session, dumps)));
  return strongest(found);
}

/** What the growth of a group depends on. */
function keyOf({ group, machines }: GrowthPlan): string {
  const of = [VERSION, group.key, group.tag, group.pool, machines.map(({ machine, dumps }) => [machine, dumps.map(({ offset }) => offset)])]; // prettier-ignore
  return createHash('sha256').update(JSON.stringify(of)).digest('hex').slice(0, 20);
}

interface Row {
  id: string;
  growth_machine: string | null;
  growth_judgement: GroupGrowth['judgement'] | null;
  growth_per_hour: number | null;
  growth_points: [number, number][] | null;
}

async function growthBefore(session: Session, { groups }: Causes) {
  const keys = JSON.parse((await stateOf(session, 'growth')) ?? '{}') as Record<string, string>;
  const { rows } = await session.query<Row>(
    'select id, growth_machine, growth_judgement, growth_per_hour, growth_points from groups where id = any($1)',
    [groups.map(({ id }: Group) => id)],
  );
  return new Map(
    rows.map((row) => {
      const { growth_machine: machine, growth_judgement: judgement, growth_per_hour: perHour, growth_points: points } = row; // prettier-ignore
      const growth = machine === null || judgement === null ? null : { machine, judgement, perHour, points: points ?? [] }; // prettier-ignore
      return [row.id, { key: keys[row.id], growth }];
    }),
  );
}
