/** What `processes`, `handles`, `objects` and `holders` print: our tables, and the looks of `!process 0 0` and `!handle`. */

import { printable } from '../../../parsers/text-safety.js';
import type {
  EndedGroup,
  HandleRow,
  HandlesPart,
  ObjectsPart,
  ProcessBlock,
  TagHolders,
} from '../../result/object-parts.js';
import type { DumpInfo, Hex, ObjectTypeInfo, ProcessList, SystemInfo, Warning } from '../../result/result.js';
import { counted, debuggerAddress, humanBytes, NOT_KNOWN, parseHex, thousands, utc } from '../format.js';
import { holderLines } from './analyze-holders.js';
import { hasWideAddresses, noFigures } from './dump-kind.js';
import { warningLines } from './info.js';
import { createStyle, fit, heading, wrap, type Style, type StyleOptions } from './style.js';

interface Around {
  dump: DumpInfo;
  system: SystemInfo | null;
  warnings: readonly Warning[];
}

type Column = readonly [title: string, side: 'left' | 'right'];

/** A table in columns, two blanks between them; the last one is cut to the width. */
function tableLines(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  style: Style,
  indent = '',
): string[] {
  const widths = columns.map(([title], i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]): string => {
    const text = columns
      .map(([, side], i) =>
        side === 'right' ? (cells[i] ?? '').padStart(widths[i] ?? 0) : (cells[i] ?? '').padEnd(widths[i] ?? 0),
      )
      .join('  ');
    return fit(indent + text.trimEnd(), style.width, style);
  };
  return [style.paint('title', line(columns.map(([title]) => title))), ...rows.map(line)];
}

function finish(sections: readonly (readonly string[])[]): string {
  return `${sections
    .filter((section) => section.length > 0)
    .map((section) => section.join('\n'))
    .join('\n\n')}\n`;
}

function warningPart(warnings: readonly Warning[], style: Style): string[] {
  return warnings.length === 0 ? [] : [heading('Warnings', style), ...warningLines([...warnings], style)];
}

/** `watchman.exe (pid 4324)` */
const nameOf = ({ image, pid }: { image: string; pid: number | string }): string =>
  `${printable(image)} (pid ${String(pid)})`;

/** The table of processes, and ended ones in groups. */
export function renderProcesses(
  given: Around & { processes: ProcessList | null; endedProcesses: readonly EndedGroup[] | null },
  options: StyleOptions = {},
): string {
  const style = createStyle(options);
  const { processes, endedProcesses } = given;
  if (processes === null)
    return finish([[noFigures(given.dump, 'list of processes')], warningPart(given.warnings, style)]);
  const rows = processes.rows
    .toSorted((a, b) => Number(b.handles ?? 0) - Number(a.handles ?? 0) || Number(a.pid) - Number(b.pid))
    .map((row) => [
      ...[String(row.pid), row.parentPid === null ? NOT_KNOWN : String(row.parentPid)],
      ...[row.sessionId === null ? NOT_KNOWN : String(row.sessionId), thousands(row.threads), thousands(row.handles)],
      ...[
        humanBytes(row.quota?.nonPagedBytes ?? null),
        humanBytes(row.quota?.pagedBytes ?? null),
        humanBytes(row.commitBytes),
      ],
      printable(row.image),
    ]);
  const columns: Column[] = [
    ...(['Pid', 'Parent', 'Session', 'Threads', 'Handles', 'Nonpaged', 'Paged', 'Commit'] as const).map(
      (title): Column => [title, 'right'],
    ),
    ['Image', 'left'],
  ];
  const ended =
    processes.ended === null
      ? 'ended ones were not looked for'
      : `${thousands(processes.ended)} ended ones are still there`;
  const whole = processes.complete ? '' : '. The list could not be read whole: there may be more';
  const title = wrap(`${counted(processes.live, 'process', 'processes')} running; ${ended}${whole}`, style.width);
  return finish([
    title,
    tableLines(columns, rows, style),
    endedPart(endedProcesses ?? [], style),
    warningPart(given.warnings, style),
  ]);
}

