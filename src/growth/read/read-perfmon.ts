/** Performance counter logs as samples: pool totals, processes, and every other counter. */

import { failed, type Failure } from '../../../parsers/bytes/failure.js';
import { parsePerfmonLog, type CounterPath, type PerfmonLog } from '../../../parsers/text/perfmon.js';
import { counted } from './counted.js';
import { NO_FIGURES, type Collector, type Figures } from './collector.js';
import { englishPath, isEnglishObject, type CounterNames } from './perflib.js';
import { COMMITTED } from './read-poolmon.js';
import type { SeriesName } from './series.js';

export interface PerfmonOptions {
  /** For logs that do not tell their time zone: minutes to add to UTC. */
  utcOffsetMinutes: number;
  names: CounterNames;
}

/** What a column is. */
interface Column {
  path: CounterPath;
  values: Float64Array;
  name: SeriesName;
  key: string;
  /** The column with this process's number, where the log has one. */
  processIds: Float64Array | null;
  figure: keyof Figures | null;
  /** The number of its series, where it always is the same one; -1 until known. */
  series: number;
  /** What a value is multiplied with to be in bytes. */
  scale: number;
}

/** Takes all samples of a counter log. */
export function readPerfmon(bytes: Uint8Array, name: string, to: Collector, options: PerfmonOptions): Failure | null {
  const log = parsePerfmonLog(bytes);
  if (failed(log)) return log;
  if (log.badRows > 0)
    to.warn('rows-unreadable', `${name}: ${counted(log.badRows, 'line')} left out: they are no samples`);
  if (log.badValues > 0)
    to.warn('values-unreadable', `${name}: ${counted(log.badValues, 'value')} left out: they are no complete numbers`);
  if (!log.offsetKnown && options.utcOffsetMinutes === 0) {
    to.warn('time-zone', `${name}: the log does not tell its time zone; its times are taken as UTC`);
  }
  const paths = log.counters.map((path) => englishPath(path, options.names));
  if (!paths.some(({ object }) => isEnglishObject(object))) {
    to.warn(
      'counter-names',
      `${name}: no counter has the English name of one of memory or processes; if the log is in another language, give its names with --counter-names`,
    );
  }
  for (const { machine } of paths) if (machine !== null) to.machines.add(machine.toLowerCase());
  const all = { log, several: severalMachines(paths), ids: idColumns(paths) };
  const columns = paths.map((path, i) => makeColumn(path, i, all));
  const upTime = columns.find((c) => is(c.path, 'System', 'System Up Time'))?.values ?? null;
  const offset = log.offsetKnown ? 0 : options.utcOffsetMinutes * 60_000;
  for (let row = 0; row < log.times.length && !to.full; row++) {
    const time = (log.times[row] ?? 0) - offset;
    const up = upTime?.[row] ?? NaN;
    const sample = to.sample({
      time,
      bootTime: Number.isNaN(up) ? null : time - up * 1000,
      figures: figuresAt(columns, row),
    });
    for (const column of columns) addValue(column, row, sample, to);
  }
  return null;
}

function addValue(column: Column, row: number, sample: number, to: Collector): void {
  const value = column.values[row] ?? NaN;
  if (Number.isNaN(value)) return;
  let { key, name } = column;
  const id = column.processIds?.[row] ?? NaN;
  // Numbers behind a name (`svchost#3`) move up when a process ends; its own number stays.
  if (id > 0 && name.process !== null) {
    const process = `${name.process.replace(/#\d+$/, '')} (${id})`;
    key = `${key.replace(/\0.*$/s, '')}\0${process.toLowerCase()}`;
    name = { ...name, process, label: name.label.replace(name.process, process) };
  } else if (column.series >= 0) {
    to.store.add(column.series, sample, value * column.scale, NaN, NaN);
    return;
  }
  const series = to.store.named(key, () => name);
  if (column.processIds === null) column.series = series;
  to.store.add(series, sample, value * column.scale, NaN, NaN);
}

const is = (path: CounterPath, object: string, counter: string): boolean =>
  path.object.toLowerCase() === object.toLowerCase() && path.counter.toLowerCase() === counter.toLowerCase();

/** What columns are made by: counter logs of all processes have many thousands of them. */
interface AllColumns {
  log: PerfmonLog;
  /** The log is of several machines. */
  several: boolean;
  /** Columns with the number of a process, by `processKey`; the first of each. */
  ids: ReadonlyMap<string, number>;
}

const processKey = ({ machine, instance }: CounterPath): string => `${machine ?? ''}\0${instance ?? ''}`;

