/** What blocks say of drivers: from how many blocks on, how many of them, and beside whom. */

import { expect } from 'chai';
import type { BlockContents } from '../result/result.js';
import { contentTraces, isHub } from './content-evidence.js';
import { modulesOf } from './scenario.test.helper.js';

const MODULES = modulesOf('ntoskrnl.exe', 'first.sys', 'second.sys', 'storport.sys', 'twin.sys', 'twin.sys');

type Follows = NonNullable<Parameters<typeof contentTraces>[2]>[number];
type Pointer = BlockContents['pointers'][number];
const pointer = (module: string, count: number, more: Partial<Pointer> = {}): Pointer => ({
  module,
  moduleOffset: '0x1f40',
  symbol: null,
  offset: 0x18,
  count,
  ...more,
});

function traces(sampled: number, pointers: Pointer[], follows: Follows[] = []): string[] {
  const contents = { sampled, pointers } as unknown as BlockContents;
  return contentTraces(contents, MODULES, follows).map(
    ({ module, strength }) => `${module} ${MODULES[module]?.name} ${strength}`,
  );
}

describe('what blocks say of drivers', () => {
  it('needs fifty blocks', () => {
    expect(traces(49, [pointer('first.sys', 49)])).to.deep.equal([]);
    expect(traces(50, [pointer('first.sys', 50)])).to.deep.equal(['1 first.sys medium']);
  });

  it('is medium from 80 % on, low from 50 % on, and nothing below', () => {
    expect(traces(100, [pointer('first.sys', 80)])).to.deep.equal(['1 first.sys medium']);
    expect(traces(100, [pointer('first.sys', 79)])).to.deep.equal(['1 first.sys low']);
    expect(traces(100, [pointer('first.sys', 50)])).to.deep.equal(['1 first.sys low']);
    expect(traces(100, [pointer('first.sys', 49)])).to.deep.equal([]);
  });

  it('is doubtful where another driver stands in a fifth of them', () => {
    const both = (other: number): string[] => traces(100, [pointer('second.sys', other), pointer('first.sys', 100)]);
    expect(both(19)).to.deep.equal(['1 first.sys medium']);
    expect(both(20)).to.deep.equal(['1 first.sys low']);
    expect(both(60)).to.deep.equal(['1 first.sys low', '2 second.sys low']);
    expect(both(100), 'of as many: in the order of the list').to.deep.equal(['1 first.sys low', '2 second.sys low']);
  });

  it('says nothing of the kernel, of hubs, of Microsoft, of names that two modules have or none', () => {
    for (const name of ['ntoskrnl.exe', 'storport.sys', 'twin.sys', 'absent.sys'])
      expect(traces(100, [pointer(name, 100)]), name).to.deep.equal([]);
    // Nor is one of them a rival.
    expect(traces(100, [pointer('storport.sys', 100), pointer('first.sys', 90)])).to.deep.equal(['1 first.sys medium']);
    const [module] = modulesOf('made.sys');
    const by = (companyName: string | null): boolean =>
      isHub({ ...module!, version: companyName === null ? null : ({ companyName } as never) });
    expect(by('Microsoft Corporation')).to.equal(true);
    expect(by('Not Microsoft')).to.equal(false);
    expect(by(null)).to.equal(false);
    expect(isHub({ ...module!, moduleName: 'nt' })).to.equal(true);
    expect(isHub({ ...module!, name: 'NDIS.SYS' })).to.equal(true);
    expect(isHub({ ...module!, name: 'mydisk.sys' })).to.equal(false);
  });

  it('takes the most frequent saying of a driver; of two as frequent what the blocks are', () => {
    const follows: Follows = { module: 'first.sys', moduleOffset: 0x40, count: 90, words: 'are contexts of' };
    const note = (...more: Parameters<typeof traces>): string => {
      const contents = { sampled: more[0], pointers: more[1] } as unknown as BlockContents;
      return contentTraces(contents, MODULES, more[2])[0]?.note ?? '';
    };
    expect(note(100, [pointer('first.sys', 90)], [follows])).to.equal(
      '90 of 100 blocks are contexts of first.sys+0x40',
    );
    expect(note(100, [pointer('first.sys', 91)], [follows])).to.equal(
      '91 of 100 blocks hold a pointer into first.sys+0x1f40 at offset 0x18',
    );
    expect(note(100, [], [{ ...follows, moduleOffset: null }])).to.equal('90 of 100 blocks are contexts of first.sys');
    expect(note(100, [pointer('first.sys', 100, { symbol: 'Free' }), pointer('second.sys', 30)])).to.equal(
      '100 of 100 blocks hold a pointer into first.sys+0x1f40 (Free) at offset 0x18; other drivers stand in them too',
    );
  });
});
