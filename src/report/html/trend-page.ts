/** The page of growth: the verdict first, then what leaks with its chart and reasons, then all series. */

import type { TagDescription } from '../../kernel/pool/tag-descriptions.js';
import { isWhole, type JudgedSeries, type Trend } from '../../growth/trend.js';
import type { Judgement } from '../../growth/judge/judge.js';
import { VERSION } from '../../version.js';
import { counted, humanBytes, percent, thousands } from '../../views/print/format.js';
import {
  amount,
  interruptions,
  longTime,
  period,
  signed,
  subject,
  untilLimit,
  verdictOf,
} from '../trend/trend-text.js';
import { isoTime, type TrendReportOptions } from '../trend/trend-json.js';
import { growthChart, type ChartPoint } from './growth-chart.js';
import { pageSection, renderPage } from './page.js';
import { markup, joined, type SafeHtml } from './safe-html.js';
import { sparklineSvg } from './sparkline-svg.js';
import { dataTable, type Cell } from './table.js';

/** Series that get a chart of their own. */
const MOST_CARDS = 8;
/** Lines of the chart of all. */
const MOST_LINES = 6;
/** Rows of the table: worst first, so what is left out does not grow. */
const MOST_ROWS = 5000;
/** Points of a line, and of a small picture. */
const POINTS = { chart: 600, spark: 48 } as const;
const MOST_NOTES = 200;

const TONES: Readonly<Record<Judgement, string>> = {
  leak: 'bad',
  slow: '',
  step: 'warn',
  'too-little-data': 'warn',
  load: '',
  flat: '',
};
/** As the ranking has them: what comes first is worst. */
const RANK: Readonly<Record<Judgement, number>> = { leak: 6, step: 5, slow: 4, 'too-little-data': 3, load: 2, flat: 1 };

/** The document, ended by a line feed. */
export function renderTrendPage(trend: Trend, options: TrendReportOptions = {}): string {
  const describe = options.describe ?? (() => ({ description: null, binary: null, tagSource: null }));
  const growing = trend.series.filter((s) => s.verdict.judgement === 'leak' && !isWhole(s));
  const cards = (growing.length > 0 ? growing : trend.series.filter(movesAtAll)).slice(0, MOST_CARDS);
  const sections: [id: string, name: string, title: string, body: SafeHtml | null][] = [
    ['growth', 'Growth', 'What grows', overview(trend)],
    ['leaks', growing.length > 0 ? 'Leaks' : 'Series', growing.length > 0 ? 'Leaks, worst first' : 'What moves', cards.length === 0 ? null : markup`${cards.map((judged) => card(trend, judged, describe))}${growing.length > cards.length && markup`<p>And ${counted(growing.length - cards.length, 'more leak')}: in the table below.</p>`}`],
    ['together', 'Together', 'What grows together, and what is under no tag', together(trend)],
    ['series', 'All series', 'All series', seriesTable(trend, describe)],
    ['inputs', 'Inputs', 'What was read', inputs(trend)],
    ['warnings', 'Warnings', 'Warnings', warnings(trend)],
  ]; // prettier-ignore
  const { sentences } = verdictOf(trend);
  return renderPage({
    title: `${sentences[0] ?? ''} - dumpleak`,
    kind: 'growth over time',
    lead: verdict(trend),
    sections: sections.map(([id, name, title, body]) => [id, name, pageSection(id, title, body)]),
    footer: markup`<p>Made by dumpleak ${VERSION} from ${counted(trend.files.length, 'file')}. This page loads nothing and sends nothing.</p>`,
  });
}

function movesAtAll(judged: JudgedSeries): boolean {
  return ['step', 'too-little-data'].includes(judged.verdict.judgement) && judged.series.name.unit === 'bytes';
}

function verdict(trend: Trend): SafeHtml {
  const { kind, sentences } = verdictOf(trend);
  const tone = { leak: 'bad', 'not yet': 'warn', 'no leak': 'good' }[kind];
  const words = { leak: 'leak', 'not yet': 'not to be told yet', 'no leak': 'no leak' }[kind];
  const [first, ...more] = sentences;
  const facts = [
    counted(trend.times.length, 'snapshot'),
    period(trend),
    interruptions(trend),
    trend.machines.length === 0 ? null : trend.machines.slice(0, 4).join(', '),
    trend.warnings.length === 0 ? null : markup`<a href="#warnings">${counted(trend.warnings.length, 'warning')}</a>`,
  ];
  return markup`<section id="verdict" class="verdict ${tone}" aria-labelledby="verdict-title">
<p class="badges"><span class="badge ${tone}">${words}</span></p>
<h1 id="verdict-title">${first}</h1>
${more.map((sentence) => markup`<p>${sentence}</p>`)}
<p class="facts">${joined(facts, ' \u00b7 ')}</p>
</section>
`;
}