function endedPart(groups: readonly EndedGroup[], style: Style): string[] {
  if (groups.length === 0) return [];
  const lines = [heading('Ended, and still there', style)];
  for (const group of groups) {
    const parent =
      group.parentPid === null
        ? ''
        : group.parentImage === null
          ? `, started by pid ${String(group.parentPid)}, which is gone`
          : `, started by ${nameOf({ image: group.parentImage, pid: group.parentPid })}`;
    const when =
      group.firstExit === null || group.lastExit === null
        ? ''
        : `, from ${utc(group.firstExit)} to ${utc(group.lastExit)}`;
    const held =
      group.heldBy === null
        ? 'who has handles to them could not be read'
        : group.heldBy.length === 0
          ? 'no process has a handle to them'
          : `held by ${group.heldBy
              .slice(0, 3)
              .map((one) => `${nameOf(one)} with ${counted(one.handles, 'handle')}`)
              .join(', ')}`;
    lines.push(
      ...wrap(
        `${printable(group.image)}: ${thousands(group.count)}${parent}${when}; ${held}`,
        style.width,
        '  ',
        '    ',
      ),
    );
  }
  return lines;
}

/** `PROCESS ...` of `!process 0 0`, as the debugger prints it for that Windows. */
function blockLines(block: ProcessBlock, wide: boolean): string[] {
  const at = (value: Hex | null): string => {
    const number = parseHex(value);
    return number === null ? '00000000' : number.toString(16).padStart(wide ? 16 : 8, '0');
  };
  const low = (value: Hex | null): string => (parseHex(value) ?? 0n).toString(16).padStart(8, '0');
  const id = (value: number | string | null): string =>
    Number(value ?? 0)
      .toString(16)
      .padStart(4, '0');
  const session = `SessionId: ${block.sessionId === null ? 'none' : String(block.sessionId)}`;
  const ids = `Cid: ${id(block.pid)}    Peb: ${low(block.peb)}  ParentCid: ${id(block.parentPid)}`;
  const count =
    block.handles === null && block.objectTable !== null
      ? '<Data Not Accessible>'
      : `${String(block.handles ?? 0).padStart(3)}.`;
  const tables = `    DirBase: ${low(block.directoryTableBase)}  ObjectTable: ${at(block.objectTable)}  HandleCount: ${count}`;
  const head = wide
    ? [`PROCESS ${at(block.address)}`, `    ${session}  ${ids}`]
    : [`PROCESS ${at(block.address)}  ${session}  ${ids}`];
  return [...head, tables, `    Image: ${printable(block.image)}`, ''];
}

/** The look of `!process 0 0`. */
export function renderProcessBlocks(given: Pick<Around, 'dump'> & { blocks: readonly ProcessBlock[] }): string {
  if (given.blocks.length === 0) return `${noFigures(given.dump, 'list of processes')}\n`;
  const wide = hasWideAddresses(given);
  return `**** NT ACTIVE PROCESS DUMP ****\n${given.blocks.flatMap((block) => blockLines(block, wide)).join('\n')}\n`;
}

const MOST_TYPES = 6;

