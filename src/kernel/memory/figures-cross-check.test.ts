/** The witnesses of one memory figure, by their numbers alone: who is believed, from where on they contradict each other. */

import { expect } from 'chai';
import type { Dump } from '../../../parsers/dump/open-dump.js';
import { toNumber, type MemoryField, type Pages, type Warning } from '../../result/result.js';
import { crossCheck } from './cross-check.js';

interface Witnesses {
  kernel?: number | null;
  counted?: number | null;
  runs?: number[];
  present?: number;
  figures?: Partial<Record<MemoryField, number>>;
}

/** Physical memory and the commit limit after the check, and what is told. */
function checked({ kernel = null, counted = null, runs = [], present = 0, figures = {} }: Witnesses) {
  const page = (pages: number | null): Pages | null => (pages === null ? null : { pages, source: 'profile' });
  const known = new Map<MemoryField, Pages | null>([['physicalMemory', page(kernel)]]);
  for (const [name, pages] of Object.entries(figures)) known.set(name as MemoryField, page(pages));
  const block = counted === null ? null : { numberOfPages: counted, runs: runs.map((pageCount) => ({ pageCount })) };
  const warnings: Warning[] = [];
  crossCheck(
    known,
    { header: { physicalMemory: block }, pages: { pagesPresent: present } } as unknown as Dump,
    warnings,
  );
  const of = (name: MemoryField): number | null => {
    const figure = known.get(name) ?? null;
    return figure === null ? null : toNumber(figure.pages);
  };
  const { source } = known.get('physicalMemory') ?? {};
  return { physical: of('physicalMemory'), limit: of('commitLimit'), source, told: warnings.map((w) => w.message) };
}

describe('physical memory by its witnesses', () => {
  it('is what the kernel counts where all are alike, by a quarter at most', () => {
    for (const counted of [800, 1000, 1250])
      expect(checked({ kernel: 1000, counted, runs: [counted] }), String(counted)).to.deep.include({
        ...{ physical: 1000, source: 'profile', told: [] },
      });
    expect(checked({ kernel: 1000, counted: 1251 })).to.deep.include({
      physical: null,
      told: ['the kernel counts 1000 pages of physical memory, the dump header 1251: none of them is used'],
    });
    expect(checked({ kernel: 1000, counted: 799 }).physical).to.equal(null);
  });

  it('is what the header counts where the kernel does not tell', () => {
    expect(checked({ counted: 1000, runs: [600, 400] })).to.deep.include({
      physical: 1000,
      source: 'header',
      told: [],
    });
    expect(checked({})).to.deep.include({ physical: null, told: [] });
    expect(checked({ kernel: 1000 })).to.deep.include({ physical: 1000, told: [] });
    expect(checked({ kernel: 1000, counted: 0, runs: [0] }), 'what was not filled in').to.deep.include({
      physical: 1000,
      told: [],
    });
  });

  it('is what two of three say', () => {
    const message = (used: number) =>
      `the kernel counts 9000 pages of physical memory, the dump header 1000, its runs hold 1100: ${used} is used`;
    expect(checked({ kernel: 9000, counted: 1000, runs: [1100] })).to.deep.include({
      ...{ physical: 1000, source: 'header', told: [message(1000)] },
    });
    expect(checked({ kernel: 1000, counted: 9000, runs: [1000] })).to.deep.include({
      ...{ physical: 1000, source: 'profile' },
    });
    expect(checked({ kernel: 1000, counted: 1000, runs: [9000] }).physical).to.equal(1000);
    expect(checked({ kernel: 1000, counted: 4000, runs: [9000] }).physical).to.equal(null);
  });

  it('is not less than the dump holds, by more than a quarter', () => {
    expect(checked({ kernel: 1000, counted: 1000, runs: [1000], present: 1250 })).to.deep.include({
      ...{ physical: 1000, told: [] },
    });
    const { physical, told } = checked({ kernel: 1000, counted: 1000, runs: [1000], present: 1251 });
    expect(physical).to.equal(null);
    expect(told[0]).to.match(/its runs hold 1000, the dump holds 1251: none of them is used$/);
    expect(checked({ kernel: 1000, present: 2000 }).physical).to.equal(null);
    // A witness that can be none makes the others no less true.
    expect(checked({ kernel: 100, counted: 1000, runs: [1000], present: 900 }).physical).to.equal(1000);
  });
});

describe('the commit limit by its witnesses', () => {
  const limit = (
    figures: NonNullable<Witnesses['figures']>,
    kernel: number | null = 1000,
  ): ReturnType<typeof checked> => checked({ kernel, figures });

  it('stays where committed memory is a quarter past it, and memory twice as much', () => {
    expect(limit({ commitLimit: 1000, committedPages: 1250 })).to.deep.include({ limit: 1000, told: [] });
    expect(limit({ commitLimit: 500 })).to.deep.include({ limit: 500, told: [] });
    expect(limit({ commitLimit: 10, committedPages: 5 }, null)).to.deep.include({ limit: 10, told: [] });
    expect(limit({ commitLimit: 0, committedPages: 0 })).to.deep.include({ limit: 0, told: [] });
    expect(limit({ committedPages: 5000 })).to.deep.include({ limit: null, told: [] });
  });

  it('is left out past that, and why is told', () => {
    expect(limit({ commitLimit: 1000, committedPages: 1251 })).to.deep.include({
      limit: null,
      told: ['commitLimit reads 1000 pages, but 1251 pages are committed: it cannot be true and is left out'],
    });
    expect(limit({ commitLimit: 499 }).told).to.deep.equal([
      'commitLimit reads 499 pages, but physical memory has 1000 pages: it cannot be true and is left out',
    ]);
    expect(limit({ commitLimit: 0, committedPages: 5 }).told[0]).to.include(
      '5 pages are committed and physical memory has 1000 pages',
    );
  });

  it('stays where the peak says that the committed pages are wrong', () => {
    expect(limit({ commitLimit: 1000, committedPages: 9000, peakCommitment: 1250 }).limit).to.equal(1000);
    expect(limit({ commitLimit: 1000, committedPages: 9000, peakCommitment: 1251 }).limit).to.equal(null);
    expect(limit({ commitLimit: 0, committedPages: 9000, peakCommitment: 0 }, null).limit).to.equal(null);
  });
});
