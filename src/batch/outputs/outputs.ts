/** What a batch leaves in its folder: all of it made from the history, each file whole or not at all. */

import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { RenameHooks } from '../../../parsers/files/rename.js';
import { renderIndexPage } from '../../report/html/index-page.js';
import { VERSION } from '../../version.js';
import { isHistoryError } from '../journal/history-error.js';
import type { History } from '../journal/history.js';
import { indexOf, pageName, renderPage } from './pages.js';
import { renderMetrics } from './metrics.js';
import type { Overview } from './overview.js';
import { replaceFile } from '../journal/replace-file.js';
import { renderResultLines } from './result-lines.js';

export const pagesFolder = (out: string): string => join(out, 'pages');

/**
 * Writes results.ndjson, groups.json, index.html and the pages that are missing. A file that another program has open stays
 * as it was; what is to be said of it is given, one line each. Throws the platform's error.
 */
export function writeOutputs(
  out: string,
  history: History,
  overview: Overview,
  now: Date,
  hooks?: RenameHooks<void>,
): string[] {
  mkdirSync(pagesFolder(out), { recursive: true });
  const told: string[] = [];
  const write = (path: string, parts: Iterable<string>): void => {
    try {
      replaceFile(path, parts, hooks);
    } catch (error) {
      if (!isHistoryError(error, 'not-replaced')) throw error;
      told.push(error.message);
    }
  };
  writeMissingPages(out, history, overview, write);
  write(join(out, 'results.ndjson'), renderResultLines(history, overview));
  write(join(out, 'groups.json'), [groupsJson(overview, now)]);
  write(join(out, 'index.html'), [renderIndexPage(indexOf(overview, now))]);
  return told;
}

/** Writes the file of `--metrics`, as `writeOutputs` does. */
export function writeMetrics(path: string, overview: Overview, now: Date): string[] {
  try {
    replaceFile(path, [renderMetrics(overview, now)]);
    return [];
  } catch (error) {
    if (!isHistoryError(error, 'not-replaced')) throw error;
    return [error.message];
  }
}

/** Of a dump that another batch with the same history has read, the page is made of what the history keeps. */
function writeMissingPages(
  out: string,
  history: History,
  { records }: Overview,
  write: (path: string, parts: Iterable<string>) => void,
): void {
  for (const record of records) {
    const path = join(out, pageName(record.id));
    if (existsSync(path)) continue;
    const entry = history.entryOf(record);
    if (entry !== null) write(path, [renderPage({ ...entry.result, modules: null })]);
  }
}

/** The groups, with what counts for all of them. */
export function groupsJson({ records, failures, groups, machines, machineOf }: Overview, now: Date): string {
  const placeOf = new Map(records.map(({ id, place }) => [id, place]));
  const json = {
    schemaVersion: '1.0',
    tool: { name: 'dumpleak', version: VERSION },
    generatedAt: now.toISOString(),
    dumps: records.length,
    leaks: records.filter(({ summary }) => summary.leakSuspected === true).length,
    undecided: records.filter(({ summary }) => summary.leakSuspected === null).length,
    failures: failures.length,
    groups: groups.map(({ dumps, ...group }) => ({
      ...group,
      count: dumps.length,
      dumps: dumps.map((id) => ({ id, path: placeOf.get(id) ?? null, machine: machineOf.get(id) ?? null })),
    })),
    machines,
  };
  return `${JSON.stringify(json, null, 2)}\n`;
}
