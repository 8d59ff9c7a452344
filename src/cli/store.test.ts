import { expect } from 'chai';
import { writeFileSync } from 'node:fs';
import { DUMPS, openBoss } from '../batch/queue/install.js';
import { parseAddress } from '../batch/store/server/address.js';
import { PASSWORD, startPostgres, type Postgres } from '../batch/store/server/postgres.test.helper.js';
import { Server } from '../batch/store/server/server.js';
import { runHere, temporaryFolder } from './program.test.helper.js';

describe('command line: store init', function () {
  this.timeout(120_000);
  const folder = temporaryFolder();
  let server: Postgres;
  before(async function () {
    const started = await startPostgres();
    // There is no PostgreSQL here.
    if (started === null) this.skip();
    server = started;
  });
  after(async () => {
    await (server as Postgres | undefined)?.stop();
  });

  it('makes tables, queue and roles, and can be repeated', async () => {
    const database = await server.createDatabase();
    const file = folder.path('owner.txt');
    writeFileSync(file, server.url(database));
    const first = await runHere(['store', 'init', '--store-file', file, '--reader', 'grafana "x"']);
    expect(first).to.deep.include({ code: 0, stderr: '' });
    expect(first.stdout)
      .to.include('members of the role dumpleak_worker')
      .and.include('members of the role grafana "x"')
      .and.include('Made: dumpleak_worker, grafana "x"')
      .and.not.include(PASSWORD);
    const again = await runHere(['store', 'init', '--store', server.url(database)]);
    expect(again.stdout).to.include('Made: dumpleak_reader,');
    await server.run('postgres', `create role walt login password 'w' in role dumpleak_worker; create role rosa login password 'r' in role dumpleak_reader`); // prettier-ignore

    // All that a worker does with the queue, by its rights alone.
    const open = async (user: string) =>
      Server.open(parseAddress(`postgres://${user}:${user.slice(0, 1)}@127.0.0.1:${server.port}/${database}`, {}));
    const walt = await open('walt');
    const boss = await openBoss(walt, { supervise: false });
    await boss.send(DUMPS, { path: '/s/1.dmp' });
    const [job] = await boss.fetch(DUMPS);
    expect(job?.data).to.deep.equal({ path: '/s/1.dmp' });
    await boss.complete(DUMPS, job!.id);
    await boss.stop({ graceful: false });
    await walt.close();
    const rosa = await open('rosa');
    await rosa.executeSql('select * from dumpleak_queue.job').then(
      () => expect.fail('a reader sees where dumps lie'),
      (error: unknown) => {
        expect(error).to.have.property('code', 'refused');
      },
    );
    const asked = await runHere([
      'history',
      'list',
      '--store',
      `postgres://rosa:r@127.0.0.1:${server.port}/${database}`,
    ]);
    expect(asked).to.deep.equal({ code: 0, stdout: 'Nothing found\n', stderr: '' });
    await rosa.close();
  });

  it('says what stands in its way', async () => {
    expect(await runHere(['store', 'init'])).to.include({ code: 64 });
    const database = await server.createDatabase();
    await server.run('postgres', `create role peter login password 'p'`);
    const poor = `postgres://peter:p@127.0.0.1:${server.port}/${database}`;
    const first = await runHere(['store', 'init', '--store', poor]);
    expect(first).to.include({ code: 2 });
    expect(first.stderr).to.include('this role may not make tables');
    await server.run('postgres', `grant create on database ${database} to peter`);
    const second = await runHere(['store', 'init', '--store', poor, '--worker', 'new_one', '--reader', 'new_two']);
    expect(second).to.include({ code: 2 });
    expect(second.stderr).to.include('Let an administrator create the role new_one');
    await server.run('postgres', 'create role new_one; create role new_two');
    expect(await runHere(['store', 'init', '--store', poor, '--worker', 'new_one', '--reader', 'new_two'])).to.include({ code: 0 }); // prettier-ignore
    expect(await runHere(['store', 'init', '--store', poor, '--worker', 'new_one', '--reader', 'new_one'])).to.include({ code: 2 }); // prettier-ignore
  });
});
