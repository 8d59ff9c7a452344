/**
 * Memory figures have several witnesses: the kernel's counters, the count and the runs of the dump header, the pages that
 * the dump holds. Where they contradict each other the better witness is used, or the figure is left out so that nothing
 * is measured by it; either way it is told, with the figures.
 */

import type { Dump } from '../../../parsers/dump/open-dump.js';
import { toNumber, type MemoryField, type Pages, type Warning } from '../../result/result.js';

type Figures = Map<MemoryField, Pages | null>;

/** Witnesses of physical memory may differ by this: memory that is bad, reserved or added. */
const ALIKE = 1.25;
/** The commit limit is physical memory and paging files, less what the system keeps: never less than half of the memory. */
const LEAST_COMMIT = 0.5;
/** As for the flag of committed memory: past the limit by more than this one of the two is wrong. */
const MOST_COMMITTED = 1.25;
/** Memory this many times the commit limit: one of the two is wrong. */
const MOST_MEMORY = 1 / LEAST_COMMIT;

/** Puts the better witness for what is contradicted, null where there is none; `warnings` gets a line for each. */
export function crossCheck(figures: Figures, dump: Dump, warnings: Warning[]): void {
  checkPhysical(figures, dump, warnings);
  checkCommit(figures, warnings);
}

const pagesOf = (figures: Figures, name: MemoryField): number | null => {
  const figure = figures.get(name) ?? null;
  return figure === null ? null : toNumber(figure.pages);
};

const areAlike = (a: number, b: number): boolean => a > 0 && b > 0 && Math.max(a, b) <= Math.min(a, b) * ALIKE;

/** Physical memory: the kernel's count, the header's, the sum of the header's runs. Two that agree are believed. */
function checkPhysical(figures: Figures, { header, pages: index }: Dump, warnings: Warning[]): void {
  const kernel = pagesOf(figures, 'physicalMemory');
  const block = header.physicalMemory;
  const present = index?.pagesPresent ?? 0;
  // What is 0 was not filled in.
  const counted = block === null || block.numberOfPages === 0 ? null : block.numberOfPages;
  const sum = block?.runs.reduce((pages, run) => pages + run.pageCount, 0) ?? 0;
  const runs = sum === 0 ? null : sum;
  const witnesses = [kernel, counted, runs].filter((count) => count !== null);
  const isPossible = (count: number): boolean => count > 0 && count * ALIKE >= present;
  if (witnesses.every((count) => isPossible(count) && areAlike(count, witnesses[0] ?? count))) {
    if (kernel === null && counted !== null) setPhysical(figures, counted);
    return;
  }
  const agreed = witnesses.find(
    (count, i) => isPossible(count) && witnesses.some((other, j) => i !== j && areAlike(count, other)),
  );
  const seen = [
    ...(kernel === null ? [] : [`the kernel counts ${kernel} pages of physical memory`]),
    ...(counted === null ? [] : [`the dump header ${counted}`]),
    ...(runs === null ? [] : [`its runs hold ${runs}`]),
    ...(witnesses.every(isPossible) ? [] : [`the dump holds ${present}`]),
  ].join(', ');
  if (agreed === undefined) figures.set('physicalMemory', null);
  else if (agreed !== kernel) setPhysical(figures, agreed);
  warnings.push({
    code: 'figures-contradict',
    where: 'memory',
    message: `${seen}: ${agreed === undefined ? 'none of them is used' : `${agreed} is used`}`,
  });
}

function setPhysical(figures: Figures, pages: number): void {
  figures.set('physicalMemory', { pages, source: 'header' });
}

/** The commit limit against what is committed, at its peak too, and against physical memory. */
function checkCommit(figures: Figures, warnings: Warning[]): void {
  const limit = pagesOf(figures, 'commitLimit');
  if (limit === null) return;
  const committed = pagesOf(figures, 'committedPages') ?? 0;
  const peak = pagesOf(figures, 'peakCommitment');
  const physical = pagesOf(figures, 'physicalMemory');
  const reasons: string[] = [];
  if (limit <= 0 && committed <= 0) return;
  // The peak is a second witness of what is committed: where it is alike, the limit is the one that is wrong.
  if (committed > limit * MOST_COMMITTED && (peak === null || limit <= 0 || peak > limit * MOST_COMMITTED)) {
    reasons.push(`${committed} pages are committed`);
  }
  if (physical !== null && physical > limit * MOST_MEMORY) reasons.push(`physical memory has ${physical} pages`);
  if (reasons.length === 0) return;
  figures.set('commitLimit', null);
  warnings.push({
    code: 'figures-contradict',
    where: 'memory',
    message: `commitLimit reads ${limit} pages, but ${reasons.join(' and ')}: it cannot be true and is left out`,
  });
}
