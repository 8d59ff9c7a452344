/** `!poolused`: what each pool tag holds, in the columns of WinDbg since the Windows 7 SDK. */

import { printable } from '../../parsers/text-safety.js';
import { taggingIsOff, type AnalysisResult, type PoolCounters, type PoolTagRow } from '../result/result.js';
import { counted, exactInteger, parseHex } from './print/format.js';
import { noFigures, whyNoTags } from './print/dump-kind.js';
import { ownerText } from './print/tag-owner.js';
import { matchesTag, parsePoolUsedArguments, POOL_USED, type PoolUsedOptions } from './poolused-words.js';
import type { View } from './view.js';

const HEADER = [
  '               NonPaged                  Paged',
  ' Tag     Allocs         Used     Allocs         Used',
];
const VERBOSE_HEADER = [
  '                            NonPaged                                         Paged',
  ' Tag       Allocs       Frees      Diff         Used       Allocs       Frees      Diff         Used',
];

/** One table row's figures, or their sums. */
interface Sums {
  nonPaged: Record<keyof PoolCounters, bigint>;
  paged: Record<keyof PoolCounters, bigint>;
}

function exact(counters: PoolCounters): Record<keyof PoolCounters, bigint> {
  return {
    allocs: exactInteger(counters.allocs),
    frees: exactInteger(counters.frees),
    outstanding: exactInteger(counters.outstanding),
    bytes: exactInteger(counters.bytes),
  };
}

function add(sum: Record<keyof PoolCounters, bigint>, more: Record<keyof PoolCounters, bigint>): void {
  sum.allocs += more.allocs;
  sum.frees += more.frees;
  sum.outstanding += more.outstanding;
  sum.bytes += more.bytes;
}

/** Numbers under their heads. One as wide as its column would touch the one before: it gets a blank and moves the rest. */
function cells(values: bigint[], widths: number[]): string {
  let text = '';
  for (let i = 0; i < values.length; i++) text += ` ${String(values[i]).padStart((widths[i] ?? 1) - 1)}`;
  return text;
}

/** The number columns. Without `verbose`, Allocs means allocations outstanding now. */
function columns({ nonPaged, paged }: Sums, verbose: boolean): string {
  return verbose
    ? cells(
        [nonPaged, paged].flatMap((pool) => [pool.allocs, pool.frees, pool.outstanding, pool.bytes]),
        [12, 12, 10, 13, 13, 12, 10, 13],
      )
    : cells([nonPaged.outstanding, nonPaged.bytes, paged.outstanding, paged.bytes], [10, 13, 11, 13]);
}

/** The tag as the UNKNOWN message has it: its bytes up to the first NUL, moved to the right; others unprintable as `.`. */
function quotedTag(row: PoolTagRow): string {
  const key = Number(parseHex(row.hex) ?? -1n);
  if (key < 0 || key > 0xffffffff) return printable(row.tag);
  const bytes = [0, 8, 16, 24].map((shift) => (key >>> shift) & 0xff);
  const end = bytes.indexOf(0);
  const text = bytes
    .slice(0, end < 0 ? 4 : end)
    .map((byte) => (byte >= 0x20 && byte <= 0x7e ? String.fromCharCode(byte) : '.'))
    .join('');
  return text.padStart(4);
}

/** What follows the columns: description and binary, the binary alone (built-in list), or that the tag is unknown. */
function tagDescription(row: PoolTagRow): string {
  const description = row.description === null ? '' : printable(row.description).trim();
  const binary = row.binary === null || row.binary === '<unknown>' ? '' : printable(row.binary).trim();
  if (description !== '' && binary !== '') return `${description} , Binary: ${binary}`;
  if (binary !== '') return `Binary: ${binary}`;
  return description === '' ? `UNKNOWN pooltag '${quotedTag(row)}', please update pooltag.txt` : description;
}

const descending = (a: bigint, b: bigint): number => (a > b ? -1 : a < b ? 1 : 0);
/** Digits before capitals before small letters: the order of the displayed characters, whatever the locale. */
const byTag = (a: PoolTagRow, b: PoolTagRow): number => (a.tag < b.tag ? -1 : a.tag > b.tag ? 1 : 0);

interface Line {
  row: PoolTagRow;
  sums: Sums;
}

interface Order {
  title: string;
  compare: (a: Line, b: Line) => number;
}

const BY_TAG: Order = { title: ' Sorting by Tag', compare: (a, b) => byTag(a.row, b.row) };
const BY_NONPAGED: Order = {
  title: ' Sorting by NonPaged Pool Consumed',
  compare: (a, b) => descending(a.sums.nonPaged.bytes, b.sums.nonPaged.bytes) || byTag(a.row, b.row),
};
const BY_PAGED: Order = {
  title: ' Sorting by Paged Pool Consumed',
  compare: (a, b) => descending(a.sums.paged.bytes, b.sums.paged.bytes) || byTag(a.row, b.row),
};

