import { expect } from 'chai';
import { Collector, NO_FIGURES } from './collector.js';
import { otherMemory } from './machines.js';
import { makeTrend } from '../trend.js';
import { renderTrend } from '../../report/trend/trend-text.js';

const GB = 2 ** 30;
const memory = (bytes: number | null) => ({ ...NO_FIGURES, memory: bytes });

describe('machines of snapshots', () => {
  it('are not the same where their memory differs', () => {
    expect(otherMemory([memory(4 * GB), memory(16 * GB)])).to.equal('physical memory is 4.0 GB in one and 16.0 GB in another');
    for (const same of [[4 * GB, 4 * GB - 2 ** 20], [4 * GB, null], [null, null], []]) {
      expect(otherMemory(same.map(memory))).to.equal(null);
    }
  });

  it('are told by a trend, in place of restarts', () => {
    const to = new Collector();
    to.files.push({ path: 'a', name: 'a', fileTime: 0, kind: 'dump', samples: 4 });
    for (const [i, size] of [4, 16, 4, 16].entries()) {
      const sample = to.sample({ time: i * 3_600_000, hasTags: true, figures: memory(size * GB) });
      for (const tag of [1, 2, 3]) to.tag(sample, 0x41414141 + tag, 0, size * 1000, 5, 5000);
    }
    const text = renderTrend(makeTrend(to)).replace(/\s+/g, " ");
    expect(text).to.match(/not all of the same machine/).and.match(/physical memory is 4\.0 GB/).and.not.match(/restarts?\b,? *$/m);
  });
}); // prettier-ignore
