import { expect } from 'chai';
import { existsSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { buildDump } from '../../test-dumps/build-dump.js';
import { SCENARIOS } from '../../test-dumps/scenarios.js';
import type { AnyCommand } from './command.js';
import { command as diff } from './commands/diff.js';
import { command as poolmon } from './commands/pool/poolmon.js';
import { command as trend } from './commands/trend.js';
import { milliseconds, TIME_OPTIONS } from './options/growth-inputs.js';
import { Output, type Host } from './terminal/output.js';
import { temporaryFolder } from './program.test.helper.js';

describe('command line: growth', () => {
  const folder = temporaryFolder();

  /** Runs a command as the parser would, with what it writes to stdout. */
  async function run(command: AnyCommand, args: Record<string, unknown>): Promise<{ code: number; stdout: string }> {
    let stdout = '';
    const stream = {
      write(text: string, done?: () => void): boolean {
        stdout += text;
        done?.();
        return true;
      },
    };
    const host: Host = { env: { LANG: 'C.UTF-8' }, platform: process.platform, stdout: stream, stderr: stream };
    const code = await command.run(args, new Output(host, args), host);
    return { code, stdout };
  }

  const log = (i: number): string =>
    ` Tag  Type     Allocs         Frees    Diff   Bytes    Per Alloc\r\n Leak Nonp ${1000 + i} 5 ${995 + i} ${(995 + i) * 1_000_000} 1\r\n`;

  before(() => {
    mkdirSync(folder.path('logs'));
    for (let i = 1; i <= 12; i++) {
      const file = folder.path(`logs/log-${i}.txt`);
      writeFileSync(file, log(i));
      utimesSync(file, 1_790_000_000 + i * 900, 1_790_000_000 + i * 900);
    }
    buildDump(SCENARIOS.notmyfault()).writeTo(folder.path('leak.dmp'));
    buildDump({ kind: 'triage' }).writeTo(folder.path('mini.dmp'));
  });

  it('trend reads a folder or a pattern, and writes text, JSON, CSV and SVG', async () => {
    const [csv, svg] = [folder.path('out.csv'), folder.path('out.svg')];
    const text = await run(trend, { inputs: [folder.path('logs')], csv, svg });
    expect(text).to.include({ code: 0 });
    expect(text.stdout).to.include('LEAK  Tag Leak in nonpaged pool grows 3.8 MB an hour');
    expect(readFileSync(csv, 'utf8').split('\r\n')).to.have.length(14);
    expect(readFileSync(svg, 'utf8')).to.match(/^<svg /);
    const json = await run(trend, {
      inputs: [folder.path('logs/log-?.txt'), folder.path('logs/log-1?.txt')],
      json: true,
    });
    expect(JSON.parse(json.stdout)).to.deep.include({ samples: 12, reboots: 0 });
  });

  it('trend takes times, tags and a failing exit code', async () => {
    const inputs = [folder.path('logs')];
    const hourly = await run(trend, { inputs, tag: ['Le?k'], json: true, cycle: 3_600_000 });
    const [leak] = (JSON.parse(hourly.stdout) as { series: { perHour: number }[] }).series;
    expect(leak!.perHour).to.equal(4_000_000);
    expect((await run(trend, { inputs, tag: ['None'] })).stdout).to.include('NO LEAK');
    expect(await run(trend, { inputs, 'fail-on-leak': true })).to.include({ code: 1 });
  });

  it('refuses what makes no sense, and would not overwrite what it reads', async () => {
    const refused = async (command: AnyCommand, args: Record<string, unknown>): Promise<string> => {
      try {
        await run(command, args);
      } catch (error) {
        return `${(error as Error).name}: ${(error as Error).message}`;
      }
      return 'nothing';
    };
    expect(await refused(trend, { inputs: [] })).to.match(/^UsageError: trend wants/);
    const one = folder.path('logs/log-1.txt');
    expect(await refused(trend, { inputs: [one], csv: one })).to.match(/^UsageError: .*would be overwritten/);
    expect(await refused(trend, { inputs: [folder.path('no*')] })).to.match(/^InputError: .*no file has such a name/);
    expect(await refused(diff, { before: folder.path('logs/log-1*.txt'), after: one })).to.match(
      /^UsageError: diff compares two/,
    );
    expect(await refused(poolmon, {})).to.match(/^UsageError: poolmon wants a dump/);
    expect(await refused(poolmon, { dump: 'x', 'collect-script': true })).to.match(/^UsageError/);
    expect(await refused(poolmon, { dump: folder.path('mini.dmp') })).to.match(
      /^InputError: .*holds no pool tag table/,
    );
  });

  it('poolmon writes a log that trend and diff read', async () => {
    const snapshot = folder.path('snap.log');
    await run(poolmon, { dump: folder.path('leak.dmp'), output: snapshot });
    expect(readFileSync(snapshot, 'utf8'))
      .to.match(/^ Memory: 1615416K Avail:/)
      .and.match(/\n Leak Nonp +\d+ +\d+ +601 +615424000 /);
    const { stdout } = await run(diff, { before: folder.path('leak.dmp'), after: snapshot, json: true });
    expect(JSON.parse(stdout)).to.deep.include({ tags: [], restarted: false });
    const text = await run(diff, { before: folder.path('logs/log-1.txt'), after: folder.path('logs/log-2.txt') });
    expect(text.stdout).to.match(/Leak {2}nonpaged +\+976\.6 KB/);
  });

  it('poolmon writes the script that collects logs', async () => {
    const file = folder.path('collect.cmd');
    await run(poolmon, { 'collect-script': true, output: file });
    expect(existsSync(file)).to.equal(true);
    expect(readFileSync(file, 'latin1')).to.match(/^@echo off\r\n/);
  });

  it('reads times and offsets as people write them', () => {
    const read = milliseconds('--interval');
    expect(['15m', '15', '30s', '1.5h', '1d', '2 h', '5min'].map(read)).to.deep.equal([
      900_000, 900_000, 30_000, 5_400_000, 86_400_000, 7_200_000, 300_000,
    ]); // prettier-ignore
    for (const text of ['', '0m', '-5m', '5 weeks', '1e9d', 'm', '15 m x'])
      expect(() => read(text), text).to.throw('--interval wants a time');
    const { coerce } = TIME_OPTIONS['utc-offset'];
    expect(['+02:00', '-0530', '-5', 'Z', '1'].map(coerce)).to.deep.equal([120, -330, -300, 0, 60]);
    for (const text of ['x', '+25:00', '+2:3']) expect(() => coerce(text), text).to.throw('--utc-offset wants');
  });
});
