/** What `dumpleak batch` says at its end. */

import { join } from 'node:path';
import { printable } from '../../../parsers/text-safety.js';
import { counted, humanBytes } from '../../views/print/format.js';
import type { Group } from '../groups.js';
import { folderAdvice } from '../inputs/labels.js';
import type { BatchReport } from '../run.js';
import type { Overview } from './overview.js';

const MOST_GROUPS = 20;
const MOST_FAILURES = 10;
const MOST_NOTES = 10;

/** The counts, the groups and what could not be read; lines end in line feeds. */
export function renderBatchSummary({ counts, interrupted, overview, notes }: BatchReport, out: string | null): string {
  const { groups, failures } = overview;
  const now = [`${counted(counts.analyzed, 'dump')} analyzed`];
  if (counts.known > 0) now.push(`${counts.known} known already`);
  if (counts.failed > 0) now.push(`${counts.failed} could not be read`);
  if (counts.passed > 0) now.push(`${counted(counts.passed, 'other file')} passed over`);
  const lines = [`${interrupted ? 'Stopped' : 'Done'}: ${now.join(', ')}`];
  if (interrupted) lines.push('The same command goes on from here');
  lines.push(historyLine(overview));
  const advice = folderAdvice(overview);
  if (advice !== null) lines.push(advice);
  if (groups.length > 0) {
    lines.push('', 'Same cause:');
    for (const group of groups.slice(0, MOST_GROUPS)) {
      const rate = group.growth?.perHour ?? null;
      const growth =
        group.growth?.judgement !== 'leak' || rate === null ? '' : `, grows ${humanBytes(Math.round(rate))} an hour`;
      lines.push(`  ${causeLine(group)}${growth}`);
    }
    if (groups.length > MOST_GROUPS) lines.push(`  ... and ${groups.length - MOST_GROUPS} more`);
  }
  if (failures.length > 0) {
    lines.push('', 'Not readable:');
    for (const { place, message } of failures.slice(0, MOST_FAILURES)) {
      lines.push(`  ${message.startsWith(place) ? message : `${place}: ${message}`}`);
    }
    if (failures.length > MOST_FAILURES) lines.push(`  ... and ${failures.length - MOST_FAILURES} more`);
  }
  if (notes.length > 0) {
    lines.push('', 'Beside that:', ...notes.slice(0, MOST_NOTES).map((note) => `  ${note}`));
    if (notes.length > MOST_NOTES) lines.push(`  ... and ${notes.length - MOST_NOTES} more`);
  }
  if (out !== null) lines.push('', `Report: ${join(out, 'index.html')}`);
  return lines.map((line) => `${printable(line)}\n`).join('');
}

/** How many dumps and machines a history holds, and what was found in them. */
export function historyLine({ records, failures, machines }: Overview): string {
  const count = (verdict: true | null): number =>
    records.filter(({ summary }) => summary.leakSuspected === verdict).length;
  const open = count(null) === 0 ? '' : `, ${count(null)} not decided`;
  return `History: ${counted(records.length, 'dump')} of ${counted(machines.length, 'machine')}, ${counted(count(true), 'suspected leak')}${open}, ${failures.length} not readable`;
}

/** One group: what leaks, by whom, and how much. */
export function causeLine({ tag, pool, driver, driverVersion, process, dumps, machines, bytes }: Group): string {
  const named = driver === null ? 'no driver named' : [driver, driverVersion ?? ''].join(' ').trim();
  const who = process === null ? named : `held by ${process}`;
  return `${tag}  ${pool}, ${who}: ${counted(dumps.length, 'dump')} on ${counted(machines.length, 'machine')}, up to ${humanBytes(bytes)}`;
}
