/** Growth as JSON: what docs/trend.schema.json describes. Built piece by piece: 4,000 tags have 800,000 points. */

import { InputError } from '../../../parsers/bytes/input-error.js';
import { printable } from '../../../parsers/text-safety.js';
import { outstanding } from '../../growth/read/counters.js';
import type { JudgedSeries, Trend } from '../../growth/trend.js';
import type { TagDescription } from '../../kernel/pool/tag-descriptions.js';
import { GROWTH_SCHEMA_VERSION } from '../../growth/schema-version.js';

export interface TrendReportOptions {
  /** What is documented about a tag. */
  describe?: ((tag: string) => TagDescription) | undefined;
}

/** More do not fit one string. */
const MOST_POINTS = 12_000_000;

/**
 * The object as text: two blanks a level, the points of a series on one line, a line feed at the end. Throws InputError
 * for more points than one text can hold.
 */
export function renderTrendJson(trend: Trend, options: TrendReportOptions = {}): string {
  checkSize(trend, MOST_POINTS);
  const series = trend.series.map((judged) => {
    const part = JSON.stringify(seriesPart(trend, judged, options), finite, 2);
    const text = escapeUnsafe(part).replaceAll('\n', '\n    ');
    return `    ${text.slice(0, text.lastIndexOf('\n'))},\n      "points": [${points(trend, judged)}]\n    }`;
  });
  const [before, after] = JSON.stringify({ ...overview(trend), series: [], ...tail(trend) }, finite, 2).split(
    '"series": []',
  );
  const list = series.length === 0 ? '[]' : `[\n${series.join(',\n')}\n  ]`;
  return `${before ?? ''}"series": ${list}${after ?? ''}\n`;
}

/** Throws InputError where all series together have more points. */
export function checkSize(trend: Trend, most: number): void {
  const points = trend.series.reduce((sum, { series }) => sum + series.ranks.length, 0);
  if (points <= most) return;
  throw new InputError(
    'too-large',
    `${points} values are more than one file can hold: choose tags, a pool or fewer snapshots`,
  );
}

/** JSON has no NaN and no Infinity: what is not a number is unknown. Nine digits are more than any counter means. */
function finite(_key: string, value: unknown): unknown {
  if (typeof value !== 'number') return value;
  if (!Number.isFinite(value)) return null;
  return Number.isInteger(value) ? value : Number(value.toPrecision(9));
}

function escapeUnsafe(json: string): string {
  return json.replace(/[\u007f-\u{10ffff}]/gu, (character) =>
    printable(character) === character ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** A time as ISO 8601 in UTC; null where no times are known or it cannot be one. */
export function isoTime(trend: Trend, time: number | undefined): string | null {
  if (!trend.timed || time === undefined || !(Math.abs(time) < 8e15)) return null;
  return new Date(time).toISOString();
}

function overview(trend: Trend): Record<string, unknown> {
  const { times, reboots, files } = trend;
  return {
    schemaVersion: GROWTH_SCHEMA_VERSION,
    from: isoTime(trend, times[0]),
    to: isoTime(trend, times.at(-1)),
    samples: times.length,
    reboots: reboots.length,
    restarts: reboots.map((rank) => {
      return { after: isoTime(trend, times[rank - 1]), before: isoTime(trend, times[rank]) };
    }),
    machines: trend.machines,
    inputs: files.map(({ path, kind, samples }) => ({ path, kind, samples })),
  };
}

function tail(trend: Trend): Record<string, unknown> {
  const { groups, untagged, warnings } = trend;
  return {
    groups: groups.map(({ tags, ratio, ratios, correlation }) => ({ tags, ratio, ratios, correlation })),
    untagged: { nonPaged: untagged.nonpaged, paged: untagged.paged },
    warnings,
  };
}

function seriesPart(trend: Trend, judged: JudgedSeries, { describe }: TrendReportOptions): Record<string, unknown> {
  const { series, verdict, limits, notes } = judged;
  const { name, values, allocs, frees, ranks } = series;
  const { main } = verdict;
  const v = main.verdict;
  const part = values.subarray(main.from, main.to);
  const last = part.at(-1) ?? null;
  const rate = (value: number | null): number | null => (trend.timed ? value : null);
  const perHour = rate(v.perHour);
  const held = (i: number): number => outstanding(allocs?.[i] ?? NaN, frees?.[i] ?? NaN);
  return {
    kind: name.kind,
    tag: name.tag,
    pool: name.pool,
    label: name.label,
    unit: name.unit,
    process: name.process,
    ...(describe !== undefined && name.tag !== null
      ? describe(name.tag)
      : { description: null, binary: null, tagSource: null }),
    judgement: verdict.judgement,
    reasons: [...verdict.reasons, ...notes],
    first: part[0] ?? null,
    last,
    minimum: extreme(part, Math.min),
    maximum: extreme(part, Math.max),
    perHour,
    perHourLow: rate(v.perHourLow),
    perHourHigh: rate(v.perHourHigh),
    perDay: perHour === null ? null : perHour * 24,
    monotonic: v.monotonic,
    fallShare: v.fallShare,
    significance: v.significance,
    doublingHours: perHour !== null && perHour > 0 && last !== null ? last / perHour : null,
    hoursToLimit: limits[0]?.hours ?? null,
    limits,
    outstanding: allocs === null ? null : { first: held(main.from), last: held(main.to - 1) },
    stretches: verdict.stretches.map(({ from, to, verdict: own }) => ({
      from: isoTime(trend, trend.times[ranks[from] ?? 0]),
      to: isoTime(trend, trend.times[ranks[to - 1] ?? 0]),
      samples: to - from,
      judgement: own.judgement,
      perHour: rate(own.perHour),
    })),
  };
}

function extreme(values: Float64Array, choose: (a: number, b: number) => number): number | null {
  let found: number | null = null;
  for (const value of values) found = found === null ? value : choose(found, value);
  return found;
}

function points({ times, timed }: Trend, { series: { ranks, values } }: JudgedSeries): string {
  const parts: string[] = [];
  for (let i = 0; i < ranks.length; i++) {
    const value = values[i] ?? NaN;
    const text = Number.isFinite(value)
      ? String(Number.isInteger(value) ? value : Number(value.toPrecision(9)))
      : 'null';
    parts.push(`[${timed ? String(Math.round(times[ranks[i] ?? 0] ?? 0)) : 'null'},${text}]`);
  }
  return parts.join(',');
}
