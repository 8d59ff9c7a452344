/** The memory part of `dumpleak analyze`: totals against limits, flags, tags against pool counters, the top tags. */

import { printable } from '../../../parsers/text-safety.js';
import { thirdPartyHolders } from '../../leak/tags/third-party.js';
import { pagesOf } from '../../result/pool.js';
import { tagInWords } from '../../result/tag.js';
import type { AnalysisResult, Count, PoolTagRow, PoolTags, Reconciliation } from '../../result/result.js';
import { counted, exactInteger, humanBytes, humanPages, percent, ratio, thousands } from '../../views/print/format.js';
import { commitInUse, physicalInUse, poolInUse, type Usage } from '../memory-limits.js';
import { whereLines, whereNotes } from '../where-memory.js';
import { canHoldPoolTables, whyNoTags } from '../../views/print/dump-kind.js';
import { ownerOrList } from '../../views/print/tag-owner.js';
import { bullets, fit, heading, wrap, type Style } from '../../views/print/style.js';

/** Third-party holders that are named under the table of tags. */
const MOST_HOLDERS = 5;

function usageLine(name: string, { used, limit }: Usage): string {
  const share = ratio(used, limit === null ? null : limit.pages);
  const of =
    limit === null ? '' : ` of ${humanPages(limit.pages).padStart(10)}  ${percent(share).padStart(8)}   ${limit.name}`;
  return `  ${name.padEnd(18)}${humanPages(used).padStart(12)}${of}`;
}

/** The memory totals in short. */
export function memorySection(result: AnalysisResult, style: Style): string[] {
  const { memory } = result;
  if (memory === null) {
    // A dump of a kind that holds no counters has said so at the top.
    return canHoldPoolTables(result.dump) ? [heading('Memory', style), '  The memory counters could not be read.'] : [];
  }
  const peak = memory.peakCommitment === null ? '' : `; peak ${humanPages(memory.peakCommitment.pages)}`;
  const pte = pagesOf(memory.freeSystemPtes);
  const failures = memory.poolAllocationFailures;
  const lines = [
    heading('Memory', style),
    usageLine('Physical memory', physicalInUse(memory)),
    usageLine('Nonpaged pool', poolInUse(memory, 'nonpaged')),
    usageLine('Paged pool', poolInUse(memory, 'paged')),
    usageLine('Commit', commitInUse(memory, `limit${peak}`)),
    `  ${'Free system PTEs'.padEnd(18)}${thousands(pte).padStart(12)}`,
  ];
  if (failures !== null && exactInteger(failures.count) > 0n) {
    lines.push(
      `  ${'Failed allocations'.padEnd(18)}${thousands(failures.count).padStart(12)}   pool allocations since boot`,
    );
  }
  const marks = bullets(
    memory.flags.map((flag) => printable(flag.message)),
    style,
    '!',
  );
  return [...lines, ...marks.map((line) => style.paint('warn', line))];
}

/** Where physical memory and commit are, as far as the kernel counts. */
export function whereSection(result: AnalysisResult, style: Style): string[] {
  const lines = whereLines(result);
  if (lines === null) return [];
  const all = lines.at(-1);
  const cell = (pages: Count | null | undefined, whole: Count | null | undefined): string =>
    pages === undefined
      ? '-'.padStart(11) + ' '.repeat(9)
      : humanPages(pages).padStart(11) + (pages === null ? '' : percent(ratio(pages, whole ?? null))).padStart(9);
  return [
    heading('Where physical memory and commit are', style),
    style.paint('dim', `  ${''.padEnd(35)}${'Physical'.padStart(11)}${''.padStart(9)}${'Commit'.padStart(11)}`),
    ...lines.map(({ what, physical, commit }) =>
      `  ${printable(what).padEnd(35)}${cell(physical, all?.physical)}${cell(commit, all?.commit)}`.trimEnd(),
    ),
    ...whereNotes(result.whereMemoryIs ?? []).flatMap((note) => wrap(note, style.width, '  ', '    ')),
  ];
}

