import { expect } from 'chai';
import { copyEntry, dumpEntry, failureEntry } from '../../inputs/entries.test.helper.js';
import type { DumpEntry } from '../../inputs/entries.js';
import { lineOf } from '../../journal/journal.js';
import { noteOf } from '../../outputs/summary.js';
import { parseAddress } from './address.js';
import { startPostgres, type Postgres } from './postgres.test.helper.js';
import { SharedHistory, type Item } from './shared-history.js';

const itemOf = (entry: DumpEntry): Item => ({ line: lineOf(entry), note: noteOf(entry) });

describe('a history on a server', function () {
  this.timeout(120_000);
  let server: Postgres;
  before(async function () {
    const started = await startPostgres();
    if (started === null) this.skip();
    server = started;
  });
  after(async () => {
    await (server as Postgres | undefined)?.stop();
  });

  async function open(database?: string): Promise<SharedHistory> {
    return SharedHistory.open(parseAddress(server.url(database ?? (await server.createDatabase())), {}));
  }

  it('appends, and answers', async () => {
    const history = await open();
    try {
      expect(
        await history.append(itemOf(dumpEntry('/s/1.dmp', { id: 'aaaa1111', systemTime: '2026-03-01T00:00:00.000Z' }))),
      ).to.equal('written');
      expect(await history.append(itemOf(dumpEntry('/s/1.dmp', { id: 'aaaa1111' })))).to.equal('known');
      expect(await history.append(failureEntry('/s/bad.dmp'), { token: 'job-1' })).to.equal('written');
      expect(await history.append(failureEntry('/s/bad2.dmp'), { token: 'job-1' })).to.equal('known');
      expect(await history.append(copyEntry('/s/2.dmp', 'aaaa1111'))).to.equal('written');
      expect(await history.append(copyEntry('/s/2.dmp', 'aaaa1111'))).to.equal('known');
      expect(await history.append(copyEntry('/s/1.dmp', 'aaaa1111'))).to.equal('known');
      expect([...(await history.known(['aaaa1111', 'f-/s/bad.dmp', 'x']))]).to.deep.equal([
        ['aaaa1111', 'dump'],
        ['f-/s/bad.dmp', 'failure'],
      ]);
      expect(await history.bringUp()).to.equal(true);
      const { rows } = await history.ask('select id, places from dumps');
      expect(rows).to.deep.equal([['aaaa1111', '["/s/1.dmp","/s/2.dmp"]']]);
      expect(await history.counts()).to.deep.equal({ dumps: 1, failures: 1, copies: 1, entries: 3 });
    } finally {
      await history.close();
    }
  });
});
