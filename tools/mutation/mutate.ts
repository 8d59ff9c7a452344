/**
 * How much of a change in the code the tests notice. Makes small changes to the compiled files of the parsers, the kernel, the
 * code and the leak rooms, in a copy, one on at a time, and runs the tests that reach the changed line: those beside the file
 * and the quickest first, until one fails. What none notices in a warm process is tried again in a new one, with the change on
 * from the start; what is then not noticed is a survivor. A change with which tests work on for many times their usual time is
 * noticed. A sample, drawn by a seed:
 * `npm run mutate -- [--sample 300] [--seed 1] [--rooms parsers,src/kernel] [--file PATH] [--tests build/parsers,build/src/leak]
 * [--minutes N] [--coverage FILE] [--longest MILLISECONDS] [--verbose]`. With `--coverage` what tests reach is kept in that file for the next run.
 * Tests that take longer than `--longest` are left out: what they alone would notice survives.
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
import { keptCoverage, measure, Reach, type FileCoverage } from './coverage.js';
import { mutantsOf, switched, type Mutant, type Switched } from './operators.js';
import { Trial } from './trial.js';

const PROJECT = fileURLToPath(new URL('../../../', import.meta.url));
const ROOMS = ['parsers', 'symbols', 'src/kernel', 'src/code', 'src/leak'];

const { values } = parseArgs({
  options: {
    sample: { type: 'string', default: '300' },
    seed: { type: 'string', default: '1' },
    rooms: { type: 'string', default: ROOMS.join(',') },
    file: { type: 'string' },
    tests: { type: 'string', default: 'build/parsers,build/symbols,build/src' },
    minutes: { type: 'string', default: '600' },
    coverage: { type: 'string' },
    longest: { type: 'string', default: 'Infinity' },
    verbose: { type: 'boolean', default: false },
  },
});

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** A copy of the project in which only the compiled files are real. The corpus beside it is linked too. */
function copyOfProject(): string {
  const folder = mkdtempSync(join(tmpdir(), 'dumpleak-mutation-'));
  const copy = join(folder, 'project');
  mkdirSync(copy);
  for (const name of readdirSync(PROJECT)) {
    if (name === 'build') cpSync(join(PROJECT, name), join(copy, name), { recursive: true, preserveTimestamps: true });
    else if (name !== '.git') symlinkSync(join(PROJECT, name), join(copy, name));
  }
  const shared = join(PROJECT, '..', 'shared');
  if (existsSync(shared)) symlinkSync(shared, join(folder, 'shared'));
  return copy;
}

function filesBelow(folder: string): string[] {
  return readdirSync(join(PROJECT, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
    .sort();
}

const isProduct = (name: string): boolean => name.endsWith('.js') && !/\.test(\.helper)?\.js$/.test(name);

/** What the tests reach, of all test files that were asked for. */
async function coverage(project: string): Promise<FileCoverage[]> {
  const wanted = values.tests.split(',');
  const files = filesBelow('build')
    .filter((name) => name.endsWith('.test.js') && !name.includes('browser'))
    .filter((name) => wanted.some((part) => name.includes(part)));
  const found = values.coverage === undefined ? [] : keptCoverage(project, values.coverage);
  const kept = new Set(found.map(({ file }) => file));
  const add = (some: readonly FileCoverage[]): void => {
    found.push(...some);
    if (values.coverage !== undefined) writeFileSync(values.coverage, JSON.stringify(found));
  };
  const missing = files.filter((file) => !kept.has(file));
  await measure(project, missing, add, (file) => {
    say(`left out, does not pass alone in time: ${file}`);
  });
  return found.filter(({ file }) => files.includes(file));
}

interface Place {
  readonly file: string;
  readonly mutant: Mutant;
}

function places(): Place[] {
  return values.rooms
    .split(',')
    .flatMap((room) => filesBelow(`build/${room}`))
    .filter(isProduct)
    .filter((name) => values.file === undefined || name.includes(values.file))
    .flatMap((file) => mutantsOf(readFileSync(join(PROJECT, file), 'utf8')).map((mutant) => ({ file, mutant })));
}

function drawn(all: Place[]): Place[] {
  const prng = new Prng(Number(values.seed));
  const sample: Place[] = [];
  while (sample.length < Number(values.sample) && all.length > 0)
    sample.push(...all.splice(prng.int(0, all.length - 1), 1));
  return sample;
}

/** Writes the files of the copy with all changes of the sample in them, numbered from 1 in its order. */
function writeSwitched(copy: string, sample: readonly Place[]): void {
  const byFile = new Map<string, Switched[]>();
  sample.forEach(({ file, mutant }, i) => byFile.set(file, [...(byFile.get(file) ?? []), { id: i + 1, mutant }]));
  for (const [file, changes] of byFile)
    writeFileSync(join(copy, file), switched(readFileSync(join(PROJECT, file), 'utf8'), changes));
}

interface Score {
  killed: number;
  all: number;
}

function sum(score: ReadonlyMap<string, Score>): Score {
  const counts = { killed: 0, all: 0 };
  for (const one of score.values()) {
    counts.killed += one.killed;
    counts.all += one.all;
  }
  return counts;
}

const copy = copyOfProject();
try {
  say('coverage of the tests ...');
  const longest = Number(values.longest);
  const covered = (await coverage(copy)).map((of) => ({
    ...of,
    tests: of.tests.filter(({ milliseconds }) => milliseconds <= longest),
  }));
  const reach = new Reach(covered);
  const sample = drawn(places());
  writeSwitched(copy, sample);
  const score = new Map<string, Score>();
  const end = performance.now() + Number(values.minutes) * 60_000;
  const lines = sample.map(({ file, mutant }) => {
    const text = readFileSync(join(PROJECT, file), 'utf8');
    return text.slice(0, mutant.start).split('\n').length;
  });
  const trial = new Trial(
    copy,
    sample.map(({ file, mutant }, i) => {
      const changed = statSync(join(PROJECT, file)).mtimeMs;
      const reaching = mutant.atLoad ? reach.ofFile(file) : reach.of(file, (lines[i] ?? 1) - 1, changed);
      return { id: i + 1, file, atLoad: mutant.atLoad, reaching, ofFile: reach.ofFile(file) };
    }),
    new Map(covered.map(({ file, tests }) => [file, tests.reduce((sum, { milliseconds }) => sum + milliseconds, 0)])),
  );
  for (const [i, { file, mutant }] of sample.entries()) {
    if (performance.now() > end) {
      say(`time is up after ${sum(score).all} of ${sample.length}`);
      break;
    }
    const { killed, why } = await trial.of(i + 1);
    if (values.verbose) say(`${i + 1} of ${sample.length}: ${killed ? 'noticed' : 'survived'} (${why})`);
    const room = dirname(file).split('/').slice(1, 3).join('/');
    const counts = score.get(room) ?? { killed: 0, all: 0 };
    score.set(room, { killed: counts.killed + (killed ? 1 : 0), all: counts.all + 1 });
    if (!killed) say(`survived: ${file}:${lines[i]} ${mutant.operator}: ${mutant.change} (${why})`);
  }
  trial.end();
  for (const [room, { killed, all: of }] of [...score].sort()) say(`${room}: ${killed} of ${of} noticed`);
  const { killed, all: tried } = sum(score);
  say(`all: ${killed} of ${tried} noticed, ${((100 * killed) / tried).toFixed(1)} %`);
} finally {
  rmSync(dirname(copy), { recursive: true, force: true });
}
