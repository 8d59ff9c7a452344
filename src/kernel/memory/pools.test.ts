/** The single pools: each figure knows the weakest source that led to it. */

import { expect } from 'chai';
import { buildDump } from '../../../test-dumps/build-dump.js';
import { SCENARIOS } from '../../../test-dumps/scenarios.js';
import { openBuilt } from '../../analysis/whole-dumps/truth.test.helper.js';
import { readMemory } from './memory.js';

describe('the single pools', () => {
  for (const kernel of ['6.1.7601.24540', '6.3.9600.21620']) {
    it(`${kernel}: by the layout of the nearest build are no more sure than that`, () => {
      const built = buildDump({ ...SCENARIOS.modernLeak(), kernel });
      const own = readMemory(openBuilt(built).kernel).memory!;
      expect(own.pagedPools?.map(({ source }) => source)).to.include('profile');
      const without = readMemory(openBuilt(built, { hideProfiles: true }).kernel).memory!;
      expect(without.pagedPools?.map(({ pages }) => pages)).to.deep.equal(own.pagedPools?.map(({ pages }) => pages));
      expect(new Set(without.pagedPools?.map(({ source }) => source))).to.deep.equal(new Set(['nearest']));
    });
  }
});
