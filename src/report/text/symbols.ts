/** The text of `dumpleak symbols check` and `symbols fetch`: which files an analysis needs, and where they are. */

import { printable } from '../../../parsers/text-safety.js';
import type { ModuleSymbols, NeededFile, SymbolCheck, SymbolStatus } from '../../../symbols/store/check.js';
import type { Outcome, Place } from '../../../symbols/store/places.js';
import type { FetchPlan } from '../../../symbols/store/plan.js';
import { counted } from '../../views/print/format.js';
import {
  asciiOnly,
  bullets,
  createStyle,
  fit,
  heading,
  pairs,
  wrap,
  type Style,
  type StyleOptions,
  type Tone,
} from '../../views/print/style.js';

/** Modules whose places are listed, and places of one module; the rest is in the JSON. */
const MOST_MODULES = 10;
const MOST_PLACES = 30;

const STATUS: Readonly<Record<SymbolStatus, readonly [string, Tone]>> = {
  found: ['found', 'good'],
  'on-server': ['on a server', 'plain'],
  mismatch: ['mismatch', 'bad'],
  missing: ['missing', 'warn'],
  'not-known': ['not known', 'warn'],
};

const OUTCOME: Readonly<Record<Outcome, string>> = {
  found: 'found',
  absent: 'not there',
  mismatch: 'another file of that name',
  unreadable: 'cannot be used',
  'no-folder': 'the folder cannot be opened',
  'on-server': 'there, not fetched',
  'not-asked': 'not asked',
  failed: 'no answer that can be used',
  'not-followed': 'pointer not followed',
  'not-written': 'cannot be written',
};

/** `ntkrnlmp.pdb, GUID 0123..., age 1`. */
function neededText(needed: NeededFile | null): string {
  if (needed === null) return 'which file is needed is not known';
  const { name, guid, age, timeDateStamp, sizeOfImage } = needed;
  return guid === null
    ? `${name}, time stamp ${hex(timeDateStamp, 8)}, size ${hex(sizeOfImage, 1)}`
    : `${name}, GUID ${guid}, age ${age ?? 'not known'}`;
}

function hex(value: number | null, digits: number): string {
  return value === null ? 'not known' : value.toString(16).padStart(digits, '0');
}

function moduleLines(module: ModuleSymbols, nameWidth: number, style: Style): string[] {
  const { file, from, note, needed, status } = module;
  const [label, tone] = STATUS[status];
  const name = fit(printable(module.module), nameWidth, style).padEnd(nameWidth);
  const more = [note, file];
  if (status === 'on-server') more.push(from);
  else if (file !== null && from !== null && from !== file) more.push(`from ${from}`);
  return [
    `  ${style.paint(tone, label.padEnd(11))}  ${name}  ${printable(neededText(needed))}`,
    // Paths and addresses are not broken: people copy them.
    ...more.flatMap((text) => (text === null ? [] : [' '.repeat(15) + printable(text)])),
  ];
}

function placeText({ where, outcome, detail }: Place): string {
  return printable(`${where}: ${OUTCOME[outcome]}${detail === null ? '' : ` (${detail})`}`);
}

/** For what was not found: every place, in the order of looking. */
function searchLines(modules: readonly ModuleSymbols[], style: Style): string[] {
  const open = modules.filter(
    ({ status, lookedAt }) => lookedAt.length > 0 && status !== 'found' && status !== 'on-server',
  );
  if (open.length === 0) return [];
  const lines = ['', heading('Where the others were looked for', style)];
  for (const { needed, module, lookedAt } of open.slice(0, MOST_MODULES)) {
    lines.push(`  ${printable(needed?.name ?? module)}`);
    lines.push(...bullets(lookedAt.slice(0, MOST_PLACES).map(placeText), style, style.bullet, '    '));
    if (lookedAt.length > MOST_PLACES) lines.push(`    ${restOf(lookedAt.length - MOST_PLACES, 'place')}`);
  }
  if (open.length > MOST_MODULES) lines.push(`  ${restOf(open.length - MOST_MODULES, 'file')}`);
  return lines;
}

const restOf = (count: number, noun: string): string =>
  `and ${counted(count, `more ${noun}`)}: all of them with --json`;

/** What to do next, where there is something to do. */
function advice({ counts, hasServer, servers, path }: SymbolCheck): string[] {
  const points: string[] = [];
  if (counts['on-server'] > 0) points.push(`dumpleak symbols fetch brings ${counted(counts['on-server'], 'file')}.`);
  const open = counts.missing + counts.mismatch;
  if (open > 0 && !hasServer) {
    points.push(
      `${path.length === 0 ? 'There is no symbol path.' : 'The symbol path names no server.'} Give --symbol-server or set _NT_SYMBOL_PATH; where there is no network, dumpleak symbols fetch --urls FILE writes the addresses of what is missing.`,
    );
  } else if (open > 0 && servers === 'none') {
    points.push('The servers of the path were not asked.');
  }
  if (counts.found === 0 && open > 0)
    points.push('An analysis works without: built-in profiles and the dump itself stand in.');
  return points;
}

function summary({ counts, modules }: SymbolCheck): string {
  const parts = (Object.keys(STATUS) as SymbolStatus[])
    .filter((status) => counts[status] > 0)
    .map((status) => `${counts[status]} ${STATUS[status][0]}`);
  return modules.length === 0 ? 'Nothing is needed' : `${counted(modules.length, 'file')}: ${parts.join(', ')}`;
}

/** The report, ended by a line feed. Names, paths and answers of servers are made safe to print. */
export function renderSymbolCheck(check: SymbolCheck, options: StyleOptions = {}): string {
  const style = createStyle(options);
  const path = check.path.map(({ origin, element }) => [printable(origin), printable(element)] as const);
  const nameWidth = Math.min(24, Math.max(0, ...check.modules.map(({ module }) => printable(module).length)));
  const lines = [
    heading('Symbol path', style),
    ...(path.length === 0 ? ['  none'] : pairs(path, style)),
    ...(check.problems.length === 0 ? [] : ['', heading('What cannot be used', style)]),
    ...bullets(
      check.problems.map(({ origin, element, message }) =>
        printable([origin, element, message].filter((part) => part !== '').join(': ')),
      ),
      style,
    ),
    '',
    heading(summary(check), style),
    ...check.modules.flatMap((module) => moduleLines(module, nameWidth, style)),
    ...searchLines(check.modules, style),
  ];
  const points = advice(check);
  if (points.length > 0) lines.push('', ...points.flatMap((point) => wrap(point, style.width)));
  const text = `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
  return style.ascii ? asciiOnly(text) : text;
}

/** What was written for `symbols fetch --urls FILE`, and how to go on. */
export function renderFetchPlan(plan: FetchPlan, file: string, options: StyleOptions = {}): string {
  const style = createStyle(options);
  const { files, skipped } = plan;
  const lines = [heading(`${counted(files.length, 'file')} to bring; the addresses are in ${printable(file)}`, style)];
  if (files.length > 0) {
    lines.push(
      ...wrap(
        'Download them where there is a network, and put each into a folder that you then name with --symbols, as:',
        style.width,
      ),
      // Paths are not broken: people copy them.
      ...files.map(({ storePath }) => `  ${printable(storePath)}`),
    );
  }
  lines.push(
    ...bullets(
      skipped.map(({ request, reason }) => printable(`${request.name} is left out: ${reason}`)),
      style,
    ),
  );
  const text = `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
  return style.ascii ? asciiOnly(text) : text;
}
