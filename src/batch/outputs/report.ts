/**
 * The pages of a history whose results are elsewhere, made by whoever asks: the index, the groups, and of the pages of dumps only
 * those that are missing or old. What was made is noted beside them, so that it is not made again.
 */

import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { readRegularFile } from '../../../parsers/files/regular-file.js';
import { renderIndexPage } from '../../report/html/index-page.js';
import { VERSION } from '../../version.js';
import { PLAIN_ID, type DumpEntry } from '../inputs/entries.js';
import { isHistoryError } from '../journal/history-error.js';
import type { DumpRecord } from '../journal/history.js';
import { replaceFile } from '../journal/replace-file.js';
import type { Overview } from './overview.js';
import { groupsJson, pagesFolder } from './outputs.js';
import { indexOf, pageName, renderPage } from './pages.js';

export interface ReportSource {
  readonly overview: Overview;
  /** The lines of dumps; null for one that is gone. */
  readonly read: (records: readonly DumpRecord[]) => Promise<(DumpEntry | null)[]>;
}

export interface ReportDone {
  /** Pages that were made now. */
  made: number;
  /** Pages of dumps that the history does not hold any more. */
  removed: number;
  /** What is to be said, one line each. */
  notes: string[];
}

/** Pages whose results are in memory at once. */
const AT_ONCE = 20;

/** Throws the platform's error where the folder cannot be written, and what `read` throws. */
export async function writeReport(out: string, { overview, read }: ReportSource, now: Date): Promise<ReportDone> {
  mkdirSync(pagesFolder(out), { recursive: true });
  const notes: string[] = [];
  const write = (name: string, parts: Iterable<string>): boolean => {
    try {
      replaceFile(join(out, name), parts);
      return true;
    } catch (error) {
      if (!isHistoryError(error, 'not-replaced')) throw error;
      notes.push(error.message);
      return false;
    }
  };
  const before = readMade(out);
  const made = new Map(
    overview.records.flatMap((record) => {
      const state = before.get(record.id);
      return state === stateOf(record) && existsSync(join(out, pageName(record.id)))
        ? [[record.id, state] as const]
        : [];
    }),
  );
  const missing = overview.records.filter(({ id }) => !made.has(id));
  let count = 0;
  for (let i = 0; i < missing.length; i += AT_ONCE) {
    const some = missing.slice(i, i + AT_ONCE);
    for (const [at, entry] of (await read(some)).entries()) {
      const record = some[at];
      if (entry === null || record === undefined) continue;
      if (!write(pageName(record.id), [renderPage({ ...entry.result, modules: null })])) continue;
      made.set(record.id, stateOf(record));
      count++;
    }
  }
  const current = new Set(overview.records.map(({ id }) => id));
  const gone = [...before.keys()].filter((id) => !current.has(id));
  for (const id of gone) rmSync(join(out, pageName(id)), { force: true });
  write('groups.json', [groupsJson(overview, now)]);
  write('index.html', [renderIndexPage(indexOf(overview, now))]);
  // Last: what stands in it is there.
  write(MADE, [`${JSON.stringify({ dumps: Object.fromEntries(made) })}\n`]);
  return { made: count, removed: gone.length, notes };
}

/** Beside the pages: for each the state of its dump. */
const MADE = 'pages/made.json';
const LONGEST = 64 << 20;

/** What a page is made of: which line, and by which program. */
const stateOf = ({ at, offset }: DumpRecord): string => `${VERSION} ${at} ${offset}`;

/** The pages that were made before; none where nothing usable tells it. */
function readMade(out: string): Map<string, string> {
  try {
    const text = readRegularFile(join(out, MADE), LONGEST).toString('utf8');
    const { dumps } = JSON.parse(text) as { dumps?: unknown };
    if (typeof dumps !== 'object' || dumps === null) return new Map();
    const plain = Object.entries(dumps).filter(([id]) => PLAIN_ID.test(id));
    return new Map(plain.map(([id, state]) => [id, String(state)]));
  } catch {
    return new Map();
  }
}
