import { expect } from 'chai';
import { writeFileSync } from 'node:fs';
import { copyEntry, dumpEntry, failureEntry } from '../batch/inputs/entries.test.helper.js';
import { Journal, lineOf } from '../batch/journal/journal.js';
import { noteOf } from '../batch/outputs/summary.js';
import { parseAddress } from '../batch/store/server/address.js';
import { PASSWORD, startPostgres, type Postgres } from '../batch/store/server/postgres.test.helper.js';
import { SharedHistory } from '../batch/store/server/shared-history.js';
import { runHere, temporaryFolder } from './program.test.helper.js';

const day = (n: number): string => `2026-03-0${n}T00:00:00.000Z`;
const machine = (name: string) => ({ machine: { name, nameFrom: 'folder' as const } });
const ENTRIES = [
  dumpEntry('/s/fs01/1.dmp', { id: 'aaaa1111', systemTime: day(1), bytes: 100_000_000, ...machine('FS01') }),
  dumpEntry('/s/fs01/2.dmp', { id: 'aaaa2222', systemTime: day(2), bytes: 200_000_000, ...machine('FS01') }),
  dumpEntry('/s/db01/3.dmp', {
    id: 'bbbb3333',
    systemTime: day(3),
    driver: 'evil.sys',
    tag: 'A1 ',
    ...machine('DB01'),
  }),
  dumpEntry('/s/db01/4.dmp', { id: 'cccc4444', systemTime: day(4), bytes: 0, ...machine('DB01') }),
  copyEntry('/t/4.dmp', 'cccc4444'),
  failureEntry('/s/bad.dmp'),
];

