/** Trends and differences without the names of machines, users and files. Tags, pools, processes and figures stay. */

import type { Difference, DiffSide } from '../growth/diff.js';
import type { JudgedSeries, Trend } from '../growth/trend.js';
import type { Note } from '../result/result.js';
import { redactedNote } from './result.js';
import { Names, type Redactor } from './redactor.js';

/** Objects of counters whose instances are parts of a machine. Others may be named after people: sessions, printers, shares. */
const PARTS =
  /^(?:process|processor|thread|memory|numa|cache|paging file|logicaldisk|physicaldisk|network (?:interface|adapter)|job object|hyper-v hypervisor)/i;
const LABEL_WITH_INSTANCE = /^((?:\\\\[^\\]+\\)?)([^\\(]+)\((.*)\)(\\[^\\]*)$/s;

/** A copy of a trend without names; its series share their points with the trend that was given. */
export function redactTrend(trend: Trend, redactor: Redactor): Trend {
  const names = new Names(redactor);
  for (const machine of trend.machines) names.host(machine);
  const files = trend.files.map((file) => {
    const path = names.learnFile(file.kind === 'dump' ? 'dump' : 'file', file.path);
    return { ...file, path, name: path };
  });
  const note = <N extends Note>(one: N): N => ({ ...one, message: names.text(one.message) });
  for (const { message } of trend.warnings) names.learnFrom(message);
  return {
    ...trend,
    files,
    machines: trend.machines.map((machine) => names.host(machine)),
    series: trend.series.map((judged) => redactSeries(judged, names)),
    drivers: new Map([...trend.drivers].map(([tag, text]) => [tag, names.text(text)])),
    warnings: [...trend.warnings.map(note), redactedNote(redactor)],
  };
}

function redactSeries(judged: JudgedSeries, names: Names): JudgedSeries {
  const { series } = judged;
  const { name } = series;
  if (name.kind === 'pool-tag') return judged;
  const label = names.sweep(withoutInstance(name.label, names));
  const process = name.process === null ? null : names.sweep(name.process);
  return { ...judged, series: { ...series, name: { ...name, label, process } } };
}

function withoutInstance(label: string, names: Names): string {
  const [, machine = '', object = '', instance = '', counter = ''] = LABEL_WITH_INSTANCE.exec(label) ?? [];
  if (object === '' || PARTS.test(object) || /^(?:_total|\d+)$/i.test(instance)) return label;
  return `${machine}${object}(${names.instance(instance)})${counter}`;
}

/** A copy of a difference of two snapshots without names. */
export function redactDifference(difference: Difference, redactor: Redactor): Difference {
  const names = new Names(redactor);
  const side = (one: DiffSide): DiffSide => {
    return { ...one, path: names.learnFile(one.kind === 'dump' ? 'dump' : 'file', one.path) };
  };
  const machines = difference.machines.map((machine) => names.host(machine));
  const [before, after] = [side(difference.before), side(difference.after)];
  for (const { message } of difference.warnings) names.learnFrom(message);
  const warnings = difference.warnings.map((one) => ({ ...one, message: names.text(one.message) }));
  const otherMachine = difference.otherMachine === null ? null : names.text(difference.otherMachine);
  const counts = difference.counts.map((one) => ({
    ...one,
    what: names.sweep(one.what),
    process: one.process === null ? null : names.sweep(one.process),
  }));
  return {
    ...difference,
    before,
    after,
    machines,
    otherMachine,
    counts,
    warnings: [...warnings, redactedNote(redactor)],
  };
}
