/** The text of `dumpleak analyze`: the verdict first, then what it rests on, then the debugger's look. */

import { printable } from '../../../parsers/text-safety.js';
import type { AnalysisResult } from '../../result/result.js';
import { counted, elapsed, humanBytes, utc } from '../../views/print/format.js';
import { culpritSection } from './analyze-holders.js';
import { memorySection, reconciliationSection, topTagsSection, whereSection } from './analyze-memory.js';
import { briefSections, suspectSections } from './analyze-suspects.js';
import { debuggerSections } from './analyze-windbg.js';
import { canHoldPoolTables, dumpKind } from '../../views/print/dump-kind.js';
import { baseName, bugCheckText, fileRows, systemName, systemRows } from '../../views/print/identity.js';
import { recipeSection } from './recipe.js';
import { warningLines } from '../../views/info.js';
import {
  asciiOnly,
  createStyle,
  fit,
  flow,
  heading,
  pairs,
  wrap,
  type Style,
  type StyleOptions,
} from '../../views/print/style.js';

export interface AnalysisTextOptions extends StyleOptions {
  /** Rows in the tables of tags: 10 in ours and 5 in `!poolused` without it. */
  top?: number | undefined;
  /** The verdict, the suspects in short and the next steps alone. */
  brief?: boolean | undefined;
  /** The verdict once more at the end: on a terminal its beginning has scrolled away. */
  closing?: boolean | undefined;
}

const DEFAULT_TOP = 10;

/** The verdict's own sentence, and under it which dump this is. */
function verdictSection(result: AnalysisResult, style: Style): string[] {
  const { verdict, dump } = result;
  const { leakSuspected } = verdict;
  const judged = leakSuspected === null ? 'not decided' : leakSuspected ? 'leak suspected' : 'no leak suspected';
  const tone = leakSuspected === null ? 'warn' : leakSuspected ? 'bad' : 'good';
  const confidence = leakSuspected === true ? result.suspects[0]?.confidence : undefined;
  const facts = [
    judged,
    confidence === undefined ? null : `confidence ${confidence}`,
    fit(baseName(dump.path), 40, style),
    systemName(result.system),
    dump.systemTime === null ? null : utc(printable(dump.systemTime)),
  ].filter((fact) => fact !== null);
  return [
    ...wrap(printable(verdict.headline), style.width).map((line) => style.paint(tone, line)),
    ...flow(facts, ` ${style.dot} `, style.width, '', '').map((line) => style.paint('dim', line)),
  ];
}

/** For a kind of dump without pool tables: that it has none, and what it has. */
function limitsSection(result: AnalysisResult, style: Style): string[] {
  if (canHoldPoolTables(result.dump)) return [];
  const holds = [
    result.dump.bugCheck === null ? null : 'the bug check',
    result.modules === null ? null : `a list of ${counted(result.modules.length, 'loaded driver')}`,
    result.unloadedModules === null || result.unloadedModules.length === 0
      ? null
      : counted(result.unloadedModules.length, 'unloaded driver'),
    result.system === null ? null : 'the version of the system',
  ].filter((part) => part !== null);
  return wrap(
    `A ${dumpKind(result.dump)} holds no pool tables${result.memory === null ? ' and no memory totals' : ''}: from it a pool leak can neither be seen nor be ruled out. It does hold ${holds.length === 0 ? 'its header' : holds.join(', ')}.`,
    style.width,
  );
}

function identitySection(result: AnalysisResult, style: Style): string[] {
  const { dump, system, modules, unloadedModules, run } = result;
  const rows: (readonly [string, string])[] = [...fileRows(dump), ...systemRows(dump, system)];
  const drivers = [
    modules === null ? null : `${counted(modules.length, 'module')} loaded`,
    unloadedModules === null ? null : `${counted(unloadedModules.length, 'module')} unloaded`,
  ].filter((part) => part !== null);
  if (drivers.length > 0) rows.push(['Drivers', drivers.join(', ')]);
  rows.push(['Read', `${humanBytes(run.bytesRead)} in ${elapsed(run.elapsedMs)}`]);
  return [heading('This dump', style), ...pairs(rows, style)];
}

function bugCheckSection(result: AnalysisResult, style: Style): string[] {
  const { bugCheck } = result.dump;
  return bugCheck === null ? [] : [heading('Bug check', style), ...wrap(bugCheckText(bugCheck), style.width, '  ')];
}

function warningSection(result: AnalysisResult, style: Style): string[] {
  return result.warnings.length === 0 ? [] : [heading('Warnings', style), ...warningLines(result.warnings, style)];
}

function nextStepsSection(result: AnalysisResult, style: Style): string[] {
  const steps = result.verdict.nextSteps;
  if (steps.length === 0) return [];
  const lines = steps.flatMap((step, i) => {
    const first = `  ${i + 1}. `;
    return wrap(printable(step), style.width, first, ' '.repeat(first.length));
  });
  return [heading('Next steps', style), ...lines];
}

/** The report for people, ended by a line feed. A pure function of the result: no clock, no terminal. */
export function renderAnalysis(result: AnalysisResult, options: AnalysisTextOptions = {}): string {
  const style = createStyle(options);
  const sections = options.brief === true ? briefReport(result, style) : fullReport(result, options, style);
  if (options.closing === true && options.brief !== true) sections.push(closingSection(result, style));
  const text = `${sections
    .filter((section) => section.length > 0)
    .map((section) => section.join('\n'))
    .join('\n\n')}\n`;
  return style.ascii ? asciiOnly(text) : text;
}

/** The verdict in one line, and how to see it alone. */
function closingSection({ verdict }: AnalysisResult, style: Style): string[] {
  const more = ' (--brief: only this and what to do)';
  const line = fit(printable(verdict.headline), style.width, style);
  return [style.paint('title', line) + (line.length + more.length <= style.width ? style.paint('dim', more) : '')];
}

/** One screen: no evidence, no figures of memory, nothing in the debugger's look. */
function briefReport(result: AnalysisResult, style: Style): string[][] {
  const { length } = result.warnings;
  return [
    verdictSection(result, style),
    limitsSection(result, style),
    ...briefSections(result, style),
    nextStepsSection(result, style),
    length === 0 ? [] : [`${counted(length, 'warning')}: without --brief`],
  ];
}

function fullReport(result: AnalysisResult, options: AnalysisTextOptions, style: Style): string[][] {
  const ours = [
    verdictSection(result, style),
    culpritSection(result, style),
    limitsSection(result, style),
    ...suspectSections(result, style),
    memorySection(result, style),
    whereSection(result, style),
    reconciliationSection(result.poolTags, style),
    topTagsSection(result, options.top ?? DEFAULT_TOP, style),
    identitySection(result, style),
    bugCheckSection(result, style),
    warningSection(result, style),
    nextStepsSection(result, style),
    result.verdict.recipe ? recipeSection(result.verdict.recipe, style) : [],
  ];
  const theirs = debuggerSections(result, options.top, style);
  if (theirs.length > 0) {
    const title = ' As the debugger shows it ';
    const bar = style.line.repeat(3) + title + style.line.repeat(Math.max(0, style.width - 3 - title.length));
    theirs.unshift([style.paint('title', bar)]);
  }
  return [...ours, ...theirs];
}
