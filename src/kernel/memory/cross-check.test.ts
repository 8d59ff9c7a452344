/** Memory figures that contradict each other are told, the better witness is used, and none measures a pool. */

import { expect } from 'chai';
import { buildDump, type Scenario } from '../../../test-dumps/build-dump.js';
import type { MemorySpec } from '../../../test-dumps/scenario.js';
import { SCENARIOS } from '../../../test-dumps/scenarios.js';
import { analyze } from '../../analysis/analyze.js';
import type { AnalysisResult } from '../../result/result.js';
import { openBuilt } from '../../analysis/whole-dumps/truth.test.helper.js';
import { readMemory } from './memory.js';

const TB8 = 2 ** 31;
const little = (pages: number): string => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(pages));
  return bytes.toString('hex');
};
const leak = (figures: MemorySpec['figures'], header: Scenario['header'] = {}): Scenario => {
  const scenario = SCENARIOS.modernLeak();
  return { ...scenario, header, memory: { ...scenario.memory, figures: { ...figures } } };
};
const read = (scenario: Scenario): { result: AnalysisResult; told: string[] } => {
  const result = analyze(openBuilt(buildDump(scenario)));
  return {
    result,
    told: result.warnings.filter(({ code }) => code === 'figures-contradict').map(({ message }) => message),
  };
};
const RAM = Number(buildDump(leak({})).truth.memory.physicalMemory);

describe('memory figures that contradict each other', function () {
  this.timeout(30_000);

  it('are not told of in any scenario that has none', () => {
    for (const make of Object.values(SCENARIOS)) {
      const { warnings } = readMemory(openBuilt(buildDump(make())).kernel);
      expect(warnings.filter(({ code }) => code === 'figures-contradict')).to.deep.equal([]);
    }
  });

  it('8 TB of physical memory by the kernel: the header is believed, whose count and runs agree', () => {
    const { result, told } = read(leak({ physicalMemory: TB8 }));
    expect(told).to.deep.equal([
      `the kernel counts ${TB8} pages of physical memory, the dump header ${RAM}, its runs hold ${RAM}: ${RAM} is used`,
    ]);
    expect(result.memory?.physicalMemory).to.deep.equal({ pages: RAM, source: 'header' });
    expect(result.suspects[0]).to.include({ tag: 'AcNb', confidence: 'high' });
  });

  it('8 TB by the count of the header: the kernel is believed, and the runs', () => {
    const { result, told } = read(leak({}, { patches: { 0x90: little(TB8) } }));
    expect(told[0]).to.match(new RegExp(`the dump header ${TB8}.*: ${RAM} is used$`));
    expect(result.memory?.physicalMemory).to.include({ pages: RAM, source: 'profile' });
  });

  it('each another amount: none is used', () => {
    const { result, told } = read(leak({ physicalMemory: TB8 }, { patches: { 0x90: little(2 ** 35) } }));
    expect(told[0]).to.match(/none of them is used$/);
    expect(result.memory?.physicalMemory).to.equal(null);
    expect(result.memory?.flags.map(({ basis }) => basis)).not.to.include('physical memory');
  });

  it('a commit limit of 0, or of less than the memory: it is left out, and limits nothing', () => {
    for (const commitLimit of [0, 1000, RAM / 4]) {
      const { result, told } = read(leak({ commitLimit }));
      expect(told).to.have.length(1);
      expect(told[0]).to.include(`commitLimit reads ${commitLimit} pages, but`).and.to.include('left out');
      expect(result.memory?.commitLimit).to.equal(null);
      const flags = result.memory?.flags ?? [];
      expect(flags.map(({ code }) => code)).not.to.include.members(['implausible-commit', 'implausible-paged-pool']);
      expect(flags.map(({ basis }) => basis)).not.to.include('commit limit');
    }
  });

  it('committed memory alone past its limit is that counter, as its peak tells', () => {
    const { result, told } = read(leak({ committedPages: 2 ** 33, peakCommitment: 4_000_000 }));
    expect(told).to.deep.equal([]);
    expect(result.memory?.commitLimit).not.to.equal(null);
    expect(result.memory?.flags.map(({ code }) => code)).to.include('implausible-commit');
  });
});
