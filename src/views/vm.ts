/** `!vm 1`: the memory totals in the look of WinDbg, in its older or its newer layout. */

import { printable } from '../../parsers/text-safety.js';
import { kernelDoes } from '../../symbols/generations.js';
import type { sessionFigures } from '../kernel/processes/sessions.js';
import { pagesOf } from '../result/pool.js';
import {
  count,
  type AnalysisResult,
  type Count,
  type MemoryField,
  type MemoryInfo,
  type PageFile,
  type ProcessList,
} from '../result/result.js';
import { exactInteger, NOT_KNOWN } from './print/format.js';
import { hasWideAddresses, noFigures } from './print/dump-kind.js';
import type { View, WrongWords } from './view.js';
import { debuggerNumber } from './words.js';

/** The older one is the familiar one for systems before Windows 8. */
export type VmLayout = 'old' | 'new';

/** How a layout places its columns; widths as measured on real output. */
interface Shape {
  indent: string;
  /** The number of pages ends here, counted from the label's first character. */
  pagesEnd: number;
  /** Where the field of the number begins; a number that does not fit pushes the rest to the right. */
  pagesStart: number;
  kbWidth: number;
}

// The older one indents by a tab; its numbers have no field of their own, so they only ever need one blank.
const OLD: Shape = { indent: '\t', pagesEnd: 28, pagesStart: 0, kbWidth: 10 };
const NEW: Shape = { indent: '', pagesEnd: 33, pagesStart: 19, kbWidth: 11 };

/** Kb of a number of pages, wrapped at 64 bits as the debugger prints it. */
function kilobytes(pages: Count | null): string {
  if (pages === null) return NOT_KNOWN;
  const kb = exactInteger(pages) * 4n;
  return (kb < 0n ? kb : BigInt.asUintN(64, kb)).toString();
}

function row(shape: Shape, label: string, pages: Count | null): string {
  const start = Math.max(shape.pagesStart, label.length + 1);
  const number = pages === null ? NOT_KNOWN : exactInteger(pages).toString();
  const cell = number.padStart(shape.pagesEnd - start);
  return `${shape.indent}${label.padEnd(start)}${cell} (${kilobytes(pages).padStart(shape.kbWidth)} Kb)`;
}

function pageFileLines(shape: Shape, files: PageFile[] | null): string[] {
  if (files === null) return [`${shape.indent}Page File: ${NOT_KNOWN}`];
  if (files.length === 0) return [`${shape.indent}Page File: none`];
  const number = (pages: Count | null, width: number) => kilobytes(pages).padStart(width);
  return files.flatMap((file) => [
    `${shape.indent}${file.path === null ? 'No Name for Paging File' : `Page File: ${printable(file.path)}`}`,
    `${shape.indent}  Current:${number(file.currentPages, 10)} Kb  Free Space:${number(file.freePages, 10)} Kb`,
    `${shape.indent}  Minimum:${number(file.minimumPages, 10)} Kb  Maximum:${number(file.maximumPages, 13)} Kb`,
  ]);
}

/** Flags that the debugger has a line for, in the place of its own: the rest are this tool's findings. */
const DEBUGGER_LINES = {
  nonpaged: ['excessive-nonpaged-pool', 'Excessive NonPaged Pool Usage'],
  // The debugger's own words for this one are not on record: they are made after the other.
  paged: ['excessive-paged-pool', 'Excessive Paged Pool Usage'],
} as const;

function flagLine(shape: Shape, memory: MemoryInfo, pool: keyof typeof DEBUGGER_LINES): string[] {
  const [code, words] = DEBUGGER_LINES[pool];
  return memory.flags.some((flag) => flag.code === code) ? [`${shape.indent}********** ${words} *****`] : [];
}

/** This tool's own findings, which stand above the debugger's lines and apart from them. */
function noteLines(memory: MemoryInfo): string[] {
  const theirs: string[] = Object.values(DEBUGGER_LINES).map(([code]) => code);
  const notes = memory.flags
    .filter((flag) => !theirs.includes(flag.code))
    .map((flag) => `! ${printable(flag.message)}`);
  return notes.length === 0 ? [] : [...notes, ''];
}

function failureLines(shape: Shape, memory: MemoryInfo): string[] {
  const failures = memory.poolAllocationFailures;
  if (failures === null || exactInteger(failures.count) === 0n) return [];
  const number = exactInteger(failures.count).toString();
  return ['', `${shape.indent}********** ${number} pool allocations have failed **********`, ''];
}

