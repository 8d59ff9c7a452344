import { expect } from 'chai';
import fc from 'fast-check';
import { fileOffset } from '../addresses.js';
import { CachedSource } from './cached-source.js';
import { ReadPace } from './read-pace.js';
import { CountingSource, MemorySource, type ByteSource } from './source.js';

const PAGE = 4096;
const DATA = Buffer.alloc(2000 * PAGE + 77);
for (let i = 0; i < DATA.length; i++) DATA[i] = (i * 2654435761) >>> 13;

const read = (source: ByteSource, position: number, length: number): Buffer => {
  const target = Buffer.alloc(length, 0xee);
  return target.subarray(0, source.read(fileOffset(position), target));
};

/** A source that takes `milliseconds` a read, by a clock that only it moves. */
function timed(milliseconds: number, bytes = DATA) {
  const counter = new CountingSource(new MemorySource(bytes));
  return { counter, cached: new CachedSource(counter, new ReadPace(() => counter.reads * milliseconds)) };
}

describe('the cache of a source', () => {
  it('brings pages in the order of the file, neighbours at once, and then has them', () => {
    const { counter, cached } = timed(0);
    const positions = [900, 3, 1, 5, 901, 1999].map((page) => page * PAGE + 5);
    cached.fetch(Float64Array.from(positions));
    expect(counter.reads).to.equal(3);
    for (const position of positions) expect(read(cached, position, 16)).to.deep.equal(DATA.subarray(position, position + 16)); // prettier-ignore
    expect(read(cached, 900 * PAGE, 2 * PAGE)).to.deep.equal(DATA.subarray(900 * PAGE, 902 * PAGE));
    expect(counter.reads).to.equal(3);
    // Pages that were read whole make room; the others are still there.
    cached.fetch(Float64Array.from(positions));
    expect(counter.reads).to.equal(4);
  });

  it('brings no more than half of what it holds', () => {
    const { counter, cached } = timed(0);
    cached.fetch(Float64Array.from({ length: 1900 }, (_, page) => page * PAGE));
    expect(counter.bytesRead).to.equal(1024 * PAGE);
  });

  it('reads over larger gaps, and ahead, where each read takes long', () => {
    const far = Float64Array.from({ length: 20 }, (_, i) => i * 100 * PAGE);
    const counts = [0.1, 5].map((milliseconds) => {
      const { counter, cached } = timed(milliseconds);
      for (let i = 0; i < 8; i++) read(cached, (1000 + 100 * i) * PAGE, 8);
      const before = counter.reads;
      cached.fetch(far);
      const fetched = counter.reads - before;
      read(cached, 1950 * PAGE, 8);
      read(cached, 1951 * PAGE, 8);
      return [fetched, counter.reads - before - fetched];
    });
    expect(counts).to.deep.equal([
      [12, 2],
      [2, 1],
    ]);
  });

  it('says nothing of a bad place that nobody asked for, and says of the one that somebody did', () => {
    for (const milliseconds of [0, 5]) {
      const bad = 17 * PAGE;
      const inner: ByteSource = {
        name: 'bad',
        byteLength: DATA.length,
        read: (position, target) => {
          clock += milliseconds;
          if (position <= bad && position + target.length > bad) throw new Error('a bad sector');
          return new MemorySource(DATA).read(position, target);
        },
        close: () => undefined,
      };
      let clock = 0;
      const cached = new CachedSource(inner, new ReadPace(() => clock));
      for (let i = 0; i < 8; i++) read(cached, (100 + 50 * i) * PAGE, 8);
      cached.fetch(Float64Array.from([16 * PAGE, 18 * PAGE]));
      for (const page of [16, 18, 19]) expect(read(cached, page * PAGE, 8)).to.deep.equal(DATA.subarray(page * PAGE, page * PAGE + 8)); // prettier-ignore
      expect(() => read(cached, bad, 8)).to.throw('a bad sector');
    }
  });

  it('gives the bytes of the source whatever was fetched before, fast or slow', () => {
    const position = fc.integer({ min: -10, max: DATA.length + 10 });
    const step = fc.oneof(
      fc.record({ fetch: fc.array(position, { maxLength: 30 }) }),
      fc.record({ at: position, length: fc.integer({ min: 0, max: 40_000 }) }),
    );
    const plain = new MemorySource(DATA);
    fc.assert(
      fc.property(fc.constantFrom(0, 5), fc.array(step, { maxLength: 40 }), (milliseconds, steps) => {
        const { cached } = timed(milliseconds);
        for (const one of steps) {
          if ('fetch' in one) cached.fetch(Float64Array.from(one.fetch));
          else expect(read(cached, one.at, one.length).equals(read(plain, one.at, one.length))).to.equal(true);
        }
      }),
      { numRuns: 150 },
    );
  });
});
