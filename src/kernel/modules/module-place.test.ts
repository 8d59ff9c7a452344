import { expect } from 'chai';
import fc from 'fast-check';
import { virtual } from '../../../parsers/addresses.js';
import { isAlias, stem } from './image-names.js';
import { accusationLimit, open, settled } from './module-doubt.js';
import { disjoint } from './module-place.js';

const at = (base: number, size: number, isConfirmed = true): Parameters<typeof disjoint>[0][number] => ({
  ...{ base: virtual(0xfffff80000000000n + BigInt(base)), size, isConfirmed },
});
const sizesOf = (...places: Parameters<typeof disjoint>[0][number][]): number[] => disjoint(places).sizes;
const doubted = (...places: Parameters<typeof disjoint>[0][number][]): number[] =>
  [...disjoint(places).doubts.keys()].sort();

describe('ranges of modules', () => {
  it('that touch or lie apart stay as they are', () => {
    const places = [at(0x4000, 0x2000), at(0, 0x4000), at(0x9000, 0x1000)];
    expect(sizesOf(...places)).to.deep.equal([0x2000, 0x4000, 0x1000]);
    expect(doubted(...places)).to.deep.equal([]);
  });

  it('end where the next module begins', () => {
    const places = [at(0, 0x800000, false), at(0x4000, 0x2000), at(0x9000, 0x1000)];
    expect(sizesOf(...places)).to.deep.equal([0x4000, 0x2000, 0x1000]);
    expect(doubted(...places)).to.deep.equal([0]);
  });

  it('do not begin inside of an image whose header is there', () => {
    const places = [at(0, 0x8000), at(0x4000, 0x1000, false), at(0x8000, 0x1000)];
    expect(sizesOf(...places)).to.deep.equal([0x8000, 0, 0x1000]);
    expect(doubted(...places)).to.deep.equal([1]);
  });

  it('belong to the one of two at the same base whose header it is; where neither is, both are doubted', () => {
    expect(sizesOf(at(0, 0x8000, false), at(0, 0x4000))).to.deep.equal([0, 0x4000]);
    expect(doubted(at(0, 0x8000, false), at(0, 0x4000))).to.deep.equal([0]);
    expect(doubted(at(0, 0x8000, false), at(0, 0x4000, false))).to.deep.equal([0, 1]);
  });

  it('never cover each other', () => {
    const place = fc.record({
      base: fc.integer({ min: 0, max: 40 }),
      size: fc.integer({ min: 0, max: 40 }),
      isConfirmed: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(place, { maxLength: 12 }), (list) => {
        const places = list.map(({ base, size, isConfirmed }) => at(base * 0x1000, size * 0x1000, isConfirmed));
        const { sizes } = disjoint(places);
        const ranges = places.flatMap(({ base }, i) =>
          sizes[i] === 0 ? [] : [{ base, end: base + BigInt(sizes[i] ?? 0) }],
        );
        ranges.sort((a, b) => (a.base < b.base ? -1 : 1));
        ranges.slice(1).forEach(({ base }, i) => expect(ranges[i]!.end <= base).to.equal(true));
        sizes.forEach((size, i) => expect(size).to.be.within(0, places[i]!.size));
      }),
    );
  });
});

describe('what is doubted of a module', () => {
  it('lets it be accused with medium where others decide it, with low where nothing does', () => {
    expect(accusationLimit([])).to.equal(null);
    expect(accusationLimit([settled('a')])).to.equal('medium');
    expect(accusationLimit([settled('a'), open('b')])).to.equal('low');
    expect(accusationLimit([settled('a'), settled('b')])).to.equal('medium');
  });
});

describe('names of one file', () => {
  it('are alike without extension and prefix, or where one begins the other', () => {
    expect(['HAL.dll', 'dump_Stor.sys', 'nt', '.sys', 'a.b.sys'].map(stem)).to.deep.equal([
      ...['hal', 'stor', 'nt', '.sys', 'a.b'],
    ]);
    expect(isAlias('hal.dll', 'halmacpi.dll')).to.equal(true);
    expect(isAlias('halmacpi.dll', 'HAL.dll')).to.equal(true);
    expect(isAlias('kd.dll', 'kdcom.dll')).to.equal(true);
    expect(isAlias('a.sys', 'ab.sys'), 'one letter is no name').to.equal(false);
    expect(isAlias('ab.sys', 'abc.sys')).to.equal(true);
    expect(isAlias('a.sys', 'A.sys')).to.equal(true);
    expect(isAlias('myfault.sys', 'fault.sys')).to.equal(false);
  });
});
