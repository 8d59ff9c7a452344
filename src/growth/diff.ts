/** Two snapshots: what grew between them, tag by tag, and which drivers came, went or changed. */

import { InputError } from '../../parsers/bytes/input-error.js';
import type { PoolKind } from '../result/result.js';
import type { TrendWarning } from './codes.js';
import type { Collector, Figures, InputKind, ModuleFact, Sample } from './read/collector.js';
import { findReboots, outstanding, unwrap, type SampleFacts } from './read/counters.js';
import { otherMemory } from './read/machines.js';
import { OBJECTS } from './read/object-counts.js';
import type { SeriesName } from './read/series.js';
import { readInputs, type ReadOptions } from './read/inputs.js';
import { assignTimes, type TimeOptions } from './read/sample-times.js';

export interface DiffSide {
  path: string;
  kind: InputKind;
  /** Milliseconds since 1970; null where nothing tells. */
  time: number | null;
  figures: Readonly<Figures>;
}

/** One pool's counters of a tag in one snapshot. */
export interface TagCount {
  bytes: number;
  /** Null where the snapshot does not tell. */
  outstanding: number | null;
}

export interface TagChange {
  tag: string;
  pool: PoolKind;
  /** Null where the snapshot does not list the tag: it holds nothing then, or the list is not whole. */
  before: TagCount | null;
  after: TagCount | null;
  /** After less before, what is not listed as 0. */
  bytes: number;
  outstanding: number | null;
}

export interface ModuleChange {
  name: string;
  before: ModuleFact;
  after: ModuleFact;
}

/** A number of handles or objects in both snapshots. */
export interface CountChange {
  /** `svc.exe (4324) Event handles`, `Objects\\Event`. Safe to print. */
  what: string;
  /** `svc.exe (4324)`; null for objects of the machine. */
  process: string | null;
  /** Null where the snapshot does not tell, or the process was not there. */
  before: number | null;
  after: number | null;
  change: number;
}

export interface Difference {
  before: DiffSide;
  after: DiffSide;
  /** Names of the machines that the two are of, as far as they tell. */
  machines: readonly string[];
  /** Milliseconds between the two; null where a time is not known. */
  elapsedMs: number | null;
  /** The machine was restarted in between; of two machines nobody can tell, and this is false. */
  restarted: boolean;
  /** Why the two are not of the same machine, in words; null where nothing says so. */
  otherMachine: string | null;
  /** By growth, largest first; what did not change is left out. */
  tags: TagChange[];
  /** Tags that did not change. */
  unchanged: number;
  /** Null where a side does not tell its drivers. */
  /** Handles of processes and objects by type, most growth first; what did not change is left out. */
  counts: CountChange[];
  modules: { loaded: ModuleFact[]; unloaded: ModuleFact[]; changed: ModuleChange[] } | null;
  warnings: TrendWarning[];
}

/**
 * Compares two inputs; of a log with several snapshots the last one. Throws InputError when one cannot be read or holds
 * no tags.
 */
export async function readDifference(
  before: string,
  after: string,
  options: ReadOptions & TimeOptions = {},
): Promise<Difference> {
  const first = await readSide(before, options);
  const second = await readSide(after, options);
  return compare(first, second);
}

interface Side {
  side: DiffSide;
  sample: Sample;
  counts: Map<string, { tag: string; pool: PoolKind; bytes: number; allocs: number; frees: number }>;
  objects: Map<string, { process: string | null; count: number }>;
  modules: ModuleFact[] | null;
  machines: string[];
  warnings: TrendWarning[];
}

