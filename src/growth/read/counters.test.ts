import { expect } from 'chai';
import { findReboots, outstanding, unwrap, type SampleFacts } from './counters.js';
import { SeriesStore, type Series } from './series.js';

const HOUR = 3_600_000;

function samplesOf(count: number, more: (i: number) => Partial<SampleFacts> = () => ({})): SampleFacts[] {
  return Array.from({ length: count }, (_, i) => {
    return { time: i * HOUR, bootTime: null, pageFaults: null, hasTags: true, narrow: false, ...more(i) };
  });
}

/** A series a column of [allocs, frees, bytes] lists. */
function seriesOf(...tags: { allocs: number[]; frees?: number[]; bytes?: number[] }[]): Series[] {
  const store = new SeriesStore();
  const length = Math.max(...tags.map(({ allocs }) => allocs.length));
  for (let i = 0; i < length; i++) {
    for (const [t, { allocs, frees, bytes }] of tags.entries()) {
      store.add(store.tag(0x61616161 + t, 0), i, bytes?.[i] ?? 0, allocs[i]!, frees?.[i] ?? 0);
    }
  }
  return store.finish(Int32Array.from({ length }, (_, i) => i));
}

const WRAP = 2 ** 32;

describe('restarts', () => {
  it('are where counters of allocations fall', () => {
    const tags = Array.from({ length: 20 }, (_, t) => ({ allocs: [1000 + t, 2000 + t, 30 + t, 60 + t] }));
    expect(findReboots(samplesOf(4), seriesOf(...tags))).to.deep.equal([2]);
  });

  it('are not where one of few falls: it runs backwards', () => {
    const [a, b] = [{ allocs: [1000, 2000, 3000] }, { allocs: [500, 600, 10] }];
    expect(findReboots(samplesOf(3), seriesOf(a, b))).to.deep.equal([]);
    expect(findReboots(samplesOf(3), seriesOf(a, a, a, a, b))).to.deep.equal([]);
    expect(findReboots(samplesOf(3), seriesOf(b))).to.deep.equal([2]);
    expect(findReboots(samplesOf(3), seriesOf(a, b, b))).to.deep.equal([2]);
  });

  it('are not where one of many falls, or where some wrap', () => {
    const calm = Array.from({ length: 20 }, (_, t) => ({ allocs: [1000 + t, 2000 + t, 3000 + t] }));
    expect(findReboots(samplesOf(3), seriesOf(...calm, { allocs: [500, 600, 10] }))).to.deep.equal([]);
    const wrapping = Array.from({ length: 20 }, () => ({ allocs: [WRAP - 500, WRAP - 100, 300] }));
    expect(findReboots(samplesOf(3), seriesOf(...calm, ...wrapping))).to.deep.equal([]);
  });

  it('of wrapping counters alone are told by page faults', () => {
    const wrapping = seriesOf({ allocs: [WRAP - 500, 300] });
    expect(
      findReboots(
        samplesOf(2, (i) => ({ pageFaults: 9_000_000 + i })),
        wrapping,
      ),
    ).to.deep.equal([]);
    expect(
      findReboots(
        samplesOf(2, (i) => ({ pageFaults: 9_000_000 - i * 8_000_000 })),
        wrapping,
      ),
    ).to.deep.equal([1]);
    expect(findReboots(samplesOf(2), wrapping)).to.deep.equal([]);
  });

  it('are where samples tell another boot time, once however many tell it', () => {
    const boots = samplesOf(6, (i) => ({ bootTime: i < 3 ? -HOUR : 2.5 * HOUR + i * 1000 }));
    expect(findReboots(boots, [])).to.deep.equal([3]);
    const tags = seriesOf({ allocs: [10, 20, 30, 3, 4, 5] });
    expect(findReboots(boots, tags)).to.deep.equal([3]);
  });
});

describe('counters of 32 bits', () => {
  it('outstanding allocations allow for wraps and for counts taken at different moments', () => {
    expect(outstanding(700, 99)).to.equal(601);
    expect(outstanding(5, WRAP - 10)).to.equal(15);
    expect(outstanding(10, 12)).to.equal(0);
    expect(outstanding(NaN, 1)).to.be.NaN;
  });

  it('are unwrapped between restarts', () => {
    const [series] = seriesOf({ allocs: [WRAP - 10, 5, 20, 7, 9], frees: [WRAP - 20, WRAP - 5, 8, 1, 2] });
    unwrap(series!, samplesOf(5), [3]);
    expect([...series!.allocs!]).to.deep.equal([WRAP - 10, WRAP + 5, WRAP + 20, 7, 9]);
    expect([...series!.frees!]).to.deep.equal([WRAP - 20, WRAP - 5, WRAP + 8, 1, 2]);
  });

  it('bytes are unwrapped in narrow logs, forwards and back, where the count agrees', () => {
    const allocs = [1000, 1100, 1200, 1050, 300];
    const size = 4_000_000;
    const bytes = allocs.map((count) => count * size);
    const shown = bytes.map((value) => value % WRAP);
    const [narrow] = seriesOf({ allocs, bytes: shown });
    unwrap(
      narrow!,
      samplesOf(5, () => ({ narrow: true })),
      [],
    );
    expect([...narrow!.values]).to.deep.equal(bytes);
    const [wide] = seriesOf({ allocs, bytes: shown });
    unwrap(wide!, samplesOf(5), []);
    expect([...wide!.values]).to.deep.equal(shown);
  });

  it('bytes that really fell stay as they are', () => {
    const [series] = seriesOf({ allocs: [1000, 1001], frees: [0, 990], bytes: [4e9, 4e7] });
    unwrap(
      series!,
      samplesOf(2, () => ({ narrow: true })),
      [],
    );
    expect([...series!.values]).to.deep.equal([4e9, 4e7]);
  });
});

describe('series store', () => {
  it('puts rows in the order of their samples, adds up rows of one tag, leaves samples out', () => {
    const store = new SeriesStore();
    const add = (tag: number, sample: number, value: number): void => {
      store.add(store.tag(tag, 0), sample, value, value, 0);
    };
    add(1, 0, 30);
    add(2, 0, 31);
    add(1, 1, 10);
    add(1, 1, 5);
    add(1, 2, 99);
    const [one, two] = store.finish(Int32Array.of(1, 0, -1));
    expect([...one!.values]).to.deep.equal([15, 30]);
    expect([...one!.ranks]).to.deep.equal([0, 1]);
    expect([...two!.values]).to.deep.equal([31]);
  });

  it('grows with the rows and keeps pools and names apart', () => {
    const store = new SeriesStore();
    const count = 40_000;
    for (let i = 0; i < count; i++) {
      const series =
        i % 3 === 2
          ? store.named('x', () => ({
              kind: 'counter',
              tag: null,
              pool: null,
              label: 'x',
              unit: 'other',
              process: null,
            }))
          : store.tag(0x6b61654c, i % 3);
      store.add(series, i, i, NaN, NaN);
    }
    const all = store.finish(Int32Array.from({ length: count }, (_, i) => i));
    expect(all.map(({ name }) => [name.label, name.pool])).to.deep.equal([
      ['Leak', 'nonpaged'],
      ['Leak', 'paged'],
      ['x', null],
    ]);
    expect(all.map(({ values }) => values.length).reduce((a, b) => a + b)).to.equal(count);
    expect(all[1]!.values[1]).to.equal(4);
  });
});
