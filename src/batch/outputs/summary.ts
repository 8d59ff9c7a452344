/** What is kept in memory of every dump of a history; the result itself stays in the journal. */

import {
  toNumber,
  type Architecture,
  type Confidence,
  type Culprit,
  type DumpType,
  type Hex,
  type PoolKind,
  type Suspect,
  type SuspectDriver,
} from '../../result/result.js';
import { theDriver } from '../../leak/culprit.js';
import type { DriverFact, DumpEntry, MachineFacts } from '../inputs/entries.js';

/** A line about a dump, as far as it is kept in memory. */
export type DumpNote = Omit<DumpEntry, 'machine' | 'drivers' | 'result'> & { summary: Summary };

/** A suspect with the driver that may be named for it. */
export interface SuspectSummary {
  tag: string;
  /** The tag's key; null where an old result does not tell it. */
  key: Hex | null;
  pool: PoolKind;
  bytes: number;
  confidence: Confidence;
  /** Only where one driver is likely or certain: of several, none is named. */
  driver: string | null;
  driverConfidence: Confidence | null;
  /** The image of the process that is behind it; null where none is accused. */
  process: string | null;
  version: string | null;
  company: string | null;
  /** Of the driver's image: tells builds apart where it has no version. */
  timeDateStamp: string | null;
}

export interface Summary {
  systemName: string | null;
  buildNumber: number | null;
  type: DumpType;
  architecture: Architecture | null;
  systemTime: string | null;
  /** Null where the dump cannot tell. */
  leakSuspected: boolean | null;
  headline: string;
  suspects: SuspectSummary[];
  machine: MachineFacts;
}

export function noteOf(entry: DumpEntry): DumpNote {
  const { kind, at, path, member, fileId, id, headerId } = entry;
  return { kind, at, path, member, fileId, id, headerId, summary: summarize(entry) };
}

function summarize({ result, drivers, machine }: DumpEntry): Summary {
  const { dump, system, verdict } = result;
  return {
    systemName: system?.name ?? null,
    buildNumber: system?.buildNumber ?? null,
    type: dump.type,
    architecture: dump.architecture,
    systemTime: dump.systemTime,
    leakSuspected: verdict.leakSuspected,
    headline: verdict.headline,
    suspects: causes(result.suspects, verdict.leakSuspected).map((suspect, i) =>
      summarizeSuspect(suspect, drivers, i === 0 ? (verdict.culprit ?? null) : null),
    ),
    machine,
  };
}

/** The suspect that the verdict speaks of, and others that are as sure as can be. None without a suspected leak. */
function causes(suspects: readonly Suspect[], leakSuspected: boolean | null): Suspect[] {
  if (leakSuspected !== true) return [];
  return suspects.filter(
    ({ confidence, against }, i) =>
      !against.some(({ code }) => code === 'not-suspicious') && (i === 0 || confidence === 'high'),
  );
}

/** @param culprit of the verdict, for the suspect that it speaks of. */
function summarizeSuspect(suspect: Suspect, drivers: readonly DriverFact[], culprit: Culprit | null): SuspectSummary {
  const process = culprit?.kind === 'process' ? (culprit.process?.image ?? null) : null;
  const named = process === null ? theDriver(suspect) : null;
  const fact = named === null ? null : factOf(named, drivers);
  return {
    tag: suspect.tag,
    key: suspect.key ?? null,
    pool: suspect.pool,
    bytes: toNumber(suspect.bytes),
    confidence: suspect.confidence,
    driver: named?.module ?? null,
    driverConfidence: named?.confidence ?? null,
    process,
    version: fact?.version ?? null,
    company: fact?.company ?? null,
    timeDateStamp: fact?.timeDateStamp ?? null,
  };
}

/** What is known of a driver, by the base of its image; by its name where records of an earlier version tell no base. */
function factOf({ base, module }: SuspectDriver, drivers: readonly DriverFact[]): DriverFact | null {
  if (base === null) return null;
  const isOld = base === undefined || drivers.every((fact) => fact.base === undefined);
  const name = module.toLowerCase();
  return drivers.find((fact) => (isOld ? fact.name.toLowerCase() === name : fact.base === base)) ?? null;
}