async function readSide(path: string, options: ReadOptions & TimeOptions): Promise<Side> {
  const collected = await readInputs([path], { ...options, modules: true });
  const { files, samples } = collected;
  const index = samples.findLastIndex(({ hasTags }) => hasTags);
  const sample = samples[index];
  const file = sample === undefined ? undefined : files[sample.file];
  if (sample === undefined || file === undefined) {
    throw new InputError('wrong-kind', `${path} holds no pool tags: give two dumps, poolmon logs or results`);
  }
  const rankOf = new Int32Array(samples.length).fill(-1);
  rankOf[index] = 0;
  const counts: Side['counts'] = new Map();
  const objects: Side['objects'] = new Map();
  for (const { name, values, allocs, frees } of collected.store.finish(rankOf)) {
    if (values.length > 0 && isCount(name)) objects.set(name.label, { process: name.process, count: values[0] ?? 0 });
    if (name.tag === null || name.pool === null || values.length === 0) continue;
    const key = `${name.tag}\0${name.pool}`;
    // Tags that print the same differ in unprintable bytes: together they are what both sides can show.
    const known = counts.get(key) ?? { tag: name.tag, pool: name.pool, bytes: 0, allocs: 0, frees: 0 };
    known.bytes += values[0] ?? 0;
    known.allocs += allocs?.[0] ?? NaN;
    known.frees += frees?.[0] ?? NaN;
    counts.set(key, known);
  }
  const time = timeOf(collected, index, options);
  const { warnings, modules } = collected;
  const machines = [...collected.machines];
  return {
    side: { path, kind: file.kind, time, figures: sample.figures },
    sample,
    counts,
    objects,
    modules,
    machines,
    warnings,
  };
}

function timeOf({ files, samples }: Collector, index: number, options: TimeOptions): number | null {
  const { times } = assignTimes(
    files.map((file, f) => ({ ...file, samples: samples.filter((sample) => sample.file === f) })),
    options,
  );
  return times.flat()[index] ?? null;
}

function compare(before: Side, after: Side): Difference {
  const [start, end] = [before.side.time, after.side.time];
  const warnings = [...before.warnings, ...after.warnings];
  const elapsedMs = start === null || end === null ? null : end - start;
  if (elapsedMs !== null && elapsedMs < 0) {
    warnings.push({ code: 'wrong-order', message: 'the second snapshot is older than the first' });
  }
  const otherMachine = notTheSame(before, after);
  if (otherMachine !== null)
    warnings.push({ code: 'several-machines', message: `not the same machine: ${otherMachine}` });
  const restarted = wasRestarted(before, after) && otherMachine === null;
  const tags: TagChange[] = [];
  let unchanged = 0;
  for (const key of new Set([...before.counts.keys(), ...after.counts.keys()])) {
    const change = tagChange(before.counts.get(key), after.counts.get(key));
    if (change === null) continue;
    if (change.bytes === 0 && (change.outstanding ?? 0) === 0) unchanged++;
    else tags.push(change);
  }
  tags.sort((a, b) => b.bytes - a.bytes || (a.tag < b.tag ? -1 : a.tag > b.tag ? 1 : a.pool < b.pool ? -1 : 1));
  return {
    before: before.side,
    after: after.side,
    machines: [...new Set([...before.machines, ...after.machines])],
    elapsedMs,
    restarted,
    otherMachine,
    tags,
    unchanged,
    counts: countChanges(before.objects, after.objects),
    modules: before.modules === null || after.modules === null ? null : compareModules(before.modules, after.modules),
    warnings,
  };
}

/** By their names, else by their memory. */
function notTheSame({ machines: one, side: a }: Side, { machines: other, side: b }: Side): string | null {
  if (one.length === 0 || other.length === 0) return otherMemory([a.figures, b.figures]);
  return one.some((name) => other.includes(name)) ? null : `${one.join(', ')} and ${other.join(', ')}`;
}

/** Handles of a process, and objects of a type. */
function isCount({ kind, label, unit }: SeriesName): boolean {
  return unit === 'count' && (kind === 'process' || (kind === 'counter' && label.startsWith(OBJECTS)));
}

/** What stands on one side alone counts as none on the other: a process came or went, or had too few of a type. */
function countChanges(before: Side['objects'], after: Side['objects']): CountChange[] {
  if (before.size === 0 || after.size === 0) return [];
  const changes = [...new Set([...before.keys(), ...after.keys()])].flatMap((what): CountChange[] => {
    const [a, b] = [before.get(what), after.get(what)];
    const change = (b?.count ?? 0) - (a?.count ?? 0);
    if (change === 0) return [];
    return [{ what, process: (b ?? a)?.process ?? null, before: a?.count ?? null, after: b?.count ?? null, change }];
  });
  return changes.sort((a, b) => b.change - a.change || (a.what < b.what ? -1 : 1));
}

