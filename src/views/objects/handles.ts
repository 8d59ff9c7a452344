/** Handles: counts by process and type, and `!handle` in the look of WinDbg. */

import { printable } from '../../../parsers/text-safety.js';
import { kernelDoes } from '../../../symbols/generations.js';
import type { HandleQuestion } from '../../analysis/objects/handles-part.js';
import type { DumpPart } from '../../analysis/dump-part.js';
import type { HandleRow, HandlesPart, ProcessBlock } from '../../result/object-parts.js';
import type { Hex } from '../../result/result.js';
import { hasWideAddresses, noFigures } from '../print/dump-kind.js';
import { counted, parseHex, thousands } from '../print/format.js';
import { createStyle, heading, wrap, type StyleOptions } from '../print/style.js';
import type { View } from '../view.js';
import { finish, tableLines, warningPart, type Around, type Column } from './parts.js';
import { blockLines } from './processes.js';
import { debuggerNumber } from '../words.js';

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

/** The look of `!handle 0 7`: the block of each process, its table, its handles. */
export function renderHandleList(
  given: Pick<Around, 'dump' | 'system'> & { handles: HandlesPart | null; blocks: readonly ProcessBlock[] },
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
    for (const row of rows.get(String(block.pid)) ?? []) lines.push(...handleLines(row, wide, isNew));
  }
  return `${lines.join('\n')}\n`;
}

function handleLines(row: HandleRow, wide: boolean, isNew: boolean): string[] {
  const at = (value: Hex): string => (parseHex(value) ?? 0n).toString(16).padStart(wide ? 16 : 8, '0');
  const number = (value: Hex, digits: number): string => (parseHex(value) ?? 0n).toString(16).padStart(digits, '0');
  const entry = row.entry === null ? '' : ` Entry: ${at(row.entry)}`;
  const lines = [
    `${number(row.handle, 4)}: Object: ${at(row.object)}  GrantedAccess: ${number(row.access, 8)}${entry}`,
  ];
  if (row.type !== null) {
    lines.push(
      `Object: ${at(row.object)}  Type: (${at(row.typeAddress ?? '0x0')}) ${printable(row.type)}`,
      `    ObjectHeader: ${at(row.header)}${isNew ? ' (new version)' : ''}`,
      `        HandleCount: ${String(row.handleCount ?? 0)}  PointerCount: ${String(row.pointerCount ?? 0)}`,
    );
    if (row.name !== null) lines.push(`        Name: ${printable(row.name)}`);
  }
  return [...lines, ''];
}

/** Handles that are listed at most. */
export const MOST_LISTED = 10_000;

export const handles: View<HandleQuestion, DumpPart & { handles: HandlesPart | null; blocks: ProcessBlock[] }> = {
  command: '!handle',
  shell: 'handles MEMORY.DMP --list',
  words: ([handle, flags, process, type, ...more]) => {
    const pid = process === undefined || process === '0' ? undefined : debuggerNumber(process);
    if (handle !== '0' || more.length > 0 || pid === null || (flags !== undefined && debuggerNumber(flags) === null)) {
      return { error: 'of !handle there is !handle 0 FLAGS PID TYPE: all handles, of one process, to one type' };
    }
    return { pid, type, list: MOST_LISTED };
  },
  read: async ({ opened, progress }, question) =>
    (await import('../../analysis/objects/inventory.js')).listHandles(opened, question, progress),
  text: (found, { list }, style) => (list > 0 ? renderHandleList(found) : renderHandles(found, style)),
  json: ({ schemaVersion, dump, system, handles: part, warnings }) => ({
    ...{ schemaVersion, dump, system, handles: part, warnings },
  }),
};
