import { expect } from 'chai';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificate } from '../../../../symbols/store/http/certificate.test.helper.js';
import { copyEntry, dumpEntry, failureEntry } from '../../inputs/entries.test.helper.js';
import type { DumpEntry } from '../../inputs/entries.js';
import { lineOf } from '../../journal/journal.js';
import { HistoryError } from '../../journal/history-error.js';
import { noteOf } from '../../outputs/summary.js';
import { parseAddress } from './address.js';
import { startPostgres, type Postgres } from './postgres.test.helper.js';
import { Server } from './server.js';
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

  it('begins once and takes each result once, from many at once and over a crash of the server', async () => {
    const database = await server.createDatabase();
    // All find an empty database.
    const hosts = await Promise.all(Array.from({ length: 4 }, async () => SharedHistory.open(parseAddress(server.url(database), {}), { patienceMs: 60_000 }))); // prettier-ignore
    try {
      const dumps = Array.from({ length: 40 }, (_, i) => dumpEntry(`/s/${i}.dmp`, { id: `dump-${i}` }));
      let crash: Promise<void> | null = null;
      const told = await Promise.all(
        hosts.map(async (host, at) => {
          let written = 0;
          for (const [i, dump] of dumps.entries()) {
            if (at === 0 && i === 10) crash = server.restart();
            // Half of them by their jobs, half by what they are.
            if ((await host.append(itemOf(dump), i % 2 === 0 ? { token: dump.id } : {})) === 'written') written++;
            if (i % 9 === at) await host.bringUp({ wait: at % 2 === 0 });
          }
          return written;
        }),
      );
      await (crash as Promise<void> | null);
      await Promise.all(hosts.map(async (host) => host.bringUp()));
      const rows = await server.run(database, 'select count(*)::int as n, count(distinct file_key)::int as files from dumpleak.entries'); // prettier-ignore
      expect(rows).to.deep.equal([{ n: 40, files: 40 }]);
      // A commit whose answer was lost in the crash counts as known.
      expect(told.reduce((a, b) => a + b)).to.be.within(40 - 4, 40);
      expect((await hosts[0]!.ask('select count(*) from dumps')).rows).to.deep.equal([[40]]);
      expect(await server.run(database, 'select version from dumpleak.migrations order by 1')).to.have.length(4);
    } finally {
      for (const host of hosts) await host.close();
    }
  });

  it('does what comes with a result in the same transaction', async () => {
    const history = await open();
    try {
      const dump = itemOf(dumpEntry('/s/1.dmp'));
      await history.server.executeSql('create table done (job text)');
      const within = (fails: boolean) => async (session: { executeSql(sql: string): Promise<unknown> }) => {
        await session.executeSql(`insert into done values ('job')`);
        if (fails) throw new Error('the job is not there');
      };
      await history.append(dump, { within: within(true) }).then(
        () => expect.fail('was appended'),
        (error: unknown) => expect(String(error)).to.include('not there'),
      );
      expect((await history.ask('select (select count(*) from done), (select count(*) from entries)')).rows).to.deep.equal([[0, 0]]); // prettier-ignore
      expect(await history.append(dump, { within: within(false) })).to.equal('written');
      expect(await history.append(dump, { within: within(false) })).to.equal('known');
      expect((await history.ask('select (select count(*) from done), (select count(*) from entries)')).rows).to.deep.equal([[2, 1]]); // prettier-ignore
    } finally {
      await history.close();
    }
  });

  it('is redacted as a whole or not at all, under one key', async () => {
    const database = await server.createDatabase();
    const [first, second, third] = await Promise.all([open(database), open(database), open(database)]);
    const otherKey = async (work: Promise<unknown>): Promise<void> =>
      work.then(
        () => expect.fail('was taken'),
        (error: unknown) => {
          expect(error).to.have.property('code', 'other-key');
        },
      );
    try {
      expect(await third.redaction(null)).to.equal(null);
      const key = await first.redaction('own');
      expect(await second.redaction('own')).to.deep.equal(key);
      expect(await second.redaction(null)).to.deep.equal(key);
      await otherKey(second.redaction(Buffer.from('another key')));
      // It thought that names are welcome.
      await otherKey(third.append(itemOf(dumpEntry('/secret/name.dmp'))));
      expect(await third.counts()).to.include({ entries: 0 });
      expect(await first.append(itemOf(dumpEntry('/s/1.dmp')))).to.equal('written');
      const named = await open();
      await named.append(failureEntry('/s/name.dmp'));
      await otherKey(named.redaction('own'));
      await named.close();
      const given = await open();
      expect(await given.redaction(Buffer.from('a given key'))).to.deep.equal(Buffer.from('a given key'));
      expect(await given.redaction(Buffer.from('a given key'))).to.deep.equal(Buffer.from('a given key'));
      await otherKey(given.redaction(null));
      expect((await given.ask('select count(*) from redact_key')).rows).to.deep.equal([[0]]);
      await given.close();
    } finally {
      for (const one of [first, second, third]) await one.close();
    }
  });

  it('waits for a server as long as its patience, and no longer', async () => {
    const address = parseAddress('postgres://nobody@127.0.0.1:1/none', {});
    await SharedHistory.open(address, { patienceMs: 300 }).then(
      () => expect.fail('something answers on port 1'),
      (error: unknown) => {
        expect(error).to.have.property('code', 'unreachable');
      },
    );
  });
});

