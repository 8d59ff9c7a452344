/** Filters in whole dumps: who is registered, and whose context a tag is. */

import { expect } from 'chai';
import { buildDump } from '../../../test-dumps/build-dump.js';
import { fieldMachine, leaked } from '../../../test-dumps/field-cases/machine.js';
import { GB } from '../../../test-dumps/machines/scenario-parts.js';
import type { Scenario } from '../../../test-dumps/scenario.js';
import { analyze } from '../analyze.js';
import { openBuilt } from './truth.test.helper.js';
import type { AnalysisResult } from '../../result/result.js';

const FILTER = { 'fltmgr.sys': ['FltRegisterFilter', 'FltAllocateContext'] };

/** A third-party filter whose stream contexts leak; the code that registers them is gone. */
function contexts(more: Partial<Scenario> = {}, other: 'none' | 'holds it too' = 'none'): AnalysisResult {
  const scenario = fieldMachine({
    name: 'contexts',
    seed: 61,
    rows: [{ tag: 'QxSc', nonPaged: leaked(4_100_200, 2.2 * GB) }],
    modules: {
      'quarkflt.sys': { imports: FILTER, importNamesIn: 'INIT', tags: [{ tag: 'QxSc', style: 'filter-context' }] },
      ...(other === 'none' ? {} : { 'northfs.sys': { tags: [{ tag: 'QxSc', style: 'alloc' }] } }),
    },
    more,
  });
  return analyze(openBuilt(buildDump(scenario)));
}

describe('filters in whole dumps', function () {
  this.timeout(60_000);

  it('are named for the tag of a context that they registered', () => {
    const { suspects, verdict } = contexts();
    expect(verdict.headline).to.contain('probably allocated by quarkflt.sys');
    const [driver] = suspects[0]?.drivers ?? [];
    expect([driver?.module, driver?.confidence]).to.deep.equal(['quarkflt.sys', 'medium']);
    expect(driver?.evidence[0]?.kind).to.equal('filter-context');
    expect(driver?.evidence[0]?.note).to.contain('its stream context');
  });

  it('give way to a driver whose code allocates under the tag', () => {
    const { suspects } = contexts({}, 'holds it too');
    const found = suspects[0]?.drivers.map(({ module, confidence }) => `${module} ${confidence}`);
    expect(found?.slice(0, 2)).to.deep.equal(['northfs.sys high', 'quarkflt.sys low']);
  });

  it('are found by the addresses of what they import, where the names are discarded', () => {
    const rows = [
      { tag: 'FMfn', paged: leaked(21_100_000, 8.4 * GB, 9_044_120) },
      { tag: 'QxSc', nonPaged: leaked(21_100_070, 21_100_070 * 16, 40_044_120) },
    ];
    const tags = [{ tag: 'QxSc', style: 'filter-context' as const }];
    const modules = { 'quarkflt.sys': { imports: FILTER, importNamesIn: 'INIT' as const, tags } };
    const scenario = fieldMachine({ name: 'names', seed: 62, rows, modules });
    const { suspects, verdict } = analyze(openBuilt(buildDump(scenario)));
    const could = suspects.find(({ tag }) => tag === 'FMfn')?.candidates;
    expect(could?.area).to.equal('file-system');
    expect(could?.drivers.filter(({ windows }) => !windows).map(({ module }) => module)).to.deep.equal([
      'quarkflt.sys',
      'orbitav.sys',
      'quarrybk.sys',
    ]);
    expect(could?.drivers.map(({ because }) => because)).to.satisfy(
      ([first, ...rest]: readonly (string | null)[]) =>
        first?.startsWith('its tag QxSc goes with this one, with 21,100,070 allocations') === true &&
        rest.every((reason) => reason === null),
    );
    expect(could?.drivers.find(({ module }) => module === 'orbitav.sys')?.company).to.equal('Example Devices');
    expect(could?.unreadCount).to.equal(0);
    expect(verdict.culprit?.module ?? null, 'accused').to.equal(null);
  });
});
