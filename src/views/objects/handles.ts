/** Handles: counts by process and type, and `!handle` in the look of WinDbg. */

import { printable } from '../../../parsers/text-safety.js';
import { kernelDoes } from '../../../symbols/generations.js';
import type { FreeEntry, HandleQuestion } from '../../analysis/objects/handles-part.js';
import type { DumpPart } from '../../analysis/dump-part.js';
import type { HandleRow, HandlesPart, ProcessBlock } from '../../result/object-parts.js';
import type { Hex } from '../../result/result.js';
import { hasWideAddresses, noFigures } from '../print/dump-kind.js';
import { counted, parseHex, thousands } from '../print/format.js';
import { createStyle, heading, wrap, type StyleOptions } from '../print/style.js';
import type { View } from '../view.js';
import { finish, tableLines, warningPart, type Around, type Column } from './parts.js';
import { blockLines } from './processes.js';
import { debuggerNumber, typedAddress } from '../words.js';

const MOST_TYPES = 6;

/** Handles by process and type, and what they lead to. */
export function renderHandles(given: Around & { handles: HandlesPart | null }, options: StyleOptions = {}): string {
  const style = createStyle(options);
  const { handles } = given;
  if (handles === null) return finish([[noFigures(given.dump, 'handle table')], warningPart(given.warnings, style)]);
  const whole = handles.complete ? '' : ', and not all could be read: there are more';
  const title =
    handles.found === 0
      ? `No handle was found of such a process, type or target${whole}`
      : `${counted(handles.found, 'handle')} of ${counted(handles.processes.length, 'process', 'processes')}${whole}`;
  const rows = handles.processes.map((one) => {
    const types = one.types
      .slice(0, MOST_TYPES)
      .map(({ type, handles: count }) => `${printable(type)} ${thousands(count)}`);
    if (one.types.length > MOST_TYPES) types.push('...');
    return [
      String(one.pid),
      thousands(one.handles),
      one.complete ? '' : 'partial',
      printable(one.image),
      types.join(', '),
    ];
  });
  const columns: Column[] = [
    ['Pid', 'right'],
    ['Handles', 'right'],
    ['', 'left'],
    ['Image', 'left'],
    ['Types', 'left'],
  ];
  const targets = (handles.targets ?? []).map(({ type, name, count }) => [
    thousands(count),
    printable(type),
    printable(name),
  ]);
  return finish([
    wrap(title, style.width),
    rows.length === 0 ? [] : tableLines(columns, rows, style),
    targets.length === 0
      ? []
      : [
          heading('What they lead to', style),
          ...tableLines(
            [
              ['Handles', 'right'],
              ['Type', 'left'],
              ['Name', 'left'],
            ],
            targets,
            style,
          ),
        ],
    warningPart(given.warnings, style),
  ]);
}

/** With the objects that handles lead to. */
const OBJECTS = 2;
/** With entries that are not in use. */
const FREE = 4;
/** Of the kernel's own table: that of the System process. */
const KERNEL = 0x10;
const FLAGS = 1 | OBJECTS | FREE | KERNEL;
const USUAL = 1 | OBJECTS;
const SYSTEM = 4;

/** The look of `!handle 0 3`: the block of each process, its table, its handles. */
export function renderHandleList(
  given: Pick<Around, 'dump' | 'system'> & {
    handles: HandlesPart | null;
    blocks: readonly ProcessBlock[];
    free?: readonly FreeEntry[];
  },
  flags: number = USUAL,
): string {
  const { handles, blocks } = given;
  if (handles === null) return `${noFigures(given.dump, 'handle table')}\n`;
  const wide = hasWideAddresses(given);
  const rows = new Map<string, HandleRow[]>();
  for (const row of handles.rows ?? []) {
    const of = rows.get(String(row.pid));
    if (of === undefined) rows.set(String(row.pid), [row]);
    else of.push(row);
  }
  const lines: string[] = [];
  const isNew = kernelDoes('hasTypeIndexes', given.system?.buildNumber ?? 0);
  for (const block of blocks) {
    const table = parseHex(block.objectTable);
    const kernel = Number(block.pid) === 4 ? 'Kernel handle' : 'Handle';
    const where = table === null ? '' : ` at ${table.toString(16).padStart(wide ? 16 : 8, '0')}`;
    const entries = block.handles === null ? '' : ` with ${String(block.handles)} entries in use`;
    lines.push('', ...blockLines(block, wide), `${kernel} table${where}${entries}`, '');
    const shown = (rows.get(String(block.pid)) ?? []).map((row) => ({
      handle: Number(parseHex(row.handle) ?? 0n),
      lines: handleLines(row, wide, isNew, (flags & OBJECTS) !== 0),
    }));
    for (const { pid, handle, entry, next } of given.free ?? []) {
      if (pid !== Number(block.pid)) continue;
      const at = entry.toString(16).padStart(wide ? 16 : 8, '0');
      const text = `${handle.toString(16).padStart(4, '0')}: free handle, Entry address ${at}, Next Entry ${next.toString(16).padStart(8, '0')}`;
      shown.push({ handle, lines: [text] });
    }
    shown.sort((a, b) => a.handle - b.handle);
    for (const one of shown) lines.push(...one.lines);
  }
  if (blocks.length === 0) lines.push('No such handle was found.');
  if (!handles.complete) lines.push('Not all handles could be read, or there are more than are listed.');
  return `${lines.join('\n')}\n`;
}

