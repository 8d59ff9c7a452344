import { expect } from 'chai';
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { dumpEntry, failureEntry } from '../batch/inputs/entries.test.helper.js';
import { History } from '../batch/journal/history.js';
import { Journal } from '../batch/journal/journal.js';
import { overviewOf } from '../batch/outputs/overview.js';
import { writeOutputs } from '../batch/outputs/outputs.js';
import { runHere, temporaryFolder } from './program.test.helper.js';

const day = (n: number): string => `2026-03-${String(n).padStart(2, '0')}T00:00:00.000Z`;
const machine = (name: string) => ({ machine: { name, nameFrom: 'folder' as const } });
const ENTRIES = [
  dumpEntry('/s/fs01/1.dmp', { id: 'aaaa1111', systemTime: day(1), bytes: 100_000_000, ...machine('FS01') }),
  dumpEntry('/s/fs01/2.dmp', { id: 'aaaa2222', systemTime: day(2), bytes: 200_000_000, ...machine('FS01') }),
  dumpEntry('/s/db01/3.dmp', { id: 'bbbb3333', systemTime: day(3), driver: '=evil().sys', tag: '=A1 ', ...machine('DB01') }),
  dumpEntry('/s/db01/4.dmp', { id: 'cccc4444', systemTime: day(4), bytes: 0, ...machine('DB01') }),
  failureEntry('/s/bad.dmp'),
]; // prettier-ignore

