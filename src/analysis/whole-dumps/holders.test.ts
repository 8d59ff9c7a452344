/**
 * Who holds it, on built machines of several generations: the verdict names the process that the scenario is about, or
 * nobody, and the same without symbols as with the profile or the PDB of the kernel.
 */

import { expect } from 'chai';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SymbolSources } from '../../../symbols/sources.js';
import { parseSymbolPath } from '../../../symbols/store/symbol-path.js';
import { buildDump, type BuiltDump } from '../../../test-dumps/build-dump.js';
import { kernelFacts } from '../../../test-dumps/kernel-facts.js';
import { objectKernel } from '../../../test-dumps/objects/facts.js';
import {
  CULPRIT_PID,
  OBJECT_MACHINES,
  OBJECT_SCENARIOS,
  onMachine,
  type ObjectScenarioName,
} from '../../../test-dumps/objects/scenarios.js';
import { kernelPdb } from '../../../test-dumps/pdb/kernel-pdb.js';
import { OpenedDump } from '../../kernel/open/opened-dump.js';
import { analyze } from '../analyze.js';
import type { AnalysisResult, Culprit } from '../../result/result.js';
import { openBuilt } from './truth.test.helper.js';

interface Expected {
  count: number;
  kind: Culprit['kind'];
  process: { pid: number; image: string } | null;
  tag: string | null;
  says: RegExp;
}

const culprit = (image: string) => ({ pid: CULPRIT_PID, image });
const CASES: Partial<Record<ObjectScenarioName, Expected>> = {
  zombies: {
    ...{ count: 1200, kind: 'process', process: culprit('watchman.exe'), tag: 'Proc' },
    says: /tag Proc: 1,203 ended processes \(cmd\.exe\), kept by handles of watchman\.exe \(pid 4324\)$/,
  },
  eventLeak: {
    ...{ count: 41_000, kind: 'process', process: culprit('svcleak.exe'), tag: 'Even' },
    says: /Event objects, held by handles of svcleak\.exe \(pid 4324\)$/,
  },
  systemFiles: {
    ...{ count: 41_000, kind: 'process', process: { pid: 4, image: 'System' }, tag: 'File' },
    says: /File objects, held by handles of System \(pid 4\)/,
  },
  tokenReferences: {
    ...{ count: 21_000, kind: 'kernel-references', process: null, tag: 'Toke' },
    says: /Token objects, kept by references .* no process has a handle to them$/,
  },
  deadTokens: {
    ...{ count: 1200, kind: 'process', process: culprit('jobrunner.exe'), tag: 'Proc' },
    says: /1,200 ended processes \(powershell\.exe\), kept by handles of jobrunner\.exe/,
  },
  zombieThreads: {
    ...{ count: 5500, kind: 'process', process: culprit('taskpool.exe'), tag: 'Thre' },
    says: /5,5\d\d ended threads, kept by handles of taskpool\.exe/,
  },
  zombieReferences: {
    ...{ count: 1200, kind: 'kernel-references', process: null, tag: 'Proc' },
    says: /1,200 ended processes \(agent\.exe\), kept by references .* no process has a handle/,
  },
  healthyBusy: {
    ...{ count: 90_000, kind: 'none', process: null, tag: null },
    says: /^No pool leak seen in this snapshot$/,
  },
};

function verdictOn(name: ObjectScenarioName, count: number, machine: string): AnalysisResult {
  const scenario = onMachine(OBJECT_SCENARIOS[name](count), machine);
  // Few modules will do: what drivers hold is tested elsewhere.
  delete scenario.modules;
  return analyze(openBuilt(buildDump(scenario)));
}

