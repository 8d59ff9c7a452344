/**
 * What dumpleak says of the published field cases: each is built as a dump and analyzed. Prints the tables of
 * docs/field-cases.md, or puts them there: `node build/tools/evaluate/cases.js [--case N] [docs/field-cases.md]`. Ends with
 * 1 when any answer is wrong, or too few are right.
 */

import { analyze } from '../../src/analysis/analyze.js';
import { openBuilt } from '../../src/analysis/whole-dumps/truth.test.helper.js';
import { buildDump } from '../../test-dumps/build-dump.js';
import type { FieldCase } from '../../test-dumps/field-cases/field-case.js';
import { FIELD_CASES } from '../../test-dumps/field-cases/field-cases.js';
import { CASE_OUTCOMES, judgeCase, type CaseJudgement } from './cases/judge-case.js';
import { putBetween } from './put-between.js';

/** So many of the cases must be right, in the culprit or in the class. */
export const GOAL = 30;

/** A case and what was said of it. */
export interface CaseAnswer extends CaseJudgement {
  readonly field: FieldCase;
  readonly says: string;
}

/** Builds the dump of a case and analyzes it. */
export function tryCase(field: FieldCase): CaseAnswer {
  const opened = openBuilt(buildDump(field.scenario()));
  const result = analyze(opened);
  opened.close();
  return { field, says: result.verdict.headline, ...judgeCase(field.answer, result) };
}

export const isRight = ({ outcome }: CaseAnswer): boolean => outcome === 'right culprit' || outcome === 'right class';

/** The tables of docs/field-cases.md. */
export function tablesOf(answers: readonly CaseAnswer[]): string {
  const counted = CASE_OUTCOMES.map((outcome) => answers.filter((answer) => answer.outcome === outcome).length);
  const row = (cells: readonly (string | number)[]): string =>
    `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|')).join(' | ')} |`;
  const chosen = ({ chosen: what, smaller }: FieldCase): string =>
    smaller === undefined ? what : `${what}; counts are ${smaller} times smaller`;
  return [
    row(['cases', ...CASE_OUTCOMES]),
    '|---:|---:|---:|---:|---:|',
    row([answers.length, ...counted]),
    '',
    row(['#', 'kind', 'published', 'concluded', 'dumpleak says', '']),
    '|---:|---|---|---|---|---|',
    ...answers.map(({ field, says, outcome }) =>
      row([
        ...[field.number, field.answer.kinds.join(' or '), field.published, field.concluded, says],
        outcome === 'wrong' ? '**wrong**' : outcome,
      ]),
    ),
    '',
    '### What was chosen',
    '',
    row(['#', 'not published, and chosen', 'source']),
    '|---:|---|---|',
    ...answers.map(({ field }) => row([field.number, chosen(field), field.source])),
  ].join('\n');
}

function main(args: readonly string[]): void {
  const only = args.includes('--case') ? Number(args[args.indexOf('--case') + 1]) : null;
  const target = args.find((arg) => arg.endsWith('.md'));
  const answers = FIELD_CASES.filter(({ number }) => only === null || number === only).map(tryCase);
  const tables = tablesOf(answers);
  if (target === undefined) process.stdout.write(`${tables}\n`);
  else putBetween(target, 'evaluate-cases', tables);
  for (const { field, why } of answers.filter(({ outcome }) => outcome === 'wrong')) {
    process.stderr.write(`wrong: case ${field.number} ${why}\n`);
    process.exitCode = 1;
  }
  if (only === null && answers.filter(isRight).length < GOAL) process.exitCode = 1;
}

if (process.argv[1]?.endsWith('cases.js') === true) main(process.argv.slice(2));