type Counts = { tag: string; pool: PoolKind; bytes: number; allocs: number; frees: number } | undefined;

function tagChange(a: Counts, b: Counts): TagChange | null {
  const one = b ?? a;
  if (one === undefined) return null;
  const [x, y] = [tagCount(a), tagCount(b)];
  const held = (side: TagCount | null): number | null => (side === null ? 0 : side.outstanding);
  const [m, n] = [held(x), held(y)];
  return {
    tag: one.tag,
    pool: one.pool,
    before: x,
    after: y,
    bytes: (y?.bytes ?? 0) - (x?.bytes ?? 0),
    outstanding: m === null || n === null ? null : n - m,
  };
}

function tagCount(counts: Counts): TagCount | null {
  if (counts === undefined) return null;
  const held = outstanding(counts.allocs, counts.frees);
  return { bytes: counts.bytes, outstanding: Number.isNaN(held) ? null : held };
}

/** By the boot times of both, else by counters that fell. Undoes a wrap of the second side's bytes. */
function wasRestarted(before: Side, after: Side): boolean {
  const facts = (side: Side, time: number): SampleFacts => {
    const { pageFaults, hasTags, narrow } = side.sample;
    return { time, bootTime: side.side.time === null ? null : side.sample.bootTime, pageFaults, hasTags, narrow };
  };
  const samples = [facts(before, before.side.time ?? 0), facts(after, after.side.time ?? 1)];
  const series = [...before.counts].flatMap(([key, a]) => {
    const b = after.counts.get(key);
    if (b === undefined) return [];
    const made = {
      name: {
        kind: 'pool-tag' as const,
        tag: a.tag,
        pool: a.pool,
        label: a.tag,
        unit: 'bytes' as const,
        process: null,
      },
      ranks: Int32Array.of(0, 1),
      values: Float64Array.of(a.bytes, b.bytes),
      allocs: Float64Array.of(a.allocs, b.allocs),
      frees: Float64Array.of(a.frees, b.frees),
    };
    return [made];
  });
  const reboots = findReboots(samples, series);
  for (const one of series) {
    unwrap(one, samples, reboots);
    const b = after.counts.get(`${one.name.tag}\0${one.name.pool}`);
    if (b !== undefined) b.bytes = one.values[1] ?? b.bytes;
  }
  return reboots.length > 0;
}

function compareModules(
  before: readonly ModuleFact[],
  after: readonly ModuleFact[],
): NonNullable<Difference['modules']> {
  const named = (modules: readonly ModuleFact[]): Map<string, ModuleFact> =>
    new Map(modules.map((module) => [module.name.toLowerCase(), module]));
  const [a, b] = [named(before), named(after)];
  const byName = (x: ModuleFact, y: ModuleFact): number => (x.name.toLowerCase() < y.name.toLowerCase() ? -1 : 1);
  const changed = [...b].flatMap(([name, now]): ModuleChange[] => {
    const then = a.get(name);
    return then !== undefined && isOtherBuild(then, now) ? [{ name: now.name, before: then, after: now }] : [];
  });
  return {
    loaded: [...b].flatMap(([name, module]) => (a.has(name) ? [] : [module])).sort(byName),
    unloaded: [...a].flatMap(([name, module]) => (b.has(name) ? [] : [module])).sort(byName),
    changed: changed.sort((x, y) => byName(x.after, y.after)),
  };
}

/** Any sign of another build that both sides tell. */
function isOtherBuild(a: ModuleFact, b: ModuleFact): boolean {
  const differs = <T>(x: T | null, y: T | null): boolean => x !== null && y !== null && x !== y;
  return (
    differs(a.timeDateStamp, b.timeDateStamp) ||
    differs(a.checkSum, b.checkSum) ||
    differs(a.sizeOfImage, b.sizeOfImage) ||
    differs(a.fileVersion, b.fileVersion)
  );
}
