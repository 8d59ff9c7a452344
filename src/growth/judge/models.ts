/** Other shapes that a rise can have: one step, or nothing until growth begins. Fitted by least squares. */

import type { Scratch } from './scratch.js';
import { median } from './select.js';

export interface Step {
  /** Index of the first point after the step. */
  at: number;
  /** Level after less level before. */
  height: number;
  /** What a line through both parts, moved on top of each other, rises over the whole time. */
  within: number;
  /** Squares left by the step by squares left by a line: below 1 the step fits better. */
  ratio: number;
  /** Share of all that the values vary that the step explains. */
  explained: number;
}

/** Points that a level on either side of a step rests on, at least. */
const LEAST_SIDE = 3;

/** Sums over a stretch: what least squares need. */
interface Sums {
  n: number;
  t: number;
  y: number;
  tt: number;
  ty: number;
  yy: number;
}

/** Sum of squares around the mean, and of products. */
function squares(s: Sums): { yy: number; tt: number; ty: number } {
  if (s.n === 0) return { yy: 0, tt: 0, ty: 0 };
  return { yy: s.yy - (s.y * s.y) / s.n, tt: s.tt - (s.t * s.t) / s.n, ty: s.ty - (s.t * s.y) / s.n };
}

/** Sums up to each point in turn, around the first point so that no digits are lost. */
class Running {
  readonly total: Sums = { n: 0, t: 0, y: 0, tt: 0, ty: 0, yy: 0 };
  readonly part: Sums = { n: 0, t: 0, y: 0, tt: 0, ty: 0, yy: 0 };

  constructor(
    private readonly hours: Float64Array,
    private readonly values: Float64Array,
    count: number,
  ) {
    for (let i = 0; i < count; i++) this.addTo(this.total, i);
  }

  add(i: number): void {
    this.addTo(this.part, i);
  }

  rest(): Sums {
    const { total: a, part: b } = this;
    return { n: a.n - b.n, t: a.t - b.t, y: a.y - b.y, tt: a.tt - b.tt, ty: a.ty - b.ty, yy: a.yy - b.yy };
  }

  private addTo(sums: Sums, i: number): void {
    const t = (this.hours[i] ?? 0) - (this.hours[0] ?? 0);
    const y = (this.values[i] ?? 0) - (this.values[0] ?? 0);
    sums.n++;
    sums.t += t;
    sums.y += y;
    sums.tt += t * t;
    sums.ty += t * y;
    sums.yy += y * y;
  }
}

/** The best place of one step. Null with too few points. */
export function fitStep(hours: Float64Array, values: Float64Array, n: number): Step | null {
  if (n < 2 * LEAST_SIDE) return null;
  const sums = new Running(hours, values, n);
  const whole = squares(sums.total);
  const line = whole.yy - (whole.tt > 0 ? (whole.ty * whole.ty) / whole.tt : 0);
  let best = Infinity;
  let step: Step | null = null;
  for (let i = 0; i < n - LEAST_SIDE; i++) {
    sums.add(i);
    if (i + 1 < LEAST_SIDE) continue;
    const { part, total } = sums;
    const restCount = total.n - part.n;
    const restY = total.y - part.y;
    const left = total.yy - (part.y * part.y) / part.n - (restY * restY) / restCount;
    if (left >= best) continue;
    best = left;
    step = { at: i + 1, height: restY / restCount - part.y / part.n, within: 0, ratio: 0, explained: 0 };
  }
  if (step === null) return null;
  step.ratio = line > 0 ? Math.max(0, best) / line : best > 0 ? Infinity : 1;
  step.explained = whole.yy > 0 ? 1 - Math.max(0, best) / whole.yy : 0;
  step.within = withinSlope(hours, values, n, step.at) * ((hours[n - 1] ?? 0) - (hours[0] ?? 0));
  return step;
}

