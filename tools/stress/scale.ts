/** Workers on a shared history that are killed again and again, and a database that is restarted, against a batch of one machine. */

import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { History } from '../../src/batch/journal/history.js';
import { parseAddress } from '../../src/batch/store/server/address.js';
import type { Postgres } from '../../src/batch/store/server/postgres.test.helper.js';
import { SharedHistory } from '../../src/batch/store/server/shared-history.js';
import { deadLetters, queueCounts } from '../../src/batch/queue/queue-state.js';
import { Prng } from '../../test-dumps/prng.js';
import { makeShare } from '../../test-dumps/share.js';

/** The packed program, as users have it: it starts faster than the compiled files, and a worker that is killed lives for seconds. */
const MAIN = fileURLToPath(new URL('../../bin/dumpleak.js', import.meta.url));

export interface ScaleOptions {
  /** An empty folder. */
  readonly folder: string;
  readonly server: Postgres;
  readonly dumps: number;
  readonly seed: number;
  readonly memory?: number;
  readonly workers: number;
  /** Between two kills, in milliseconds. */
  readonly killEvery: number;
  /** Dumps that are done when the database is restarted. */
  readonly restartAfter: number;
  /** Of workers, as of --lease. */
  readonly lease: string;
  readonly mostKills?: number;
}

export interface ScaleFigures {
  dumps: number;
  damaged: number;
  undisturbedMs: number;
  disturbedMs: number;
  kills: number;
  restarts: number;
  wrong: string[];
}

/** Makes the share, reads it with a batch of one machine and by disturbed workers, compares. */
export async function stressScale(options: ScaleOptions): Promise<ScaleFigures> {
  const { folder, server, dumps, seed, memory, workers, lease } = options;
  const share = join(folder, 'share');
  const files = makeShare(share, dumps, seed, memory);
  const wrong: string[] = [];
  let started = Date.now();
  const calm = join(folder, 'calm');
  const first = await ended(start(['batch', share, '--out', calm, '--jobs', '2', '-q'], {}));
  if (first !== 0) wrong.push(`the undisturbed run ended with ${String(first)}`);
  const undisturbedMs = Date.now() - started;

  const database = await server.createDatabase();
  const env = { DUMPLEAK_STORE: server.url(database) };
  started = Date.now();
  const put = await ended(start(['batch', share, '--enqueue', '-q'], env));
  if (put !== 0) wrong.push(`batch --enqueue ended with ${String(put)}`);
  const history = await SharedHistory.open(parseAddress(server.url(database), {}), { patienceMs: 60_000 });
  try {
    const random = new Prng(seed).fork('kills');
    const running = new Set<ChildProcess>();
    const ends = { finished: false };
    let kills = 0;
    let restarts = 0;
    const run = (): void => {
      const child = start(['worker', '--drain', '--jobs', '1', '--lease', lease, '-q', '--log', 'text'], env);
      running.add(child);
      void ended(child).then((code) => {
        running.delete(child);
        if (code === 0) ends.finished = true;
        else if (code !== 'killed') wrong.push(`a worker ended with ${String(code)}`);
        if (!ends.finished && wrong.length === 0) run();
      });
    };
    for (let i = 0; i < workers; i++) run();
    while (running.size > 0) {
      await sleep(options.killEvery);
      const { dumps: done, failures } = await history.counts();
      if (restarts === 0 && done + failures >= options.restartAfter) {
        restarts++;
        await server.restart();
      }
      // Near the end nothing is left to be disturbed.
      if (ends.finished || kills >= (options.mostKills ?? Infinity)) continue;
      const victims = [...running];
      const victim = victims[random.int(0, Math.max(0, victims.length - 1))];
      if (victim?.kill('SIGKILL') === true) kills++;
    }
    const disturbedMs = Date.now() - started;
    const { waiting, delayed, reading } = await queueCounts(history.server);
    if (waiting + delayed + reading > 0) wrong.push(`${waiting + delayed + reading} dumps are left in the queue`);
    wrong.push(...(await deadLetters(history.server, 10)).map(({ dump, why }) => `${dump} is a dead letter: ${why}`));
    wrong.push(...(await twice(history)), ...differences(pictureOf(History.load(join(calm, 'history'))), pictureOf(await history.load()))); // prettier-ignore
    if (restarts === 0) wrong.push('the database was not restarted');
    const damaged = files.filter((file) => file.damaged).length;
    return { dumps, damaged, undisturbedMs, disturbedMs, kills, restarts, wrong };
  } finally {
    await history.close();
  }
}

const start = (args: readonly string[], env: Readonly<Record<string, string>>): ChildProcess =>
  spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, ...env } });

async function ended(child: ChildProcess): Promise<number | 'killed' | null> {
  return new Promise((resolve) => {
    child.on('exit', (code, signal) => {
      resolve(signal === 'SIGKILL' ? 'killed' : code);
    });
  });
}

/** Dumps that were written down twice. */
async function twice(history: SharedHistory): Promise<string[]> {
  const { rows } = await history.server.executeSql(
    'select min(note) as note, count(*)::int as count from entries group by file_key, place_key having count(*) > 1',
  );
  return (rows as { note: string; count: number }[]).map(({ note, count }) => `written ${count} times: ${note}`);
}

/** What a history came to, but for the times and the order. */
function pictureOf(history: History): Map<string, string> {
  const parts = new Map<string, string>();
  for (const { id, fileId, place, places, summary } of history.records()) {
    parts.set(`dump ${place}`, JSON.stringify({ id, fileId, places: [...places].sort(), summary }));
  }
  for (const { place, code, message } of history.failed()) parts.set(`failure ${place}`, `${code} ${message}`);
  return parts;
}

function differences(one: Map<string, string>, other: Map<string, string>): string[] {
  const names = new Set([...one.keys(), ...other.keys()]);
  return [...names].filter((name) => one.get(name) !== other.get(name)).map((name) => `${name} differs: ${one.get(name) ?? 'nothing'}, ${other.get(name) ?? 'nothing'}`); // prettier-ignore
}
