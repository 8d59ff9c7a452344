/** What grew between two snapshots, for people and as JSON. */

import { printable } from '../../../parsers/text-safety.js';
import type { Difference, DiffSide, TagChange } from '../../growth/diff.js';
import { GROWTH_SCHEMA_VERSION } from '../../growth/schema-version.js';
import { counted, duration, humanBytes, NOT_KNOWN, thousands, utc } from '../../views/print/format.js';
import { renderPart } from '../../views/print/part-json.js';
import { bullets, createStyle, fit, heading, wrap, type Style, type StyleOptions } from '../../views/print/style.js';
import type { TrendReportOptions } from './trend-json.js';

const HOUR_MS = 3_600_000;
const DEFAULT_TOP = 20;

export interface DiffTextOptions extends StyleOptions, TrendReportOptions {
  /** Rows in the table of tags. Default 20. */
  top?: number | undefined;
}

const iso = (time: number | null): string | null =>
  time === null || !(Math.abs(time) < 8e15) ? null : new Date(time).toISOString();

/** Bytes an hour; null where no time between the two is known. */
function perHour(bytes: number, { elapsedMs }: Difference): number | null {
  return elapsedMs === null || elapsedMs <= 0 ? null : Math.round((bytes * HOUR_MS) / elapsedMs);
}

/** The object of `diff --json`. */
export function renderDiffJson(difference: Difference, { describe }: TrendReportOptions = {}): string {
  const { before, after, elapsedMs, restarted, otherMachine, tags, unchanged, modules, warnings } = difference;
  const side = ({ path, kind, time, figures }: DiffSide): object => ({ path, kind, time: iso(time), figures });
  return renderPart({
    schemaVersion: GROWTH_SCHEMA_VERSION,
    before: side(before),
    after: side(after),
    hours: elapsedMs === null ? null : elapsedMs / HOUR_MS,
    restarted,
    otherMachine,
    tags: tags.map((change) => ({
      tag: change.tag,
      pool: change.pool,
      before: change.before,
      after: change.after,
      bytes: change.bytes,
      outstanding: change.outstanding,
      perHour: perHour(change.bytes, difference),
      ...(describe?.(change.tag) ?? { description: null, binary: null, tagSource: null }),
    })),
    unchangedTags: unchanged,
    counts: difference.counts.map(({ what, process, before: from, after: to, change }) => {
      return { what, process, before: from, after: to, change };
    }),
    moduleChanges: modules,
    warnings,
  });
}