function orderOf(flags: number): Order {
  if (flags & POOL_USED.sortNonPaged) return BY_NONPAGED;
  return flags & POOL_USED.sortPaged ? BY_PAGED : BY_TAG;
}

function linesOf(rows: readonly PoolTagRow[], pattern: PoolUsedOptions['pattern']): Line[] {
  const lines: Line[] = [];
  for (const row of rows) {
    if (pattern !== undefined && !matchesTag(pattern, row.tag)) continue;
    lines.push({ row, sums: { nonPaged: exact(row.nonPaged), paged: exact(row.paged) } });
  }
  return lines;
}

const TAG_WIDTH = 4;
const lineText = ({ row, sums }: Line, verbose: boolean, owners: boolean): string =>
  ` ${printable(row.tag).padEnd(TAG_WIDTH)}${columns(sums, verbose)}\t${owners ? withOwner(row) : tagDescription(row)}`;

/** The description and who allocates under the tag; the owner alone where the lists do not know the tag. */
function withOwner(row: PoolTagRow): string {
  const { owner = null } = row;
  if (owner === null) return tagDescription(row);
  const isListed = row.description !== null || (row.binary !== null && row.binary !== '<unknown>');
  return `${isListed ? `${tagDescription(row)} , ` : ''}Owner: ${ownerText(owner)}`;
}

const ZERO: PoolCounters = { allocs: 0, frees: 0, outstanding: 0, bytes: 0 };

/**
 * The text of `!poolused`, ended by a line feed. TOTAL sums all rows that the pattern lets through, also those that
 * `top` cuts off.
 */
export function renderPoolUsed(
  result: Pick<AnalysisResult, 'dump' | 'poolTags'> & Partial<Pick<AnalysisResult, 'warnings'>>,
  options: PoolUsedOptions,
): string {
  const { flags, top, pattern } = options;
  if (flags & POOL_USED.session) {
    return 'Session pool has tag tables of its own, one set in each session. They are not read: no figures for session pool.\n';
  }
  const tags = result.poolTags;
  if (tags === null) {
    const { warnings = [] } = result;
    const why = taggingIsOff(warnings) ? whyNoTags({ warnings }) : noFigures(result.dump, 'pool tag tables');
    return `${why}\n`;
  }

  const verbose = (flags & POOL_USED.verbose) !== 0;
  // Every row of the tables is listed, as in the specimens: also tags that hold nothing in the pool sorted by
  // (Leak and Thre stand with 0 in paged pool), and tags that were used once and hold nothing now.
  const order = orderOf(flags);
  const lines = linesOf(tags.rows, pattern).sort(order.compare);
  const total: Sums = { nonPaged: exact(ZERO), paged: exact(ZERO) };
  for (const { sums } of lines) {
    add(total.nonPaged, sums.nonPaged);
    add(total.paged, sums.paged);
  }
  const shown: string[] = [];
  for (const line of lines.slice(0, top ?? lines.length)) shown.push(lineText(line, verbose, options.owners === true));
  return [
    ...(tags.complete
      ? []
      : [
          `*** Partial: only ${counted(tags.tables, 'tag table')} could be read; the figures below are incomplete.`,
          '',
        ]),
    order.title,
    '',
    ...(verbose ? VERBOSE_HEADER : HEADER),
    '',
    ...shown,
    '',
    `TOTAL${columns(total, verbose)}`,
    '',
  ].join('\n');
}

export const poolUsed: View<
  PoolUsedOptions,
  Pick<AnalysisResult, 'schemaVersion' | 'dump' | 'system' | 'poolTags' | 'warnings'>
> = {
  command: '!poolused',
  shell: 'poolused MEMORY.DMP',
  words: parsePoolUsedArguments,
  read: async ({ opened, lists, progress }, { owners }) => {
    const { analyze } = await import('../analysis/analyze.js');
    // Whose the tags are is told by all parts together, without a look into blocks.
    const parts = owners === true ? { sampling: false } : { parts: ['memory', 'poolTags'] as const };
    const result = analyze(opened, { ...parts, descriptions: lists?.descriptions, progress });
    return { ...result, warnings: [...result.warnings, ...(lists?.warnings ?? [])] };
  },
  text: renderPoolUsed,
  /** All rows, whatever words were given. */
  json: ({ schemaVersion, dump, system, poolTags, warnings }) => ({ schemaVersion, dump, system, poolTags, warnings }),
};