describe('command line: history', function () {
  // The database of a test is made from nothing: seconds of processor time.
  this.timeout(180_000);
  const folder = temporaryFolder();
  const out = () => folder.path('out');
  const fresh = () => {
    rmSync(join(out(), 'history/journal.ndjson'), { force: true });
    const journal = Journal.open(join(out(), 'history'));
    for (const entry of ENTRIES) journal.append(entry);
    journal.close();
  };
  const history = async (...args: string[]) => runHere(['history', args[0] ?? '', out(), ...args.slice(1)]);
  const rows = async (...args: string[]): Promise<Record<string, unknown>[]> => {
    const { code, stdout, stderr } = await history(...args, '--json');
    expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
    return JSON.parse(stdout) as Record<string, unknown>[];
  };
  const ids = async (...args: string[]) => (await rows('list', ...args)).map(({ id }) => id);

  before(fresh);

  it('lists dumps, the newest first, and those of a tag, driver, machine or time', async () => {
    expect(await ids()).to.deep.equal(['cccc4444', 'bbbb3333', 'aaaa2222', 'aaaa1111']);
    expect(await ids('--tag', 'Leak')).to.deep.equal(['aaaa2222', 'aaaa1111']);
    expect(await ids('--tag', '=A1')).to.deep.equal(['bbbb3333']);
    expect(await ids('--driver', 'ACME*')).to.deep.equal(['aaaa2222', 'aaaa1111']);
    expect(await ids('--driver', 'acme%')).to.deep.equal([]);
    expect(await ids('--machine', 'db01', '--leaks')).to.deep.equal(['bbbb3333']);
    expect(await ids('--since', '2026-03-02', '--until', '2026-03-03')).to.deep.equal(['aaaa2222']);
    const { stdout } = await history('list', '--tag', 'Leak');
    expect(stdout).to.match(/^id +time +machine/).and.match(/\naaaa2222 {2}2026-03-02 00:00:00 {2}FS01 .* 190\.7 MB {2}acmenet\.sys {2}4\.2\.0\.17 /); // prettier-ignore
    expect((await history('list', '--tag', 'None')).stdout).to.equal('Nothing found\n');
  });

  it('shows groups and machines', async () => {
    const [first, second] = await rows('groups');
    expect(first).to.include({ tag: 'Leak', driver: 'acmenet.sys', version: '4.2.0.17', dumps: 2, machines: 1, mostBytes: 200_000_000 }); // prettier-ignore
    expect(first).to.include({ firstSeen: day(1), lastSeen: day(2) });
    expect(second).to.include({ tag: '=A1 ', dumps: 1 });
    expect((await rows('machines')).map(({ name, dumps, leaks }) => [name, dumps, leaks])).to.have.deep.members([
      ['FS01', 2, 2],
      ['DB01', 2, 1],
    ]);
  });

  it('searches tags, drivers, machines and places', async () => {
    const found = async (word: string) => (await rows('search', word)).map((row) => [row['found'], row['id']]);
    expect(await found('fs01')).to.deep.include.members([['machine', 'aaaa1111'], ['place', 'aaaa2222']]); // prettier-ignore
    expect(await found('Leak')).to.deep.include.members([['suspect', 'aaaa1111'], ['tag', 'aaaa1111']]); // prettier-ignore
    expect(await found('evil')).to.deep.include.members([['suspect', 'bbbb3333'], ['driver', 'bbbb3333']]); // prettier-ignore
    expect(await found('a_b%c')).to.deep.equal([]);
  });

  it('writes tables that a spreadsheet takes for text', async () => {
    for (const action of [['list'], ['groups'], ['export'], ['search', 'evil']]) {
      const { stdout } = await history(...action, '--csv');
      expect(stdout.startsWith('\ufeff')).to.equal(true);
      expect(stdout)
        .to.include("'=evil().sys")
        .and.not.match(/(^|,)"?=/m);
    }
    const { stdout } = await history('export', '--csv');
    expect(stdout.trimEnd().split('\r\n')).to.have.length(6);
    expect(stdout).to.include('/s/bad.dmp is damaged');
  });

  it('exports the tables as SQL', async () => {
    const { code, stdout } = await history('export', '--sql');
    expect(code).to.equal(0);
    expect(stdout)
      .to.match(/^begin;\n/)
      .and.match(/\ncommit;\n$/)
      .and.include("'=evil().sys'");
    expect(await history('export', '--sql', '--csv')).to.include({ code: 64 });
  });

  it('takes every sign of a name as it is', async () => {
    for (const sign of '-/\\^$.+?()[]{}|%_,:&~#=!') {
      for (const option of ['--driver', '--machine', '--tag', '--process']) {
        expect(await history('list', `${option}=a${sign}b*`), `${option} ${sign}`).to.include({ code: 0, stderr: '' });
      }
      expect((await history('show', `aa${sign}bb`)).code, sign).to.equal(2);
    }
  });

  it('exports the lines of results.ndjson', async () => {
    const { stdout } = await history('export');
    const lines = stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as { dump: { path: string } }); // prettier-ignore
    expect(lines.map(({ dump }) => dump.path)).to.deep.equal(['/s/bad.dmp', '/s/db01/3.dmp', '/s/db01/4.dmp', '/s/fs01/1.dmp', '/s/fs01/2.dmp']); // prettier-ignore
    expect((await history('export', '--json')).stdout).to.equal(stdout);
  });

  it('shows one dump by its id or place', async () => {
    const { stdout } = await history('show', 'aaaa1', '--json');
    expect((JSON.parse(stdout) as { dump: { path: string } }).dump.path).to.equal('/s/fs01/1.dmp');
    expect((await history('show', '/s/db01/4.dmp', '--json')).stdout).to.include('/s/db01/4.dmp');
    expect(await history('show', 'nothing')).to.include({ code: 2, stderr: 'dumpleak: the history holds no dump nothing\n' }); // prettier-ignore
    // As somebody has it who stands elsewhere.
    const from = relative(process.cwd(), '/s/db01/4.dmp');
    if (process.platform === 'win32') return;
    expect((await history('show', from, '--json')).stdout).to.include('/s/db01/4.dmp');
  });

  it('answers questions in SQL, and lets none change anything', async () => {
    expect(await rows('sql', 'select count(*)::int as n, sum(bytes)::float8 as b from tag_rows')).to.deep.equal([
      { n: 3, b: 800_000_000 },
    ]);
    for (const question of ['delete from dumps', 'select nonsense', 'commit; delete from dumps']) {
      const { code, stderr } = await history('sql', question);
      expect(code, question).to.equal(64);
      expect(stderr).to.match(/^dumpleak: the database says: .*\n/);
    }
    expect(await ids()).to.have.length(4);
  });

  it('lists the tables that SQL can ask, and names them where one is not there', async () => {
    const found = new Set((await rows('tables')).map((row) => String(row['table'])));
    expect(found).to.include('dumps').and.include('suspects');
    const page = readFileSync(new URL('../../../docs/batch.md', import.meta.url), 'utf8');
    for (const name of found) expect(page, name).to.include(`\`${name}\``);
    const { code, stderr } = await history('sql', 'select * from dump');
    expect(code).to.equal(64);
    expect(stderr).to.match(/"dump" does not exist\. Tables: .*dumps, .*suspects.*; "dumpleak history tables"/);
  });

  it('says which dumps leak and which cannot tell', async () => {
    expect((await rows('list')).map(({ leakSuspected }) => leakSuspected)).to.include(true);
    expect(await ids('--undecided')).to.deep.equal([]);
    for (const row of await rows('machines')) expect(row).to.include({ undecided: 0 });
  });

  it('follows the journal, and makes the store again where it is damaged or gone', async () => {
    const journal = Journal.open(join(out(), 'history'));
    journal.append(dumpEntry('/s/new.dmp', { id: 'dddd5555', systemTime: day(5) }));
    journal.close();
    expect(await ids())
      .to.have.length(5)
      .and.include('dddd5555');
    const store = join(out(), 'history/store');
    expect((await history('rebuild')).code).to.equal(0);
    expect(await ids()).to.have.length(5);
    writeFileSync(join(store, 'global/pg_control'), 'x');
    expect(await ids()).to.have.length(5);
  });

  it('sets a damaged line aside with a warning, and makes a store again that is a file', async () => {
    fresh();
    const path = join(out(), 'history/journal.ndjson');
    const bytes = readFileSync(path);
    bytes[bytes.indexOf('aaaa2222') + 2]! ^= 1;
    writeFileSync(path, bytes);
    rmSync(join(out(), 'history/store'), { recursive: true, force: true });
    writeFileSync(join(out(), 'history/store'), 'a file');
    for (const args of [['list', '--json'], ['list', '--json'], ['export']]) {
      const { code, stdout, stderr } = await history(args[0]!, ...args.slice(1));
      expect(code, args.join(' ')).to.equal(0);
      expect(stderr, args.join(' ')).to.match(
        /^dumpleak: [^\n]*journal\.ndjson: line 3 is damaged and set aside[^\n]*\n$/,
      );
      expect(stdout).to.include('fs01/1.dmp').and.include('db01/3.dmp').and.not.include('fs01/2.dmp');
    }
    fresh();
  });

  it('2 or a result, and one clear line, where no more files can be opened', function () {
    if (process.platform === 'win32') this.skip();
    fresh();
    const main = fileURLToPath(new URL('./main.js', import.meta.url));
    let refused = 0;
    for (const limit of [30, 60, 130]) {
      for (const words of [['list'], ['sql', 'select count(*) from dumps']]) {
        const line = `ulimit -n ${limit}; exec "$0" "$@"`;
        const args = ['-c', line, process.execPath, main, 'history', words[0]!, out(), ...words.slice(1)];
        const { status, stderr } = spawnSync('sh', args, { encoding: 'utf8' });
        expect(status, `${limit} ${words[0]} ${stderr}`).to.be.oneOf([0, 2]);
        if (status === 2) expect(stderr).to.match(/^dumpleak: [^\n]*too many files are open[^\n]*\n$/);
        if (status === 2) refused++;
      }
    }
    // Node 22 and later open one file of the program after the other: no limit with which Node itself begins is felt.
    if (process.versions.node.startsWith('20.')) expect(refused, 'at least the smallest limit is felt').to.be.above(0);
  });

  it('deletes and prunes: nothing stays of what went, in no file', async () => {
    fresh();
    mkdirSync(join(out(), 'pages'), { recursive: true });
    const now = History.load(join(out(), 'history'));
    writeOutputs(out(), now, overviewOf(now), new Date());
    expect((await history('delete', 'aaaa1', '--dry-run')).stdout).to.equal('1 dump would go\n  /s/fs01/1.dmp\n');
    expect((await history('delete', 'a', 'zzzz9')).code, 'an unknown word').to.equal(2);
    expect((await history('delete', 'aaaa')).stderr).to.match(/means 2 dumps: nothing was changed/);
    expect(await ids()).to.have.length(4);
    expect((await history('delete', 'aaaa1', '--json')).stdout).to.equal('[\n  "/s/fs01/1.dmp"\n]\n');
    expect(await ids()).to.deep.equal(['cccc4444', 'bbbb3333', 'aaaa2222']);
    for (const file of ['history/journal.ndjson', 'results.ndjson', 'groups.json']) {
      expect(readFileSync(join(out(), file), 'utf8'), file).to.not.include('fs01/1.dmp');
    }
    expect(existsSync(join(out(), 'pages/aaaa1111.html'))).to.equal(false);
    expect((await history('prune', '--keep', '1')).stdout).to.equal('1 dump forgotten\n  /s/db01/3.dmp\n');
    expect((await history('prune', '--older-than', '30d')).code).to.equal(0);
    expect(await ids()).to.deep.equal([]);
  });

  it('64: wrong usage; 2: no history, one that is being written, one of another program', async () => {
    for (const args of [['nothing'], ['search'], ['show'], ['list', 'word'], ['prune'], ['list', '--json', '--csv'], ['list', '--since', 'soon'], ['prune', '--keep', 'x']]) {
      expect((await history(...args)).code, args.join(' ')).to.equal(64);
    } // prettier-ignore
    expect(await runHere(['history', 'list', folder.path('nowhere')])).to.include({ code: 2 });
    writeFileSync(join(out(), 'history/lock'), JSON.stringify({ pid: process.pid, host: (await import('node:os')).hostname(), nonce: 'x' })); // prettier-ignore
    expect(await history('prune', '--keep', '1')).to.include({ code: 2 });
    rmSync(join(out(), 'history/lock'));
    const other = folder.path('other');
    mkdirSync(other);
    appendFileSync(join(other, 'journal.ndjson'), '{"kind":"journal","version":99,"id":"x"}\n');
    expect((await runHere(['history', 'list', other])).stderr).to.match(/newer dumpleak/);
  });
});