type Row = (label: string, field: MemoryField) => string;

function rowsOf(shape: Shape, memory: MemoryInfo): Row {
  return (label, field) => row(shape, `${label}:`, pagesOf(memory[field]));
}

/** Single-node systems print no rows per node, as in the debugger. */
function perNode(memory: MemoryInfo): NonNullable<MemoryInfo['nonPagedPools']> {
  const nodes = memory.nonPagedPools ?? [];
  return nodes.length > 1 ? nodes : [];
}

/** The debugger counts the executable pool alone in this row where it knows the other part. */
function executableRow(shape: Shape, memory: MemoryInfo): string {
  const { nonPagedPoolUsage: all, nonPagedPoolNxUsage: nx } = memory;
  if (all === null || nx === null) return row(shape, 'NonPagedPool Usage:', pagesOf(all));
  const executable = exactInteger(all.pages) - exactInteger(nx.pages);
  return row(shape, 'NonPagedPool Usage:', count(executable < 0n ? 0n : executable));
}

/** Nonpaged pool without execution: a row where the system has it, so never on Windows 7. */
function nxRow(figure: Row, memory: MemoryInfo, build: number | null): string[] {
  const expected = build === null || kernelDoes('hasNonExecutablePool', build);
  return memory.nonPagedPoolNxUsage !== null || expected ? [figure('NonPagedPoolNx Usage', 'nonPagedPoolNxUsage')] : [];
}

function oldLayout(memory: MemoryInfo, build: number | null): string[] {
  const figure = rowsOf(OLD, memory);
  return [
    '*** Virtual Memory Usage ***',
    figure('Physical Memory', 'physicalMemory'),
    ...pageFileLines(OLD, memory.pageFiles),
    figure('Available Pages', 'availablePages'),
    figure('ResAvail Pages', 'residentAvailablePages'),
    figure('Locked IO Pages', 'lockedIoPages'),
    figure('Free System PTEs', 'freeSystemPtes'),
    figure('Modified Pages', 'modifiedPages'),
    figure('Modified PF Pages', 'modifiedPageFilePages'),
    ...perNode(memory).flatMap(({ node, pages, nxPages }) => [
      row(OLD, `NonPagedPool ${node} Used:`, pages),
      ...(nxPages === null ? [] : [row(OLD, `NonPagedPoolNx ${node} Used:`, nxPages)]),
    ]),
    executableRow(OLD, memory),
    ...nxRow(figure, memory, build ?? 0),
    figure('NonPagedPool Max', 'nonPagedPoolMaximum'),
    ...flagLine(OLD, memory, 'nonpaged'),
    ...(memory.pagedPools ?? []).map(({ index, pages }) => row(OLD, `PagedPool ${index} Usage:`, pages)),
    figure('PagedPool Usage', 'pagedPoolUsage'),
    figure('PagedPool Maximum', 'pagedPoolMaximum'),
    ...flagLine(OLD, memory, 'paged'),
    ...failureLines(OLD, memory),
    figure('Session Commit', 'sessionCommit'),
    figure('Shared Commit', 'sharedCommit'),
    figure('Special Pool', 'specialPool'),
    figure('Shared Process', 'sharedProcess'),
    figure('PagedPool Commit', 'pagedPoolCommit'),
    figure('Driver Commit', 'driverCommit'),
    figure('Committed pages', 'committedPages'),
    figure('Commit limit', 'commitLimit'),
  ];
}