/** Handles by process and type, and what they lead to. */
export function renderHandles(given: Around & { handles: HandlesPart | null }, options: StyleOptions = {}): string {
  const style = createStyle(options);
  const { handles } = given;
  if (handles === null) return finish([[noFigures(given.dump, 'handle table')], warningPart(given.warnings, style)]);
  const whole = handles.complete ? '' : ', and not all could be read: there are more';
  const title = `${counted(handles.found, 'handle')} of ${counted(handles.processes.length, 'process', 'processes')}${whole}`;
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

const FIRST_NEW_HEADERS = 7600;

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
  // Windows 7 gave headers an index in the place of the pointer to their type.
  const isNew = (given.system?.buildNumber ?? 0) >= FIRST_NEW_HEADERS;
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

/** The census of types, and the objects of one of them by name. */
export function renderObjects(
  given: Around & { objectTypes: readonly ObjectTypeInfo[] | null; objects: ObjectsPart | null },
  wanted: string | undefined,
  options: StyleOptions = {},
): string {
  const style = createStyle(options);
  const { objectTypes, objects } = given;
  if (objectTypes === null) return finish([[noFigures(given.dump, 'object type')], warningPart(given.warnings, style)]);
  if (wanted === undefined) {
    const rows = objectTypes
      .toSorted((a, b) => Number(b.objects) - Number(a.objects) || (a.type < b.type ? -1 : 1))
      .map((one) => [
        ...[
          thousands(one.objects),
          thousands(one.handles),
          thousands(one.objectsHighWater),
          thousands(one.handlesHighWater),
        ],
        ...[printable(one.tag), one.pool ?? NOT_KNOWN, printable(one.type)],
      ]);
    const columns: Column[] = [
      ...([
        ['Objects', 'right'],
        ['Handles', 'right'],
        ['Most objects', 'right'],
        ['Most handles', 'right'],
      ] as Column[]),
      ...([
        ['Tag', 'left'],
        ['Pool', 'left'],
        ['Type', 'left'],
      ] as Column[]),
    ];
    return finish([tableLines(columns, rows, style), warningPart(given.warnings, style)]);
  }
  if (objects === null) {
    const known = objectTypes.some(({ type }) => type.toLowerCase() === wanted.toLowerCase());
    const why = known
      ? 'No handle could be read, so no object of this type was found.'
      : `This kernel has no objects of a type ${printable(wanted)}.`;
    return finish([[why], warningPart(given.warnings, style)]);
  }
  const whole = objects.complete ? '' : ', and not all handles could be read: there may be more';
  const title = `${counted(objects.found, 'object')} of the type ${printable(objects.type)} that handles lead to${whole}; ${thousands(objects.unnamed)} without a name`;
  const wide = hasWideAddresses(given);
  const names = objects.names.map(({ name, objects: count, handles }) => [
    thousands(count),
    thousands(handles),
    printable(name),
  ]);
  const rows = objects.rows
    .slice(0, 40)
    .map((row) => [
      debuggerAddress(parseHex(row.object) ?? 0n, wide),
      ...[thousands(row.handles), thousands(row.pointerCount), thousands(row.beyondHandles), printable(row.name ?? '')],
    ]);
  return finish([
    wrap(title, style.width),
    names.length === 0
      ? []
      : tableLines(
          [
            ['Objects', 'right'],
            ['Handles', 'right'],
            ['Name', 'left'],
          ],
          names,
          style,
        ),
    rows.length === 0
      ? []
      : [
          heading('Those with most handles', style),
          ...tableLines(
            [
              ['Object', 'left'],
              ['Handles', 'right'],
              ['Pointers', 'right'],
              ['Beyond', 'right'],
              ['Name', 'left'],
            ],
            rows,
            style,
          ),
        ],
    warningPart(given.warnings, style),
  ]);
}

/** Who holds the objects under a tag. */
export function renderHolders(
  given: Around & { objectTypes: readonly ObjectTypeInfo[] | null; holdersOf: TagHolders | null },
  tag: string,
  options: StyleOptions = {},
): string {
  const style = createStyle(options);
  const { holdersOf, objectTypes } = given;
  if (holdersOf === null) {
    const why =
      objectTypes === null
        ? noFigures(given.dump, 'object type')
        : objectTypes.some((type) => type.tag.trim() === tag.trim())
          ? 'No handle could be read from this dump.'
          : `No type of objects has the tag ${printable(tag)}; "dumpleak objects" lists those that have one.`;
    return finish([wrap(why, style.width), warningPart(given.warnings, style)]);
  }
  const { holders, says } = holdersOf;
  return finish([
    wrap(`Tag ${printable(holdersOf.tag)}: ${printable(says)}`, style.width),
    holderLines({ holders } as Parameters<typeof holderLines>[0], style),
    warningPart(given.warnings, style),
  ]);
}
