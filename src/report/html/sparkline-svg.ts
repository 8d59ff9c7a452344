/** A series as a small picture without axes: the figures beside it say the rest. */

import { extent } from 'd3-array';
import { scaleLinear } from 'd3-scale';
import { line } from 'd3-shape';
import { markup, type SafeHtml } from './safe-html.js';

const WIDTH = 140;
const HEIGHT = 28;
const EDGE = 3;

type Point = readonly [time: number, value: number];

/** The picture; null for fewer than two points. Values that are no number break the line. */
export function sparklineSvg(points: readonly Point[]): SafeHtml | null {
  const known = points.filter(([time, value]) => Number.isFinite(time) && Number.isFinite(value));
  const [from, to] = extent(known, ([time]) => time);
  const [low, high] = extent(known, ([, value]) => value);
  const last = known.at(-1);
  if (known.length < 2 || last === undefined || from === undefined || low === undefined) return null;
  const x = scaleLinear([from, to], [EDGE, WIDTH - EDGE]);
  const y = low === high ? () => HEIGHT / 2 : scaleLinear([low, high], [HEIGHT - EDGE, EDGE]);
  const path = line<Point>(
    ([time]) => x(time),
    ([, value]) => y(value),
  )
    .defined(([, value]) => Number.isFinite(value))
    .digits(1)(points);
  return markup`<svg class="spark" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" aria-hidden="true"><path d="${path}"/><circle cx="${x(last[0]).toFixed(1)}" cy="${y(last[1]).toFixed(1)}" r="2.5"/></svg>`;
}
