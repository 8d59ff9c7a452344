/** Processes: our table with ended ones in groups, and `!process` in the look of WinDbg. */

import { printable } from '../../../parsers/text-safety.js';
import type { DumpPart } from '../../analysis/dump-part.js';
import type { ProcessDetails } from '../../analysis/objects/process-details.js';
import type { ThreadFields } from '../../kernel/objects/threads.js';
import type { EndedGroup, ProcessBlock } from '../../result/object-parts.js';
import type { Hex, ProcessList } from '../../result/result.js';
import { canHoldPoolTables, dumpKind, hasWideAddresses, noFigures } from '../print/dump-kind.js';
import { counted, humanBytes, NOT_KNOWN, parseHex, thousands, utc } from '../print/format.js';
import { createStyle, heading, wrap, type Style, type StyleOptions } from '../print/style.js';
import type { View, WrongWords } from '../view.js';
import { debuggerNumber, typedAddress } from '../words.js';
import { detailLines, NO_STACKS, threadLines, type RunsOn, STACK_FLAG, THREAD_FLAGS } from './process-details.js';
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
      : onlyCurrent(given.dump),
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

const titleOf = (dump: Around['dump']): string =>
  canHoldPoolTables(dump) ? '**** NT ACTIVE PROCESS DUMP ****\n' : `${onlyCurrent(dump)}\n`;

/** Above the one process of a triage dump. */
const onlyCurrent = (dump: Around['dump']): string =>
  `A ${dumpKind(dump)} holds no list of processes. This one was current:`;

/** The look of `!process 0 0`. */
export function renderProcessBlocks(
  given: Pick<Around, 'dump'> & { blocks: readonly ProcessBlock[]; named?: boolean },
): string {
  if (given.blocks.length === 0) return `${noFigures(given.dump, 'list of processes')}\n`;
  const wide = hasWideAddresses(given);
  const title = given.named === true ? '' : titleOf(given.dump);
  return `${title}${given.blocks.flatMap((block) => blockLines(block, wide)).join('\n')}\n`;
}

/** In which look, and of which processes. */
export interface ProcessesOptions {
  windbg?: boolean | undefined;
  /** Its whole name, in any case. */
  image?: string | undefined;
  /** The debugger's, for more than blocks: 1 what a process was charged for, 2 threads, 4 their stacks, which the prompt alone shows. */
  flags?: number | undefined;
  /** The one process with this address or id. */
  one?: bigint | undefined;
}

export type ProcessesFound = DumpPart & {
  processes: ProcessList | null;
  endedProcesses: EndedGroup[] | null;
  blocks: ProcessBlock[];
  details?: ReadonlyMap<Hex, ProcessDetails> | undefined;
  /** Null where they could not be read. */
  threads?: ThreadFields[] | null | undefined;
};

/** Those of one process, where none are given. */
const USUAL = 3;

function parseWords([which, flagWord, image, ...more]: readonly string[]): ProcessesOptions | WrongWords {
  const usage = '!process wants 0 FLAGS [NAME], or ADDRESS|PID [FLAGS]';
  if (which === undefined || which === '-1' || more.length > 0) return { error: usage };
  const flags = flagWord === undefined ? USUAL : debuggerNumber(flagWord);
  if (flags === null || flags > THREAD_FLAGS) return { error: `of the flags of !process there are 1, 2, 4, 8 and 10: not ${flagWord ?? ''}` }; // prettier-ignore
  const one = typedAddress(which);
  if (one === null || (one !== 0n && image !== undefined) || (one === 0n && flagWord === undefined)) return { error: usage }; // prettier-ignore
  if (one === 0n) return flags === 0 ? { windbg: true, image } : { windbg: true, image, flags };
  return { windbg: true, flags, one };
}

const fits = (block: ProcessBlock, { image, one }: ProcessesOptions): boolean =>
  one === undefined
    ? image === undefined || block.image.toLowerCase() === image.toLowerCase()
    : parseHex(block.address) === one || BigInt(block.pid) === one;

/** The blocks that are asked for, each with what the flags ask for, in pieces: where the stack of a thread stands, the thread itself. */
export function* processPieces(
  given: ProcessesFound,
  wanted: ProcessesOptions,
  runsOn: RunsOn = () => null,
): Generator<string | ThreadFields, void, void> {
  const { flags = 0, one, image } = wanted;
  if (given.blocks.length === 0) return yield `${noFigures(given.dump, 'list of processes')}\n`;
  const wide = hasWideAddresses(given);
  const blocks = given.blocks.filter((block) => fits(block, wanted) && (one !== undefined || !block.ended));
  if (one === undefined && image === undefined) yield titleOf(given.dump);
  if (one !== undefined && blocks.length === 0) {
    const shown = one.toString(16).padStart(wide ? 16 : 8, '0');
    return yield one > MOST_PID
      ? `TYPE mismatch for process object at ${shown}\n`
      : `No process has the Cid ${one.toString(16)}\n`;
  }
  if (one !== undefined && one <= MOST_PID) yield `Searching for Process with Cid == ${one.toString(16)}\n`;
  const threads = new Map<number, ThreadFields[]>();
  for (const thread of given.threads ?? []) {
    const list = threads.get(thread.pid);
    if (list === undefined) threads.set(thread.pid, [thread]);
    else list.push(thread);
  }
  for (const block of blocks) {
    const head = blockLines(block, wide);
    const lines =
      (flags & 1) === 0 ? head : [...head.slice(0, -1), ...detailLines(given.details?.get(block.address), wide)];
    yield `${lines.join('\n')}\n`;
    if ((flags & 2) === 0) continue;
    if (given.threads === null || given.threads === undefined) yield '        Its threads could not be read.\n\n';
    for (const thread of threads.get(Number(block.pid)) ?? []) {
      yield `${threadLines(thread, block, wide, ' '.repeat(8), runsOn(thread)).join('\n')}\n`;
      if ((flags & STACK_FLAG) !== 0) yield thread;
      yield '\n';
    }
  }
}

/** Ids are lower, addresses higher. */
const MOST_PID = 0x7fff_ffffn;

export const processes: View<ProcessesOptions, ProcessesFound> = {
  command: '!process',
  shell: 'processes MEMORY.DMP --windbg',
  words: parseWords,
  read: async ({ opened, progress }, wanted) => {
    const { describeProcesses, listProcesses } = await import('../../analysis/objects/inventory.js');
    const { flags } = wanted;
    if (flags === undefined) return listProcesses(opened, progress);
    const threadsOf = (flags & 2) === 0 ? null : () => true;
    const found = describeProcesses(opened, { details: (flags & 1) !== 0, threadsOf });
    return { ...found, processes: null, endedProcesses: null };
  },
  text: (found, wanted, style) => {
    if (wanted.windbg !== true) return renderProcesses(found, style);
    if (wanted.flags !== undefined) {
      const text = [...processPieces(found, wanted)].filter((piece) => typeof piece === 'string').join('');
      return (wanted.flags & STACK_FLAG) === 0 ? text : `${text}${NO_STACKS}\n`;
    }
    const { image } = wanted;
    const blocks = found.blocks.filter((one) => fits(one, wanted));
    return renderProcessBlocks({ dump: found.dump, blocks, named: image !== undefined });
  },
  json: ({ schemaVersion, dump, system, processes: list, endedProcesses, warnings }) => ({
    ...{ schemaVersion, dump, system, processes: list, endedProcesses, warnings },
  }),
};
