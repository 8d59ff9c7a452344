/** Processes: our table with ended ones in groups, and `!process 0 0` in the look of WinDbg. */

import { printable } from '../../../parsers/text-safety.js';
import type { DumpPart } from '../../analysis/dump-part.js';
import type { EndedGroup, ProcessBlock } from '../../result/object-parts.js';
import type { Hex, ProcessList } from '../../result/result.js';
import { canHoldPoolTables, dumpKind, hasWideAddresses, noFigures } from '../print/dump-kind.js';
import { counted, humanBytes, NOT_KNOWN, parseHex, thousands, utc } from '../print/format.js';
import { createStyle, heading, wrap, type Style, type StyleOptions } from '../print/style.js';
import type { View } from '../view.js';
import { finish, nameOf, tableLines, warningPart, type Around, type Column } from './parts.js';

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
  const title = wrap(
    canHoldPoolTables(given.dump)
      ? `${counted(processes.live, 'process', 'processes')} running; ${ended}${whole}`
      : `A ${dumpKind(given.dump)} holds no list of processes. This one was current:`,
    style.width,
  );
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
export function blockLines(block: ProcessBlock, wide: boolean): string[] {
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
export function renderProcessBlocks(
  given: Pick<Around, 'dump'> & { blocks: readonly ProcessBlock[]; named?: boolean },
): string {
  if (given.blocks.length === 0) return `${noFigures(given.dump, 'list of processes')}\n`;
  const wide = hasWideAddresses(given);
  const title = given.named === true ? '' : '**** NT ACTIVE PROCESS DUMP ****\n';
  return `${title}${given.blocks.flatMap((block) => blockLines(block, wide)).join('\n')}\n`;
}

/** In which look, and of which program. */
export interface ProcessesOptions {
  windbg?: boolean | undefined;
  /** Its whole name, in any case. */
  image?: string | undefined;
}

type Listed = DumpPart & {
  processes: ProcessList | null;
  endedProcesses: EndedGroup[] | null;
  blocks: ProcessBlock[];
};

export const processes: View<ProcessesOptions, Listed> = {
  command: '!process',
  shell: 'processes MEMORY.DMP --windbg',
  words: ([all, flags, image, ...more]) =>
    all === '0' && flags === '0' && more.length === 0
      ? { windbg: true, image }
      : { error: 'of !process there is !process 0 0, and !process 0 0 NAME' },
  read: async ({ opened, progress }) =>
    (await import('../../analysis/objects/inventory.js')).listProcesses(opened, progress),
  text: (found, { windbg, image }, style) => {
    if (windbg !== true) return renderProcesses(found, style);
    const blocks = found.blocks.filter((one) => image === undefined || one.image.toLowerCase() === image.toLowerCase());
    return renderProcessBlocks({ dump: found.dump, blocks, named: image !== undefined });
  },
  json: ({ schemaVersion, dump, system, processes: list, endedProcesses, warnings }) => ({
    ...{ schemaVersion, dump, system, processes: list, endedProcesses, warnings },
  }),
};
