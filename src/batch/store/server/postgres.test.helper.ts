/** A PostgreSQL server for tests and tools: on a free port, in a temporary folder, and gone with whoever started it. */

import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export const PASSWORD = 'correct horse/battery';

export interface Postgres {
  readonly port: number;
  /** Folder of its socket. */
  readonly socket: string;
  /** Of its owner, with the password. */
  url(database?: string): string;
  /** A new database, which sorts as people do, not by bytes; gives its name. */
  createDatabase(): Promise<string>;
  /** Any statements, as the owner. */
  run(database: string, sql: string): Promise<unknown[]>;
  /** Ends it at once, as a crash does, and starts it again. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Where Debian and others put it, where it is not on the path. On Windows it has no socket in a folder: not for these tests. */
function programs(): string | null {
  if (process.platform === 'win32') return null;
  const versions = '/usr/lib/postgresql';
  const folders = [
    ...(process.env['PATH'] ?? '').split(delimiter),
    ...(existsSync(versions) ? readdirSync(versions).map((version) => join(versions, version, 'bin')) : []),
  ];
  return folders.find((folder) => ['initdb', 'postgres'].every((name) => existsSync(join(folder, name)))) ?? null;
}

/** It does not run as root: the user to run it as. */
function userOf(): { uid: number; gid: number } | null {
  if (process.getuid?.() !== 0) return null;
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  const found = users.find(([name]) => name === 'postgres') ?? users.find(([name]) => name === 'nobody');
  return { uid: Number(found?.[2] ?? 65_534), gid: Number(found?.[3] ?? 65_534) };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Starts one, with TLS where it is given a key and a certificate (PEM); null where there is no such program. */
export async function startPostgres(tls?: { key: string; cert: string }): Promise<Postgres | null> {
  const bin = programs();
  if (bin === null) return null;
  const folder = mkdtempSync(join(tmpdir(), 'dumpleak-pg-'));
  const user = userOf();
  const as = user ?? {};
  writeFileSync(join(folder, 'password'), PASSWORD);
  if (user !== null) for (const path of [folder, join(folder, 'password')]) chownSync(path, user.uid, user.gid);
  const data = join(folder, 'data');
  const made = spawnSync(
    join(bin, 'initdb'),
    ['-D', data, '-U', 'postgres', '-E', 'UTF8', '--locale=C', '--no-sync', '--auth-local=trust', '--auth-host=scram-sha-256', `--pwfile=${join(folder, 'password')}`],
    { ...as, cwd: folder, encoding: 'utf8' },
  ); // prettier-ignore
  if (made.status !== 0) throw new Error(`initdb: ${made.stderr} ${String(made.error)}`);
  const port = await freePort();
  const lines = ['fsync = off', 'full_page_writes = off', 'shared_buffers = 32MB', 'max_connections = 60', `listen_addresses = '127.0.0.1'`, `port = ${port}`, `unix_socket_directories = '${folder}'`, ...(tls === undefined ? [] : ['ssl = on'])]; // prettier-ignore
  writeFileSync(join(data, 'postgresql.conf'), `${lines.join('\n')}\n`, { flag: 'a' });

  for (const [name, text] of tls === undefined
    ? []
    : ([
        ['server.key', tls.key],
        ['server.crt', tls.cert],
      ] as const)) {
    writeFileSync(join(data, name), text, { mode: 0o600 });
    if (user !== null) chownSync(join(data, name), user.uid, user.gid);
  }

  let server: ChildProcess;
  let log = '';
  const start = async (): Promise<void> => {
    server = spawn(join(bin, 'postgres'), ['-D', data], { ...as, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
    server.stderr?.on('data', (part: Buffer) => {
      log = (log + part.toString('utf8')).slice(-10_000);
    });
    for (let tries = 0; !(await answers()); tries++) {
      if (tries > 600 || server.exitCode !== null) throw new Error(`the server did not start: ${log}`);
      await sleep(50);
    }
  };
  const url = (database = 'postgres'): string =>
    `postgres://postgres:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}/${database}`;
  const run = async (database: string, sql: string): Promise<unknown[]> => {
    const { Client } = await import('pg');
    const client = new Client({ host: folder, port, user: 'postgres', database, ssl: false });
    client.on('error', () => undefined);
    await client.connect();
    try {
      const result = await client.query<Record<string, unknown>>(sql);
      return (Array.isArray(result) ? (result.at(-1) as typeof result) : result).rows;
    } finally {
      await client.end();
    }
  };
  const answers = async (): Promise<boolean> => run('postgres', 'select 1').then(() => true, () => false); // prettier-ignore
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    await new Promise((resolve) => {
      server.once('exit', resolve);
      server.kill(signal);
    });
  };
  const onExit = (): void => void server.kill('SIGQUIT');
  await start();
  process.once('exit', onExit);
  let count = 0;
  return {
    ...{ port, socket: folder, url, run },
    createDatabase: async () => {
      const name = `history_${++count}`;
      await run('postgres', `create database ${name} template template0 locale_provider icu icu_locale 'en-US'`);
      return name;
    },
    restart: async () => {
      await end('SIGQUIT');
      await start();
    },
    stop: async () => {
      process.off('exit', onExit);
      await end('SIGINT');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