describe('command line: history on a server', function () {
  this.timeout(180_000);
  const folder = temporaryFolder();
  let server: Postgres;
  let url = '';
  before(async function () {
    const started = await startPostgres();
    // There is no PostgreSQL here: none of these can be tried.
    if (started === null) this.skip();
    server = started;
    url = await filled();
    const journal = Journal.open(folder.path('history'));
    for (const entry of ENTRIES) journal.append(entry);
    journal.close();
  });
  after(async () => {
    await (server as Postgres | undefined)?.stop();
  });

  async function filled(): Promise<string> {
    const address = server.url(await server.createDatabase());
    const shared = await SharedHistory.open(parseAddress(address, {}));
    for (const entry of ENTRIES) {
      await shared.append(entry.kind === 'dump' ? { line: lineOf(entry), note: noteOf(entry) } : entry);
    }
    await shared.close();
    return address;
  }
  const history = async (action: string, ...args: string[]) => runHere(['history', action, ...args]);

  it('answers as a folder does: every action, every form', async () => {
    for (const [action = '', ...words] of [
      ['list'],
      ['list', '--csv', '--driver', 'ACME*'],
      ['list', '--json', '--machine', 'fs01'],
      ['groups'],
      ['machines', '--json'],
      ['search', 'evil', '--json'],
      ['show', 'aaaa1111'],
      ['show', 'aaaa1111', '/t/4.dmp', '--json'],
      ['tables', '--csv'],
      ['sql', 'select driver, count(*) from suspects group by 1 order by 2 desc', '--json'],
      ['export'],
      ['export', '--csv'],
      ['delete', 'aaaa1111', '--dry-run'],
      ['prune', '--keep', '1', '--dry-run', '--json'],
      ['show', 'none'],
      ['sql', 'select * from nothing'],
      ['search'],
      ['delete'],
    ]) {
      const here = await history(action, folder.path('history'), ...words);
      expect(await history(action, ...words, '--store', url), `${action} ${words.join(' ')}`).to.deep.equal(here);
    }
  });

  it('writes tables as SQL that take a folder their place, but never that of a shared history', async () => {
    const { code, stdout } = await history('export', '--sql', '--store', url);
    expect(code).to.equal(0);
    const database = await server.createDatabase();
    await server.run(database, stdout);
    await server.run(database, stdout);
    expect(await server.run(database, 'select count(*)::int as n from dumpleak.dumps')).to.deep.equal([{ n: 4 }]);
    const own = new URL(url).pathname.slice(1);
    let refused = '';
    await server.run(own, stdout).catch((error: unknown) => {
      refused = String(error);
    });
    expect(refused).to.include('shared history');
    expect((await history('list', '--store', url)).stdout).to.include('aaaa1111');
  });

  it('forgets dumps, with all that tells of them, and makes the tables again', async () => {
    const own = await filled();
    expect(await history('delete', 'cccc', '/s/fs01/1.dmp', '--store', own)).to.deep.equal({
      ...{ code: 0, stderr: '' },
      stdout: '2 dumps forgotten\n  /s/db01/4.dmp\n  /s/fs01/1.dmp\n',
    });
    const ids = async () => (await history('list', '--json', '--store', own)).stdout.match(/[a-c]{4}\d{4}/g);
    expect(await ids()).to.deep.equal(['bbbb3333', 'aaaa2222']);
    const database = new URL(own).pathname.slice(1);
    expect(await server.run(database, 'select kind from dumpleak.entries order by sequence')).to.deep.equal([{ kind: 'dump' }, { kind: 'dump' }, { kind: 'failure' }]); // prettier-ignore
    expect((await history('prune', '--older-than', '1d', '--store', own)).stdout).to.include('2 dumps forgotten');
    expect((await history('rebuild', '--store', own)).code).to.equal(0);
    expect((await history('groups', '--store', own)).stdout).to.equal('Nothing found\n');
  });

  it('takes the address from a file or the environment, where no folder is meant', async () => {
    const file = folder.path('store.txt');
    writeFileSync(file, `${url}\r\n`);
    const want = await history('list', '--store', url);
    expect(await history('list', '--store-file', file)).to.deep.equal(want);
    const env = { LANG: 'C.UTF-8', DUMPLEAK_STORE: url };
    expect(await runHere(['history', 'list'], { env })).to.deep.equal(want);
    expect((await runHere(['history', 'search', 'evil'], { env })).stdout).to.include('bbbb3333');
    const other = folder.path('other');
    Journal.open(other).close();
    expect((await runHere(['history', 'list', other], { env })).stdout).to.equal('Nothing found\n');
  });

  it('says what is wrong in a line, and never the password', async () => {
    const wrong = 'not%20the%20password';
    const port = String(server.port);
    for (const [address, code, text] of [
      [url.replace(encodeURIComponent(PASSWORD), wrong), 2, 'does not let the user in'],
      [url.replace(/history_\d+/, 'nowhere'), 2, 'does not exist'],
      [url.replace(port, '1'), 2, 'no connection'],
      [`${url}?sslmode=verify-full`, 2, 'offers no TLS'],
      [`${url}?sslmode=prefer`, 64, 'would go without TLS'],
      [`${url}?sslmod=disable`, 64, 'not known'],
      [url.replace('postgres:', 'mysql:'), 64, 'the form postgres://'],
      [url.replace(`:${port}`, ':port'), 64, 'cannot be read'],
    ] as const) {
      const said = await history('list', '--store', address);
      expect(said, text).to.include({ code, stdout: '' });
      expect(said.stderr)
        .to.include(text)
        .and.match(/^dumpleak: [^\n]+\n(?:Try: [^\n]+\n)?$/);
      for (const secret of [PASSWORD, encodeURIComponent(PASSWORD), wrong, decodeURIComponent(wrong)]) {
        expect(said.stderr).to.not.include(secret);
      }
    }
    expect(await history('list', folder.path('history'), '--store', url)).to.include({ code: 64 });
    expect(await history('list')).to.include({ code: 64 });
    expect(await history('list', '--store-file', folder.path('none'))).to.include({ code: 2 });
  });

  it('refuses tables of a newer dumpleak', async () => {
    const own = await filled();
    await server.run(new URL(own).pathname.slice(1), 'insert into dumpleak.migrations values (999, now())');
    const { code, stderr } = await history('list', '--store', own);
    expect({ code, stderr }).to.deep.equal({ code: 2, stderr: stderr });
    expect(stderr).to.include('made by a newer dumpleak');
  });
});