/** The points of a series, broken between stretches, thinned to about so many. */
function pointsOf(trend: Trend, { series, verdict: { stretches } }: JudgedSeries, most: number): ChartPoint[] {
  const every = Math.max(1, Math.ceil(series.values.length / most));
  const points: ChartPoint[] = [];
  for (const { from, to } of stretches) {
    if (points.length > 0) points.push([NaN, NaN]);
    for (let i = from; i < to; i += every)
      points.push([trend.times[series.ranks[i] ?? 0] ?? 0, series.values[i] ?? NaN]);
    if ((to - 1 - from) % every !== 0) {
      points.push([trend.times[series.ranks[to - 1] ?? 0] ?? 0, series.values[to - 1] ?? NaN]);
    }
  }
  return points;
}

function frame(trend: Trend): { timed: boolean; from: number; to: number; restarts: number[] } {
  return {
    timed: trend.timed,
    from: trend.times[0] ?? 0,
    to: trend.times.at(-1) ?? 0,
    restarts: trend.reboots.map((rank) => trend.times[rank] ?? 0),
  };
}

function overview(trend: Trend): SafeHtml | null {
  const bytes = trend.series.filter((judged) => judged.series.name.unit === 'bytes' && !isWhole(judged));
  const moving = bytes.filter(({ verdict: v }) => !['flat', 'load'].includes(v.judgement));
  const chosen = (moving.length > 0 ? moving : bytes).slice(0, MOST_LINES);
  if (chosen.length === 0) return null;
  const names = chosen.map(subject);
  return markup`<figure>${growthChart({
    ...frame(trend),
    about: `Lines over time: ${names.join(', ')}. The table of all series has the figures.`,
    unit: 'bytes',
    limits: [],
    lines: chosen.map((judged, i) => ({
      name: names[i] ?? '',
      colour: i,
      points: pointsOf(trend, judged, POINTS.chart),
    })),
  })}<ul class="legend">${chosen.map((judged, i) => markup`<li><svg viewBox="0 0 10 10" aria-hidden="true"><rect class="fill-${i}" width="10" height="10"/></svg>${names[i]}: ${rateText(trend, judged)}</li>`)}</ul></figure>`;
}

function judgementText(judged: JudgedSeries): string {
  return judged.verdict.judgement.replaceAll('-', ' ');
}

function rateText(trend: Trend, judged: JudgedSeries): string {
  const hourly = hourlyText(trend, judged);
  return judgementText(judged) + (hourly === null ? '' : `, ${hourly}`);
}

function hourlyText(trend: Trend, judged: JudgedSeries): string | null {
  const { perHour } = judged.verdict.main.verdict;
  return perHour === null || !trend.timed ? null : `${signed(perHour, judged)} an hour`;
}

type Describe = (tag: string) => TagDescription;

function card(trend: Trend, judged: JudgedSeries, describe: Describe): SafeHtml {
  const { series, verdict: v, limits, notes } = judged;
  const { judgement } = v;
  const last = series.values.at(-1) ?? NaN;
  const name = subject(judged);
  const user = userOf(judged, describe);
  const hourly = hourlyText(trend, judged);
  return markup`<div class="driver"><div class="name"><h3>${name}</h3><span class="badge ${TONES[judgement]}">${judgementText(judged)}</span>${user !== null && markup`<span class="soft data">${user}</span>`}</div>
<p>${hourly !== null && markup`<strong>${hourly}</strong>, `}${amount(last, judged)} in the last snapshot.</p>
<figure>${growthChart({
    ...frame(trend),
    about: `${name} over time: ${rateText(trend, judged)}`,
    unit: series.name.unit === 'bytes' ? 'bytes' : 'other',
    limits: limits.map(({ name: limit, limit: most, used }) => [last + Math.max(0, most - used), `${limit} reached`]),
    lines: [{ name, colour: judgement === 'leak' ? 0 : 1, points: pointsOf(trend, judged, POINTS.chart) }],
  })}</figure>
<ul>${limits.map((limit) => markup`<li>${untilLimit(limit)}</li>`)}${[...v.reasons, ...notes].map(({ message }) => markup`<li>${message}</li>`)}</ul>
</div>
`;
}

function userOf({ series: { name } }: JudgedSeries, describe: Describe): string | null {
  if (name.tag === null) return null;
  const { binary, description } = describe(name.tag);
  const parts = [binary, description].filter((part) => part !== null);
  return parts.length === 0 ? null : parts.join(': ');
}