function newLayout(memory: MemoryInfo, build: number | null): string[] {
  const figure = rowsOf(NEW, memory);
  return [
    ...pageFileLines(NEW, memory.pageFiles),
    '',
    figure('Physical Memory', 'physicalMemory'),
    figure('Available Pages', 'availablePages'),
    figure('ResAvail Pages', 'residentAvailablePages'),
    figure('Locked IO Pages', 'lockedIoPages'),
    figure('Free System PTEs', 'freeSystemPtes'),
    figure('Modified Pages', 'modifiedPages'),
    figure('Modified PF Pages', 'modifiedPageFilePages'),
    figure('Modified No Write Pages', 'modifiedNoWritePages'),
    ...perNode(memory).flatMap(({ node, pages, nxPages }) => [
      row(NEW, `NonPagedPool ${node}:`, pages),
      ...(nxPages === null ? [] : [row(NEW, `NonPagedPoolNx ${node}:`, nxPages)]),
    ]),
    executableRow(NEW, memory),
    ...nxRow(figure, memory, build),
    figure('NonPagedPool Max', 'nonPagedPoolMaximum'),
    ...flagLine(NEW, memory, 'nonpaged'),
    ...(memory.pagedPools ?? []).map(({ index, pages }) => row(NEW, `PagedPool ${index}:`, pages)),
    figure('PagedPool Usage', 'pagedPoolUsage'),
    figure('PagedPool Maximum', 'pagedPoolMaximum'),
    ...flagLine(NEW, memory, 'paged'),
    ...failureLines(NEW, memory),
    figure('Session Commit', 'sessionCommit'),
    figure('Shared Commit', 'sharedCommit'),
    figure('Special Pool', 'specialPool'),
    figure('NonPagedPool Commit', 'nonPagedPoolCommit'),
    figure('PagedPool Commit', 'pagedPoolCommit'),
    figure('Driver Commit', 'driverCommit'),
    figure('Committed pages', 'committedPages'),
    figure('Commit limit', 'commitLimit'),
  ];
}

/** How the totals are shown. */
export interface VmOptions {
  /** The older one up to build 7601 when left out, else the newer. */
  layout?: VmLayout | undefined;
  /** What this tool finds and the debugger has no line for stands above, apart from the debugger's lines. */
  notes?: boolean;
}

function layoutOf({ system }: Pick<AnalysisResult, 'system'>, { layout }: VmOptions): VmLayout {
  const build = system?.buildNumber ?? null;
  return layout ?? (build === null || kernelDoes('hasNonExecutablePool', build) ? 'new' : 'old');
}

/**
 * The text of `!vm 1`, ended by a line feed. A row without a value says `n/a`; rows that the result cannot hold
 * (kernel stacks, processes, ...) are left out.
 */
export function renderVm(result: Pick<AnalysisResult, 'dump' | 'system' | 'memory'>, options: VmOptions = {}): string {
  if (result.memory === null) return `${noFigures(result.dump, 'memory counters')}\n`;
  const build = result.system?.buildNumber ?? null;
  const layout = layoutOf(result, options);
  const lines = layout === 'old' ? oldLayout(result.memory, build) : newLayout(result.memory, build);
  return `${[...(options.notes === true ? noteLines(result.memory) : []), ...lines].join('\n')}\n`;
}

/** Rows of the processes that hold the most commit, in Kb; what is not known is `n/a`. */
function processLines(processes: ProcessList | null, layout: VmLayout): string[] {
  if (processes === null) return ['', 'The list of processes could not be read.'];
  const kb = (bytes: Count | null): bigint | null => (bytes === null ? null : exactInteger(bytes) / 1024n);
  const rows = processes.rows.toSorted((a, b) => Number((kb(b.commitBytes) ?? -1n) - (kb(a.commitBytes) ?? -1n)));
  const pid = (value: Count): string => exactInteger(value).toString(16);
  const known = rows.flatMap((row) => kb(row.commitBytes) ?? []);
  const total = known.length === rows.length && processes.complete ? known.reduce((sum, one) => sum + one, 0n) / 4n : null; // prettier-ignore
  if (layout === 'old') {
    return [
      '',
      row(OLD, 'Total Private:', total === null ? null : count(total)),
      ...rows.map((one) => {
        const commit = kb(one.commitBytes);
        const pages = commit === null ? NOT_KNOWN : String(commit / 4n);
        const cell = `${pages.padStart(8)} (${(commit === null ? NOT_KNOWN : String(commit)).padStart(8)} Kb)`;
        return `\t${pid(one.pid).padStart(4, '0')} ${printable(one.image).padEnd(15)} ${cell}`;
      }),
    ];
  }
  return [
    row(NEW, 'Total Private:', total === null ? null : count(total)),
    '',
    '  Pid ImageName                        Commit   SharedCommit        Debt',
    '',
    ...rows.map(({ pid: id, image, commitBytes }) => {
      const commit = kb(commitBytes);
      const name = printable(image).padEnd(24);
      const cell = (value: bigint | null): string => (value === null ? NOT_KNOWN : `${value} Kb`);
      return `${pid(id).padStart(5)} ${name}${cell(commit).padStart(12)}${NOT_KNOWN.padStart(15)}${NOT_KNOWN.padStart(12)}`;
    }),
  ];
}

