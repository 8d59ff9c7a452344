import { expect } from 'chai';
import type { ShownDriver } from '../../analysis/pool/verifier-part.js';
import { virtual } from '../../../parsers/addresses.js';
import { renderVerifier } from './verifier-text.js';

const NONE = { nonPaged: 0, paged: 0 };
const DRIVER: ShownDriver = {
  ...{ address: virtual(0xffff926c00100000n), name: 'acme.sys', loads: 1, unloads: 0 },
  ...{ allocations: { nonPaged: 7, paged: 0 }, bytes: { nonPaged: 0x700, paged: 0 } },
  ...{ peakAllocations: NONE, peakBytes: NONE, contiguousBytes: 0, peakContiguousBytes: 0 },
  ...{ outstanding: [], more: 0, complete: false, inTrees: true },
};

/** No figure is known. */
const UNKNOWN = new Proxy({}, { get: () => null }) as Parameters<typeof renderVerifier>[0]['statistics'];

const shown = (driver: ShownDriver): string =>
  renderVerifier({ level: 9, statistics: UNKNOWN, drivers: [driver] }, true, 'allocations');

describe('!verifier 3', () => {
  it('says that allocations of a new kernel may stand where nothing can read them', () => {
    expect(shown(DRIVER))
      .to.include('none that can be read\n')
      .and.to.include('does not have as many entries as the counters say')
      .and.to.include('in trees (ViPoolInfoAvl), whose layout is not published');
  });

  it('does not where the list is whole, or the kernel has no such trees', () => {
    expect(shown({ ...DRIVER, complete: true }))
      .to.include('      none\n')
      .and.to.not.include('ViPoolInfoAvl');
    expect(shown({ ...DRIVER, inTrees: false })).to.not.include('ViPoolInfoAvl');
  });
});
