/**
 * Growth as a chart: one SVG file that needs nothing else, follows light and dark, and draws what grows most. Lines break
 * at restarts.
 */

import { printable } from '../../../parsers/text-safety.js';
import { isWhole, type JudgedSeries, type Trend } from '../../growth/trend.js';
import { humanBytes, utc } from '../../views/print/format.js';
import { isoTime } from './trend-json.js';

export interface TrendSvgOptions {
  /** Lines, at most 8. Default 6. */
  top?: number | undefined;
}

const WIDTH = 960;
const HEIGHT = 480;
const PLOT = { left: 90, right: 20, top: 46, bottom: 110 };
const MOST_LINES = 8;
/** Points of a line at most: more than the picture has columns. */
const MOST_POINTS = 2000;

/** Colours that can be told apart in light and dark, also without red and green. */
const COLOURS = ['#d55e00', '#0072b2', '#009e73', '#cc79a7', '#b8860b', '#56b4e9', '#8a63d2', '#7f7f7f'];

/** The SVG document, ended by a line feed. */
export function renderTrendSvg(trend: Trend, options: TrendSvgOptions = {}): string {
  const lines = chosen(trend, Math.max(1, Math.min(MOST_LINES, options.top ?? 6)));
  const start = trend.times[0] ?? 0;
  const end = trend.times.at(-1) ?? 0;
  const highest = lines.reduce((most, { series }) => series.values.reduce((m, v) => (v > m ? v : m), most), 0);
  const { step, top } = scaleOf(highest);
  const x = (time: number): number =>
    PLOT.left + (end > start ? (time - start) / (end - start) : 0.5) * (WIDTH - PLOT.left - PLOT.right);
  const y = (value: number): number => HEIGHT - PLOT.bottom - (value / top) * (HEIGHT - PLOT.top - PLOT.bottom);
  const title = lines[0] === undefined ? 'No series of bytes' : 'Growth of pool memory';
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escape(title)}">`,
    `<title>${escape(title)}</title>`,
    STYLE,
    `<rect class="page" width="${WIDTH}" height="${HEIGHT}"/>`,
    `<text class="title" x="${PLOT.left}" y="26">${escape(title)}</text>`,
    ...levels(top, step, y),
    ...moments(trend, x),
    ...trend.reboots.map((rank) => restartLine(x(trend.times[rank] ?? 0))),
    ...lines.map((line, i) => drawLine(trend, line, i, x, y)),
    ...lines.map((line, i) => legend(line, i, trend.timed)),
    '</svg>',
    '',
  ].join('\n');
}

const STYLE = [
  '<style>',
  'svg{color-scheme:light dark;color:#222;background:#fff;font:13px system-ui,sans-serif}',
  '.page{fill:#fff}.title{font-size:17px;font-weight:600}text{fill:currentColor}',
  '.grid{stroke:currentColor;stroke-opacity:.15}.restart{stroke:currentColor;stroke-opacity:.6;stroke-dasharray:4 4}',
  '.line{fill:none;stroke-width:2;stroke-linejoin:round}',
  '@media (prefers-color-scheme:dark){svg{color:#ddd;background:#1b1b1d}.page{fill:#1b1b1d}}',
  '</style>',
].join('\n');

/** The series of bytes that are ranked first; those that do not move only where nothing else is there. */
function chosen(trend: Trend, count: number): JudgedSeries[] {
  const bytes = trend.series.filter((judged) => judged.series.name.unit === 'bytes' && !isWhole(judged));
  const moving = bytes.filter(({ verdict }) => verdict.judgement !== 'flat');
  const suspects = moving.filter(({ verdict }) => verdict.judgement !== 'load');
  return (suspects.length > 0 ? suspects : moving.length > 0 ? moving : bytes).slice(0, count);
}

/** Round steps in binary units. */
function scaleOf(highest: number): { step: number; top: number } {
  if (!(highest > 0) || !Number.isFinite(highest)) return { step: 1, top: 4 };
  const unit = 1024 ** Math.floor(Math.log(highest) / Math.log(1024));
  const raw = highest / unit / 4;
  const magnitude = 10 ** Math.floor(Math.log10(raw));
  const factor = [1, 2, 2.5, 5, 10].find((f) => f * magnitude >= raw) ?? 10;
  const step = factor * magnitude * unit;
  return { step, top: Math.ceil(highest / step) * step };
}

