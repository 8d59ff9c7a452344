import { expect } from 'chai';
import { dumpEntry, failureEntry } from '../../inputs/entries.test.helper.js';
import type { DumpEntry } from '../../inputs/entries.js';
import { lineOf } from '../../journal/journal.js';
import { noteOf } from '../../outputs/summary.js';
import { listDumps } from '../questions.js';
import { parseAddress } from './address.js';
import { startPostgres, type Postgres } from './postgres.test.helper.js';
import { grantRoles, ROLES } from './roles.js';
import { prepareSchema, SharedHistory, type Item } from './shared-history.js';
import { Server } from './server.js';

const itemOf = (entry: DumpEntry): Item => ({ line: lineOf(entry), note: noteOf(entry) });

describe('roles of a history on a server', function () {
  this.timeout(120_000);
  let server: Postgres;
  let database = '';
  before(async function () {
    const started = await startPostgres();
    // There is no PostgreSQL here.
    if (started === null) this.skip();
    server = started;
    database = await server.createDatabase();
    const owner = await Server.open(parseAddress(server.url(database), {}));
    await prepareSchema(owner);
    expect(await grantRoles(owner, ROLES)).to.deep.equal([ROLES.worker, ROLES.reader]);
    expect(await grantRoles(owner, ROLES)).to.deep.equal([]);
    await owner.close();
    await server.run('postgres', `create role wendy login password 'w' in role dumpleak_worker; create role rita login password 'r' in role dumpleak_reader; create role nora login password 'n'`); // prettier-ignore
  });
  after(async () => {
    await (server as Postgres | undefined)?.stop();
  });
  const as = async (user: string): Promise<SharedHistory> =>
    SharedHistory.open(parseAddress(`postgres://${user}:${user.slice(0, 1)}@127.0.0.1:${server.port}/${database}`, {}));

  it('let workers do all that work needs, and readers ask', async () => {
    const worker = await as('wendy');
    const reader = await as('rita');
    try {
      expect(await worker.redaction('own')).to.have.length(32);
      for (const entry of [
        dumpEntry('/s/1.dmp', { headerId: 'h' }),
        dumpEntry('/s/1.dmp', { id: 'other', headerId: 'h' }),
      ]) {
        expect(await worker.append(itemOf(entry), { token: entry.id })).to.equal('written');
      }
      await worker.append(failureEntry('/s/bad.dmp'));
      expect(await reader.bringUpForReading()).to.deep.equal(['3 results are not in the tables yet, and this role may not bring them there: a worker does']); // prettier-ignore
      await worker.bringUp();
      await worker.rebuild();
      expect(await reader.bringUpForReading()).to.deep.equal([]);
      expect((await listDumps(reader, {})).rows).to.have.length(1);
      expect((await reader.overview()).records).to.have.length(1);
      expect((await reader.read((await reader.load()).records()))[0]?.kind).to.equal('dump');
    } finally {
      await worker.close();
      await reader.close();
    }
  });

  it('let nobody do more', async () => {
    const refused = async (user: string, sql: string): Promise<void> => {
      const one = await as(user);
      try {
        await one.server.executeSql(sql).then(
          () => expect.fail(`${user} may ${sql}`),
          (error: unknown) => {
            expect(error, `${user}: ${sql}`).to.have.property('code', 'refused');
          },
        );
      } finally {
        await one.close();
      }
    };
    const both = ['drop table dumps', 'drop schema dumpleak cascade', 'truncate dumps', 'delete from entries', `update entries set note = ''`, 'create table dumpleak.mine (x int)', 'alter table entries add x int', 'update migrations set version = 0', 'delete from redact_key', `update redact_key set key = ''`]; // prettier-ignore
    for (const sql of both) {
      await refused('wendy', sql);
      await refused('rita', sql);
    }
    const changes = ['delete from dumps', `insert into state values ('x', 'y')`, `update state set value = ''`, `insert into entries (kind, place_key, note) values ('copy', '', '')`, 'select * from redact_key', `insert into redact_key values ('')`]; // prettier-ignore
    for (const sql of changes) await refused('rita', sql);
    await as('nora').then(
      () => expect.fail('nora came in'),
      (error: unknown) => {
        expect(error).to.have.property('code', 'refused');
        expect(String(error)).to.include('may not make tables');
      },
    );
    const worker = await as('wendy');
    await worker
      .remove((history) => history.records())
      .then(
        () => expect.fail('a worker took results away'),
        (error: unknown) => {
          expect(error).to.have.property('code', 'refused');
        },
      );
    await worker.close();
  });
});
