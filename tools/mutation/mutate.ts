/**
 * How much of a change in the code the tests notice. Makes small changes to the compiled files of the parsers, the kernel and the
 * leak rooms, one at a time and in a copy, and runs the tests that reach the changed place, from near or far: those beside the
 * file first, then the quickest; a change that no test notices is a survivor. A sample, drawn by a seed:
 * `npm run mutate -- [--sample 300] [--seed 1] [--rooms parsers,src/kernel] [--file PATH] [--tests build/parsers,build/src/leak]
 * [--minutes N] [--coverage FILE]`. With `--coverage` what tests reach is kept in that file for the next run.
 * Takes hours for all; for a schedule, not for CI. CONTRIBUTING.md has the last score.
 */

import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Prng } from '../../test-dumps/prng.js';
import { coverageOf, keepCoverage, keptCoverage, reaches, runTests, type TestCoverage } from './coverage.js';
import { applied, mutantsOf, type Mutant } from './operators.js';

const PROJECT = fileURLToPath(new URL('../../../', import.meta.url));
const ROOMS = ['parsers', 'src/kernel', 'src/code', 'src/leak', 'src/result'];
/** A run over the tests that reach a place may take this many times their usual time, and this much more, in milliseconds. */
const PATIENCE = { times: 4, more: 20_000 };
/** Tests that reach a place are taken until they took this many milliseconds together when they passed. */
const MOST_TEST_TIME = 60_000;
/** A test file that takes longer alone is not used. */
const LONGEST_TEST = 240_000;

const { values } = parseArgs({
  options: {
    sample: { type: 'string', default: '300' },
    seed: { type: 'string', default: '1' },
    rooms: { type: 'string', default: ROOMS.join(',') },
    file: { type: 'string' },
    tests: { type: 'string', default: 'build' },
    minutes: { type: 'string', default: '600' },
    coverage: { type: 'string' },
  },
});

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** A copy of the project in which only the compiled files are real. The corpus beside it is linked too. */
function copyOfProject(): string {
  const folder = mkdtempSync(join(tmpdir(), 'dumpleak-mutation-'));
  const copy = join(folder, 'project');
  mkdirSync(copy);
  for (const name of readdirSync(PROJECT)) {
    if (name === 'build') cpSync(join(PROJECT, name), join(copy, name), { recursive: true });
    else if (name !== '.git') symlinkSync(join(PROJECT, name), join(copy, name));
  }
  const shared = join(PROJECT, '..', 'shared');
  if (existsSync(shared)) symlinkSync(shared, join(folder, 'shared'));
  return copy;
}

function filesBelow(folder: string): string[] {
  return readdirSync(join(PROJECT, folder), { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name}`);
}

const isProduct = (name: string): boolean => name.endsWith('.js') && !/\.test(\.helper)?\.js$/.test(name);

/** What each test file reaches, those that pass alone. */
function coverage(project: string): TestCoverage[] {
  const wanted = values.tests.split(',');
  const tests = filesBelow('build')
    .filter((name) => name.endsWith('.test.js') && !name.includes('browser'))
    .filter((name) => wanted.some((part) => name.includes(part)));
  const found = values.coverage === undefined ? [] : keptCoverage(PROJECT, values.coverage, tests);
  const kept = new Set(found.map(({ test }) => test));
  for (const test of tests.filter((name) => !kept.has(name))) {
    const reached = coverageOf(project, test, LONGEST_TEST);
    if (reached === null) say(`left out, does not pass alone in time: ${test}`);
    found.push(reached ?? { test, at: Date.now(), milliseconds: LONGEST_TEST, files: new Map() });
    if (values.coverage !== undefined) keepCoverage(values.coverage, found, isProduct);
  }
  return found.sort((a, b) => a.milliseconds - b.milliseconds);
}

interface Place {
  readonly file: string;
  readonly mutant: Mutant;
}

function places(): Place[] {
  const wanted = values.rooms.split(',').map((room) => `build/${room}`);
  return wanted
    .flatMap((room) => filesBelow(room))
    .filter(isProduct)
    .filter((name) => values.file === undefined || name.includes(values.file))
    .flatMap((file) => mutantsOf(readFileSync(join(PROJECT, file), 'utf8')).map((mutant) => ({ file, mutant })));
}

/** The tests that reach a place: those beside its file first, then the quickest, as many as the time allows. */
function testsFor(tests: readonly TestCoverage[], { file, mutant }: Place): TestCoverage[] {
  const changed = statSync(join(PROJECT, file)).mtimeMs;
  const reaching = tests.filter(({ files, at }) => {
    const functions = files.get(file) ?? [];
    return changed > at ? functions.length > 0 : reaches(functions, mutant.start);
  });
  const isNear = ({ test }: TestCoverage): boolean => dirname(test) === dirname(file);
  const sorted = [...reaching.filter(isNear), ...reaching.filter((test) => !isNear(test))];
  let time = 0;
  return sorted.filter(({ milliseconds }, i) => {
    if (i > 0 && time + milliseconds > MOST_TEST_TIME) return false;
    time += milliseconds;
    return true;
  });
}

function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

function sum(score: ReadonlyMap<string, { killed: number; all: number }>): { killed: number; all: number } {
  const counts = { killed: 0, all: 0 };
  for (const one of score.values()) {
    counts.killed += one.killed;
    counts.all += one.all;
  }
  return counts;
}

const copy = copyOfProject();
try {
  say('coverage of each test file ...');
  const tests = coverage(copy);
  const all = places();
  const prng = new Prng(Number(values.seed));
  const sample: Place[] = [];
  while (sample.length < Number(values.sample) && all.length > 0)
    sample.push(...all.splice(prng.int(0, all.length - 1), 1));
  const score = new Map<string, { killed: number; all: number }>();
  const end = performance.now() + Number(values.minutes) * 60_000;
  for (const place of sample) {
    const { file, mutant } = place;
    if (performance.now() > end) {
      say(`time is up after ${sum(score).all} of ${sample.length}`);
      break;
    }
    const path = join(copy, file);
    const text = readFileSync(path, 'utf8');
    const chosen = testsFor(tests, place);
    let killed = false;
    if (chosen.length > 0) {
      writeFileSync(path, applied(text, mutant));
      const usual = chosen.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
      killed =
        runTests(
          copy,
          chosen.map(({ test }) => test),
          usual * PATIENCE.times + PATIENCE.more,
        ).status !== 0;
      writeFileSync(path, text);
    }
    const room = dirname(file).split('/').slice(1, 3).join('/');
    const counts = score.get(room) ?? { killed: 0, all: 0 };
    score.set(room, { killed: counts.killed + (killed ? 1 : 0), all: counts.all + 1 });
    if (!killed) {
      const why = chosen.length === 0 ? 'no test reaches it' : `${chosen.length} test files do not notice`;
      const before = text.slice(mutant.start, mutant.end).split('\n')[0] ?? '';
      say(
        `survived: ${file}:${lineOf(text, mutant.start)} ${mutant.operator}: ${before} -> ${mutant.replacement} (${why})`,
      );
    }
  }
  for (const [room, { killed, all: of }] of [...score].sort()) say(`${room}: ${killed} of ${of} noticed`);
  const { killed, all: tried } = sum(score);
  say(`all: ${killed} of ${tried} noticed, ${((100 * killed) / tried).toFixed(1)} %`);
} finally {
  rmSync(dirname(copy), { recursive: true, force: true });
}
