/** What `dumpleak batch` says at its end. */

import { join } from 'node:path';
import { printable } from '../../../parsers/text-safety.js';
import { humanBytes } from '../../views/print/format.js';
import { folderAdvice } from '../inputs/labels.js';
import type { BatchReport } from '../run.js';

const MOST_GROUPS = 20;
const MOST_FAILURES = 10;
const MOST_NOTES = 10;

/** The counts, the groups and what could not be read; lines end in line feeds. */
export function renderBatchSummary({ counts, interrupted, overview, notes }: BatchReport, out: string | null): string {
  const { records, groups, failures, machines } = overview;
  const now = [`${plural(counts.analyzed, 'dump')} analyzed`];
  if (counts.known > 0) now.push(`${counts.known} known already`);
  if (counts.failed > 0) now.push(`${counts.failed} could not be read`);
  if (counts.passed > 0) now.push(`${plural(counts.passed, 'other file')} passed over`);
  const lines = [`${interrupted ? 'Stopped' : 'Done'}: ${now.join(', ')}`];
  if (interrupted) lines.push('The same command goes on from here');
  const leaks = records.filter(({ summary }) => summary.leakSuspected === true).length;
  const undecided = records.filter(({ summary }) => summary.leakSuspected === null).length;
  const open = undecided === 0 ? '' : `, ${undecided} not decided`;
  lines.push(
    `History: ${plural(records.length, 'dump')} of ${plural(machines.length, 'machine')}, ${plural(leaks, 'suspected leak')}${open}, ${failures.length} not readable`,
  );
  const advice = folderAdvice(overview);
  if (advice !== null) lines.push(advice);
  if (groups.length > 0) {
    lines.push('', 'Same cause:');
    for (const group of groups.slice(0, MOST_GROUPS)) {
      const who =
        group.process !== null
          ? `held by ${group.process}`
          : group.driver === null
            ? 'no driver named'
            : [group.driver, group.driverVersion ?? ''].join(' ').trim();
      const count = `${plural(group.dumps.length, 'dump')} on ${plural(group.machines.length, 'machine')}`;
      const rate = group.growth?.perHour ?? null;
      const growth =
        group.growth?.judgement !== 'leak' || rate === null ? '' : `, grows ${humanBytes(Math.round(rate))} an hour`;
      lines.push(`  ${group.tag}  ${group.pool}, ${who}: ${count}, up to ${humanBytes(group.bytes)}${growth}`);
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

const plural = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;
