/** Which places of code refer to an address, for each processor, by encodings that an assembler made. */

import { expect } from 'chai';
import { failed } from '../../../parsers/bytes/failure.js';
import { baseOf, codeModule, DATA, IAT, TEXT, type CodeImage, type Processor } from './code-image.test.helper.js';
import { branchesTo, DataReferences, referencesTo, WantedAddresses } from './references.js';

type Searched = Parameters<typeof referencesTo>[0];

function searched(image: CodeImage): Searched {
  const processor: Processor = image.processor ?? 'x64';
  const module = codeModule(image);
  if (module.headers === null || failed(module.headers)) throw new Error('no headers');
  const base = Number(baseOf(processor) & 0xffffffffn) | 0;
  return { machine: { name: processor }, base, headers: module.headers, module };
}

const little = (value: number): string => Buffer.from(Int32Array.of(value).buffer).toString('hex');
/** Four bytes at `at` that are the distance to an address from behind them. */
const distance = (at: number, to: number): string => little(to - (at + 4));

describe('wanted addresses', () => {
  it('are those that were named, whatever lies between them', () => {
    const wanted = new WantedAddresses([0x1007, 0x1000, 0x2001]);
    expect([wanted.first, wanted.last]).to.deep.equal([0x1000, 0x2001]);
    const found = Array.from({ length: 0x1100 }, (_, i) => 0xff8 + i).filter((rva) => wanted.has(rva));
    expect(found).to.deep.equal([0x1000, 0x1007, 0x2001]);
    expect(wanted.has(-1)).to.equal(false);
  });

  it('may be none', () => {
    const wanted = new WantedAddresses([]);
    expect([wanted.has(0), wanted.has(-1)]).to.deep.equal([false, false]);
    expect(wanted.last).to.be.below(wanted.first);
    expect(referencesTo(searched({ at: { [TEXT]: distance(TEXT, DATA) } }), wanted)).to.deep.equal({
      ...{ places: [], complete: true },
    });
  });
});

describe('references to an address', () => {
  const places = (image: CodeImage, ...rvas: number[]): readonly number[] =>
    referencesTo(searched(image), new WantedAddresses(rvas)).places;

  it('on x64 are distances, at any offset, and no addresses', () => {
    const at = { [TEXT]: distance(TEXT, DATA), [TEXT + 0x101]: distance(TEXT + 0x101, DATA + 8), [0x1fff]: distance(0x1fff, DATA), [0x2ffc]: distance(0x2ffc, DATA) }; // prettier-ignore
    expect(places({ at }, DATA)).to.deep.equal([TEXT, 0x1fff, 0x2ffc]);
    expect(places({ at }, DATA + 8)).to.deep.equal([TEXT + 0x101]);
    expect(places({ at }, DATA + 4)).to.deep.equal([]);
    expect(places({ at }, DATA, DATA + 8)).to.deep.equal([TEXT, TEXT + 0x101, 0x1fff, 0x2ffc]);
    const absolute = { [TEXT]: little(Number(baseOf('x64') & 0xffffffffn) + DATA) };
    expect(places({ at: absolute }, DATA)).to.deep.equal([]);
  });

  it('on x86 are addresses, and distances of calls', () => {
    const address = little(Number(baseOf('x86') & 0xffffffffn) + DATA);
    const at = { [TEXT]: address, [TEXT + 0x21]: distance(TEXT + 0x21, DATA), [0x2ffc]: address };
    expect(places({ processor: 'x86', at }, DATA)).to.deep.equal([TEXT, TEXT + 0x21, 0x2ffc]);
    expect(places({ processor: 'x86', at }, DATA - 1, DATA + 1)).to.deep.equal([]);
  });

  it('on ARM64 are branches, literals, and pages with what is added to them', () => {
    const words = {
      // b, bl, and ldr of a literal, forward and backward.
      [TEXT]: [0x14000000 | (0x100 >> 2), 0x94000000 | (0xfc >> 2)],
      [TEXT + 0x200]: [0x17ffffc0, 0x58000000 | ((-0x104 >> 2) << 5 & 0xffffe0)],
      [TEXT + 0x300]: [0x18fff000],
      // adrp x3, DATA; add x0, x3, #8; ldr x1, [x3, #0x10]; ldr w2, [x3, #0x20]; the same with x4, which holds none.
      [TEXT + 0x400]: [0xf0000003, 0x91002060, 0xf9400861, 0xb9402062, 0x91002080, 0xf9400881],
    }; // prettier-ignore
    const image: CodeImage = { processor: 'arm64', at: words };
    expect(places(image, TEXT + 0x100)).to.deep.equal([TEXT, TEXT + 4, TEXT + 0x200, TEXT + 0x204, TEXT + 0x300]);
    expect(places(image, DATA + 8)).to.deep.equal([TEXT + 0x404]);
    expect(places(image, DATA + 0x10)).to.deep.equal([TEXT + 0x408]);
    expect(places(image, DATA + 0x20)).to.deep.equal([TEXT + 0x40c]);
    expect(places(image, DATA, DATA + 4, DATA + 0x40, DATA + 0x80)).to.deep.equal([]);
  });

  it('stand in code only', () => {
    const at = { [IAT]: distance(IAT, DATA), [0xffc]: distance(0xffc, DATA), [DATA]: distance(DATA, DATA) };
    expect(places({ at }, DATA)).to.deep.equal([]);
  });

  it('are not all known where a page of code is missing, nor across it', () => {
    const at = { [TEXT + 8]: distance(TEXT + 8, DATA), [0x1ffe]: distance(0x1ffe, DATA), [0x2004]: distance(0x2004, DATA) }; // prettier-ignore
    const find = (missing: number[]): ReturnType<typeof referencesTo> =>
      referencesTo(searched({ at, missing }), new WantedAddresses([DATA]));
    expect(find([])).to.deep.equal({ places: [TEXT + 8, 0x1ffe, 0x2004], complete: true });
    expect(find([2])).to.deep.equal({ places: [TEXT + 8], complete: false });
    expect(find([1])).to.deep.equal({ places: [0x2004], complete: false });
    expect(find([4])).to.deep.equal({ places: [TEXT + 8, 0x1ffe, 0x2004], complete: true });
  });
});

