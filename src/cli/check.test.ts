import { expect } from 'chai';
import { readFileSync, writeFileSync } from 'node:fs';
import { buildDump } from '../../test-dumps/build-dump.js';
import { SCENARIOS } from '../../test-dumps/scenarios.js';
import { runHere, temporaryFolder } from './program.test.helper.js';

interface Excess {
  what: string;
  tag: string | null;
  pool: string | null;
  bytes: number;
  baselineBytes: number | null;
  allowedBytes: number;
  driver: string | null;
  confidence: string | null;
}
interface Report {
  outcome: string;
  baseline: { file: string; dumps: number } | null;
  dumps: { outcome: string; reason: { code: string } | null; tagsCompared: number; excesses: Excess[]; notes: { code: string }[] }[];
} // prettier-ignore

const LEAKED = 615_424_000;

describe('dumpleak check', () => {
  const folder = temporaryFolder();
  const path = (name: string): string => folder.path(name);
  const json = async (...args: string[]): Promise<Report> =>
    JSON.parse((await runHere(['check', ...args, '--json'])).stdout) as Report;

  before(async () => {
    const scenario = SCENARIOS.notmyfault();
    buildDump(scenario).writeTo(path('leak.dmp'));
    const good = SCENARIOS.notmyfault();
    // The same machine, before Leak leaked.
    for (const row of good.pool?.rows ?? []) {
      if (row.tag === 'Leak') row.nonPaged = { allocs: 2, frees: 0, bytes: 2_048_000 };
    }
    buildDump(good).writeTo(path('good.dmp'));
    buildDump({ kind: 'triage' }).writeTo(path('mini.dmp'));
    buildDump(SCENARIOS.idleWorkstation()).writeTo(path('other.dmp'));
    const written = await runHere(['check', path('good.dmp'), '--baseline', path('pool.json'), '--write-baseline']);
    expect(written).to.include({ code: 0, stderr: '' });
    expect(written.stdout).to.match(/pool\.json: \d+ entries of tags with \d+\.\d MB, (?:1 driver|\d drivers)\n/);
  });

  it('writes a baseline of what each tag holds, the same bytes each time, a line a tag', async () => {
    const text = readFileSync(path('pool.json'), 'utf8');
    expect(text).to.match(
      /^ {4}\{"tag":"Leak","hex":"0x6b61654c","pool":"nonpaged","bytes":2048000,"outstanding":2\},?$/m,
    );
    await runHere(['check', path('good.dmp'), '--baseline', path('again.json'), '--write-baseline']);
    expect(readFileSync(path('again.json'), 'utf8')).to.equal(text);
    await runHere(['check', path('good.dmp'), path('leak.dmp'), '--baseline', path('both.json'), '--write-baseline']);
    const both = JSON.parse(readFileSync(path('both.json'), 'utf8')) as {
      dumps: number;
      tags: { tag: string; bytes: number }[];
      drivers: unknown[];
    };
    expect(both.dumps).to.equal(2);
    expect(both.tags.find(({ tag }) => tag === 'Leak')?.bytes).to.equal(LEAKED);
    expect(both.drivers).to.deep.equal([{ module: 'myfault.sys', bytes: LEAKED }]);
  });

  it('passes the run that the baseline is of', async () => {
    const { code, stdout } = await runHere(['check', path('good.dmp'), '--baseline', path('pool.json')]);
    expect(code).to.equal(0);
    expect(stdout)
      .to.match(/^Check passed\n/)
      .and.match(/good\.dmp\n {2}passed, \d+ tags compared\n$/);
  });

  it('fails with exit code 1 when a tag and its driver hold more, and names both with their figures', async () => {
    const { code, stdout } = await runHere(['check', path('leak.dmp'), '--baseline', path('pool.json')]);
    expect(code).to.equal(1);
    expect(stdout).to.match(/^Check failed\n/);
    expect(stdout.replace(/\s+/g, ' '))
      .to.include('tag Leak, nonpaged pool, holds 586.9 MB; baseline 2.0 MB, allowed 3.0 MB; allocated by myfault.sys (confidence high)')
      .and.include('myfault.sys, all its tags together, holds 586.9 MB'); // prettier-ignore
    const { outcome, baseline, dumps } = await json(path('leak.dmp'), '--baseline', path('pool.json'));
    expect({ outcome, dumps: baseline?.dumps }).to.deep.equal({ outcome: 'failed', dumps: 1 });
    expect(dumps[0]!.excesses).to.deep.equal([
      { what: 'tag', tag: 'Leak', key: '0x6b61654c', pool: 'nonpaged', bytes: LEAKED, baselineBytes: 2_048_000, allowedBytes: 2_048_000 + 2 ** 20, driver: 'myfault.sys', confidence: 'high' },
      { what: 'driver', tag: null, key: null, pool: null, bytes: LEAKED, baselineBytes: 2_048_000, allowedBytes: 2_048_000 + 2 ** 20, driver: 'myfault.sys', confidence: 'high' },
    ]); // prettier-ignore
  });

  it('lets grow by --max-growth percent or --min-growth bytes, whichever is more', async () => {
    const outcome = async (...more: string[]): Promise<string> =>
      (await json(path('leak.dmp'), '--baseline', path('pool.json'), ...more)).outcome;
    const growth = ((LEAKED - 2_048_000) / 2_048_000) * 100;
    expect(await outcome('--max-growth', `${Math.ceil(growth)}%`)).to.equal('passed');
    expect(await outcome('--max-growth', String(Math.floor(growth) - 1))).to.equal('failed');
    expect(await outcome('--min-growth', String(LEAKED - 2_048_000))).to.equal('passed');
    expect(await outcome('--min-growth', String(LEAKED - 2_048_001))).to.equal('failed');
    expect(await outcome('--min-growth', '1GB')).to.equal('passed');
  });

  it('takes a limit in place of the baseline, and alone; a small excess has its driver named, too', async () => {
    expect((await json(path('leak.dmp'), '--baseline', path('pool.json'), '--tag', 'Leak=1GB')).outcome).to.equal('passed'); // prettier-ignore
    expect((await json(path('leak.dmp'), '--tag', `Leak=${LEAKED}`)).outcome).to.equal('passed');
    const { outcome, baseline, dumps } = await json(path('good.dmp'), '--tag', 'Leak=1MB', '--tag', '0x6c6f6f50=1GB');
    expect({ outcome, baseline }).to.deep.equal({ outcome: 'failed', baseline: null });
    expect(dumps[0]!.excesses).to.have.length(1);
    // 2 MB is no suspect by itself.
    expect(dumps[0]!.excesses[0]).to.include({ what: 'limit', bytes: 2_048_000, allowedBytes: 2 ** 20, driver: 'myfault.sys' }); // prettier-ignore
  });

  it('does not take what it cannot compare for passed: exit code 2', async () => {
    const mini = await runHere(['check', path('mini.dmp'), path('good.dmp'), '--baseline', path('pool.json')]);
    expect(mini.code).to.equal(2);
    expect(mini.stdout)
      .to.match(/^Check not decided\n/)
      .and.match(/cannot tell: /)
      .and.match(/passed, \d+ tags/);
    const none = await json(path('none.dmp'), '--baseline', path('pool.json'));
    expect(none.outcome).to.equal('unreadable');
    expect(none.dumps[0]!.reason!.code).to.equal('not-found');
    expect((await runHere(['check', path('none.dmp'), path('leak.dmp'), '--tag', 'Leak=1MB'])).code).to.equal(1);
    const refused = await runHere(['check', path('mini.dmp'), '--baseline', path('no.json'), '--write-baseline']);
    expect(refused.code).to.equal(2);
    expect(refused.stderr).to.match(/mini\.dmp makes no baseline: /);
  });

  it('says that a baseline is of another Windows', async () => {
    const { dumps } = await json(path('other.dmp'), '--baseline', path('pool.json'));
    expect(dumps[0]!.notes.map(({ code }) => code)).to.deep.equal(['other-build']);
  });

  it('refuses files that are no baseline, and command lines that make no sense', async () => {
    for (const [text, said] of [
      ['{', /is no JSON/],
      ['{"tags":[]}', /is no baseline/],
      ['{"baselineVersion":7}', /version 7; this dumpleak reads 1/],
      ['{"baselineVersion":1,"tags":[{"tag":"A","hex":"x"}],"drivers":[],"buildNumber":1,"architecture":null}', /entry 1 of tags/],
      ['{"baselineVersion":1,"tags":[],"drivers":[{"module":"a","bytes":-1}],"buildNumber":1,"architecture":null}', /entry 1 of drivers/],
    ] as const) {
      writeFileSync(path('bad.json'), text);
      const { code, stderr } = await runHere(['check', path('good.dmp'), '--baseline', path('bad.json')]);
      expect(code, stderr).to.equal(2);
      expect(stderr).to.match(said);
    } // prettier-ignore
    const missing = await runHere(['check', path('good.dmp'), '--baseline', path('missing.json')]);
    expect(missing.code).to.equal(2);
    const usage = async (...args: string[]): Promise<string> => {
      const { code, stderr } = await runHere(['check', ...args]);
      expect(code, stderr).to.equal(64);
      return stderr;
    };
    expect(await usage()).to.include('name the dumps');
    expect(await usage(path('good.dmp'))).to.include('--baseline FILE, or with --tag');
    expect(await usage(path('good.dmp'), '--tag', 'Leak')).to.include('as Leak=10MB');
    expect(await usage(path('good.dmp'), '--tag', 'Leak=1MB', '--max-growth', 'much')).to.include('such as 20%');
    expect(await usage(path('good.dmp'), '--tag', 'Leak=1MB', '--junit', path('good.dmp'))).to.include('overwritten');
    expect(await usage(path('good.dmp'), '--tag', 'Leak=1MB', '--json', '--github')).to.include('--output');
  });

  it('writes JUnit XML and annotations', async () => {
    const { code, stdout } = await runHere([
      ...['check', path('leak.dmp'), path('mini.dmp'), '--baseline', path('pool.json'), '--tag', 'Pool=1'],
      ...['--junit', path('pool.xml'), '--github', '-o', path('text.txt')],
    ]);
    expect(code).to.equal(1);
    const lines = stdout.trimEnd().split('\n');
    expect(lines).to.have.length(4);
    for (const line of lines) expect(line).to.match(/^::error title=dumpleak%3A [^:]*(?:%3A[^:]*)?::\S/);
    const xml = readFileSync(path('pool.xml'), 'utf8');
    expect(xml).to.match(/<testsuites name="dumpleak check" tests="6" failures="3" errors="3">/);
    expect(xml.match(/<testcase /g)).to.have.length(6);
    expect(xml).to.include('name="tag Pool holds at most 1 byte"');
    expect(readFileSync(path('text.txt'), 'utf8')).to.match(/^Check failed/);
  });
});
