/**
 * Where physical memory and commit are: the counters that the kernel keeps, and what they leave. Only parts that do not
 * overlap are added; a part without a counter is said, and then nobody claims the rest.
 */

import { toNumber } from '../result/result.js';
import type { MemoryInfo, MemoryPart, Pages, ProcessList } from '../result/result.js';
import type { LeakFacts } from './facts.js';
import type { MemoryParts } from '../kernel/memory/memory-parts.js';
import { PAGE_BYTES } from './thresholds.js';

/** What the table is made of. */
export interface WhereFacts {
  readonly memory: Omit<MemoryInfo, 'flags'> | null;
  readonly parts: MemoryParts | null;
  readonly processes: ProcessList | null;
}

/** Of a kernel state. */
export function whereOf({
  memory,
  parts = null,
  objects,
}: Pick<LeakFacts, 'memory' | 'parts' | 'objects'>): WhereFacts {
  return { memory, parts, processes: objects?.processes ?? null };
}

/** What is left over, in the result's words. */
export const UNEXPLAINED = 'unexplained';

/** A row before it is known whether it is told. */
interface Line {
  readonly what: string;
  readonly figure: Pages | null;
  /** Left out where it is unknown: a counter that most kernels do not have. */
  readonly optional?: boolean;
}

/** The two tables, physical memory first; null where neither total is known. */
export function whereMemoryIs(facts: WhereFacts): MemoryPart[] | null {
  const { memory } = facts;
  if (memory === null) return null;
  const all = [
    ...tableOf('physical memory', memory.physicalMemory, physicalLines(memory, facts.parts)),
    ...tableOf('commit', memory.committedPages, commitLines(memory, facts)),
  ];
  return all.length === 0 ? null : all;
}

/** Rows that add up to the total; none where that is unknown. */
function tableOf(of: MemoryPart['of'], total: Pages | null, lines: readonly Line[]): MemoryPart[] {
  if (total === null) return [];
  const shown = lines.filter(({ figure, optional }) => figure !== null || optional !== true);
  const rows = shown.map(({ what, figure }): MemoryPart => ({
    of,
    what,
    pages: figure?.pages ?? null,
    source: figure?.source ?? null,
  }));
  const known = rows.every(({ pages }) => pages !== null);
  const sum = rows.reduce((pages, row) => pages + toNumber(row.pages ?? 0), 0);
  const rest = known ? toNumber(total.pages) - sum : null;
  rows.push({ of, what: UNEXPLAINED, pages: rest, source: known ? 'derived' : null });
  return rows;
}

function physicalLines(memory: Omit<MemoryInfo, 'flags'>, parts: MemoryParts | null): Line[] {
  return [
    { what: 'available', figure: memory.availablePages },
    { what: 'modified', figure: sumOf(memory.modifiedPages, memory.modifiedNoWritePages) },
    { what: 'nonpaged pool', figure: memory.nonPagedPoolUsage },
    { what: 'driver-locked and contiguous memory', figure: parts?.mdlPages ?? null },
    { what: 'locked by processes, large pages', figure: parts?.awePages ?? null, optional: true },
    { what: 'page tables and lists of processes', figure: memory.sharedProcess },
    { what: 'page tables of the system', figure: parts?.systemPageTables ?? null, optional: true },
    { what: 'page frame database', figure: parts?.pageFrames ?? null, optional: true },
  ];
}

function commitLines(memory: Omit<MemoryInfo, 'flags'>, { parts, processes }: WhereFacts): Line[] {
  return [
    { what: 'private memory of processes', figure: privateOf(processes) },
    { what: 'shared memory', figure: memory.sharedCommit },
    { what: 'nonpaged pool', figure: memory.nonPagedPoolCommit ?? memory.nonPagedPoolUsage },
    { what: 'paged pool', figure: memory.pagedPoolCommit ?? memory.pagedPoolUsage },
    { what: 'driver-locked and contiguous memory', figure: parts?.mdlPages ?? null },
    { what: 'locked by processes, large pages', figure: parts?.awePages ?? null, optional: true },
    { what: 'page tables and lists of processes', figure: memory.sharedProcess },
    { what: 'page tables of the system', figure: parts?.systemPageTables ?? null, optional: true },
    { what: 'sessions', figure: memory.sessionCommit, optional: true },
    { what: 'images of drivers', figure: memory.driverCommit },
    { what: 'special pool', figure: memory.specialPool, optional: true },
    { what: 'page frame database', figure: parts?.pageFrames ?? null, optional: true },
    { what: 'files that processes locked', figure: parts?.lockedFilePages ?? null, optional: true },
    { what: 'since boot, and of the memory manager', figure: ofManager(parts), optional: true },
  ];
}

/** Private commit of all live processes; null where one of them does not tell. */
function privateOf(processes: ProcessList | null): Pages | null {
  if (processes?.complete !== true) return null;
  let bytes = 0;
  for (const { commitBytes } of processes.rows) {
    if (commitBytes === null) return null;
    bytes += toNumber(commitBytes);
  }
  return { pages: Math.round(bytes / PAGE_BYTES), source: processes.source };
}

/** Small parts that only the memory manager itself knows of, as far as this kernel counts them. */
function ofManager(parts: MemoryParts | null): Pages | null {
  if (parts === null) return null;
  return [parts.bootPages, parts.smallPageTables, parts.pageFileHash, parts.slabs].reduce(
    (sum, part) => (part === null ? sum : sumOf(sum, part)),
    null,
  );
}

/** The sum of two figures; one alone where the other is unknown. */
function sumOf(a: Pages | null, b: Pages | null): Pages | null {
  if (a === null || b === null) return a ?? b;
  return { pages: toNumber(a.pages) + toNumber(b.pages), source: a.source };
}
