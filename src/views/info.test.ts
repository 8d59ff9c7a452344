import { expect } from 'chai';
import type { AnalysisResult, DumpInfo } from '../result/result.js';
import { goldenBeside } from './golden.test.helper.js';
import { renderInfo } from './info.js';
import { bareResult } from './results.test.helper.js';
import { leakResult, triageResult } from './samples.test.helper.js';

const expectGolden = goldenBeside(import.meta.url);

describe('the report of info', () => {
  const overview = (result: AnalysisResult) => ({
    dump: result.dump,
    system: result.system,
    warnings: result.warnings,
  });

  it('says what a dump is and what it can tell', () => {
    const canAnalyze = { modules: true, memory: true, poolTags: true, tagSearch: true };
    expectGolden('info-full.txt', renderInfo({ ...overview(leakResult()), canAnalyze }));
  });

  it('says what a small dump cannot tell', () => {
    const canAnalyze = { modules: true, memory: false, poolTags: false, tagSearch: false };
    const counts = { drivers: 151, unloadedDrivers: 0, dataBlocks: 12 };
    expectGolden('info-triage.txt', renderInfo({ ...overview(triageResult()), canAnalyze, ...counts }, { width: 80 }));
  });

  it('says of a dump header alone that it holds no memory', () => {
    const canAnalyze = { modules: false, memory: false, poolTags: false, tagSearch: false };
    const dump = bareResult({ type: 'header', pagesPresent: null, physicalPages: 262144 });
    expect(renderInfo({ ...overview(dump), canAnalyze, drivers: null })).to.match(
      /^ {2}Holds +no memory; the machine had 262,144 pages of it$/m,
    );
  });

  it('names every kind of dump', () => {
    const kinds = [
      'full',
      'kernel',
      'bitmap-full',
      'bitmap-kernel',
      'automatic',
      'triage',
      'header',
      'rdmp-kernel',
      'rdmp-kernel-user',
      'rdmp-full',
    ] as const;
    const canAnalyze = { modules: false, memory: false, poolTags: false, tagSearch: false };
    const names = kinds.map((type: DumpInfo['type']) => {
      const info = renderInfo({ ...overview(bareResult({ type })), canAnalyze, drivers: null });
      return /^ {2}Kind +(.*), PAGEDU64$/m.exec(info)?.[1];
    });
    expect(new Set(names).size).to.equal(kinds.length);
    expect(names).to.not.include(undefined);
  });
});