/** With nothing but the kernel's PDB, from a store. */
async function analyzeWithPdb(built: BuiltDump, version: string): Promise<AnalysisResult> {
  const folder = mkdtempSync(join(tmpdir(), 'dumpleak-holders-'));
  try {
    const kernel = objectKernel(kernelFacts(version));
    const { guid, age } = kernel.pdb;
    const place = join(folder, 'store', 'ntkrnlmp.pdb', `${guid}${age.toString(16).toUpperCase()}`);
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, 'ntkrnlmp.pdb'), kernelPdb(kernel));
    const path = parseSymbolPath([`srv*${join(folder, 'store')}`], {}, { defaultCache: join(folder, 'cache') });
    built.writeTo(join(folder, 'one.dmp'));
    const symbols = new SymbolSources({ path, env: {}, profiles: [] });
    const opened = await OpenedDump.open(join(folder, 'one.dmp'), { hideProfiles: true, symbols });
    try {
      return analyze(opened);
    } finally {
      opened.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe('who holds what leaks', function () {
  this.timeout(60_000);

  const MACHINES = ['x64-7601', 'x64-19041', 'x86-9200'];
  for (const [name, expected] of Object.entries(CASES)) {
    const few = expected.count <= 5500 ? [...MACHINES, 'x64-26100', 'arm64-26100', 'x64-la57'] : MACHINES;
    for (const machine of few) {
      it(`${name} on ${machine}`, () => {
        const { verdict, suspects, processes } = verdictOn(name as ObjectScenarioName, expected.count, machine);
        expect(verdict.headline).to.match(expected.says);
        expect(verdict.culprit?.kind).to.equal(expected.kind);
        expect(verdict.culprit?.process).to.deep.equal(expected.process);
        expect(suspects.map(({ tag }) => tag)).to.deep.equal(expected.tag === null ? [] : [expected.tag]);
        expect(processes?.complete).to.equal(true);
        expect(processes?.rows.length).to.equal(processes?.live);
      });
    }
  }

  for (const machine of ['x64-7601', 'x64-19041', 'x64-26100']) {
    it(`is the same with the PDB, the profile and without symbols on ${machine}`, async () => {
      const built = buildDump({ ...onMachine(OBJECT_SCENARIOS.zombies(1200), machine), modules: [] });
      const [own, without] = [{}, { hideProfiles: true }].map((options) => analyze(openBuilt(built, options)));
      const byPdb = await analyzeWithPdb(built, OBJECT_MACHINES[machine]?.kernel ?? '');
      expect(byPdb.system?.symbols?.source).to.equal('pdb');
      for (const result of [without, byPdb]) {
        expect(result?.verdict.headline).to.equal(own?.verdict.headline);
        expect(result?.verdict.culprit).to.deep.equal(own?.verdict.culprit);
        expect(result?.suspects[0]?.holders).to.deep.equal(own?.suspects[0]?.holders);
      }
    });
  }

  it('tells the loss on a damaged machine, and names the process with less confidence', () => {
    const result = verdictOn('damagedObjects', 3000, 'x64-19041');
    const codes = result.warnings.map(({ code }) => code);
    expect(codes).to.include.members(['process-list-broken', 'object-cookie-contradicted', 'handle-pages-missing']);
    expect(result.verdict.culprit).to.deep.include({ kind: 'process', confidence: 'medium' });
    expect(result.verdict.culprit?.because.join()).to.include('Not all handle tables could be read');
    expect(result.suspects[0]?.holders).to.deep.include({ complete: false, withoutHandle: null });
  });

  it('names nobody where most of the handles cannot be read', () => {
    const scenario = onMachine(OBJECT_SCENARIOS.zombies(3000), 'x64-19041');
    const leaves = [1, 2, 3, 4, 5, 6, 7, 8];
    delete scenario.modules;
    const damage = { absentLeaves: [{ pid: CULPRIT_PID, leaves }] };
    const { verdict } = analyze(openBuilt(buildDump({ ...scenario, objects: { ...scenario.objects, damage } })));
    expect(verdict.culprit).to.deep.include({ kind: 'unknown', process: null });
    expect(verdict.headline).to.include('3,003 ended processes').and.include('not all handles could be read');
  });
});