describe('a history on a server with TLS', function () {
  this.timeout(60_000);
  const folder = mkdtempSync(join(tmpdir(), 'dumpleak-tls-'));
  const good = makeCertificate(['localhost', '127.0.0.1']);
  const other = makeCertificate(['elsewhere.example.net']);
  let server: Postgres;
  before(async function () {
    const started = await startPostgres(good);
    // There is no PostgreSQL here.
    if (started === null) this.skip();
    server = started;
    writeFileSync(join(folder, 'good.pem'), good.cert);
    writeFileSync(join(folder, 'other.pem'), other.cert);
  });
  after(async () => {
    await (server as Postgres | undefined)?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('is used where the server proves who it is, and not otherwise', async () => {
    const connects = async (parameters: string, host = '127.0.0.1'): Promise<string> => {
      const url = server.url().replace('127.0.0.1', host);
      try {
        const one = await Server.open(parseAddress(`${url}?${parameters}`, {}), { patienceMs: 2_000 });
        const { rows } = await one.executeSql('select ssl from pg_stat_ssl where pid = pg_backend_pid()');
        await one.close();
        return (rows[0] as { ssl: boolean }).ssl ? 'TLS' : 'plain';
      } catch (error) {
        expect(error).to.be.instanceOf(HistoryError);
        return (error as HistoryError).code;
      }
    };
    const root = (name: string): string => `sslrootcert=${encodeURIComponent(join(folder, name))}`;
    expect(await connects(`sslmode=verify-full&${root('good.pem')}`)).to.equal('TLS');
    expect(await connects(`sslmode=verify-full&${root('good.pem')}`, 'localhost')).to.equal('TLS');
    expect(await connects('sslmode=verify-full')).to.equal('refused');
    expect(await connects('sslmode=verify-ca')).to.equal('refused');
    expect(await connects(`sslmode=verify-full&${root('other.pem')}`)).to.equal('refused');
    expect(await connects(`sslmode=require&${root('other.pem')}`)).to.equal('refused');
    expect(await connects('sslmode=require')).to.equal('TLS');
    expect(await connects('')).to.equal('plain');
    // Another name of this machine, which the certificate does not hold.
    expect(await connects(`sslmode=verify-full&${root('good.pem')}`, '127.0.0.2')).to.be.oneOf([
      'refused',
      'unreachable',
    ]);
    const wrongName = await startPostgres(other);
    const { port } = wrongName!;
    const at = (mode: string): string => `${wrongName!.url()}?sslmode=${mode}&${root('other.pem')}`;
    expect(port).to.be.greaterThan(0);
    const opened = async (url: string) => Server.open(parseAddress(url, {})).then(async (one) => one.close().then(() => 'TLS'), (error: unknown) => (error as HistoryError).code); // prettier-ignore
    expect(await opened(at('verify-full'))).to.equal('refused');
    expect(await opened(at('verify-ca'))).to.equal('TLS');
    await wrongName!.stop();
  });
});