function reconciliationLine(pool: string, figures: Reconciliation | null, tagged: Count): string {
  if (figures === null) {
    return `  ${pool.padEnd(18)}${humanBytes(tagged).padStart(12)} under tags; what the pool holds is not known`;
  }
  const rest = exactInteger(figures.unexplainedBytes);
  const share = percent(ratio(rest < 0n ? -rest : rest, figures.poolBytes));
  const verdict =
    rest < 0n
      ? `exceeded by ${humanBytes(-rest)} (${share})`
      : rest === 0n
        ? 'all of it explained'
        : `${humanBytes(rest)} (${share}) under no tag`;
  const inTags = humanBytes(figures.tagBytes).padStart(12);
  return `  ${pool.padEnd(18)}${inTags} of ${humanBytes(figures.poolBytes).padStart(10)}   ${verdict}`;
}

/** How much of each pool the tags explain. */
export function reconciliationSection(tags: PoolTags | null, style: Style): string[] {
  if (tags === null) return [];
  const { reconciliation, totals } = tags;
  return [
    heading('What the tags explain of each pool', style),
    reconciliationLine('Nonpaged pool', reconciliation.nonPaged, totals.nonPagedBytes),
    reconciliationLine('Paged pool', reconciliation.paged, totals.pagedBytes),
  ];
}

/** Bytes held and in how many allocations; a dash where the tag holds nothing. */
function held(bytes: Count, outstanding: Count): string {
  const nothing = exactInteger(bytes) === 0n && exactInteger(outstanding) === 0n;
  return `${(nothing ? '-' : humanBytes(bytes)).padStart(11)}${(nothing ? '-' : thousands(outstanding)).padStart(12)}`;
}

function tagLine(row: PoolTagRow, style: Style): string {
  const figures = `  ${printable(row.tag).padEnd(4)}${held(row.nonPaged.bytes, row.nonPaged.outstanding)}${held(row.paged.bytes, row.paged.outstanding)}  `;
  return figures + fit(ownerOrList(row), Math.max(12, style.width - figures.length), style);
}

/** Tags of drivers that are no part of Windows: `La57 547.2 MB (fabsec.sys)`. */
function thirdPartyLines(result: AnalysisResult, style: Style): string[] {
  const holders = thirdPartyHolders(result).slice(0, MOST_HOLDERS);
  if (holders.length === 0) return [];
  const each = holders.map(
    ({ row, owner, bytes }) =>
      `${tagInWords(row.tag)} ${humanBytes(bytes)} (${printable(owner.module)}${owner.confidence === 'high' ? '' : ', probably'})`,
  );
  return wrap(`Largest third-party holders: ${each.join(', ')}`, style.width, '  ', '    ');
}

/** The tags that hold most, over both pools, as the result orders them. */
export function topTagsSection(result: AnalysisResult, top: number, style: Style): string[] {
  const tags = result.poolTags;
  if (tags === null) {
    return canHoldPoolTables(result.dump) ? [heading('Pool tags', style), `  ${whyNoTags(result)}`] : [];
  }
  const rows = tags.rows.slice(0, top);
  const title =
    rows.length < tags.rows.length
      ? `Pool tags: top ${rows.length} of ${thousands(tags.rows.length)}`
      : `Pool tags: all ${rows.length}`;
  const { totals } = tags;
  return [
    heading(
      tags.complete ? title : `${title} (partial: ${counted(tags.tables, 'table')} could be read, others not)`,
      style,
    ),
    style.paint('dim', '  Tag    Nonpaged      blocks      Paged      blocks  Owner'),
    ...rows.map((row) => tagLine(row, style)),
    `  All ${held(totals.nonPagedBytes, totals.nonPagedAllocs)}${held(totals.pagedBytes, totals.pagedAllocs)}`,
    ...thirdPartyLines(result, style),
  ];
}