type SessionList = ReturnType<typeof sessionFigures>;

/** With terminal server sessions. */
const SESSIONS = 4;

/** The sessions in the debugger's look. What their pool holds is in structures of their own, which are not read. */
function sessionLines({ sessions, unread }: SessionList, wide: boolean): string[] {
  const lines = ['', 'Terminal Server Memory Usage By Session:', ''];
  const cell = (label: string, kb: string): string =>
    `${label.padEnd(18)}${kb.padStart(8)}${kb === NOT_KNOWN ? '' : ' Kb'}`;
  for (const { id, address, committedPages } of sessions) {
    lines.push(
      `Session ID ${id} @ ${address.toString(16).padStart(wide ? 16 : 8, '0')}:`,
      cell('Paged Pool Usage:', NOT_KNOWN),
      cell('NonPaged Usage:', NOT_KNOWN),
      cell('Commit Usage:', String(committedPages * 4n)),
      '',
    );
  }
  if (unread > 0) lines.push(`Of ${unread} more nothing could be read.`);
  else if (sessions.length === 0) lines.push('No session could be read.');
  return lines;
}

/** The flags that the debugger documents and that are not here, by what they would show. */
const ABSENT: readonly (readonly [number, string])[] = [
  [2, 'stacks of memory-management threads'],
  [8, 'the log of page file writes'],
  [0x10, 'stacks of working set owners'],
  [0x20, 'kernel address space'],
];

function parseFlags([word = '0', ...more]: readonly string[]): VmWanted | WrongWords {
  const flags = debuggerNumber(word);
  if (flags === null || more.length > 0) return { error: 'of !vm there are !vm, and !vm 1 without the processes' };
  const absent = ABSENT.find(([bit]) => (flags & bit) !== 0);
  if (absent !== undefined || flags > 0x3f) {
    const what = absent === undefined ? `flags ${word}` : `flag 0x${absent[0].toString(16)} (${absent[1]})`;
    return { error: `!vm ${word}: ${what} is not here; there are !vm, and !vm 1 without the processes` };
  }
  const sessions = (flags & SESSIONS) === 0 ? {} : { sessions: true };
  return (flags & 1) === 1 ? sessions : { ...sessions, processes: true };
}

/** What `!vm` is asked for. */
interface VmWanted extends VmOptions {
  /** With the list of processes. */
  readonly processes?: boolean | undefined;
  readonly sessions?: boolean | undefined;
}

interface VmResult extends Pick<AnalysisResult, 'schemaVersion' | 'dump' | 'system' | 'memory' | 'warnings'> {
  /** Left out where they were not asked for. */
  readonly processes?: ProcessList | null | undefined;
  readonly sessions?: SessionList | undefined;
}

export const vm: View<VmWanted, VmResult> = {
  command: '!vm',
  shell: 'vm MEMORY.DMP',
  words: parseFlags,
  read: async ({ opened, progress }, { processes, sessions }) => {
    const { analyze } = await import('../analysis/analyze.js');
    const { schemaVersion, dump, system, memory, warnings } = analyze(opened, { parts: ['memory'], progress });
    const totals: VmResult = { schemaVersion, dump, system, memory, warnings };
    if (sessions === true) {
      const { sessionFigures: read } = await import('../kernel/processes/sessions.js');
      Object.assign(totals, { sessions: read(opened.kernel) });
    }
    if (processes !== true) return totals;
    const { listProcesses } = await import('../analysis/objects/inventory.js');
    return { ...totals, processes: listProcesses(opened, progress).processes };
  },
  text: (result, wanted) => {
    const { processes, sessions } = result;
    const own = sessions === undefined ? '' : `${sessionLines(sessions, hasWideAddresses(result)).join('\n')}\n`;
    const totals = `${renderVm(result, wanted)}${result.memory === null ? '' : own}`;
    if (processes === undefined || result.memory === null) return totals;
    return `${totals}${processLines(processes, layoutOf(result, wanted)).join('\n')}\n`;
  },
  json: ({ schemaVersion, dump, system, memory, processes, warnings }) => ({
    ...{ schemaVersion, dump, system, memory },
    ...(processes === undefined ? {} : { processes }),
    warnings,
  }),
};
