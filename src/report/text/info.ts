/** The text of `dumpleak info`: what a dump is, and which questions it can answer. */

import { printable } from '../../../parsers/text-safety.js';
import type { DumpInfo, SystemInfo, Warning } from '../../result.js';
import { counted, NOT_KNOWN } from '../format.js';
import { bugCheckText, fileRows, systemRows } from './identity.js';
import { asciiOnly, bullets, createStyle, heading, pairs, type Style, type StyleOptions } from './style.js';

/** What a dump holds, as far as one look tells. */
export interface DumpAbilities {
  modules: boolean;
  memory: boolean;
  poolTags: boolean;
  /** Module pages are in the dump, so that a tag can be looked for in code. */
  tagSearch: boolean;
}

export interface DumpOverview {
  dump: DumpInfo;
  system: SystemInfo | null;
  canAnalyze: DumpAbilities;
  warnings: Warning[];
  /** How many there are; null or absent where it is not known. */
  drivers?: number | null | undefined;
  unloadedDrivers?: number | null | undefined;
  /** Secondary data blocks of a triage dump. */
  dataBlocks?: number | null | undefined;
}

const QUESTIONS: readonly [keyof DumpAbilities, string, string][] = [
  ['modules', 'Modules', 'dumpleak modules'],
  ['memory', 'Memory totals', 'dumpleak vm'],
  ['poolTags', 'Pool tags', 'dumpleak poolused, analyze'],
  ['tagSearch', 'Tag search in drivers', 'dumpleak search'],
];

function abilityLines(abilities: DumpAbilities, style: Style): string[] {
  return QUESTIONS.map(([key, name, command]) => {
    const answer = abilities[key] ? style.paint('good', 'yes') : style.paint('warn', 'no ');
    return `  ${name.padEnd(24)}${answer}   ${style.paint('dim', command)}`;
  });
}

function countRows(info: DumpOverview): [string, string][] {
  const rows: [string, string][] = [];
  const add = (name: string, value: number | null | undefined, noun: string) => {
    if (value !== null && value !== undefined) rows.push([name, counted(value, noun)]);
  };
  add('Drivers', info.drivers, 'module');
  add('Unloaded', info.unloadedDrivers, 'module');
  add('Data blocks', info.dataBlocks, 'block');
  return rows;
}

/** Warnings as points: what they concern, then the sentence. */
export function warningLines(warnings: readonly Warning[], style: Style, most = 20): string[] {
  const lines = bullets(
    warnings.slice(0, most).map(({ where, message }) => `${printable(where)}: ${printable(message)}`),
    style,
  );
  const more = warnings.length - most;
  return more > 0 ? [...lines, `  ${style.bullet} and ${more} more: all of them with --json`] : lines;
}

/** The report of `dumpleak info`, ended by a line feed. */
export function renderInfo(info: DumpOverview, options: StyleOptions = {}): string {
  const style = createStyle(options);
  const { dump } = info;
  const rows = [
    ...fileRows(dump),
    ...systemRows(dump, info.system),
    ['Bug check', dump.bugCheck === null ? NOT_KNOWN : bugCheckText(dump.bugCheck)] as const,
    ...countRows(info),
  ];
  const lines = [
    heading('This dump', style),
    ...pairs(rows, style),
    '',
    heading('What it can tell', style),
    ...abilityLines(info.canAnalyze, style),
  ];
  if (info.warnings.length > 0) lines.push('', heading('Warnings', style), ...warningLines(info.warnings, style));
  const text = `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
  return style.ascii ? asciiOnly(text) : text;
}