function withinSlope(hours: Float64Array, values: Float64Array, n: number, at: number): number {
  const sums = new Running(hours, values, n);
  for (let i = 0; i < at; i++) sums.add(i);
  const before = squares(sums.part);
  const after = squares(sums.rest());
  const tt = before.tt + after.tt;
  return tt > 0 ? (before.ty + after.ty) / tt : 0;
}

export interface Onset {
  /** Index of the first point of the growth. */
  at: number;
  /** Squares left by it, by squares left by a line. */
  ratio: number;
  /** What it has grown since. */
  rise: number;
}

/** The best place for growth to begin, after a level part of at least a fifth of the points. Null with too few. */
export function fitOnset(hours: Float64Array, values: Float64Array, n: number): Onset | null {
  if (n < 4 * LEAST_SIDE) return null;
  const sums = new Running(hours, values, n);
  const whole = squares(sums.total);
  const line = whole.yy - (whole.tt > 0 ? (whole.ty * whole.ty) / whole.tt : 0);
  let best: Onset | null = null;
  let least = Infinity;
  for (let i = 0; i < n - LEAST_SIDE; i++) {
    sums.add(i);
    if (i + 1 < n / 5) continue;
    const rest = sums.rest();
    // y = a + b * max(0, t - start): the sums of the second term from those of the rest.
    const start = (hours[i] ?? 0) - (hours[0] ?? 0);
    const x = rest.t - rest.n * start;
    const xx = rest.tt - 2 * start * rest.t + rest.n * start * start;
    const xy = rest.ty - start * rest.y;
    const varX = xx - (x * x) / n;
    if (varX <= 0) continue;
    const cov = xy - (x * sums.total.y) / n;
    const left = whole.yy - (cov * cov) / varX;
    if (left >= least) continue;
    least = left;
    best = { at: i, ratio: 0, rise: (cov / varX) * ((hours[n - 1] ?? 0) - (hours[i] ?? 0)) };
  }
  if (best !== null) best.ratio = line > 0 ? Math.max(0, least) / line : 1;
  return best;
}

/**
 * The largest jump between two neighbouring points that the same hour of the other cycles does not have, rising, and
 * what such jumps usually measure (a robust standard deviation). In series of two or three cycles a step between two of
 * them is else the same as growth.
 */
export function loneJump(
  hours: Float64Array,
  values: Float64Array,
  n: number,
  cycle: number,
  { selected: buffer }: Scratch,
): { height: number; usual: number } {
  const typical = ((hours[n - 1] ?? 0) - (hours[0] ?? 0)) / (n - 1);
  let height = 0;
  let jumps = 0;
  for (let i = JUMP_SIDE; i + JUMP_SIDE <= n; i++) {
    // Over a gap any growth is a jump.
    if ((hours[i + JUMP_SIDE - 1] ?? 0) - (hours[i - JUMP_SIDE] ?? 0) > 3 * JUMP_SIDE * typical) continue;
    const own = jumpAt(values, i);
    let other = -Infinity;
    for (let j = JUMP_SIDE; j + JUMP_SIDE <= n; j++) {
      const distance = Math.abs((hours[j] ?? 0) - (hours[i] ?? 0));
      const turns = Math.round(distance / cycle);
      if (turns >= 1 && Math.abs(distance - turns * cycle) <= cycle / 32) other = Math.max(other, jumpAt(values, j));
    }
    if (other === -Infinity) continue;
    const alone = own - Math.max(0, other);
    buffer[jumps++] = Math.abs(alone);
    height = Math.max(height, alone);
  }
  return { height, usual: jumps === 0 ? 0 : 1.4826 * median(buffer, jumps) };
}

const JUMP_SIDE = 3;

/** The middle one of the three points from `i` on less that of the three points before. */
function jumpAt(values: Float64Array, i: number): number {
  const middle = (at: number): number => {
    const [a, b, c] = [values[at] ?? 0, values[at + 1] ?? 0, values[at + 2] ?? 0];
    return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
  };
  return middle(i) - middle(i - JUMP_SIDE);
}
