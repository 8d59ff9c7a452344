/** `info`: what a dump is, and which questions it can answer. */

import { printable } from '../../parsers/text-safety.js';
import type { Inspection } from '../analysis/inspect.js';
import type { DumpInfo, Note, SystemInfo, Warning } from '../result/result.js';
import { counted, NOT_KNOWN, thousands } from './print/format.js';
import { bugCheckText, fileRows, systemRows } from './print/identity.js';
import { asciiOnly, bullets, createStyle, heading, pairs, wrap, type Style, type StyleOptions } from './print/style.js';
import type { View } from './view.js';

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
  /** Data blocks of a triage dump. */
  dataBlocks?: number | null | undefined;
  secondaryData?: readonly { guid: string; bytes: number; name: string | null }[] | null | undefined;
  origin?: readonly Note[] | undefined;
  bugCheckMeaning?:
    { message: string; parameters: readonly { parameter: number; meaning: string }[] } | null | undefined;
  contents?: { present: readonly string[]; missing: readonly string[]; outlook: readonly Note[] } | undefined;
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

/** A list under a title, after an empty line; nothing where the list is empty. */
function section(title: string, points: readonly string[] | undefined, style: Style): string[] {
  if (points === undefined || points.length === 0) return [];
  return ['', heading(title, style), ...bullets(points.map(printable), style)];
}

/** What the bug check means, and its parameters with their values. */
function bugCheckLines(info: DumpOverview, style: Style): string[] {
  const { bugCheckMeaning: meaning, dump } = info;
  if (!meaning) return [];
  const parameters = meaning.parameters.map(
    ({ parameter, meaning: text }) => `${dump.bugCheck?.parameters[parameter - 1] ?? ''}   ${text}`,
  );
  const rows = parameters.map((text, i): [string, string] => [
    `Parameter ${meaning.parameters[i]?.parameter ?? i + 1}`,
    printable(text),
  ]);
  return [
    '',
    heading('Bug check', style),
    ...wrap(printable(meaning.message), style.width, '  '),
    ...pairs(rows, style),
  ];
}

/** Blobs listed in the text; the rest is in the JSON. */
const MOST_BLOBS = 24;

function secondaryLines(info: DumpOverview, style: Style): string[] {
  const blobs = info.secondaryData ?? [];
  if (blobs.length === 0) return [];
  const shown = blobs.slice(0, MOST_BLOBS);
  const width = Math.max(...shown.map(({ bytes }) => thousands(bytes).length));
  const lines = shown.map(
    ({ guid, bytes, name }) => `  ${guid}  ${thousands(bytes).padStart(width)} bytes  ${printable(name ?? '')}`,
  );
  const more = blobs.length - shown.length;
  if (more > 0) lines.push(`  and ${more} more: all of them with --json`);
  return ['', heading('Secondary data', style), ...lines];
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
  const { contents } = info;
  const lines = [
    heading('This dump', style),
    ...pairs(rows, style),
    ...section(
      'How it came about',
      info.origin?.map(({ message }) => message),
      style,
    ),
    ...bugCheckLines(info, style),
    ...section('What it holds', contents?.present, style),
    ...section('What is missing', contents?.missing, style),
    ...secondaryLines(info, style),
    '',
    heading('What it can tell', style),
    ...abilityLines(info.canAnalyze, style),
    ...section(
      'What dumpleak analyze will be able to say',
      contents?.outlook.map(({ message }) => message),
      style,
    ),
  ];
  if (info.warnings.length > 0) lines.push('', heading('Warnings', style), ...warningLines(info.warnings, style));
  const text = `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
  return style.ascii ? asciiOnly(text) : text;
}

export const info: View<null, Inspection> = {
  command: 'info',
  shell: 'info MEMORY.DMP',
  words: (words) => (words.length === 0 ? null : { error: 'info takes no words' }),
  read: async ({ opened }) => (await import('../analysis/inspect.js')).inspect(opened),
  text: (found, _wanted, style) => renderInfo(found, style),
  json: (found) => found,
};