function together({ groups, untagged }: Trend): SafeHtml | null {
  const rests = (['nonpaged', 'paged'] as const).flatMap((pool) => {
    const rest = untagged[pool];
    if (rest === null || rest.restBytes <= 0) return [];
    return [
      markup`<p>Under no tag in the last snapshot: ${humanBytes(rest.restBytes)} of ${humanBytes(rest.poolBytes)} ${pool} pool (${percent(rest.restBytes / rest.poolBytes)}).</p>`,
    ];
  });
  if (groups.length === 0 && rests.length === 0) return null;
  const lines = groups.map(
    ({ tags, ratios }) =>
      markup`<li>${joined(
        tags.map((tag, i) => markup`<code>${tag}</code>${i > 0 && ` (${(ratios[i] ?? 1).toPrecision(3)} for each)`}`),
        ', ',
      )}</li>`,
  );
  return markup`${lines.length > 0 && markup`<ul>${lines}</ul>`}${rests}`;
}

function seriesTable(trend: Trend, describe: Describe): SafeHtml {
  const rows = trend.series.slice(0, MOST_ROWS);
  const more = trend.series.length - rows.length;
  const rest = more > 0 ? `; ${thousands(more)} that are judged less are left out: trend --json has them` : '';
  return dataTable({
    id: 'series-table',
    noun: 'series',
    caption: `${counted(rows.length, 'series', 'series')}, worst first${rest}`,
    columns: [
      { title: 'Series', kind: 'text' },
      { title: 'Pool', kind: 'text' },
      { title: 'Judgement', kind: 'number' },
      { title: 'An hour', kind: 'number', about: 'Growth in an hour, by the slope of the stretch that is judged' },
      { title: 'Now', kind: 'number' },
      { title: 'Lowest', kind: 'number' },
      { title: 'Highest', kind: 'number' },
      { title: 'Limit in', kind: 'number', about: 'Time until the first limit is reached at this rate' },
      { title: 'Samples', kind: 'number' },
      { title: 'Course', kind: 'picture' },
      { title: 'Used by', kind: 'text' },
    ],
    rows: rows.map((judged) => seriesCells(trend, judged, describe)),
  });
}

function seriesCells(trend: Trend, judged: JudgedSeries, describe: Describe): Cell[] {
  const { series, verdict: v, limits } = judged;
  const { name } = series;
  const { from, to, verdict: main } = v.main;
  const part = series.values.subarray(from, to).filter(Number.isFinite);
  const [low, high] = [
    part.reduce((a, b) => Math.min(a, b), Infinity),
    part.reduce((a, b) => Math.max(a, b), -Infinity),
  ];
  const value = (figure: number): Cell =>
    Number.isFinite(figure) ? { show: amount(figure, judged), sort: figure } : { show: 'n/a' };
  const hours = limits[0]?.hours;
  const rate = trend.timed ? main.perHour : null;
  return [
    { show: name.tag === null ? name.label : markup`<code>${name.tag}</code>`, sort: name.label },
    { show: name.pool ?? '' },
    {
      show: markup`<span class="badge ${TONES[v.judgement]}">${judgementText(judged)}</span>`,
      sort: RANK[v.judgement],
    },
    rate === null ? { show: '' } : { show: signed(rate, judged), sort: rate },
    value(part.at(-1) ?? NaN),
    value(low),
    value(high),
    hours === undefined ? { show: '' } : { show: longTime(hours), sort: hours },
    { show: thousands(series.values.length) },
    { show: sparklineSvg(pointsOf(trend, judged, POINTS.spark)) },
    { show: markup`<span class="long">${userOf(judged, describe)}</span>` },
  ];
}

function inputs(trend: Trend): SafeHtml {
  const from = isoTime(trend, trend.times[0]);
  return dataTable({
    id: 'input-table',
    noun: 'files',
    caption: `${counted(trend.files.length, 'file')}${from === null ? ', at times that are not known' : ''}`,
    columns: [
      { title: 'File', kind: 'text' },
      { title: 'Kind', kind: 'text' },
      { title: 'Snapshots', kind: 'number' },
    ],
    rows: trend.files.map(({ path, kind, samples }) => [
      { show: markup`<code class="path">${path}</code>` },
      { show: kind },
      { show: thousands(samples) },
    ]),
  });
}

function warnings({ warnings: notes }: Trend): SafeHtml | null {
  if (notes.length === 0) return null;
  const more = notes.length - MOST_NOTES;
  return markup`<ul class="notes">${notes.slice(0, MOST_NOTES).map(({ message }) => markup`<li>${message}</li>`)}${more > 0 && markup`<li>and ${thousands(more)} more: trend --json has them</li>`}</ul>`;
}
