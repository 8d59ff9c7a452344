/** Growth as a chart: time and bytes with axes, a line a series, restarts, and the limits that it nears. */

import { scaleLinear, scaleUtc } from 'd3-scale';
import { line } from 'd3-shape';
import { markup, type SafeHtml } from './safe-html.js';

export interface ChartLine {
  name: string;
  /** Of the colours `c0` to `c7`. */
  colour: number;
  points: readonly ChartPoint[];
}

/** Milliseconds since 1970, or the number of the snapshot; a value that is no number breaks the line. */
export type ChartPoint = readonly [time: number, value: number];

export interface ChartParts {
  /** What the picture shows, in a sentence. */
  about: string;
  lines: readonly ChartLine[];
  unit: 'bytes' | 'other';
  /** The points have real times; else numbers of snapshots. */
  timed: boolean;
  from: number;
  to: number;
  restarts: readonly number[];
  /** Level and name. */
  limits: readonly (readonly [value: number, name: string])[];
}

const SHAPES = [
  { name: 'wide', width: 900, height: 330, left: 84, right: 16, ticks: 6 },
  { name: 'narrow', width: 360, height: 300, left: 72, right: 10, ticks: 2 },
] as const;
const TOP = 26;
const BOTTOM = 46;
/** A limit further above than this many times the highest value would press the line to the floor. */
const LIMIT_IN_SIGHT = 3;

type Shape = (typeof SHAPES)[number];

/** The chart in two shapes, of which a page shows the one that fits. */
export function growthChart(parts: ChartParts): SafeHtml {
  return markup`${SHAPES.map((shape) => chart(parts, shape))}`;
}

function chart(parts: ChartParts, shape: Shape): SafeHtml {
  const { width, height, left, right } = shape;
  const highest = parts.lines.reduce((most, { points }) => points.reduce((m, [, v]) => (v > m ? v : m), most), 0);
  const limits = parts.limits.filter(([value]) => value <= highest * LIMIT_IN_SIGHT);
  const { levels, top, text } = levelsOf(
    limits.reduce((most, [value]) => Math.max(most, value), highest),
    parts.unit,
  );
  const floor = height - BOTTOM;
  const spread = parts.to > parts.from ? [parts.from, parts.to] : [parts.from - 1, parts.from + 1];
  const x = scaleLinear(spread, [left, width - right]);
  const y = scaleLinear([0, top], [floor, TOP]);
  return markup`<svg class="picture chart ${shape.name}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${parts.about}">
<text x="${left}" y="14">${parts.unit === 'bytes' ? 'bytes (1 KB = 1,024)' : 'count'}</text>
${levels.map((value) => markup`<line class="grid" x1="${left}" x2="${width - right}" y1="${n(y(value))}" y2="${n(y(value))}"/><text x="${left - 8}" y="${n(y(value) + 4)}" text-anchor="end">${text(value)}</text>`)}
${timeTicks(parts, shape).map(([at, label]) => markup`<line class="tick" x1="${n(x(at))}" x2="${n(x(at))}" y1="${floor}" y2="${floor + 5}"/><text x="${n(x(at))}" y="${floor + 19}" text-anchor="middle">${label}</text>`)}
<text x="${width - right}" y="${height - 8}" text-anchor="end">${parts.timed ? 'time (UTC)' : 'snapshot'}</text>
${parts.restarts.map((at) => markup`<line class="restart" x1="${n(x(at))}" x2="${n(x(at))}" y1="${TOP}" y2="${floor}"><title>restart</title></line><text class="mark" x="${n(x(at) + 4)}" y="${TOP + 10}">restart</text>`)}
${limits.map(([value, name]) => markup`<line class="limit" x1="${left}" x2="${width - right}" y1="${n(y(value))}" y2="${n(y(value))}"/><text class="mark" x="${left + 6}" y="${n(y(value) - 5)}">${name}</text>`)}
${parts.lines.map((one) => lineMarkup(one, x, y))}
</svg>
`;
}

function lineMarkup({ name, colour, points }: ChartLine, x: Scale, y: Scale): SafeHtml {
  const known = points.filter(([, value]) => Number.isFinite(value));
  const last = known.at(-1);
  const path = line<ChartPoint>(
    ([time]) => x(time),
    ([, value]) => y(Math.max(0, value)),
  )
    .defined(([, value]) => Number.isFinite(value))
    .digits(1)(points);
  return markup`<g class="line-${colour}"><title>${name}</title><path d="${path}"/>${last !== undefined && markup`<circle cx="${n(x(last[0]))}" cy="${n(y(Math.max(0, last[1])))}" r="3.5"/>`}</g>`;
}

type Scale = (value: number) => number;

interface Levels {
  levels: number[];
  top: number;
  text: (value: number) => string;
}

const UNITS = ['bytes', 'KB', 'MB', 'GB', 'TB', 'PB'];

/** Round levels from 0 to at least the highest value, in the unit that fits. */
function levelsOf(highest: number, unit: ChartParts['unit']): Levels {
  if (!(highest > 0) || !Number.isFinite(highest)) return { levels: [0], top: 1, text: String };
  const power = unit === 'bytes' ? Math.min(UNITS.length - 1, Math.floor(Math.log2(highest) / 10)) : 0;
  const base = 1024 ** Math.max(0, power);
  const scale = scaleLinear([0, (highest / base) * 1.02], [0, 1]).nice(4);
  return {
    levels: scale.ticks(4).map((value) => value * base),
    top: (scale.domain()[1] ?? 1) * base,
    text: (value) => {
      const amount = (value / base).toLocaleString('en-US', { maximumFractionDigits: 2 });
      return unit === 'bytes' ? `${amount} ${UNITS[Math.max(0, power)] ?? ''}` : amount;
    },
  };
}

function timeTicks({ timed, from, to }: ChartParts, { ticks }: Shape): (readonly [number, string])[] {
  if (!timed) {
    const whole = scaleLinear([from, to], [0, 1]).ticks(ticks).filter(Number.isInteger);
    return whole.map((place) => [place, String(place + 1)]);
  }
  const times = scaleUtc([from, to], [0, 1]).ticks(ticks);
  const pattern = (time: Date): string => time.toISOString();
  const spanDays = (to - from) / 86_400_000;
  const sameDay = times.every((time) => pattern(time).slice(11, 16) === '00:00');
  return times.map((time) => {
    const iso = pattern(time);
    if (spanDays > 300) return [time.getTime(), iso.slice(0, 10)];
    if (sameDay) return [time.getTime(), iso.slice(5, 10)];
    return [time.getTime(), iso.slice(11, 16) === '00:00' ? iso.slice(5, 10) : iso.slice(11, 16)];
  });
}

/** A coordinate: always a plain number. */
const n = (value: number): string => (Number.isFinite(value) ? value.toFixed(1) : '0');