/** Types whose names stand in no directory of objects. */
const OUTSIDE_DIRECTORIES: ReadonlySet<string> = new Set(['Key', 'File']);

function handleLines(row: HandleRow, wide: boolean, isNew: boolean, withObject: boolean): string[] {
  const at = (value: Hex): string => (parseHex(value) ?? 0n).toString(16).padStart(wide ? 16 : 8, '0');
  const number = (value: Hex, digits: number): string => (parseHex(value) ?? 0n).toString(16).padStart(digits, '0');
  const entry = row.entry === null ? '' : ` Entry: ${at(row.entry)}`;
  const lines = [
    `${number(row.handle, 4)}: Object: ${at(row.object)}  GrantedAccess: ${number(row.access, 8)}${entry}`,
  ];
  if (!withObject) return lines;
  if (row.type !== null) {
    lines.push(
      `Object: ${at(row.object)}  Type: (${at(row.typeAddress ?? '0x0')}) ${printable(row.type)}`,
      `    ObjectHeader: ${at(row.header)}${isNew ? ' (new version)' : ''}`,
      `        HandleCount: ${String(row.handleCount ?? 0)}  PointerCount: ${String(row.pointerCount ?? 0)}`,
    );
    if (row.name !== null) {
      const directory = OUTSIDE_DIRECTORIES.has(row.type) ? 'Directory Object: 00000000  ' : '';
      lines.push(`        ${directory}Name: ${printable(row.name)}`);
    }
  }
  return [...lines, ''];
}

/** Ids are lower, addresses higher. */
const MOST_PID = 0x7fff_ffffn;

/** Handles that are listed at most. */
export const MOST_LISTED = 10_000;

type HandlesWanted = HandleQuestion & { readonly flags?: number | undefined };

const USAGE =
  'of !handle there is !handle HANDLE FLAGS PROCESS TYPE: 0 for all handles, 1, 2, 4 and 10 of the flags, an address or id of a process (0 for all), objects of one type';

export const handles: View<
  HandlesWanted,
  DumpPart & { handles: HandlesPart | null; blocks: ProcessBlock[]; free?: readonly FreeEntry[] }
> = {
  command: '!handle',
  shell: 'handles MEMORY.DMP --list',
  words: ([handleWord, flagWord, processWord, type, ...more]) => {
    const handle = handleWord === undefined ? null : debuggerNumber(handleWord);
    const flags = flagWord === undefined ? USUAL : debuggerNumber(flagWord);
    const id = debuggerNumber(processWord ?? '0');
    const process = id === null ? typedAddress(processWord ?? '') : BigInt(id);
    if (handle === null || flags === null || process === null || more.length > 0) return { error: USAGE };
    if ((flags & ~FLAGS) !== 0)
      return { error: `of the flags of !handle there are 1, 2, 4 and 10: not ${flagWord ?? ''}` };
    const one = handle === 0 ? {} : { handle: handle - (handle % 4) };
    const asked = { ...one, flags, type, free: (flags & FREE) !== 0 || handle !== 0, list: MOST_LISTED };
    if ((flags & KERNEL) !== 0) return { ...asked, pid: SYSTEM };
    if (process === 0n) return asked;
    return process > MOST_PID ? { ...asked, process } : { ...asked, pid: Number(process) };
  },
  read: async ({ opened, progress }, question) =>
    (await import('../../analysis/objects/inventory.js')).listHandles(opened, question, progress),
  text: (found, { list, flags }, style) => (list > 0 ? renderHandleList(found, flags) : renderHandles(found, style)),
  json: ({ schemaVersion, dump, system, handles: part, warnings }) => ({
    ...{ schemaVersion, dump, system, handles: part, warnings },
  }),
};
