import { expect } from 'chai';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dumpEntry, failureEntry } from '../batch/inputs/entries.test.helper.js';
import { Journal, lineOf } from '../batch/journal/journal.js';
import { noteOf } from '../batch/outputs/summary.js';
import { parseAddress } from '../batch/store/server/address.js';
import { startPostgres, type Postgres } from '../batch/store/server/postgres.test.helper.js';
import { SharedHistory } from '../batch/store/server/shared-history.js';
import { runHere, temporaryFolder } from './program.test.helper.js';

const one = dumpEntry('/s/1.dmp', { id: 'aaaa1111', systemTime: '2026-03-01T00:00:00.000Z' });
const two = dumpEntry('/s/2.dmp', { id: 'bbbb2222', systemTime: '2026-03-02T00:00:00.000Z' });
const again = { ...one, at: '2026-04-01T00:00:00.000Z' };

describe('command line: report', function () {
  this.timeout(120_000);
  const folder = temporaryFolder();
  let server: Postgres | null = null;
  let shared: SharedHistory | null = null;
  before(async () => {
    server = await startPostgres();
  });
  after(async () => {
    await shared?.close();
    await server?.stop();
  });

  interface Engine {
    /** Words that name the history. */
    words: string[];
    add: (entry: typeof one) => Promise<unknown>;
    forget: (id: string) => Promise<unknown>;
  }

  /** One that a page was not written to since. */
  const OLD = new Date('2020-01-01');

  async function check({ words, add, forget }: Engine, out: string): Promise<void> {
    const made = async () => {
      const { code, stdout, stderr } = await runHere(['report', ...words, '--out', out]);
      expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
      return stdout.split('\n')[0];
    };
    const page = (id: string): string => join(out, 'pages', `${id}.html`);
    const isUntouched = (id: string): boolean => statSync(page(id)).mtimeMs === OLD.getTime();
    const age = (): void => {
      for (const name of readdirSync(join(out, 'pages'))) utimesSync(join(out, 'pages', name), OLD, OLD);
    };
    await add(one);
    expect(await made()).to.equal('1 of 1 pages made');
    expect(readFileSync(page('aaaa1111'), 'utf8')).to.include('acmenet.sys');
    age();
    await add(two);
    expect(await made()).to.equal('1 of 2 pages made');
    expect(isUntouched('aaaa1111')).to.equal(true);
    expect(readFileSync(join(out, 'index.html'), 'utf8')).to.include('pages/aaaa1111.html').and.include('pages/bbbb2222.html'); // prettier-ignore
    expect(JSON.parse(readFileSync(join(out, 'groups.json'), 'utf8'))).to.include({ dumps: 2 });
    expect(await made()).to.equal('0 of 2 pages made');
    age();
    await add(again);
    expect(await made()).to.equal('1 of 2 pages made');
    expect(isUntouched('bbbb2222')).to.equal(true);
    expect(isUntouched('aaaa1111')).to.equal(false);
    rmSync(page('bbbb2222'));
    expect(await made()).to.equal('1 of 2 pages made');
    writeFileSync(join(out, 'pages/made.json'), '{"dumps":{"../../x":"y"');
    expect(await made()).to.equal('2 of 2 pages made');
    await forget('aaaa1111');
    expect((await made())?.replace(/^\d/, 'n')).to.equal('n of 1 pages made, 1 removed');
    expect(existsSync(page('aaaa1111'))).to.equal(false);
  }

  it('of a folder: makes what is missing or old, and no more', async () => {
    const place = folder.path('history');
    const add = async (entry: typeof one): Promise<void> => {
      const journal = Journal.open(place);
      journal.append(entry);
      journal.close();
      return Promise.resolve();
    };
    await check(
      { words: [place], add, forget: async (id) => runHere(['history', 'delete', place, id]) },
      folder.path('of folder'),
    );
  });

  it('of a server: the same', async function () {
    // There is no PostgreSQL here.
    if (server === null) this.skip();
    const url = server.url(await server.createDatabase());
    const history = await SharedHistory.open(parseAddress(url, {}));
    shared = history;
    await history.append(failureEntry('/s/bad.dmp'));
    await check(
      {
        words: ['--store', url],
        add: async (entry) => history.append({ line: lineOf(entry), note: noteOf(entry) }, { again: true }),
        forget: async (id) => runHere(['history', 'delete', id, '--store', url]),
      },
      folder.path('of server'),
    );
  });

  it('wants a folder of its own', async () => {
    expect(await runHere(['report', folder.path('history')])).to.include({ code: 64 });
    const batch = folder.path('batch');
    Journal.open(join(batch, 'history')).close();
    const { code, stderr } = await runHere(['report', batch, '--out', batch]);
    expect(code).to.equal(64);
    expect(stderr).to.include('is the folder of a batch');
  });
});