/** The report for people, ended by a line feed. */
export function renderDiff(difference: Difference, options: DiffTextOptions = {}): string {
  const style = createStyle(options);
  const top = options.top ?? DEFAULT_TOP;
  const grown = difference.tags.filter(({ bytes }) => bytes > 0);
  const fallen = difference.tags.filter(({ bytes }) => bytes <= 0).reverse();
  const sections = [
    head(difference, style),
    totals(difference),
    tagTable('Grew', grown, top, difference, options, style),
    tagTable('Fell, or changed in number only', fallen, Math.min(5, top), difference, options, style),
    [`${counted(difference.unchanged, 'tag')} did not change.`],
    countLines(difference, top, style),
    ...modules(difference, top, style),
    difference.warnings.length === 0
      ? []
      : [
          heading('Mind', style),
          ...bullets(
            difference.warnings.map(({ message }) => printable(message)),
            style,
          ),
        ],
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

/** Changes of fewer are everyday life. */
const LEAST_CHANGE = 50;

/** Handles of processes and objects by type that became more. */
function countLines({ counts }: Difference, top: number, style: Style): string[] {
  const grown = counts.filter(({ change }) => change >= LEAST_CHANGE).slice(0, top);
  if (grown.length === 0) return [];
  const of = (count: number | null): string => (count === null ? '-' : thousands(count));
  return [
    heading('More handles and objects', style),
    ...grown.map(
      ({ what, before, after, change }) =>
        `  ${`+${thousands(change)}`.padStart(10)}${of(before).padStart(11)} -> ${of(after).padStart(9)}  ${fit(printable(what), style.width - 38, style)}`,
    ),
  ];
}

function head({ before, after, elapsedMs, restarted, otherMachine }: Difference, style: Style): string[] {
  const side = (name: string, { path, time }: DiffSide): string =>
    `  ${name}  ${printable(path)}${time === null ? '' : `, ${utc(iso(time))}`}`;
  const between =
    elapsedMs === null ? 'time between them not known' : `${duration(Math.abs(elapsedMs) / 1000)} between them`;
  const lines = [
    heading('Difference of two snapshots', style),
    side('before', before),
    side('after ', after),
    `  ${between}`,
  ];
  if (otherMachine !== null) {
    const text = `Not the same machine: ${printable(otherMachine)}. What differs is not growth.`;
    lines.push(...wrap(text, style.width, '  '));
  }
  if (restarted)
    lines.push(
      ...wrap('The machine was restarted in between: what is new since then is not only growth.', style.width, '  '),
    );
  return lines;
}

function totals({ before, after }: Difference): string[] {
  const rows = [
    ['nonpaged pool', before.figures.nonPagedPool, after.figures.nonPagedPool],
    ['paged pool', before.figures.pagedPool, after.figures.pagedPool],
    ['committed', before.figures.committed, after.figures.committed],
  ] as const;
  return rows.flatMap(([name, a, b]) => {
    if (a === null && b === null) return [];
    const change = a === null || b === null ? '' : `  ${signed(b - a)}`;
    return [`  ${name.padEnd(14)}${size(a).padStart(10)} -> ${size(b).padStart(10)}${change}`];
  });
}

const size = (bytes: number | null): string => (bytes === null ? NOT_KNOWN : humanBytes(Math.round(bytes)));
const signed = (bytes: number): string => `${bytes > 0 ? '+' : ''}${humanBytes(Math.round(bytes))}`;

function tagTable(
  title: string,
  rows: readonly TagChange[],
  top: number,
  difference: Difference,
  { describe }: DiffTextOptions,
  style: Style,
): string[] {
  if (rows.length === 0) return [];
  const cells = (list: readonly string[]): string => {
    const [tag = '', pool = '', bytes = '', hour = '', count = '', before = '', after = ''] = list;
    return `  ${tag.padEnd(4)}  ${pool.padEnd(8)}${bytes.padStart(12)}${hour.padStart(12)}${count.padStart(11)}${before.padStart(12)}${after.padStart(12)}`;
  };
  const lines = rows.slice(0, top).map((change) => {
    const rate = perHour(change.bytes, difference);
    const about = describe?.(change.tag);
    const user = printable(about?.binary ?? about?.description ?? '');
    const text = cells([
      printable(change.tag),
      change.pool,
      signed(change.bytes),
      rate === null ? '' : signed(rate),
      change.outstanding === null ? '' : `${change.outstanding > 0 ? '+' : ''}${thousands(change.outstanding)}`,
      change.before === null ? '-' : size(change.before.bytes),
      change.after === null ? '-' : size(change.after.bytes),
    ]);
    return fit(`${text}  ${user}`.trimEnd(), style.width, style);
  });
  const more = rows.length > top ? [style.paint('dim', `  and ${thousands(rows.length - top)} more`)] : [];
  const names = cells(['Tag', 'Pool', 'Bytes', 'an hour', 'Number', 'Before', 'After']);
  return [heading(title, style), style.paint('dim', names), ...lines, ...more];
}

function modules({ modules: changes }: Difference, top: number, style: Style): string[][] {
  if (changes === null) return [];
  const { loaded, unloaded, changed } = changes;
  if (loaded.length + unloaded.length + changed.length === 0) return [['The same drivers are loaded.']];
  const version = (text: string | null): string => (text === null ? '' : ` ${printable(text)}`);
  const list = (title: string, names: readonly string[]): string[] =>
    names.length === 0 ? [] : [heading(title, style), ...wrap(names.join(', '), style.width, '  ')];
  const builds = changed.slice(0, top).map(({ name, before, after }) => {
    const [a, b] = [before.fileVersion, after.fileVersion];
    if (a !== b) return `${printable(name)}:${version(a) || ' no version'} ->${version(b) || ' no version'}`;
    return `${printable(name)}: another build${version(b)}`;
  });
  if (changed.length > top) builds.push(`and ${thousands(changed.length - top)} more`);
  return [
    list(
      'Loaded since',
      loaded.map((m) => printable(m.name) + version(m.fileVersion)),
    ),
    list(
      'Unloaded since',
      unloaded.map((m) => printable(m.name) + version(m.fileVersion)),
    ),
    builds.length === 0 ? [] : [heading('Other build or version', style), ...bullets(builds, style)],
  ];
}
