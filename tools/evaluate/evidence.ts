/**
 * How far the evidence can be trusted: builds all generated drivers, judges their files and dumps in which they are loaded, and
 * prints the tables of docs/evidence.md, or puts them there: `node build/tools/evaluate/evidence.js [--seed N] [docs/evidence.md]`.
 * Ends with 1 when anything is wrong above low confidence.
 */

import { readFileSync } from 'node:fs';
import { Compiler } from '../../test-dumps/drivers/compile.js';
import { judgeDump } from './judge-dump.js';
import { putBetween } from './put-between.js';
import { judgeFile, listedPairs, scoreOf, type Answer } from './score.js';
import { allDrivers, ARCHITECTURES, generateDriver, OPTIMISATIONS } from '../../test-dumps/drivers/source.js';
import type { DriverFile } from '../../test-dumps/drivers/scenario.js';

/** Answers by where they come from. */
export interface Evaluation {
  disk: Answer[];
  dump: Answer[];
  partial: Answer[];
}

/** Tags of other drivers that each is judged for besides its own. */
const FOREIGN = 40;

/** Judges drivers from disk, from a dump, and from a dump that lacks a third of their pages. */
export function evaluate(files: readonly DriverFile[]): Evaluation {
  const tags = files.map(({ driver }) => driver.tag).slice(0, FOREIGN);
  const disk = files.flatMap(({ driver, file }) => judgeFile(driver, file, foreignTo(driver.allocatedTags, tags)));
  const inDumps = (missing: 'discarded' | 'pages'): Answer[] =>
    ARCHITECTURES.flatMap((architecture) => judgeDump(architecture, files, missing, tags));
  return { disk, dump: inDumps('discarded'), partial: inDumps('pages') };
}

function foreignTo(own: readonly string[], tags: readonly string[]): string[] {
  return tags.filter((tag) => !own.includes(tag));
}

/** The tables of docs/evidence.md. */
export function tablesOf(evaluation: Evaluation): string {
  const places = [evaluation.disk, evaluation.dump, evaluation.partial];
  const drivers = new Set(evaluation.disk.map(({ driver }) => driver.name)).size;
  const cells = (keep: (answer: Answer) => boolean): string =>
    places
      .map((answers) => scoreOf(answers.filter(keep)))
      .map(({ named, silent, wrong }) => `${named} | ${silent} | ${wrong}`)
      .join(' | ');
  const row = (name: string, keep: (answer: Answer) => boolean): string => `| ${name} | ${cells(keep)} |`;
  const header = [
    '|  | disk: named | silent | wrong | dump: named | silent | wrong | dump without a third of the pages: named | silent | wrong |',
    '|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|',
  ];
  const shapes = [...new Set(evaluation.disk.map(({ driver }) => driver.shape))];
  const isDecoy = (shape: string): boolean =>
    evaluation.disk.some(({ driver }) => driver.shape === shape && !driver.allocates);
  const section = (title: string, wanted: readonly string[]): string[] => [
    '', `### ${title}`, '', ...header, ...wanted.map((shape) => row(shape, ({ driver }) => driver.shape === shape)),
  ]; // prettier-ignore
  return [
    `${drivers} drivers. Judged for ${evaluation.disk.length} pairs of a driver and a tag from disk, and as many from each dump.`,
    ...section(
      'Drivers that allocate under the tag',
      shapes.filter((shape) => !isDecoy(shape)),
    ),
    ...section('Decoys: drivers that hold the tag and do not allocate under it', shapes.filter(isDecoy)),
    ...['', '### By processor and optimisation', '', ...header],
    ...ARCHITECTURES.flatMap((architecture) =>
      OPTIMISATIONS.map((level) =>
        row(
          `${architecture} ${level}`,
          ({ driver }) => driver.architecture === architecture && driver.optimisation === level,
        ),
      ),
    ),
    row('all', () => true),
    ...['', '### With and without an exception table (x64 and ARM64)', '', ...header],
    ...[true, false].map((wanted) =>
      row(
        wanted ? 'with' : 'without',
        ({ driver }) => driver.architecture !== 'x86' && driver.exceptionTable === wanted,
      ),
    ),
    ...['', '### Definite pairs of a driver and a tag that are listed', '', ...pairTable(evaluation)],
    ...['', '### Each driver, from disk', '', ...grid(evaluation.disk, shapes)],
  ].join('\n');
}

/** By processor: of the tags that calls in a driver get as they are, those that `dumpleak tags --localtag` lists for it. */
function pairTable({ disk, dump }: Evaluation): string[] {
  const cells = (answers: readonly Answer[]): string => {
    const { pairs, listed } = listedPairs(answers);
    return `${pairs} | ${listed} | ${((100 * listed) / Math.max(1, pairs)).toFixed(2)} %`;
  };
  const row = (name: string, keep: (answer: Answer) => boolean): string =>
    `| ${name} | ${cells(disk.filter(keep))} | ${cells(dump.filter(keep))} |`;
  return [
    '|  | disk: pairs | listed | share | dump: pairs | listed | share |',
    '|---|---:|---:|---:|---:|---:|---:|',
    ...ARCHITECTURES.map((architecture) => row(architecture, ({ driver }) => driver.architecture === architecture)),
    row('all', () => true),
  ];
}

/** A row a shape, a column a processor and optimisation. */
function grid(answers: readonly Answer[], shapes: readonly string[]): string[] {
  const columns = ARCHITECTURES.flatMap((architecture) => OPTIMISATIONS.map((level) => ({ architecture, level })));
  const titles = columns.map(({ architecture, level }) => `${architecture} ${level}`);
  const cell = (shape: string, { architecture, level }: (typeof columns)[number]): string => {
    const own = answers.filter(
      ({ driver }) => driver.shape === shape && driver.architecture === architecture && driver.optimisation === level,
    );
    const { named, wrong } = scoreOf(own);
    return wrong > 0 ? '**wrong**' : named > 0 ? 'named' : 'silent';
  };
  return [
    `|  | ${titles.join(' | ')} |`,
    `|---|${titles.map(() => '---|').join('')}`,
    ...shapes.map((shape) => `| ${shape} | ${columns.map((column) => cell(shape, column)).join(' | ')} |`),
  ];
}

async function main(args: readonly string[]): Promise<void> {
  const at = args.indexOf('--seed');
  const seed = at < 0 ? 2026 : Number(args[at + 1]);
  const target = args.find((arg) => arg.endsWith('.md'));
  const compiler = Compiler.find();
  if (compiler === null) throw new Error('clang, lld-link and llvm-dlltool are needed (Debian: clang, lld, llvm)');
  const drivers = allDrivers(seed).map(generateDriver);
  const paths = await compiler.compileAll(drivers);
  const files = drivers.map((driver, i): DriverFile => ({ driver, file: readFileSync(paths[i] ?? '') }));
  const evaluation = evaluate(files);
  const tables = tablesOf(evaluation);
  if (target === undefined) process.stdout.write(`${tables}\n`);
  else putBetween(target, 'evaluate-evidence', tables);
  for (const [place, answers] of Object.entries(evaluation) as [string, Answer[]][]) {
    for (const { driver, tag, outcome, strength, note } of answers) {
      if (outcome !== 'wrong') continue;
      process.stderr.write(
        `wrong (${place}): ${driver.name} ${tag} ${strength ?? ''} ${note} ${paths[drivers.indexOf(driver)] ?? ''}\n`,
      );
      process.exitCode = 1;
    }
  }
}

if (process.argv[1]?.endsWith('evidence.js') === true) await main(process.argv.slice(2));
