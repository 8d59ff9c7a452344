/** A check for people. */

import { printable } from '../../../parsers/text-safety.js';
import { outcomeOf, type CheckReport } from '../../growth/check/outcome.js';
import type { DumpCheck } from '../../growth/check/judge-dump.js';
import { sizeText } from '../../result/amount.js';
import { tagInWords } from '../../result/tag.js';
import { bullets, createStyle, wrap, type Style, type StyleOptions, type Tone } from '../../views/print/style.js';
import { excessText, standing } from './check-words.js';

/** Excesses of a dump that are printed; the JSON has them all. */
const MOST_LINES = 20;

const TONE: Readonly<Record<DumpCheck['outcome'], Tone>> = {
  passed: 'good',
  failed: 'bad',
  undecided: 'warn',
  unreadable: 'warn',
};

/** The report, ended by a line feed. */
export function renderCheck(report: CheckReport, options: StyleOptions = {}): string {
  const style = createStyle(options);
  const outcome = outcomeOf(report);
  const title = outcome === 'passed' ? 'Check passed' : outcome === 'failed' ? 'Check failed' : 'Check not decided';
  const lines = [
    style.paint(TONE[outcome], title),
    ...wrap(ruleText(report), style.width),
    ...report.dumps.flatMap((dump) => ['', ...dumpLines(dump, style)]),
  ];
  return `${lines.join('\n')}\n`;
}

function ruleText({ baseline, baselineFile, maxGrowthPercent, minGrowthBytes, limits }: CheckReport): string {
  const parts =
    baseline === null
      ? []
      : [
          `Allowed: ${maxGrowthPercent} % or ${sizeText(minGrowthBytes)} more than ${printable(baselineFile ?? '')}, whichever is more`,
        ];
  const own = limits.map(({ tag, bytes }) => `${tagInWords(tag)} at most ${sizeText(bytes)}`);
  if (own.length > 0) parts.push(`Limits: ${own.join(', ')}`);
  return `${parts.join('. ')}.`;
}

function dumpLines(dump: DumpCheck, style: Style): string[] {
  const { path, outcome, excesses, notes } = dump;
  const sentences = excesses.slice(0, MOST_LINES).map(excessText);
  const left = excesses.length - sentences.length;
  if (left > 0) sentences.push(`${left} more: --json has them`);
  const tag = excesses.find(({ driver, key }) => driver === null && key !== null);
  const next = tag === undefined ? [] : [`Who allocates it: dumpleak analyze ${printable(path)} --tag ${quoted(tag)}`];
  return [
    style.paint(TONE[outcome], printable(path)),
    ...wrap(standing(dump), style.width, '  '),
    ...bullets(sentences, style),
    ...bullets([...notes.map(({ message }) => printable(message)), ...next], style, style.bullet),
  ];
}

/** A tag as a shell takes it. */
const quoted = ({ tag, key }: { tag: string | null; key: string | null }): string =>
  /^\w{1,4}$/.test(tag ?? '') ? (tag ?? '') : (key ?? '');
