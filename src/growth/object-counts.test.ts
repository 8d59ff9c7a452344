/** Dumps of one machine compared by the handles of its processes and by its objects. */

import { expect } from 'chai';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildDump } from '../../test-dumps/build-dump.js';
import { CULPRIT_PID, OBJECT_SCENARIOS } from '../../test-dumps/objects/scenarios.js';
import { readDifference } from './diff.js';
import { readTrend } from './trend.js';

describe('growth of handles and objects', function () {
  this.timeout(60_000);
  let folder = '';
  const HOUR = 36_000_000_000n;
  const START = 133_000_000_000_000_000n;
  const paths: string[] = [];

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'dumpleak-counts-'));
    for (let i = 0; i < 10; i++) {
      const scenario = OBJECT_SCENARIOS.eventLeak(400 + i * 150);
      const header = { ...scenario.header, systemTime: START + BigInt(i) * HOUR, systemUpTime: BigInt(i + 20) * HOUR };
      const path = join(folder, `${i}.dmp`);
      buildDump({ ...scenario, header, modules: [] }).writeTo(path);
      paths.push(path);
    }
  });
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('shows in a difference which process has more handles, and of which type', async () => {
    const { counts } = await readDifference(paths[0] ?? '', paths[9] ?? '');
    const process = `svcleak.exe (${CULPRIT_PID})`;
    const events = counts.find(({ what }) => what === `${process} Event handles`);
    expect(events?.change).to.equal(9 * 150);
    expect(counts.find(({ what }) => what === 'Objects\\Event')?.change).to.be.closeTo(9 * 150, 60);
    expect(counts[0]?.change).to.be.at.least(9 * 150);
  });

  it('is judged over many dumps', async () => {
    const { series } = await readTrend(paths);
    const found = series.find(({ series: { name } }) => name.label === `svcleak.exe (${CULPRIT_PID}) Event handles`);
    expect(found?.series.name).to.include({ kind: 'process', unit: 'count' });
    expect(found?.verdict.judgement).to.equal('leak');
    const others = series.filter(
      ({ series: { name }, verdict }) => name.process !== null && verdict.judgement === 'leak',
    );
    for (const {
      series: { name },
    } of others)
      expect(name.process).to.equal(`svcleak.exe (${CULPRIT_PID})`);
  });

  it('reads the same of results', async () => {
    const { analyze } = await import('../analysis/analyze.js');
    const { OpenedDump } = await import('../kernel/open/opened-dump.js');
    const { renderJson } = await import('../report/json.js');
    const files: string[] = [];
    for (const i of [0, 9]) {
      const opened = await OpenedDump.open(paths[i] ?? '');
      const path = join(folder, `${i}.json`);
      writeFileSync(path, renderJson(analyze(opened)));
      opened.close();
      files.push(path);
    }
    const { counts } = await readDifference(files[0] ?? '', files[1] ?? '');
    expect(counts.find(({ what }) => what === 'Objects\\Event')?.change).to.be.closeTo(9 * 150, 60);
  });
});
