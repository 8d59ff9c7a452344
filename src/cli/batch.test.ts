import { expect } from 'chai';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { buildDump } from '../../test-dumps/build-dump.js';
import { holdFile } from '../../test-dumps/held-file.test.helper.js';
import { makeShare } from '../../test-dumps/share.js';
import type { AnalysisResult } from '../result/result.js';
import { ended, program, runHere, start, temporaryFolder } from './program.test.helper.js';

/** A machine small enough that a batch of it takes no time. */
const tiny = (change: object) =>
  buildDump({
    kind: 'bitmap-kernel',
    kernel: '10.0.19041.804',
    memory: { bytes: 48 * 2 ** 20 },
    modules: [{ name: 'acmenet.sys', size: 0x9000, version: { fileVersion: '4.2.0.17' }, tags: [{ tag: 'Leak', style: 'alloc' }] }], // prettier-ignore
    pool: { tableSize: 257, rows: [{ tag: 'Leak', nonPaged: { allocs: 5000, frees: 12, bytes: 30_000_000 } }] },
    ...change,
  });

interface Line {
  dump: { path: string };
  error?: { code: string; message: string };
  modules?: unknown;
  verdict?: { leakSuspected: boolean | null };
}

describe('command line: batch', function () {
  this.timeout(60_000);
  const folder = temporaryFolder();
  const out = () => folder.path('out');
  const results = (): Line[] =>
    readFileSync(join(out(), 'results.ndjson'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Line);
  const journalLines = () => readFileSync(join(out(), 'history/journal.ndjson'), 'utf8').split('\n').length - 1;

  before(() => {
    mkdirSync(folder.path('share/sub'), { recursive: true });
    tiny({}).writeTo(folder.path('share/leak.dmp'));
    writeFileSync(folder.path('share/sub/triage.dmp.gz'), gzipSync(buildDump({ kind: 'triage' }).toBytes()));
    writeFileSync(folder.path('share/bad.dmp'), 'no dump');
    writeFileSync(folder.path('share/readme.txt'), 'nothing to see');
    writeFileSync(folder.path('share/logs.txt.gz'), gzipSync('log\n'.repeat(3000)));
  });
  beforeEach(() => {
    rmSync(out(), { recursive: true, force: true });
  });

  it('says of a dump that cannot tell that it is not decided: in the results, the groups, the index and the exit code', async () => {
    const small = folder.path('share/sub/triage.dmp.gz');
    const metrics = folder.path('dumpleak.prom');
    const { code, stdout } = await program([
      'batch',
      small,
      '--out',
      out(),
      '-q',
      '--fail-on-leak',
      '--metrics',
      metrics,
    ]);
    expect(code).to.equal(0);
    expect(readFileSync(metrics, 'utf8'))
      .to.match(/^dumpleak_dumps\{verdict="undecided"\} 1$/m)
      .and.match(/# EOF\n$/);
    expect(stdout).to.include('0 suspected leaks, 1 not decided, 0 not readable');
    expect(results()[0]?.verdict?.leakSuspected).to.equal(null);
    const groups = JSON.parse(readFileSync(join(out(), 'groups.json'), 'utf8')) as object;
    expect(groups).to.include({ leaks: 0, undecided: 1 });
    const index = readFileSync(join(out(), 'index.html'), 'utf8');
    expect(index).to.include('Not decided: no dump can tell').and.not.include('No leak suspected');
    const again = await program(['batch', small, '--out', out(), '-q', '--fail-on-undecided']);
    expect(again.code).to.equal(1);
    const { stdout: listed } = await runHere(['history', 'list', out(), '--leaks', '--json']);
    expect(JSON.parse(listed)).to.deep.equal([]);
  });

  it('reads what lies in a folder and writes results, groups, a page a dump', async () => {
    const { code, stdout, stderr } = await program(['batch', folder.path('share'), '--out', out()]);
    expect(code).to.equal(0);
    expect(stdout).to.match(/^Done: 2 dumps analyzed, 1 could not be read, 1 other file passed over\n/);
    expect(stdout).to.match(/Leak {2}nonpaged, acmenet\.sys 4\.2\.0\.17: 1 dump on 1 machine, up to 28\.6 MB/);
    const log = stderr.trimEnd().split('\n');
    expect(log).to.have.length(3);
    for (const line of log) expect(line).to.match(/^\d{4}-\d\d-\d\dT[\d:.]+Z {2}(LEAK|\? {3}|FAIL) {2}\S/);
    const lines = results();
    expect(lines.map(({ dump }) => dump.path)).to.deep.equal(
      ['bad.dmp', 'leak.dmp', 'sub/triage.dmp.gz'].map((name) => join(folder.path('share'), name)),
    );
    expect(lines.map(({ error }) => error?.code)).to.deep.equal(['text-file', undefined, undefined]);
    expect(lines.every((line) => !('modules' in line))).to.equal(true);
    const pages = readdirSync(join(out(), 'pages'));
    expect(pages).to.have.length(2);
    const index = readFileSync(join(out(), 'index.html'), 'utf8');
    for (const page of pages) expect(index).to.include(`pages/${page}`);
    expect(index).to.include('acmenet.sys').and.include('bad.dmp');
    const groups = JSON.parse(readFileSync(join(out(), 'groups.json'), 'utf8')) as { groups: object[] };
    expect(groups.groups).to.have.length(1);
    expect(groups.groups[0]).to.include({ tag: 'Leak', driver: 'acmenet.sys', driverVersion: '4.2.0.17', count: 1 });
    expect(readdirSync(out()).filter((name) => name.startsWith('.'))).to.deep.equal([]);
    expect(existsSync(join(out(), 'history/lock'))).to.equal(false);
  });

  it('reads again what a damaged line told of, says so, and goes on under another head', async () => {
    const args = ['batch', folder.path('share'), '--out', out()];
    await runHere([...args, '--quiet']);
    const path = join(out(), 'history/journal.ndjson');
    const damage = (at: number): void => {
      const bytes = readFileSync(path);
      bytes[at]! ^= 1;
      writeFileSync(path, bytes);
    };
    damage(readFileSync(path).indexOf('acmenet.sys'));
    const again = await runHere(args);
    expect(again.code).to.equal(0);
    expect(again.stdout).to.match(/^Done: 1 dump analyzed, 2 known already, /);
    expect(again.stderr).to.match(/note {2}\S+journal\.ndjson: line \d is damaged and set aside/);
    expect(again.stdout).to.match(/Beside that:\n {2}\S+journal\.ndjson: line \d is damaged/);
    damage(30);
    const third = await runHere(args);
    expect(third.stdout).to.match(/^Done: 0 dumps analyzed, 3 known already, /);
    expect(third.stdout).to.match(/journal\.ndjson: its first line was damaged; 2 damaged lines were taken out of it/);
    expect((await runHere(args)).stdout).to.not.include('damaged');
  });

  it('2: a history that is a file, an output that is one', async () => {
    writeFileSync(folder.path('file'), 'x');
    for (const args of [
      ['--out', folder.path('file')],
      ['--out', out(), '--history', folder.path('file')],
    ]) {
      const { code, stdout, stderr } = await runHere(['batch', folder.path('share'), ...args]);
      expect({ code, stdout }).to.deep.equal({ code: 2, stdout: '' });
      expect(stderr).to.match(/^dumpleak: \S+file is a file, not a folder\n$/);
    }
  });

  it('goes on where a page is open in another program, and says so', async function () {
    if (process.platform !== 'win32') this.skip(); // elsewhere nobody can keep others away from a file
    const args = ['batch', folder.path('share/leak.dmp'), '--out', out(), '--jobs', '1'];
    await runHere([...args, '-q']);
    const before = readFileSync(join(out(), 'index.html'), 'utf8');
    const letGo = holdFile(join(out(), 'index.html'));
    try {
      const { code, stderr } = await runHere([...args, '--again']);
      expect(code, stderr).to.equal(0);
      expect(stderr).to.match(/index\.html could not be replaced: it is open in another program/);
    } finally {
      letGo();
    }
    expect(readFileSync(join(out(), 'index.html'), 'utf8')).to.equal(before);
    expect(results()).to.have.length(1);
    await runHere([...args, '-q']);
    expect(readFileSync(join(out(), 'index.html'), 'utf8')).to.not.equal(before);
  });

  it('2 or a result, and one clear line, where no more files can be opened', function () {
    if (process.platform === 'win32') this.skip();
    const main = fileURLToPath(new URL('./main.js', import.meta.url));
    for (const limit of [60, 90]) {
      const line = `ulimit -n ${limit}; exec "$0" "$@"`;
      const { status, stderr } = spawnSync('sh', ['-c', line, process.execPath, main, 'batch', folder.path('share'), '--out', out(), '--jobs', '4'], { encoding: 'utf8' }); // prettier-ignore
      expect(status, stderr).to.be.oneOf([0, 2]);
      if (status === 2) expect(stderr).to.match(/^dumpleak: [^\n]*too many files are open[^\n]*\n$/);
    }
  });

  it('does nothing twice, knows copies, and does all again when asked', async () => {
    const args = ['batch', folder.path('share'), '--out', out(), '--quiet'];
    await runHere(args);
    const before = readFileSync(join(out(), 'results.ndjson'));
    const lines = journalLines();
    const second = await runHere(args);
    expect(second).to.include({ code: 0, stderr: '' });
    expect(second.stdout).to.match(/^Done: 0 dumps analyzed, 3 known already, 1 other file passed over\n/);
    expect(readFileSync(join(out(), 'results.ndjson'))).to.deep.equal(before);
    expect(journalLines()).to.equal(lines);
    copyFileSync(folder.path('share/leak.dmp'), folder.path('share/a copy.dmp'));
    const third = await runHere(args);
    rmSync(folder.path('share/a copy.dmp'));
    expect(third.stdout).to.match(/^Done: 0 dumps analyzed, 4 known already/);
    expect(results().map(({ dump }) => dump.path))
      .to.include(folder.path('share/a copy.dmp'))
      .and.have.length(3);
    expect((await runHere([...args, '--retry'])).stdout).to.match(/^Done: 0 dumps analyzed, 2 known.*1 could not/);
    expect((await runHere([...args, '--again'])).stdout).to.match(/^Done: 2 dumps analyzed, 1 could not be read/);
  });

  it('reads every dump of an archive', async function () {
    const { zipOf } = await import('../../test-dumps/containers/zip.js');
    mkdirSync(folder.path('zips'), { recursive: true });
    const files = [
      { name: 'a/MEMORY.DMP', bytes: tiny({ seed: 5 }).toBytes() },
      { name: 'b/MEMORY.DMP', bytes: buildDump({ kind: 'triage' }).toBytes() },
    ];
    writeFileSync(folder.path('zips/two.zip'), zipOf(files));
    const { code } = await runHere(['batch', folder.path('zips'), '--out', out(), '-q']);
    expect(code).to.equal(0);
    expect(results().map(({ dump }) => dump.path)).to.deep.equal(
      ['a', 'b'].map((name) => `${folder.path('zips/two.zip')}/${name}/MEMORY.DMP`),
    );
  });

  it('ends with 2 when nothing could be read, 1 for a leak when asked, 64 for wrong usage', async () => {
    const bad = await runHere(['batch', folder.path('share/bad.dmp'), folder.path('none.dmp'), '--out', out()]);
    expect(bad.code).to.equal(2);
    expect(results().map(({ error }) => error?.code)).to.have.members(['text-file', 'not-found']);
    const lines = journalLines();
    await runHere(['batch', folder.path('none.dmp'), '--out', out()]);
    expect(journalLines(), 'what fails again as before is not written again').to.equal(lines);
    const leak = ['batch', folder.path('share/*.dmp'), '--out', out(), '-q', '--fail-on-leak'];
    expect((await runHere(leak)).code).to.equal(1);
    expect((await runHere(leak)).code, 'also when it is known already').to.equal(1);
    for (const args of [[], [folder.path('share')], ['--out', out()], ['x', '--out', out(), '--jobs', '0'], ['x', '--out', out(), '--every', '5s']]) {
      expect((await runHere(['batch', ...args])).code, args.join(' ')).to.equal(64);
    } // prettier-ignore
  });

  it('refuses a history that another batch writes, and a file in the place of its folder', async () => {
    mkdirSync(join(out(), 'history'), { recursive: true });
    const owner = { pid: process.pid, host: (await import('node:os')).hostname(), started: null, nonce: 'x' };
    writeFileSync(join(out(), 'history/lock'), JSON.stringify(owner));
    const { code, stderr } = await runHere(['batch', folder.path('share'), '--out', out()]);
    expect({ code, stderr }).to.deep.equal({
      code: 2,
      stderr: `dumpleak: ${join(out(), 'history')} is in use by process ${process.pid} on ${owner.host}. Wait until it is done; if it is gone for good, delete ${join(out(), 'history/lock')}\n`,
    });
    expect(await runHere(['batch', folder.path('share'), '--out', folder.path('share/bad.dmp')])).to.include({ code: 2 }); // prettier-ignore
  });

  it('looks up known leaks, and driver files for pages that dumps lack', async () => {
    const known = folder.path('known.yaml');
    writeFileSync(known, '- tag: Leak\n  driver: acmenet.sys\n  known: It <leaks> on reconnect.\n  source: our wiki\n');
    mkdirSync(folder.path('drivers'), { recursive: true });
    const dump = folder.path('share/leak.dmp');
    const more = ['--known-issues', known, '--images', folder.path('drivers')];
    expect((await program(['batch', dump, '--out', out(), ...more])).code).to.equal(0);
    const [line] = readFileSync(join(out(), 'results.ndjson'), 'utf8').trimEnd().split('\n');
    const result = JSON.parse(line ?? '') as AnalysisResult;
    expect(result.suspects[0]?.knownIssues).to.deep.equal([
      { driver: 'acmenet.sys', known: 'It <leaks> on reconnect.', fix: null, source: 'our wiki', file: 'known.yaml' },
    ]);
    expect(result.warnings.map(({ code }) => code)).to.include('images-unused');
    const [page] = readdirSync(join(out(), 'pages'));
    expect(readFileSync(join(out(), 'pages', page ?? ''), 'utf8')).to.include('It &lt;leaks&gt; on reconnect.');
    writeFileSync(known, '- tag: Leak\n  cure: none\n');
    const { code, stderr } = await program(['batch', dump, '--out', out(), '--known-issues', known]);
    expect(code).to.equal(2);
    expect(stderr).to.match(/known\.yaml:\d+: /);
  });

  it('names machines by their folders when told to', async () => {
    await runHere(['batch', folder.path('share'), '--out', out(), '-q', '--machine-by-folder']);
    const { machines } = JSON.parse(readFileSync(join(out(), 'groups.json'), 'utf8')) as {
      machines: { name: string }[];
    };
    expect(machines.map(({ name }) => name)).to.have.members(['share', 'sub']);
  });

  it('--watch: reads what arrives, once it is whole', async function () {
    if (process.platform === 'win32') this.skip(); // no SIGINT can be sent to one process there
    const bytes = tiny({ seed: 8 }).toBytes();
    mkdirSync(folder.path('watched'));
    copyFileSync(folder.path('share/leak.dmp'), folder.path('watched/first.dmp'));
    const child = start(['batch', folder.path('watched'), '--out', out(), '--watch', '--every', '1s', '--jobs', '1']);
    const end = ended(child);
    const said = async (pattern: RegExp): Promise<void> => {
      let text = '';
      await new Promise<void>((resolve) => {
        child.stderr?.on('data', (part: string) => {
          if (pattern.test((text += part))) resolve();
        });
      });
    };
    await said(/LEAK .*first\.dmp/);
    writeFileSync(folder.path('watched/second.dmp'), bytes.subarray(0, bytes.length / 2));
    // It changes, and then rests, but its header says that there is more.
    await said(/wait .*second\.dmp[^]*wait .*second\.dmp/);
    writeFileSync(folder.path('watched/second.dmp'), bytes);
    await said(/LEAK .*second\.dmp/);
    child.kill('SIGINT');
    expect((await end).code).to.equal(130);
    expect(results()).to.have.length(2);
    expect(journalLines(), 'the head and two dumps').to.equal(3);
  });

  it('130: Ctrl+C keeps what is done; the same command goes on', async function () {
    if (process.platform === 'win32') this.skip(); // no SIGINT can be sent to one process there
    makeShare(folder.path('many'), 8, 3, 32 * 2 ** 20);
    const args = ['batch', folder.path('many'), '--out', out(), '--jobs', '1'];
    const child = start(args);
    const end = ended(child);
    await new Promise((resolve) => child.stderr?.once('data', resolve));
    child.kill('SIGINT');
    const { code, stdout } = await end;
    expect(code).to.equal(130);
    expect(stdout).to.match(/^Stopped: \d dumps? analyzed.*\nThe same command goes on from here\n/);
    const done = results().length;
    expect(done).to.be.within(1, 7);
    expect(existsSync(join(out(), 'history/lock'))).to.equal(false);
    expect((await runHere([...args, '-q'])).stdout).to.match(new RegExp(`^Done: .*${done} known already`));
    expect(results()).to.have.length(8);
  });
});
