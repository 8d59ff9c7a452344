/** Ready-made machines, leaking and healthy, from bytes to verdict: who is accused, and above all who is not. */

import { expect } from 'chai';
import { buildDump, type Scenario } from '../../../test-dumps/build-dump.js';
import { SCENARIOS, type ScenarioName } from '../../../test-dumps/scenarios.js';
import { analyze } from '../analyze.js';
import type { AnalysisResult } from '../../result/result.js';
import { openBuilt } from './truth.test.helper.js';

const run = (scenario: Scenario): AnalysisResult => analyze(openBuilt(buildDump(scenario)));
const accused = (result: AnalysisResult): string[] =>
  result.suspects.flatMap((s) => s.drivers.filter((d) => d.confidence !== 'low').map((d) => `${s.tag} ${d.module}`));

describe('ready scenarios', function () {
  this.timeout(30_000);

  const guilty: Partial<Record<ScenarioName, string>> = {
    notmyfault: 'Leak myfault.sys',
    modernLeak: 'AcNb acmenet.sys',
    pagedLeak: 'QbCx quarrybk.sys',
  };
  for (const [name, who] of Object.entries(guilty) as [ScenarioName, string][]) {
    it(`${name}: ${who}, and nobody else`, () => {
      const result = run(SCENARIOS[name]());
      expect(result.verdict.leakSuspected).to.equal(true);
      expect(accused(result)).to.deep.equal([who]);
      expect(result.suspects[0]?.confidence).to.equal('high');
      expect(result.suspects[0]?.against.map((n) => n.code)).to.include('single-snapshot');
    });
  }

  const healthy: ScenarioName[] = [
    'idleWorkstation', 'fileServer', 'terminalServer', 'databaseServer', 'pteExhaustion', 'commitExhaustion', 'impossibleCounter',
  ]; // prettier-ignore
  for (const name of healthy) {
    it(`${name}: no leak is suspected`, () => {
      const result = run(SCENARIOS[name]());
      expect(result.verdict.leakSuspected).to.equal(false);
      expect(result.suspects).to.deep.equal([]);
    });
  }

  it('exhaustion of something else is named as that', () => {
    expect(run(SCENARIOS.pteExhaustion()).verdict.headline).to.match(/^Not a pool leak: system PTEs ran out/);
    expect(run(SCENARIOS.commitExhaustion()).verdict.headline).to.match(/^Not a pool leak: commit is near its limit/);
  });

  it('a tag whose driver is not in the dump is reported, its driver as not found', () => {
    const result = run(SCENARIOS.hiddenDriver());
    expect(result.suspects[0]?.drivers).to.deep.equal([]);
    expect(result.suspects[0]?.searched?.pagesMissing).to.be.greaterThan(0);
  });

  it('a shared default tag accuses nobody', () => {
    const result = run(SCENARIOS.sharedTag());
    expect(result.suspects[0]?.tag).to.equal('Ddk ');
    expect(result.suspects[0]?.drivers.length).to.be.greaterThan(1);
    expect(accused(result)).to.deep.equal([]);
  });

  it('Driver Verifier is a warning that names its drivers, and speaks against a leak', () => {
    const result = run(SCENARIOS.verifierOn());
    const warning = result.warnings.find((w) => w.code === 'verifier-active');
    expect(warning?.message).to.include('vantagemon.sys');
    expect(accused(result)).to.deep.equal([]);
  });

  it('bug checks 0xC4 with 0x62 and 0xD8 name the driver that they were raised for', () => {
    for (const [bugCheckCode, bugCheckParameters] of [
      [0xc4, [0x62n, 0n, 0n, 12n]],
      [0xd8, [0n, 0x1000n, 0x2000n, 0x4000n]],
    ] as const) {
      const position = bugCheckCode === 0xc4 ? 2 : 1;
      const result = run({
        ...SCENARIOS.modernLeak(),
        header: {
          bugCheckCode,
          bugCheckParameters: [...bugCheckParameters] as [bigint, bigint, bigint, bigint],
          bugCheckDriver: { parameter: position, name: 'vantagemon.sys' },
        },
      });
      const evidence = result.suspects.flatMap((s) => s.drivers).find((d) => d.module === 'vantagemon.sys');
      expect(evidence?.evidence[0]?.kind, bugCheckCode.toString(16)).to.equal('bugcheck');
    }
  });

  it('two runs over the same dump give the same result, but for the run itself', () => {
    const dump = buildDump(SCENARIOS.modernLeak());
    const [a, b] = [analyze(openBuilt(dump)), analyze(openBuilt(dump))];
    expect(JSON.stringify({ ...a, run: null })).to.equal(JSON.stringify({ ...b, run: null }));
  });
});
