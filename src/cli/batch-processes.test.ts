/** Dumps whose leak is put down to a process: their groups, and what the history finds by it. */

import { expect } from 'chai';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildDump } from '../../test-dumps/build-dump.js';
import { OBJECT_SCENARIOS } from '../../test-dumps/objects/scenarios.js';
import { runHere } from './program.test.helper.js';

describe('a batch of dumps with a process behind the leak', function () {
  this.timeout(60_000);
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'dumpleak-holders-'));
  });
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('groups them by tag and program, shows holders on their pages, and finds them by the process', async () => {
    const dumps = [
      { name: 'one.dmp', scenario: OBJECT_SCENARIOS.zombies(1100) },
      { name: 'two.dmp', scenario: { ...OBJECT_SCENARIOS.zombies(1300), seed: 999 } },
      { name: 'three.dmp', scenario: OBJECT_SCENARIOS.deadTokens(1100) },
    ];
    for (const { name, scenario } of dumps) buildDump({ ...scenario, modules: [] }).writeTo(join(folder, name));
    const out = join(folder, 'report');
    const batch = await runHere(['batch', folder, '--out', out, '--quiet', '--jobs', '1']);
    expect(batch.stdout).to.match(/Proc {2}nonpaged, held by watchman\.exe: 2 dumps/);
    expect(batch.stdout).to.match(/Proc {2}nonpaged, held by jobrunner\.exe: 1 dump /);
    const list = await runHere(['history', 'list', out, '--process', 'WATCH*', '--json']);
    const found = JSON.parse(list.stdout) as { process: string; tag: string }[];
    expect(found.map(({ process, tag }) => [process, tag])).to.deep.equal([
      ['watchman.exe', 'Proc'],
      ['watchman.exe', 'Proc'],
    ]);
    const groups = await runHere(['history', 'groups', out, '--json']);
    const named = (JSON.parse(groups.stdout) as { process: string; dumps: number }[]).map((one) => [
      one.process,
      one.dumps,
    ]);
    expect(named).to.deep.equal([
      ['watchman.exe', 2],
      ['jobrunner.exe', 1],
    ]);
    const search = await runHere(['history', 'search', out, 'jobrunner']);
    expect(search.stdout).to.include('jobrunner.exe');
  });
});