function idColumns(paths: readonly CounterPath[]): Map<string, number> {
  const ids = new Map<string, number>();
  paths.forEach((path, i) => {
    const key = processKey(path);
    if (path.instance !== null && is(path, 'Process', 'ID Process') && !ids.has(key)) ids.set(key, i);
  });
  return ids;
}

function makeColumn(path: CounterPath, i: number, { log, several, ids: idsOf }: AllColumns): Column {
  const machine = several && path.machine !== null ? `\\\\${path.machine}\\` : '';
  const isProcess = path.object.toLowerCase() === 'process' && path.instance !== null;
  const instance = path.instance === null ? '' : `(${path.instance})`;
  const label = isProcess
    ? `${machine}${path.instance} ${path.counter}`
    : `${machine}${path.object === '' ? '' : `${path.object}${instance}\\`}${path.counter}`;
  const pool = poolOf(path);
  const ids = isProcess ? (idsOf.get(processKey(path)) ?? -1) : -1;
  const unit = unitOf(path);
  const name: SeriesName = {
    kind: pool !== null ? 'pool-total' : isProcess ? 'process' : 'counter',
    tag: null,
    pool,
    label: pool !== null ? `${machine}${pool} pool` : label,
    unit,
    process: isProcess ? path.instance : null,
  };
  // The same figure from a poolmon log or a dump goes on in the same series.
  const shared =
    pool !== null && machine === ''
      ? `pool ${pool}`
      : machine === '' && label === COMMITTED
        ? `counter ${label}`
        : null;
  const object = `${path.machine ?? ''}\\${path.object}\\${path.counter}`.toLowerCase();
  return {
    path,
    values: log.values[i] ?? new Float64Array(0),
    name,
    key: shared ?? `perfmon ${object}\0${(path.instance ?? '').toLowerCase()}`,
    processIds: ids < 0 ? null : (log.values[ids] ?? null),
    figure: figureOf(path),
    series: -1,
    scale: scaleOf(path),
  };
}

function severalMachines(paths: readonly CounterPath[]): boolean {
  const first = paths[0]?.machine ?? null;
  return paths.some(({ machine }) => machine !== first);
}

function poolOf(path: CounterPath): 'nonpaged' | 'paged' | null {
  if (is(path, 'Memory', 'Pool Nonpaged Bytes')) return 'nonpaged';
  return is(path, 'Memory', 'Pool Paged Bytes') ? 'paged' : null;
}

const AMOUNTS_OF_BYTES = /(?:\bbytes|\bkbytes|\bmbytes|working set(?: - private)?|commit limit)$/i;
/** Rates end so in every language: `/sec`, `/s`, `/Sek.`, `/seg`. */
const RATE = /\/\s?s/i;
/** Names in other languages that say what they count: `Zugesicherte Bytes`, `Octets de réserve non paginée`. */
const LOCAL_BYTES = /(?<![\p{L}/])(?:bytes?|octets)(?!\p{L})/iu;
const AMOUNTS = /(?:handle count|thread count|processes|threads|\bcount|entries|objects|handles|allocs)$/i;

function unitOf({ counter }: CounterPath): SeriesName['unit'] {
  if (RATE.test(counter) || /^%|^avg|peak/i.test(counter)) return 'other';
  if (AMOUNTS_OF_BYTES.test(counter) || LOCAL_BYTES.test(counter)) return 'bytes';
  return AMOUNTS.test(counter) ? 'count' : 'other';
}

function scaleOf({ counter }: CounterPath): number {
  if (/\/sec|^%|^avg/i.test(counter)) return 1;
  if (/\bkbytes$/i.test(counter)) return 1024;
  return /\bmbytes$/i.test(counter) ? 2 ** 20 : 1;
}

const FIGURES: readonly (readonly [string, keyof Figures])[] = [
  ['Available Bytes', 'available'],
  ['Available KBytes', 'available'],
  ['Available MBytes', 'available'],
  ['Committed Bytes', 'committed'],
  ['Commit Limit', 'commitLimit'],
  ['Pool Nonpaged Bytes', 'nonPagedPool'],
  ['Pool Paged Bytes', 'pagedPool'],
];

function figureOf(path: CounterPath): keyof Figures | null {
  return FIGURES.find(([counter]) => is(path, 'Memory', counter))?.[1] ?? null;
}

function figuresAt(columns: readonly Column[], row: number): Readonly<Figures> {
  let found: Figures | null = null;
  for (const { figure, values, scale } of columns) {
    const value = values[row] ?? NaN;
    if (figure === null || Number.isNaN(value)) continue;
    found ??= { ...NO_FIGURES };
    found[figure] = value * scale;
  }
  return found ?? NO_FIGURES;
}
