/** Dumps with the same cause: the same suspect tag and pool, and the same driver of the same version, or the same program. */

import type { Confidence, Hex, PoolKind } from '../result/result.js';
import type { DumpRecord } from './journal/history.js';
import { groupBy, shortHash } from './machines.js';
import type { SuspectSummary } from './outputs/summary.js';

export interface Group {
  id: string;
  tag: string;
  /** The tag's key; null where old results do not tell it. */
  key: Hex | null;
  pool: PoolKind;
  /** Null where no driver may be named. */
  driver: string | null;
  driverVersion: string | null;
  /** The image of the process that is accused; null where none is. */
  process: string | null;
  company: string | null;
  /** The highest of its dumps: of the driver, where there is one, else of the leak. */
  confidence: Confidence;
  /** Ids of its dumps, in order of their times. */
  dumps: string[];
  /** Ids of their machines. */
  machines: string[];
  /** Times of the first and the last dump; null where none tells its time. */
  firstSeen: string | null;
  lastSeen: string | null;
  /** Most bytes that a dump's suspect holds. */
  bytes: number;
}

interface Member {
  record: DumpRecord;
  suspect: SuspectSummary;
}

const LEVELS: readonly Confidence[] = ['low', 'medium', 'high'];

/** The confidence that a suspect and its driver have together: of the driver where one is named. */
export const causeConfidence = ({ confidence, driverConfidence }: SuspectSummary): Confidence =>
  driverConfidence ?? confidence;

/** What makes the cause. Builds of a driver without a version are told apart by their time stamps. */
const causeKey = ({ tag, key, pool, driver, version, timeDateStamp, process }: SuspectSummary): string =>
  // Bytes that cannot be printed stand as a full stop: such tags are told apart by their keys.
  JSON.stringify([
    tag.includes('.') ? (key ?? tag) : tag,
    pool,
    driver?.toLowerCase() ?? null,
    version ?? (driver === null ? null : timeDateStamp),
    ...(process === null ? [] : [process.toLowerCase()]),
  ]);

/** Groups, those with most dumps first. `machineOf` maps dumps to machines. */
export function groupDumps(records: readonly DumpRecord[], machineOf: ReadonlyMap<string, string>): Group[] {
  const members = records.flatMap((record) => record.summary.suspects.map((suspect): Member => ({ record, suspect })));
  const groups = [...groupBy(members, ({ suspect }) => causeKey(suspect))];
  return groups
    .map(([key, of]) => makeGroup(key, of, machineOf))
    .sort((a, b) => b.dumps.length - a.dumps.length || b.bytes - a.bytes || (a.id < b.id ? -1 : 1));
}

function makeGroup(key: string, of: readonly [Member, ...Member[]], machineOf: ReadonlyMap<string, string>): Group {
  const sorted = of.toSorted((a, b) => byTime(a.record, b.record));
  const { tag, pool, driver, version, process } = of[0].suspect;
  const times = sorted.flatMap(({ record }) => record.summary.systemTime ?? []);
  const levels = of.map(({ suspect }) => LEVELS.indexOf(causeConfidence(suspect)));
  const machines = sorted.map(({ record }) => machineOf.get(record.id) ?? record.id);
  return {
    id: `g-${shortHash(key)}`,
    tag,
    key: of.find(({ suspect }) => suspect.key !== null)?.suspect.key ?? null,
    pool,
    driver,
    driverVersion: version,
    process,
    company: sorted.find(({ suspect }) => suspect.company !== null)?.suspect.company ?? null,
    confidence: LEVELS[Math.max(...levels)] ?? 'low',
    dumps: [...new Set(sorted.map(({ record }) => record.id))],
    machines: [...new Set(machines)],
    firstSeen: times[0] ?? null,
    lastSeen: times.at(-1) ?? null,
    bytes: Math.max(...of.map(({ suspect }) => suspect.bytes)),
  };
}

/** Those without a time last. */
export function byTime(a: DumpRecord, b: DumpRecord): number {
  const [x, y] = [a.summary.systemTime ?? '~', b.summary.systemTime ?? '~'];
  return x < y ? -1 : x > y ? 1 : a.id < b.id ? -1 : 1;
}
