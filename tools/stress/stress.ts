/** A batch that is killed again and again, compared with one that is not. */

import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { History } from '../../src/batch/journal/history.js';
import { Prng } from '../../test-dumps/prng.js';
import { makeShare } from '../../test-dumps/share.js';

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

export interface StressOptions {
  /** An empty folder. */
  folder: string;
  dumps: number;
  seed: number;
  /** Bytes of the machines that the dumps are of. */
  memory?: number | undefined;
  mostKills: number;
  /** Earliest and latest kill after a start, in milliseconds; up to half of an undisturbed run where it is not said. */
  killAfter?: readonly [number, number];
}

export interface StressFigures {
  dumps: number;
  damaged: number;
  undisturbedMs: number;
  disturbedMs: number;
  kills: number;
  /** Journal lines that a kill had torn. */
  torn: number;
  /** What is not as it should be; empty when all is well. */
  wrong: string[];
}

/** Makes the share, runs both batches, compares. */
export async function stressBatch(options: StressOptions): Promise<StressFigures> {
  const { folder, dumps, seed, memory, mostKills } = options;
  const random = new Prng(seed).fork('kills');
  const share = join(folder, 'share');
  const files = makeShare(share, dumps, seed, memory);
  const [calm, stormy] = [join(folder, 'calm'), join(folder, 'stormy')];
  const wrong: string[] = [];
  let started = Date.now();
  const first = await runBatch(share, calm, null);
  if (first !== 0) wrong.push(`the undisturbed run ended with ${String(first)}`);
  const undisturbedMs = Date.now() - started;
  const killAfter = options.killAfter ?? [200, Math.round(undisturbedMs / 2)];
  started = Date.now();
  let kills = 0;
  let torn = 0;
  for (;;) {
    const wait = kills < mostKills ? random.int(...killAfter) : null;
    const code = await runBatch(share, stormy, wait);
    if (code === 0) break;
    if (code !== 'killed') {
      wrong.push(`a disturbed run ended with ${String(code)}`);
      break;
    }
    kills++;
    if (isTorn(stormy)) torn++;
    wrong.push(...halves(stormy).map((name) => `after kill ${kills}: ${name}`));
  }
  const disturbedMs = Date.now() - started;
  wrong.push(...halves(stormy), ...twice(stormy), ...leftovers(stormy), ...differences(picture(calm), picture(stormy)));
  const damaged = files.filter((file) => file.damaged).length;
  return { dumps, damaged, undisturbedMs, disturbedMs, kills, torn, wrong };
}

/** Runs a batch to its end, or kills it and leaves its workers to themselves. Its exit code. */
async function runBatch(share: string, out: string, killAfter: number | null): Promise<number | 'killed' | null> {
  const child = spawn(process.execPath, [MAIN, 'batch', share, '--out', out, '--jobs', '2', '-q'], { stdio: 'ignore' });
  const timer = killAfter === null ? null : setTimeout(() => child.kill('SIGKILL'), killAfter);
  return new Promise((resolve) => {
    child.on('exit', (code, signal) => {
      if (timer !== null) clearTimeout(timer);
      resolve(signal === 'SIGKILL' ? 'killed' : code);
    });
  });
}

const journalOf = (out: string): string => join(out, 'history/journal.ndjson');

function isTorn(out: string): boolean {
  return existsSync(journalOf(out)) && !readFileSync(journalOf(out), 'utf8').endsWith('\n');
}

/** Outputs that can be seen and are not whole. */
function halves(out: string): string[] {
  const pages = join(out, 'pages');
  const names = existsSync(pages) ? readdirSync(pages).filter((name) => !name.startsWith('.')) : [];
  const html = [...names.map((name) => `pages/${name}`), 'index.html'].filter((name) => existsSync(join(out, name)));
  const wrong = html.filter((name) => !readFileSync(join(out, name), 'utf8').trimEnd().endsWith('</html>'));
  const results = join(out, 'results.ndjson');
  if (existsSync(results) && !readFileSync(results, 'utf8').split('\n').slice(0, -1).every(isJson)) wrong.push('results.ndjson'); // prettier-ignore
  return wrong.map((name) => `${name} is not whole`);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Dumps that were written down twice. */
function twice(out: string): string[] {
  const lines = readFileSync(journalOf(out), 'utf8').trimEnd().split('\n');
  const ids = lines.map((line) => (JSON.parse(line) as { fileId?: string; path?: string }).path ?? '');
  return ids.filter((id, i) => ids.indexOf(id) !== i).map((id) => `${id} was done twice`);
}

function leftovers(out: string): string[] {
  const names = ['', 'pages', 'history'].flatMap((name) => readdirSync(join(out, name)));
  return names.filter((name) => name.startsWith('.') || name.includes('lock')).map((name) => `${name} was left`);
}

/** What a batch came to, but for the times of its own. */
function picture(out: string): Map<string, string> {
  const history = History.load(join(out, 'history'));
  const parts = new Map<string, string>();
  for (const { id, fileId, place, places, summary } of history.records()) {
    parts.set(`dump ${place}`, JSON.stringify({ id, fileId, places, summary }));
  }
  for (const { place, code, message } of history.failed()) parts.set(`failure ${place}`, `${code} ${message}`);
  for (const line of readFileSync(join(out, 'results.ndjson'), 'utf8').trimEnd().split('\n')) {
    const result = JSON.parse(line) as { dump: { path: string }; run?: unknown };
    delete result.run;
    parts.set(`result ${result.dump.path}`, JSON.stringify(result));
  }
  const groups = JSON.parse(readFileSync(join(out, 'groups.json'), 'utf8')) as { generatedAt?: unknown };
  delete groups.generatedAt;
  parts.set('groups.json', JSON.stringify(groups));
  parts.set('pages', readdirSync(join(out, 'pages')).sort().join());
  return parts;
}

function differences(one: Map<string, string>, other: Map<string, string>): string[] {
  const names = new Set([...one.keys(), ...other.keys()]);
  return [...names].filter((name) => one.get(name) !== other.get(name)).map((name) => `${name} differs`);
}
