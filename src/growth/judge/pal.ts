/**
 * What PAL (Performance Analysis of Logs) would say, shown as its opinion beside the judgement and never used for it: its
 * published limits on pool bytes, free system PTEs and handles.
 */

import type { PalNote } from '../codes.js';
import type { Figures } from '../read/collector.js';
import { PAL } from './growth-thresholds.js';
import type { Series } from '../read/series.js';
import type { SeriesVerdict } from './stretches.js';

const MS_PER_HOUR = 3_600_000;

export function palNotes(
  series: Series,
  { main }: SeriesVerdict,
  figures: Readonly<Figures>,
  times: Float64Array,
  timed: boolean,
): PalNote[] {
  const { name, values, ranks } = series;
  const last = values.at(-1) ?? 0;
  if (name.kind === 'pool-total') return poolNotes(name.pool, last, figures);
  if (/free system page table entries$/i.test(name.label)) return pteNotes(last);
  if (!timed || name.kind !== 'process' || !/handle count$/i.test(name.label)) return [];
  const { from, to } = main;
  const span = (times[ranks[to - 1] ?? 0] ?? 0) - (times[ranks[from] ?? 0] ?? 0);
  const perHour = (((values[to - 1] ?? 0) - (values[from] ?? 0)) * MS_PER_HOUR) / span;
  if (!(perHour > PAL.handleTrend) || !Number.isFinite(perHour)) return [];
  return [
    note(
      'pal-handle-trend',
      `${Math.round(perHour)} handles an hour from the first sample to the last, limit ${PAL.handleTrend}`,
    ),
  ];
}

const note = (code: PalNote['code'], message: string): PalNote => ({ code, message: `PAL would warn: ${message}` });

function poolNotes(pool: Series['name']['pool'], last: number, figures: Readonly<Figures>): PalNote[] {
  const notes: PalNote[] = [];
  const maximum = pool === 'nonpaged' ? figures.nonPagedMaximum : figures.pagedMaximum;
  const share = maximum === null || maximum <= 0 ? 0 : last / maximum;
  if (share > PAL.poolWarning) {
    const limit = share > PAL.poolCritical ? PAL.poolCritical : PAL.poolWarning;
    notes.push(
      note(
        'pal-pool-maximum',
        `${(share * 100).toFixed(0)} % of the maximum of ${pool ?? ''} pool, limit ${limit * 100} %`,
      ),
    );
  }
  if (pool === 'nonpaged' && figures.memory !== null && last > PAL.nonPagedShareOfMemory * figures.memory) {
    notes.push(
      note('pal-nonpaged-memory', `nonpaged pool is above ${PAL.nonPagedShareOfMemory * 100} % of physical memory`),
    );
  }
  if (pool === 'paged' && last > PAL.pagedBytes) notes.push(note('pal-paged-size', 'paged pool is above 1 GB'));
  return notes;
}

function pteNotes(last: number): PalNote[] {
  const limit = [...PAL.freeSystemPtes].reverse().find((most) => last < most);
  return limit === undefined ? [] : [note('pal-free-ptes', `${last} free system PTEs, limit ${limit}`)];
}
