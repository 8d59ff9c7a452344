/** Memory in use against its limits, a bar each, with the parts that the suspects hold. */

import type { AnalysisResult, MemoryInfo, PoolKind } from '../../result/result.js';
import { exactInteger, humanPages, percent, ratio } from '../../views/print/format.js';
import { commitInUse, physicalInUse, poolInUse, type Usage } from '../memory-limits.js';
import { markup, type SafeHtml } from './safe-html.js';

const PAGE_BYTES = 4096;

interface Bar extends Usage {
  name: string;
  pool: PoolKind | null;
}

/** The bars and what their colours mean; null where no figure is known. */
export function poolBars(result: AnalysisResult): SafeHtml | null {
  const { memory } = result;
  if (memory === null) return null;
  const bars = barsOf(memory).filter(({ used }) => used !== null);
  if (bars.length === 0) return null;
  const suspects = bars.some(({ pool }) => suspectBytes(result, pool) > 0);
  return markup`${bars.map((bar) => barMarkup(bar, suspectBytes(result, bar.pool)))}
<ul class="legend"><li>${swatch('used')}in use</li>${suspects && markup`<li>${swatch('suspect')}of it, under suspected tags</li>`}<li>${swatch('track')}left up to the limit</li></ul>`;
}

/** A square in a colour of the legend. */
export function swatch(fill: string): SafeHtml {
  return markup`<svg viewBox="0 0 10 10" aria-hidden="true"><rect class="fill-${fill}" width="10" height="10"/></svg>`;
}

function barsOf(memory: MemoryInfo): Bar[] {
  return [
    { name: 'Nonpaged pool', ...poolInUse(memory, 'nonpaged'), pool: 'nonpaged' },
    { name: 'Paged pool', ...poolInUse(memory, 'paged'), pool: 'paged' },
    { name: 'Physical memory', ...physicalInUse(memory), pool: null },
    { name: 'Commit', ...commitInUse(memory, 'commit limit'), pool: null },
  ];
}

function suspectBytes({ suspects }: AnalysisResult, pool: PoolKind | null): number {
  return suspects.reduce((sum, suspect) => sum + (suspect.pool === pool ? Number(suspect.bytes) : 0), 0);
}

function barMarkup({ name, used, limit }: Bar, suspected: number): SafeHtml {
  const share = limit === null ? null : ratio(used, limit.pages);
  const figure =
    limit === null
      ? markup`<strong>${humanPages(used)}</strong>; its limit is not known`
      : markup`<strong>${percent(share)}</strong>: ${humanPages(used)} of ${humanPages(limit.pages)}, ${limit.name}`;
  const held = used === null ? 0 : Math.min(1, suspected / PAGE_BYTES / Math.max(1, Number(exactInteger(used))));
  const width = Math.max(0, Math.min(1, share ?? 0)) * 100;
  const picture =
    share === null
      ? null
      : markup`<svg aria-hidden="true" preserveAspectRatio="none"><rect class="fill-used" width="${width.toFixed(2)}%" height="100%"/>${held > 0 && markup`<rect class="fill-suspect" width="${(width * held).toFixed(2)}%" height="100%"/>`}</svg>`;
  return markup`<div class="bar"><span class="name">${name}</span>${picture}<span class="figure">${figure}</span></div>
`;
}
