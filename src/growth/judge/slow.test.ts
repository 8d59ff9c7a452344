import { expect } from 'chai';
import { Collector } from '../read/collector.js';
import { makeTrend, type Trend } from '../trend.js';
import { renderTrend } from '../../report/trend/trend-text.js';

const HOUR = 3_600_000;
const KB = 1024;

/** Five days of one tag that grows evenly, beside a still one. */
function grown(perHour: number, figures: { memory: number; used?: number }): Trend {
  const to = new Collector();
  to.files.push({ path: 'a.log', name: 'a.log', fileTime: 0, kind: 'poolmon', samples: 120 });
  for (let i = 0; i < 120; i++) {
    const memory = {
      memory: figures.memory,
      available: figures.memory - (figures.used ?? 2 ** 29),
      nonPagedPool: 2 ** 28,
    };
    const sample = to.sample({
      time: Date.UTC(2026, 0, 5) + i * HOUR,
      hasTags: true,
      figures: { ...memory, committed: null, commitLimit: null, pagedPool: null, nonPagedMaximum: null, pagedMaximum: null },
    }); // prettier-ignore
    to.tag(sample, Buffer.from('Grow', 'latin1').readUInt32LE(), 0, 1000 + i * 10, 5, 5_000_000 + i * perHour);
    to.tag(sample, Buffer.from('Flat', 'latin1').readUInt32LE(), 0, 1000, 5, 4_000_000);
  }
  return makeTrend(to);
}

const judgementOf = ({ series }: Trend): string =>
  series.find(({ series: { name } }) => name.label === 'Grow')!.verdict.judgement;

describe('slow growth', () => {
  it('is what adds less than 64 MB in a year and meets no limit for years', () => {
    const trend = grown(KB, { memory: 2 ** 32 });
    expect(judgementOf(trend)).to.equal('slow');
    const text = renderTrend(trend);
    expect(text).to.match(/NO LEAK {2}Nothing grows without coming back that would matter within years/);
    expect(text)
      .to.include('Tag Grow in nonpaged pool grows slowly')
      .and.include('Grows slowly: years until it matters');
    expect(text).to.not.match(/^LEAK/m);
  });

  it('is not what adds more, and not what a limit is near to', () => {
    expect(judgementOf(grown(6 * 1024 * KB, { memory: 2 ** 34 }))).to.equal('leak');
    expect(judgementOf(grown(10 * KB, { memory: 2 ** 34 }))).to.equal('leak');
    expect(judgementOf(grown(KB, { memory: 2 ** 32, used: 2 ** 32 - 8 * 2 ** 20 }))).to.equal('leak');
  });
});
