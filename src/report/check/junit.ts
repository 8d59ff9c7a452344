/**
 * A check as JUnit XML, which every CI server reads: a suite a dump, a case each for its tags, its drivers and every limit, so
 * that the names of cases stay the same from run to run.
 */

import { printable } from '../../../parsers/text-safety.js';
import type { CheckReport } from '../../growth/check/outcome.js';
import type { DumpCheck, Excess } from '../../growth/check/judge-dump.js';
import { sizeText } from '../../result/amount.js';
import { tagInWords } from '../../result/tag.js';
import { excessText } from './check-words.js';

interface Case {
  readonly name: string;
  readonly excesses: readonly Excess[];
}

export function renderJunit(report: CheckReport): string {
  const suites = report.dumps.map((dump) => ({ dump, cases: casesOf(dump, report) }));
  const sum = (of: (suite: (typeof suites)[number]) => number): number => suites.reduce((all, one) => all + of(one), 0);
  const head = `tests="${sum(({ cases }) => cases.length)}" failures="${sum(failures)}" errors="${sum(errors)}"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="dumpleak check" ${head}>`,
    ...suites.flatMap(suiteLines),
    '</testsuites>',
    '',
  ].join('\n');
}

interface Suite {
  readonly dump: DumpCheck;
  readonly cases: readonly Case[];
}

const cannotTell = ({ dump }: Suite): boolean => dump.outcome === 'undecided' || dump.outcome === 'unreadable';
const errors = (suite: Suite): number => (cannotTell(suite) ? suite.cases.length : 0);
const failures = ({ cases }: Suite): number => cases.filter(({ excesses }) => excesses.length > 0).length;

function casesOf({ excesses }: DumpCheck, { baseline, limits }: CheckReport): Case[] {
  const of = (what: Excess['what'], tag?: string): Excess[] =>
    excesses.filter((one) => one.what === what && (tag === undefined || one.tag === tag));
  return [
    ...(baseline === null
      ? []
      : [
          { name: 'no tag holds more than the baseline allows', excesses: of('tag') },
          { name: 'no driver holds more than the baseline allows', excesses: of('driver') },
        ]),
    ...limits.map(({ tag, bytes }) => ({
      name: `tag ${tagInWords(tag)} holds at most ${sizeText(bytes)}`,
      excesses: of('limit', tag),
    })),
  ];
}

function suiteLines(suite: Suite): string[] {
  const { dump, cases } = suite;
  const name = attribute(dump.path);
  const counts = `tests="${cases.length}" failures="${failures(suite)}" errors="${errors(suite)}"`;
  return [
    `  <testsuite name="${name}" ${counts}>`,
    ...cases.flatMap((one) => {
      const start = `    <testcase classname="${name}" name="${attribute(one.name)}"`;
      const inner = cannotTell(suite) ? errorLine(dump) : failureLine(one.excesses);
      return inner === null ? [`${start}/>`] : [`${start}>`, `      ${inner}`, '    </testcase>'];
    }),
    '  </testsuite>',
  ];
}

function errorLine({ outcome, reason }: DumpCheck): string {
  const { code, message } = reason ?? { code: outcome, message: outcome };
  return `<error type="${attribute(code)}" message="${attribute(message)}"/>`;
}

function failureLine(excesses: readonly Excess[]): string | null {
  const [first] = excesses;
  if (first === undefined) return null;
  const lines = excesses.map((one) => attribute(excessText(one)));
  return `<failure type="${first.what}" message="${lines[0] ?? ''}">${lines.join('\n')}</failure>`;
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' }; // prettier-ignore

/** Text for an attribute or an element. What XML cannot hold stands as `?`. */
const attribute = (text: string): string =>
  printable(text).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
