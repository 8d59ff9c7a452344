/**
 * A shared history against an embedded one: two workers through the server against one embedded worker, and what share of a
 * worker's time the store takes. Also the figures of docs/scale.md: bytes read for a dump, bytes of the database for one.
 */

import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAddress } from '../../src/batch/store/server/address.js';
import { startPostgres, type Postgres } from '../../src/batch/store/server/postgres.test.helper.js';
import { SharedHistory } from '../../src/batch/store/server/shared-history.js';
import { buildDump } from '../../test-dumps/build-dump.js';
import { SCENARIOS } from '../../test-dumps/scenarios.js';
import type { BenchLine } from './measure.js';

const MAIN = fileURLToPath(new URL('../../bin/dumpleak.js', import.meta.url));
/** Relative to build/tools/bench: the source folder, where the preloaded script is. */
const PRELOAD = fileURLToPath(new URL('../../../tools/bench/usage.cjs', import.meta.url));
/** They take 7 GB: so many that it is not the first ones of a process, which take three times as long, that are measured. */
const DUMPS = 200;
const ROUNDS = 2;
/** Of the header: SystemTime. A dump of another time is another dump. */
const SYSTEM_TIME = 0xfa8;

interface Run {
  ms: number;
  /** Processor time of the worker itself, without the processes that read. */
  ownMs: number;
  /** Of those. */
  readMs: number;
}

export async function scaleBench(): Promise<BenchLine[]> {
  const server = await startPostgres();
  if (server === null) {
    process.stderr.write('scale: no PostgreSQL on this machine, left out\n');
    return [];
  }
  const folder = mkdtempSync(join(tmpdir(), 'dumpleak-scale-'));
  try {
    const share = join(folder, 'share');
    mkdirSync(share);
    const bytes = Buffer.from(buildDump(SCENARIOS.notmyfault()).toBytes());
    for (let i = 0; i < DUMPS; i++) {
      bytes.writeBigUInt64LE(bytes.readBigUInt64LE(SYSTEM_TIME) + 36_000_000_000n, SYSTEM_TIME);
      writeFileSync(join(share, `${i}.dmp`), bytes, { flush: true });
    }
    const embedded: Run[] = [];
    const shared: Run[] = [];
    let figures = { databaseBytes: 0, readBytes: 0 };
    for (let round = 0; round < ROUNDS; round++) {
      rmSync(join(folder, 'out'), { recursive: true, force: true });
      embedded.push(await timed(folder, [['batch', share, '--out', join(folder, 'out'), '--jobs', '1', '-q']], {}));
      const database = await server.createDatabase();
      const env = { DUMPLEAK_STORE: server.url(database) };
      await timed(folder, [['store', 'init']], env);
      const empty = await sizeOf(server, database);
      await timed(folder, [['batch', share, '--enqueue', '-q']], env);
      const worker = ['worker', '--drain', '--jobs', '1', '-q', '--log', 'text'];
      shared.push(await timed(folder, [worker, worker], env));
      await server.run(database, 'vacuum');
      figures = { databaseBytes: (await sizeOf(server, database)) - empty, readBytes: await readOf(server, database) };
    }
    const best = (runs: readonly Run[]): Run => runs.reduce((one, other) => (other.ms < one.ms ? other : one));
    const [one, two] = [best(embedded), best(shared)];
    const each = (size: number): string => `${Math.round(size / DUMPS / 1024)} KB`;
    return [
      {
        name: 'scale: one embedded / two through the server',
        ...{ ratio: one.ms / two.ms, goal: 1.8, atLeast: true },
        detail: `${DUMPS} dumps of ${Math.round(bytes.length / 2 ** 20)} MB: ${one.ms.toFixed(0)} ms, ${two.ms.toFixed(0)} ms`,
      },
      {
        name: "scale: processor time of the store's side / of all",
        ...{ ratio: two.ownMs / (two.ownMs + two.readMs), goal: 0.1 },
        detail: `workers ${two.ownMs.toFixed(0)} ms, their processes ${two.readMs.toFixed(0)} ms; ${each(figures.databaseBytes)} of database and ${each(figures.readBytes)} read a dump`,
      },
    ];
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function sizeOf(server: Postgres, database: string): Promise<number> {
  const [row] = (await server.run('postgres', `select pg_database_size('${database}')::float8 as size`)) as {
    size: number;
  }[];
  return row?.size ?? 0;
}

/** Bytes that the analyses read of their dumps, as they say themselves. */
async function readOf(server: Postgres, database: string): Promise<number> {
  const history = await SharedHistory.open(parseAddress(server.url(database), {}));
  try {
    const entries = await history.read((await history.load()).records());
    return entries.reduce((sum, entry) => sum + (entry?.result.run.bytesRead ?? 0), 0);
  } finally {
    await history.close();
  }
}

/** Runs programs at once. Throws where one does not end well. */
async function timed(folder: string, lines: readonly (readonly string[])[], env: Readonly<Record<string, string>>): Promise<Run> {
  const started = performance.now();
  const usages = await Promise.all(
    lines.map(async (args, i) => {
      const report = join(folder, `usage-${i}.json`);
      const child = spawn(process.execPath, ['-r', PRELOAD, MAIN, ...args], {
        stdio: ['ignore', 'ignore', 'inherit'],
        env: { ...process.env, ...env, DUMPLEAK_BENCH_USAGE: report },
      });
      const code = await new Promise((resolve) => child.on('exit', resolve));
      if (code !== 0) throw new Error(`${args.join(' ')} ended with ${String(code)}`);
      return JSON.parse(readFileSync(report, 'utf8')) as { cpuMs: number; childrenMs: number | null };
    }),
  );
  const ms = performance.now() - started;
  return {
    ms,
    ownMs: usages.reduce((sum, { cpuMs }) => sum + cpuMs, 0),
    readMs: usages.reduce((sum, { childrenMs }) => sum + (childrenMs ?? 0), 0),
  };
} // prettier-ignore
