/** Taking dumps out of a history. The journal is written anew without their lines, so that nothing of them stays. */

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { errorText } from '../../../parsers/files/system-errors.js';
import { byTime } from '../groups.js';
import { History, type DumpRecord } from './history.js';
import { rewriteJournal } from './journal.js';
import { Lock } from './lock.js';
import { groupBy } from '../machines.js';
import { causesOf, overviewOf } from '../outputs/overview.js';
import { writeOutputs } from '../outputs/outputs.js';
import { pageName } from '../outputs/pages.js';

/** Which dumps stay; what is left out does not matter. */
export interface Retention {
  /** Dumps taken before this time go; milliseconds since 1970. Without a time of its own, the time of reading counts. */
  before?: number | undefined;
  /** So many of the newest of every machine stay. */
  keep?: number | undefined;
}

/** The dumps that go. */
export function expired(history: History, { before, keep }: Retention): DumpRecord[] {
  const { records, machineOf } = causesOf(history);
  const old = records.filter(
    ({ summary, at }) => before !== undefined && Date.parse(summary.systemTime ?? at) < before,
  );
  const many = [...groupBy(records, ({ id }) => machineOf.get(id) ?? null).values()].flatMap((dumps) =>
    keep === undefined ? [] : dumps.toSorted(byTime).reverse().slice(keep),
  );
  return [...new Set([...old, ...many])];
}

/** What went, and what another program kept from going. */
export interface Removed {
  places: string[];
  notes: string[];
}

function removePage(path: string): string[] {
  try {
    rmSync(path, { force: true, recursive: true, maxRetries: 5, retryDelay: 60 });
    return [];
  } catch (error) {
    return [`${path} could not be removed: ${errorText(error)}. Delete it`];
  }
}

/**
 * Takes dumps out of the history of a folder, and with them the copies that were seen of them. `out` is the folder of the
 * batch, whose outputs are written anew; null where only the history is known. Throws HistoryError (`locked`) while a batch runs.
 */
export function remove(
  folder: string,
  out: string | null,
  choose: (history: History) => readonly DumpRecord[],
): Removed {
  const lock = Lock.take(join(folder, 'lock'));
  try {
    const history = History.load(folder);
    const gone = choose(history);
    if (gone.length === 0) return { places: [], notes: [] };
    const ids = new Set(gone.map(({ id }) => id));
    const files = history.filesOf(ids);
    rewriteJournal(history.path, (entry) =>
      entry.kind === 'dump' ? !ids.has(entry.id) : entry.fileId === null || !files.has(entry.fileId),
    );
    const notes: string[] = [];
    if (out !== null) {
      for (const id of ids) notes.push(...removePage(join(out, pageName(id))));
      const rest = History.load(folder);
      notes.push(...writeOutputs(out, rest, overviewOf(rest), new Date()));
    }
    return { places: gone.map(({ place }) => place), notes };
  } finally {
    lock.release();
  }
}