function levels(top: number, step: number, y: (value: number) => number): string[] {
  const lines: string[] = [];
  for (let i = 0; i * step <= top * 1.001; i++) {
    const at = n(y(i * step));
    lines.push(
      `<line class="grid" x1="${PLOT.left}" x2="${WIDTH - PLOT.right}" y1="${at}" y2="${at}"/>`,
      `<text x="${PLOT.left - 8}" y="${n(y(i * step) + 4)}" text-anchor="end">${escape(humanBytes(Math.round(i * step)))}</text>`,
    );
  }
  return lines;
}

function moments(trend: Trend, x: (time: number) => number): string[] {
  const start = trend.times[0] ?? 0;
  const end = trend.times.at(-1) ?? 0;
  const shares = end > start ? [0, 0.25, 0.5, 0.75, 1] : [0.5];
  return shares.map((share) => {
    const time = end > start ? start + share * (end - start) : start;
    const text = trend.timed
      ? utc(isoTime(trend, Math.round(time / 60_000) * 60_000)).replace(/:\d\d UTC$/, '')
      : `snapshot ${Math.round(time) + 1}`;
    const anchor = share === 0 ? 'start' : share === 1 ? 'end' : 'middle';
    return `<text x="${n(x(time))}" y="${HEIGHT - PLOT.bottom + 20}" text-anchor="${anchor}">${escape(text)}</text>`;
  });
}

const restartLine = (at: number): string =>
  `<line class="restart" x1="${n(at)}" x2="${n(at)}" y1="${PLOT.top}" y2="${HEIGHT - PLOT.bottom}"><title>restart</title></line>`;

function drawLine(
  trend: Trend,
  { series, verdict }: JudgedSeries,
  index: number,
  x: (time: number) => number,
  y: (value: number) => number,
): string {
  const colour = COLOURS[index % COLOURS.length] ?? '#888';
  const every = Math.max(1, Math.ceil(series.values.length / MOST_POINTS));
  const paths = verdict.stretches.map(({ from, to }) => {
    const parts: string[] = [];
    for (let i = from; i < to; i += every) {
      const value = series.values[i] ?? NaN;
      if (!Number.isFinite(value)) continue;
      parts.push(`${n(x(trend.times[series.ranks[i] ?? 0] ?? 0))},${n(y(Math.max(0, value)))}`);
    }
    // One sample is a dot.
    const [only] = parts;
    if (parts.length === 1 && only !== undefined) {
      const [cx = '', cy = ''] = only.split(',');
      return `<circle cx="${cx}" cy="${cy}" r="3" fill="${colour}"/>`;
    }
    return parts.length === 0 ? '' : `<polyline class="line" stroke="${colour}" points="${parts.join(' ')}"/>`;
  });
  return `<g>${paths.join('')}<title>${escape(labelOf(series.name))}</title></g>`;
}

function legend(judged: JudgedSeries, index: number, timed: boolean): string {
  const { verdict, series } = judged;
  const left = PLOT.left + (index % 2) * 430;
  const top = HEIGHT - PLOT.bottom + 44 + Math.floor(index / 2) * 17;
  const perHour = verdict.main.verdict.perHour;
  const rate =
    perHour === null || !timed ? '' : `, ${perHour > 0 ? '+' : ''}${humanBytes(Math.round(perHour))} an hour`;
  const text = `${labelOf(series.name)}: ${verdict.judgement.replaceAll('-', ' ')}${rate}`;
  return `<rect x="${left}" y="${top - 10}" width="12" height="12" fill="${COLOURS[index % COLOURS.length] ?? '#888'}"/><text x="${left + 18}" y="${top}">${escape(text.slice(0, 70).toWellFormed())}</text>`;
}

function labelOf({ kind, label, pool }: JudgedSeries['series']['name']): string {
  return kind === 'pool-tag' ? `${label} (${pool ?? ''})` : label;
}

/** A coordinate: always a plain number. */
const n = (value: number): string => (Number.isFinite(value) ? value.toFixed(1) : '0');

/** Text for XML: nothing that could end an attribute or begin an element, nothing that XML does not allow. */
function escape(text: string): string {
  return printable(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}
