/**
 * A dump's tag table in the look of a `poolmon -n` log, so that tools for such logs can read dumps. Narrow columns are those
 * of 32-bit systems, wide ones those of the newer tool on 64-bit systems.
 */

import { InputError } from '../../../parsers/bytes/input-error.js';
import { printable } from '../../../parsers/text-safety.js';
import { countersOf, pagesOf, POOLS, poolUsage } from '../../result/pool.js';
import type { AnalysisResult, Count, MemoryField, PoolCounters, PoolKind, PoolTagRow } from '../../result/result.js';
import { exactInteger } from '../../views/print/format.js';

export interface SnapshotLogOptions {
  /** Default: wide for 64-bit systems, narrow for 32-bit ones. */
  columns?: 'narrow' | 'wide' | undefined;
  /** Show Mapped_Driver from the descriptions of the rows, as poolmon's /g does. */
  mapped?: boolean | undefined;
}

const NARROW = ' Tag  Type     Allocs         Frees    Diff   Bytes    Per Alloc';
const WIDE = ' Tag  Type     Allocs            Frees               Diff            Bytes                 Per Alloc';
const GAP = '        ';

/**
 * The log, ended by a line feed. Figures that the dump does not tell - page faults among them, which no dump tells - are
 * 0, since the format has no way to leave them out. Throws InputError for a dump without a tag table.
 */
export function renderSnapshotLog(
  result: Pick<AnalysisResult, 'dump' | 'memory' | 'poolTags' | 'warnings'>,
  options: SnapshotLogOptions = {},
): string {
  const { dump, memory, poolTags, warnings } = result;
  if (poolTags === null) {
    const why = warnings.find(({ where }) => where === 'poolTags') ?? warnings.find(({ where }) => where === 'dump');
    throw new InputError(
      'wrong-kind',
      `${dump.path} holds no pool tag table${why === undefined ? '' : `: ${why.message}`}`,
    );
  }
  const is32 = dump.architecture === 'x86' || dump.architecture === 'x86-pae';
  const narrow = (options.columns ?? (is32 ? 'narrow' : 'wide')) === 'narrow';
  const title = (narrow ? NARROW : WIDE) + (options.mapped === true ? `${narrow ? '  ' : '       '}Mapped_Driver` : '');
  const rows = [...poolTags.rows].sort((a, b) => (a.tag < b.tag ? -1 : a.tag > b.tag ? 1 : a.hex < b.hex ? -1 : 1));
  const lines = rows.flatMap((row) =>
    POOLS.flatMap((pool) => {
      const counters = countersOf(row, pool);
      if (exactInteger(counters.allocs) === 0n) return [];
      const driver = options.mapped === true ? GAP + mappedDriver(row) : '';
      return [tableRow(row.tag, pool === 'paged' ? 'Paged' : 'Nonp', counters, narrow) + driver];
    }),
  );
  const kb = (pages: Count | null): bigint => (pages === null ? 0n : exactInteger(pages) * 4n);
  const figure = (name: MemoryField): bigint => kb(pagesOf(memory?.[name]));
  const used = (pool: PoolKind): bigint => kb(poolUsage(memory, pool));
  return [
    ` Memory:${w(figure('physicalMemory'), 8)}K Avail:${w(figure('availablePages'), 8)}K  PageFlts:${w(0n, 6)}   InRam Krnl:${w(0n, 5)}K P:${w(0n, 5)}K`,
    ` Commit:${w(figure('committedPages'), 7)}K Limit:${w(figure('commitLimit'), 7)}K Peak:${w(figure('peakCommitment'), 7)}K            Pool N:${w(used('nonpaged'), 5)}K P:${w(used('paged'), 5)}K`,
    '',
    title,
    '',
    ...lines,
    '',
  ].join('\n');
}

const w = (value: bigint, width: number): string => value.toString().padStart(width);

function tableRow(tag: string, type: string, counters: PoolCounters, narrow: boolean): string {
  const [allocs, frees, diff, bytes] = [counters.allocs, counters.frees, counters.outstanding, counters.bytes].map(
    (value: Count) => exactInteger(value),
  ) as [bigint, bigint, bigint, bigint];
  const each = diff <= 0n ? 0n : bytes / diff;
  const widths = narrow ? [9, 9, 9, 8, 10] : [18, 18, 17, 14, 16];
  const cells = [allocs, frees, diff, bytes, each].map((value, i) => w(value, widths[i] ?? 0));
  return ` ${printable(tag).padEnd(4)} ${type.padEnd(5)} ${cells.join(' ')}`;
}

/** `[binary - description]`, `[description]`, or `Unknown Driver`. */
function mappedDriver({ binary, description }: PoolTagRow): string {
  const parts = [binary, description].flatMap((text) => (text === null ? [] : [printable(text)]));
  return parts.length === 0 ? 'Unknown Driver' : `[${parts.join(' - ')}]`;
}