describe('branches of ARM64 to an address', () => {
  it('are those of B, B.cond, CBZ and TBZ, not of calls', () => {
    const target = TEXT + 0x800;
    const to = (at: number): number => (target - at) >> 2;
    for (const [at, word] of [
      [TEXT, 0x14000000 | to(TEXT)],
      [TEXT + 0x10, 0x54000000 | (to(TEXT + 0x10) << 5)],
      [TEXT + 0x20, 0x34000003 | (to(TEXT + 0x20) << 5)],
      [TEXT + 0x24, 0xb5000003 | (to(TEXT + 0x24) << 5)],
      [TEXT + 0x30, 0x36280003 | (to(TEXT + 0x30) << 5)],
      [TEXT + 0xa00, 0x37280003 | ((to(TEXT + 0xa00) & 0x3fff) << 5)],
      [TEXT + 0xa10, 0x54000001 | ((to(TEXT + 0xa10) & 0x7ffff) << 5)],
      [TEXT + 0xa20, 0x14000000 | (to(TEXT + 0xa20) & 0x3ffffff)],
    ] as const) {
      const code = searched({ processor: 'arm64', at: { [at]: [word] } });
      expect([...branchesTo(code, new WantedAddresses([target]))], at.toString(16)).to.deep.equal([[target, at]]);
    }
    const call = searched({ processor: 'arm64', at: { [TEXT]: [0x94000000 | to(TEXT)] } });
    expect(branchesTo(call, new WantedAddresses([target])).size).to.equal(0);
  });

  it('are told by the first of several', () => {
    const at = { [TEXT]: [0x14000200, 0x140001ff, 0x140001fe] };
    const code = searched({ processor: 'arm64', at });
    expect([...branchesTo(code, new WantedAddresses([TEXT + 0x800]))]).to.deep.equal([[TEXT + 0x800, TEXT]]);
  });
});

describe('references to data', () => {
  it('are found by the range of addresses that they lead to, the highest last', () => {
    const at = Object.fromEntries(
      [DATA + 0x20, DATA, DATA + 0x10, DATA + 0x10, DATA + 0xfff, IAT - 1, TEXT + 9].map((to, i) => {
        const place = TEXT + 0x10 * i;
        return [place, distance(place, to)];
      }),
    );
    const references = new DataReferences(searched({ at }));
    const between = (first: number, last: number): number[] => [...references.between(first, last)];
    expect(references.complete).to.equal(true);
    expect(between(DATA, DATA)).to.deep.equal([TEXT + 0x10]);
    expect(between(DATA, DATA + 0xf)).to.deep.equal([TEXT + 0x10]);
    expect(between(DATA, DATA + 0x10)).to.deep.equal([TEXT + 0x10, TEXT + 0x20, TEXT + 0x30]);
    expect(between(DATA + 1, DATA + 0x1f)).to.deep.equal([TEXT + 0x20, TEXT + 0x30]);
    expect(between(DATA + 0xfff, DATA + 0xfff)).to.deep.equal([TEXT + 0x40]);
    expect(between(DATA + 0x11, DATA + 0x1f)).to.deep.equal([]);
    // Code and what lies between the sections is no data.
    expect(between(0, IAT - 1)).to.deep.equal([]);
    expect(new DataReferences(searched({ at, missing: [2] })).complete).to.equal(false);
  });
});
