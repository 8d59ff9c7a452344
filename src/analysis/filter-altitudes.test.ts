import { expect } from 'chai';
import { Failure } from '../../parsers/bytes/failure.js';
import type { SymbolSources } from '../../symbols/sources.js';
import type { VirtualMemory } from '../../parsers/paging/virtual-memory.js';
import type { AnalysisResult } from '../result/result.js';
import { addAltitudes } from './filter-altitudes.js';

describe('altitudes of filters', () => {
  it('stay unknown where no PDB is found, or it has no types', async () => {
    const filter = { base: '0x1000', roles: ['file-system-filter'], altitude: null, instances: null };
    const result = {
      suspects: [{ candidates: { drivers: [filter] } }, {}],
      modules: [{ name: 'FLTMGR.SYS', base: '0xfffff80000010000', pdb: { name: 'fltMgr.pdb' } }],
    } as unknown as AnalysisResult;
    const asked: string[] = [];
    const sources = (pdb: unknown): SymbolSources =>
      ({
        pdb: ({ name }: { name: string }) => {
          asked.push(name);
          return Promise.resolve(pdb);
        },
      }) as unknown as SymbolSources;
    const memory = {} as VirtualMemory;
    await addAltitudes(result, memory, sources(new Failure('not-found', 'none')));
    await addAltitudes(result, memory, sources({ layout: () => null, symbols: () => new Map() }));
    expect(asked).to.deep.equal(['fltMgr.pdb', 'fltMgr.pdb']);
    expect([filter.altitude, filter.instances]).to.deep.equal([null, null]);
    await addAltitudes({ ...result, suspects: [] }, memory, sources(null));
    expect(asked).to.have.length(2);
  });
});
