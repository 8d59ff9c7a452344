/** Growth for people: the verdict first, then what leaks with a picture of it, then what else moves. */

import { printable } from '../../../parsers/text-safety.js';
import type { Limit } from '../../growth/judge/limits.js';
import { isWhole, type JudgedSeries, type Trend } from '../../growth/trend.js';
import { counted, duration, humanBytes, thousands, utc } from '../../views/print/format.js';
import { bullets, createStyle, fit, heading, wrap, type Style, type StyleOptions } from '../../views/print/style.js';
import { sparkline } from './sparkline.js';
import { isoTime, type TrendReportOptions } from './trend-json.js';

export interface TrendTextOptions extends StyleOptions, TrendReportOptions {
  /** Rows in the tables. Default 10. */
  top?: number | undefined;
}

const DEFAULT_TOP = 10;
/** Leaks that are told with all reasons. */
const EXPLAINED = 5;

/** The report, ended by a line feed. */
export function renderTrend(trend: Trend, options: TrendTextOptions = {}): string {
  const style = createStyle(options);
  const top = options.top ?? DEFAULT_TOP;
  const whole = trend.series.filter(isWhole);
  const of: Pick = (judgement) => trend.series.filter((s) => s.verdict.judgement === judgement && !isWhole(s));
  const leaks = of('leak');
  const sections = [
    headline(trend, style),
    verdict(trend, style),
    section('Leaks', table(trend, leaks.slice(0, top), style), leaks.length - top, style),
    reasons(leaks.slice(0, Math.min(top, EXPLAINED)), options, style),
    together(trend, style),
    section('The machine as a whole', table(trend, whole, style), 0, style),
    untagged(trend, style),
    ...others(trend, of, top, style),
    warnings(trend, style),
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

function headline(trend: Trend, style: Style): string[] {
  const { times, files } = trend;
  const from = files.length === 1 ? printable(files[0]?.name ?? '') : counted(files.length, 'file');
  const restarts = interruptions(trend) === null ? '' : `, ${interruptions(trend) ?? ''}`;
  const text = `Growth over ${counted(times.length, 'snapshot')} from ${from}, ${period(trend)}${restarts}`;
  return wrap(text, style.width).map((line) => heading(line, style));
}

/** Restarts, or that the samples are not of one machine, in words; null for neither. */
export function interruptions({ reboots, oneMachine }: Trend): string | null {
  if (!oneMachine) return 'not all of the same machine';
  return reboots.length === 0 ? null : counted(reboots.length, 'restart');
}

/** From when to when. */
export function period(trend: Trend): string {
  const [first, last] = [trend.times[0] ?? 0, trend.times.at(-1) ?? 0];
  if (!trend.timed) return 'at times that are not known';
  if (trend.times.length === 1) return utc(isoTime(trend, first));
  return `${utc(isoTime(trend, first))} to ${utc(isoTime(trend, last))} (${duration((last - first) / 1000)})`;
}

/** What the whole comes to, in sentences. */
export interface TrendVerdict {
  kind: 'leak' | 'not yet' | 'no leak';
  sentences: string[];
}

/** The judgement over all series. */
export function verdictOf(trend: Trend): TrendVerdict {
  const leaks = trend.series.filter((s) => s.verdict.judgement === 'leak' && !isWhole(s));
  const worst = leaks[0] ?? trend.series.find(({ verdict: { judgement } }) => judgement === 'leak');
  if (worst !== undefined) {
    const text = [`${subject(worst)} grows ${rate(worst, trend.timed)} and does not come back`];
    if (leaks.length === 0 && trend.series.some(({ series }) => series.name.kind === 'pool-tag')) {
      text.push(', while no tag grows with it');
    }
    if (leaks.length > 1) text.push(`, and ${counted(leaks.length - 1, 'other series', 'other series')} with it`);
    return { kind: 'leak', sentences: [text.join('') + '.', ...worst.limits.slice(0, 1).map(untilLimit)] };
  }
  const undecided = trend.series.filter(({ verdict: v }) => v.judgement === 'too-little-data').length;
  if (undecided > 0) {
    const text = `${thousands(undecided)} of ${counted(trend.series.length, 'series', 'series')} cannot be judged: ${untilWhen(trend)}.`;
    return { kind: 'not yet', sentences: [text] };
  }
  const slow = trend.series.filter(({ verdict: v }) => v.judgement === 'slow');
  const [first] = slow;
  const text = `Nothing grows without coming back${first === undefined ? '' : ' that would matter within years'}, in ${counted(trend.series.length, 'series', 'series')}.`;
  if (first === undefined) return { kind: 'no leak', sentences: [text] };
  const more = slow.length === 1 ? '' : ` So do ${counted(slow.length - 1, 'other', 'others')}.`;
  return {
    kind: 'no leak',
    sentences: [text, `${subject(first)} grows slowly, by ${rate(first, trend.timed)}.${more}`],
  };
}

const VERDICT_TONES = { leak: 'bad', 'not yet': 'warn', 'no leak': 'good' } as const;

function verdict(trend: Trend, style: Style): string[] {
  const { kind, sentences } = verdictOf(trend);
  const sign = kind.toUpperCase();
  const indent = ' '.repeat(sign.length + 2);
  const lines = sentences.flatMap((text) => wrap(text, style.width - indent.length));
  return lines.map((line, i) => (i === 0 ? `${style.paint(VERDICT_TONES[kind], sign)}  ${line}` : indent + line));
}

/** When a limit is reached. */
export function untilLimit({ name, limit, used, hours: left, soonestHours }: Limit): string {
  const earliest = soonestHours === null ? '' : longTime(soonestHours);
  const sooner = earliest === '' || earliest === longTime(left) ? '' : ` (${earliest} at the earliest)`;
  return `At this rate the ${name} is reached in ${longTime(left)}${sooner}: ${humanBytes(Math.round(used))} of ${humanBytes(Math.round(limit))} are in use.`;
}

/** Hours as `50 min`, `31 h`, `643 days`. */
export function longTime(count: number): string {
  if (count < 1) return `${Math.round(count * 60)} min`;
  if (count < 72) return `${count.toFixed(count < 10 ? 1 : 0)} h`;
  return count > 24 * 3650 ? 'more than ten years' : `${thousands(Math.round(count / 24))} days`;
}

function untilWhen(trend: Trend): string {
  if (trend.times.length === 1) return 'one snapshot shows no growth. Give two or more of the same machine';
  if (!trend.timed) return 'the times of the snapshots are not known (--interval)';
  return 'go on until two full days are covered, so that load can be told from a leak';
}

/** `Tag Leak in nonpaged pool`, `nonpaged pool`, `svchost handles`. */
export function subject({ series: { name } }: JudgedSeries): string {
  const label = printable(name.label);
  return name.kind === 'pool-tag' ? `Tag ${label} in ${name.pool ?? ''} pool` : label;
}

/** A value of a series in its unit. */
export function amount(value: number, { series: { name } }: JudgedSeries): string {
  if (!Number.isFinite(value)) return 'n/a';
  if (name.unit === 'bytes') return humanBytes(Math.round(value));
  return Number.isInteger(value) || Math.abs(value) >= 1000 ? thousands(Math.round(value)) : value.toPrecision(4);
}

function rate(judged: JudgedSeries, timed: boolean): string {
  const { perHour, perHourLow: low, perHourHigh: high } = judged.verdict.main.verdict;
  if (perHour === null || !timed) return 'from snapshot to snapshot';
  const [least, most] = [low === null ? '' : amount(low, judged), high === null ? '' : amount(high, judged)];
  const between = least === most ? '' : ` (${least} to ${most})`;
  return `${amount(perHour, judged)} an hour${between}`;
}

function section(title: string, lines: readonly string[], more: number, style: Style): string[] {
  if (lines.length === 0) return [];
  const rest = more > 0 ? [style.paint('dim', `  and ${thousands(more)} more`)] : [];
  return [heading(title, style), ...lines, ...rest];
}

/** Columns of a picture: as many as the width leaves. */
const PICTURE = { least: 12, most: 30 };
/** Columns of a row before its picture, without the name. */
const FIGURES = 43;

/** Rows with growth, size, judgement and a picture. */
function table(trend: Trend, rows: readonly JudgedSeries[], style: Style): string[] {
  if (rows.length === 0) return [];
  const labels = rows.map(({ series: { name } }) => {
    return name.kind === 'pool-tag' ? `${printable(name.label)} ${name.pool ?? ''}` : printable(name.label);
  });
  const width = Math.min(style.width - FIGURES - 15, Math.max(14, ...labels.map((label) => label.length)));
  const columns = Math.max(PICTURE.least, Math.min(PICTURE.most, style.width - FIGURES - width));
  const perHour = trend.timed ? 'an hour' : '';
  const head = `  ${'Series'.padEnd(width)}  ${perHour.padStart(11)}  ${'now'.padStart(10)}  ${'limit in'.padStart(10)}  trend`;
  return [
    style.paint('dim', head),
    ...rows.map((judged, i) => {
      const v = judged.verdict.main.verdict;
      const growth = v.perHour === null || !trend.timed ? '' : signed(v.perHour, judged);
      const last = judged.series.values.at(-1) ?? NaN;
      const limit =
        judged.limits[0] === undefined ? '' : longTime(judged.limits[0].hours).replace('more than ten', '> 10');
      const cells = `${growth.padStart(11)}  ${amount(last, judged).padStart(10)}  ${limit.padStart(10)}`;
      return `  ${fit(labels[i] ?? '', width, style).padEnd(width)}  ${cells}  ${picture(trend, judged, columns, style)}`.trimEnd();
    }),
  ];
}

/** A change with its sign. */
export function signed(value: number, judged: JudgedSeries): string {
  const rounded = judged.series.name.unit === 'bytes' ? Math.round(value) : value;
  return `${rounded > 0 ? '+' : ''}${amount(rounded, judged)}`;
}

function picture(trend: Trend, { series }: JudgedSeries, columns: number, style: Style): string {
  const times = Float64Array.from(series.ranks, (rank) => trend.times[rank] ?? 0);
  const range = { start: trend.times[0] ?? 0, end: trend.times.at(-1) ?? 0, width: columns, ascii: style.ascii };
  return sparkline(times, series.values, range);
}

function reasons(leaks: readonly JudgedSeries[], { describe }: TrendTextOptions, style: Style): string[] {
  return leaks.flatMap((judged) => {
    const { name } = judged.series;
    const known = describe !== undefined && name.tag !== null ? describe(name.tag) : null;
    const user = [known?.binary, known?.description].flatMap((text) =>
      typeof text === 'string' ? [printable(text)] : [],
    );
    const notes = [...judged.verdict.reasons, ...judged.notes].map(({ message }) => printable(message));
    const title = `${subject(judged)}${user.length > 0 ? ` - ${user.join(', ')}` : ''}`;
    return [...wrap(title, style.width), ...bullets(notes, style)];
  });
}

function together({ groups }: Trend, style: Style): string[] {
  if (groups.length === 0) return [];
  const lines = groups.map(({ tags, ratios }) => {
    const members = tags.map(
      (tag, i) => `${printable(tag)}${i === 0 ? '' : ` (${(ratios[i] ?? 1).toPrecision(3)} for each)`}`,
    );
    return members.join(', ');
  });
  return [heading('Grow together', style), ...bullets(lines, style)];
}

function untagged({ untagged: rests }: Trend, style: Style): string[] {
  return (['nonpaged', 'paged'] as const).flatMap((pool) => {
    const rest = rests[pool];
    if (rest === null || rest.restBytes <= 0) return [];
    const share = ((100 * rest.restBytes) / rest.poolBytes).toFixed(0);
    const text = `Under no tag in the last snapshot: ${humanBytes(rest.restBytes)} of ${humanBytes(rest.poolBytes)} ${pool} pool (${share} %)`;
    return wrap(text, style.width, '  ');
  });
}

type Pick = (judgement: string) => JudgedSeries[];

function others(trend: Trend, of: Pick, top: number, style: Style): string[][] {
  const size = ({ series, verdict: v }: JudgedSeries): number => series.values[v.main.to - 1] ?? 0;
  const slow = of('slow');
  const steps = of('step');
  const open = of('too-little-data');
  const [load, flat] = [of('load'), of('flat')];
  const still = [...load, ...flat]
    .filter(({ series }) => series.name.unit === 'bytes')
    .sort((a, b) => size(b) - size(a));
  const count = Math.min(5, top);
  const summary = `Series that rise and fall with load: ${thousands(load.length)}. Flat: ${thousands(flat.length)}.`;
  return [
    section('Grows slowly: years until it matters', table(trend, slow.slice(0, top), style), slow.length - top, style),
    section('Steps: moved once', table(trend, steps.slice(0, top), style), steps.length - top, style),
    section('Not yet to be told', table(trend, open.slice(0, top), style), open.length - top, style),
    still.length === 0 ? [] : section('Largest that do not grow', table(trend, still.slice(0, count), style), 0, style),
    load.length + flat.length === 0 ? [] : [summary],
  ];
}

/** Warnings that are shown. */
const MOST_NOTES = 8;

function warnings({ warnings: notes }: Trend, style: Style): string[] {
  if (notes.length === 0) return [];
  const shown = notes.slice(0, MOST_NOTES).map(({ message }) => printable(message));
  if (notes.length > MOST_NOTES) shown.push(`and ${notes.length - MOST_NOTES} more (--json has them all)`);
  return [heading('Mind', style), ...bullets(shown, style)];
}
