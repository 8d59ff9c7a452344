/**
 * The answers of `questions.ts` from the journal alone, for a history in a folder: the same rows in the same order, without a
 * database, which would first have to be made of nothing.
 */

import type { History, DumpRecord } from '../journal/history.js';
import { causesOf, overviewOf, type Causes } from '../outputs/overview.js';
import { causeConfidence } from '../groups.js';
import { groupBy } from '../machines.js';
import type { SuspectSummary } from '../outputs/summary.js';
import { storable, type Cell, type Table } from './engine.js';
import type { Filter } from './questions.js';

/** As PostgreSQL orders text by its bytes. */
const byBytes = (a: string, b: string): number => (a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b)));

const textOf = (text: string | null): string | null => (text === null ? null : storable(text));
const timeOf = (time: string | null): string | null => (time === null ? null : new Date(time).toISOString());

/** Letter by letter, as the database does: no letter becomes two, and none depends on its neighbours. */
const lower = (text: string): string =>
  Array.from(text, (letter) => {
    const small = letter.toLowerCase();
    return Array.from(small).length === 1 ? small : letter;
  }).join('');

/** Whether a text is like a word in which `*` stands for anything. */
function isLike(text: string, word: string): boolean {
  const parts = word.split('*').map((part) => part.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'));
  return new RegExp(`^${parts.join('[^]*')}$`, 'u').test(text);
}

const isLikeAnyCase = (text: string | null, word: string): boolean =>
  text !== null && isLike(lower(storable(text)), lower(word));

/** Dumps, the newest first. */
export function listDumps(history: History, filter: Filter): Table {
  const causes = causesOf(history);
  const machines = namesOf(causes);
  const rows = causes.records
    .filter((record) => isWanted(record, causes.machineOf.get(record.id) ?? null, machines, filter))
    .sort((a, b) => newestFirst(a, b) || byBytes(storable(a.place), storable(b.place)) || byBytes(a.id, b.id))
    .map(({ id, place, summary }): Cell[] => {
      const { systemTime, systemName, leakSuspected, suspects, headline } = summary;
      const machine = causes.machineOf.get(id) ?? '';
      return [
        ...[id.slice(0, 12), timeOf(systemTime), textOf(machines.get(machine) ?? machine), textOf(systemName), leakSuspected],
        ...ofSuspect(suspects[0]),
        ...[storable(headline), storable(place)],
      ];
    }); // prettier-ignore
  const columns = ['id', 'systemTime', 'machine', 'system', 'leakSuspected', 'tag', 'pool', 'bytes', 'driver', 'version', 'process', 'confidence', 'headline', 'place']; // prettier-ignore
  return { columns, rows };
}

function ofSuspect(suspect: SuspectSummary | undefined): Cell[] {
  if (suspect === undefined) return [null, null, null, null, null, null, null];
  const { tag, pool, bytes, driver, version, process } = suspect;
  return [storable(tag), pool, bytes, textOf(driver), textOf(version), textOf(process), causeConfidence(suspect)];
}

const newestFirst = (a: DumpRecord, b: DumpRecord): number =>
  timeValue(b.summary.systemTime) - timeValue(a.summary.systemTime) || 0;

/** Those without a time last. */
const timeValue = (time: string | null): number => (time === null ? -Number.MAX_VALUE : Date.parse(time));

/** Names of machines, by their ids. */
const namesOf = ({ machines }: Causes): Map<string, string | null> =>
  new Map(machines.map(({ id, name }) => [id, name]));

function isWanted(
  { summary }: DumpRecord,
  machine: string | null,
  names: ReadonlyMap<string, string | null>,
  { tag, driver, process, machine: wanted, since, until, leaks, undecided }: Filter,
): boolean {
  const { suspects, systemTime, leakSuspected } = summary;
  const time = systemTime === null ? null : Date.parse(systemTime);
  return (
    (tag === undefined || suspects.some((one) => isLike(trimmed(storable(one.tag)), trimmed(tag)))) &&
    (driver === undefined || suspects.some((one) => isLikeAnyCase(one.driver, driver))) &&
    (process === undefined || suspects.some((one) => isLikeAnyCase(one.process, process))) &&
    (wanted === undefined || machine === wanted || isLikeAnyCase(names.get(machine ?? '') ?? null, wanted)) &&
    (since === undefined || (time !== null && time >= Date.parse(since))) &&
    (until === undefined || (time !== null && time < Date.parse(until))) &&
    (leaks !== true || leakSuspected === true) &&
    (undecided !== true || leakSuspected === null)
  );
}

const trimmed = (text: string): string => text.replace(/ +$/, '');

/** Groups in their order: most dumps first. */
export function listGroups(history: History): Table {
  const rows = overviewOf(history).groups.map((group): Cell[] => {
    const { id, tag, pool, driver, driverVersion, process, company, confidence, dumps, machines, growth } = group;
    return [
      ...[id, storable(tag), pool, textOf(driver), textOf(driverVersion), textOf(process), textOf(company), confidence],
      ...[dumps.length, machines.length, timeOf(group.firstSeen), timeOf(group.lastSeen), group.bytes],
      ...[growth?.judgement ?? null, growth?.perHour ?? null],
    ];
  });
  const columns = ['id', 'tag', 'pool', 'driver', 'version', 'process', 'company', 'confidence', 'dumps', 'machines', 'firstSeen', 'lastSeen', 'mostBytes', 'growth', 'bytesPerHour']; // prettier-ignore
  return { columns, rows };
}

export function listMachines(history: History): Table {
  const { machines, records, machineOf } = causesOf(history);
  const dumpsOf = groupBy(records, ({ id }) => machineOf.get(id) ?? null);
  const byName = (a: string | null, b: string | null): number =>
    a === null || b === null ? Number(a === null) - Number(b === null) : byBytes(storable(a), storable(b));
  const rows = machines
    .toSorted((a, b) => b.dumps - a.dumps || byName(a.name, b.name) || byBytes(a.id, b.id))
    .map(({ id, name, dumps, firstSeen, lastSeen }): Cell[] => {
      const of = [...(dumpsOf.get(id) ?? [])].sort((a, b) => newestFirst(a, b) || byBytes(a.id, b.id));
      const count = (verdict: boolean | null): number =>
        of.filter((one) => one.summary.leakSuspected === verdict).length;
      const system = of[0]?.summary.systemName ?? null;
      return [id, textOf(name), dumps, count(true), count(null), timeOf(firstSeen), timeOf(lastSeen), textOf(system)];
    });
  return { columns: ['id', 'name', 'dumps', 'leaks', 'undecided', 'firstSeen', 'lastSeen', 'system'], rows };
}

/** Dumps that a word means: the beginning of an id, or a place. */
export function findDumps(history: History, word: string): DumpRecord[] {
  return history
    .records()
    .filter(
      ({ id, place, places }) =>
        (word.length >= 4 && isLike(id, `${word}*`)) || place === word || places.includes(word),
    )
    .sort((a, b) => byBytes(a.id, b.id));
}
