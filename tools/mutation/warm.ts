/**
 * The process that a mutation run keeps warm: it loads test files once and runs chosen tests of them again and again, each time
 * with another change switched on. It also tells which lines each test runs, by the engine's own coverage. It is forked, and
 * told what to do by messages (`Order`); it answers with `Answer`.
 */

import { readFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { relative, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import Mocha from 'mocha';
import { SWITCH } from './operators.js';
import { linesRun } from './lines.js';

export type Order =
  /** Loads test files (paths below the working folder), `change` on while they load; `measure` counts what runs from then on. */
  | { readonly do: 'load'; readonly files: readonly string[]; readonly change: number; readonly measure: boolean }
  /** Runs everything that was loaded and tells of each test what it reached. */
  | { readonly do: 'measure' }
  /** Runs the tests of these full titles, or all (null), with a change on, until one fails. */
  | { readonly do: 'try'; readonly change: number; readonly titles: readonly string[] | null };

export interface Measured {
  readonly file: string;
  /** Full title; null for what loading the file runs besides the top level of modules. */
  readonly title: string | null;
  /** Of processor time. */
  readonly milliseconds: number;
  /** Path below the project -> lines that ran, as a bit map in base64. */
  readonly lines: readonly (readonly [string, string])[];
}

export type Answer =
  | { readonly told: 'loaded'; readonly failed: readonly string[] }
  | { readonly told: 'measured'; readonly tests: readonly Measured[] }
  /** The first test that failed, if any; `alsoWithout` when it fails too with no change on, so that it proves nothing. */
  | { readonly told: 'tried'; readonly failed: string | null; readonly alsoWithout: boolean };

const PRODUCT = /^build\/(parsers|symbols|src)\/(?!.*\.test(\.helper)?\.js$)/;

/** Tells nothing: failures are heard from the runner. */
class Silent extends Mocha.reporters.Base {}

const mocha = new Mocha({ timeout: 60_000, reporter: Silent });
mocha.cleanReferencesAfterRun(false);
const session = new Session();

const turn = (change: number): void => void Reflect.set(globalThis, SWITCH, change);
const answer = (told: Answer): void => void process.send?.(told);

/** What ran since this was last asked. */
function taken(): Map<string, Uint8Array> {
  const found = new Map<string, Uint8Array>();
  session.post('Profiler.takePreciseCoverage', (_error, coverage) => {
    for (const { url, functions } of coverage.result) {
      if (!url.startsWith('file:')) continue;
      const path = relative(process.cwd(), fileURLToPath(url)).split(sep).join('/');
      if (!PRODUCT.test(path)) continue;
      const below = functions.filter(({ functionName, ranges }) => functionName !== '' || ranges[0]?.startOffset !== 0);
      const lines = linesRun(startsOf(path), below);
      if (lines.some((byte) => byte !== 0)) found.set(path, lines);
    }
  });
  return found;
}

const starts = new Map<string, readonly number[]>();
function startsOf(path: string): readonly number[] {
  let known = starts.get(path);
  if (known === undefined) {
    known = [0];
    const text = readFileSync(path, 'utf8');
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) (known as number[]).push(at + 1);
    starts.set(path, known);
  }
  return known;
}

function join(parts: readonly ReadonlyMap<string, Uint8Array>[]): [string, string][] {
  const all = new Map<string, Uint8Array>();
  for (const part of parts) {
    for (const [path, lines] of part) {
      const known = all.get(path);
      all.set(path, known === undefined ? lines : known.map((byte, i) => byte | (lines[i] ?? 0)));
    }
  }
  return [...all].map(([path, lines]) => [path, Buffer.from(lines).toString('base64')]);
}

async function load(files: readonly string[], change: number, measure: boolean): Promise<void> {
  turn(change);
  if (measure) {
    session.connect();
    session.post('Profiler.enable');
    session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }
  const failed: string[] = [];
  for (const file of files) {
    const path = `${process.cwd()}/${file}`;
    mocha.suite.emit('pre-require', globalThis, path, mocha);
    try {
      await import(pathToFileURL(path).href);
    } catch {
      failed.push(file);
    }
    mocha.suite.emit('post-require', globalThis, path, mocha);
    if (measure) tests.push({ file, title: null, milliseconds: 0, lines: join([taken()]) });
  }
  answer({ told: 'loaded', failed });
}

const tests: Measured[] = [];

function measure(): void {
  const ofSuites = new Map<Mocha.Suite, Map<string, Uint8Array>>();
  const around = (suite: Mocha.Suite | undefined): Map<string, Uint8Array>[] => {
    if (suite === undefined) return [];
    const own = ofSuites.get(suite);
    return [...(own === undefined ? [] : [own]), ...around(suite.parent)];
  };
  const worked = (): number => (process.cpuUsage().user + process.cpuUsage().system) / 1000;
  let since = worked();
  const runner = mocha.run(() => {
    answer({ told: 'measured', tests });
  });
  runner.on('hook end', (hook: Mocha.Hook) => {
    if (hook.title.includes('before all') && hook.parent !== undefined) ofSuites.set(hook.parent, taken());
  });
  runner.on('pass', (test: Mocha.Test) => {
    const milliseconds = worked() - since;
    const file = relative(process.cwd(), test.file ?? '')
      .split(sep)
      .join('/');
    tests.push({ file, title: test.fullTitle(), milliseconds, lines: join([taken(), ...around(test.parent)]) });
    since = worked();
  });
  runner.on('fail', () => {
    taken();
    since = worked();
  });
}

/** What mocha asks of each test, answered by its full title. */
class Chosen extends RegExp {
  readonly #titles: ReadonlySet<string> | null;

  constructor(titles: readonly string[] | null) {
    super('');
    this.#titles = titles === null ? null : new Set(titles);
  }

  override test(title: string): boolean {
    return this.#titles?.has(title) ?? true;
  }
}

function run(titles: readonly string[] | null): Promise<string | null> {
  mocha.bail(true);
  mocha.grep(new Chosen(titles));
  return new Promise((resolve) => {
    let failed: string | null = null;
    const runner = mocha.run(() => {
      resolve(failed);
    });
    runner.on('fail', (test: Mocha.Runnable) => {
      failed ??= test instanceof Mocha.Hook ? '' : test.fullTitle();
    });
  });
}

process.on('message', (order: Order) => {
  if (order.do === 'load') void load(order.files, order.change, order.measure);
  else if (order.do === 'measure') measure();
  else void attempt(order.change, order.titles);
});

async function attempt(change: number, titles: readonly string[] | null): Promise<void> {
  turn(change);
  const failed = await run(titles);
  turn(0);
  const again = failed === null ? null : await run(failed === '' ? titles : [failed]);
  answer({ told: 'tried', failed, alsoWithout: again !== null });
}

process.on('disconnect', () => process.exit(0));
