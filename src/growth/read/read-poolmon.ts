/** poolmon logs and tag tables in CSV as samples. */

import { failed, type Failure } from '../../../parsers/bytes/failure.js';
import { parseTagCsv } from '../../../parsers/text/poolmon-powershell.js';
import { parsePoolmonLog, type PoolmonSnapshot } from '../../../parsers/text/poolmon.js';
import { counted } from './counted.js';
import { NO_FIGURES, type Collector, type Figures } from './collector.js';

/** Takes all snapshots of a poolmon log. */
export function readPoolmon(bytes: Uint8Array, name: string, to: Collector): Failure | null {
  const log = parsePoolmonLog(bytes, { drivers: to.drivers.size === 0 });
  if (failed(log)) return log;
  for (const [tag, text] of log.drivers) to.drivers.set(tag, text);
  if (log.badRows > 0)
    to.warn('rows-unreadable', `${name}: ${counted(log.badRows, 'row')} left out: they cannot be read`);
  let sessions = 0;
  const { tags, pools, allocs, frees, bytes: held } = log;
  for (const snapshot of log.snapshots) {
    if (snapshot.scope === 'session') {
      sessions++;
      continue;
    }
    const figures = figuresOf(snapshot);
    const sums: [number, number] = [0, 0];
    const sample = to.sample({
      stamp: snapshot.stamp,
      // On screen it counts one refresh only.
      pageFaults: snapshot.screen ? null : (snapshot.header?.pageFaults ?? null),
      hasTags: true,
      narrow: log.narrow,
      complete: !snapshot.screen,
      figures,
      tagBytes: sums,
    });
    const end = snapshot.firstRow + snapshot.rowCount;
    for (let row = snapshot.firstRow; row < end; row++) {
      const pool = pools[row] ?? 0;
      const bytesHeld = held[row] ?? 0;
      if (pool === 0) sums[0] += bytesHeld;
      else sums[1] += bytesHeld;
      to.tag(sample, tags[row] ?? 0, pool, allocs[row] ?? NaN, frees[row] ?? NaN, bytesHeld);
    }
    to.poolTotal(sample, 'nonpaged', figures.nonPagedPool);
    to.poolTotal(sample, 'paged', figures.pagedPool);
    to.counter(sample, COMMITTED, figures.committed);
  }
  if (sessions > 0) to.warn('session-pool', `${name}: ${counted(sessions, 'table')} of session pool left out`);
  return null;
}

/** The label of the series of committed memory, whatever told it. */
export const COMMITTED = 'Memory\\Committed Bytes';

function figuresOf({ header }: PoolmonSnapshot): Figures {
  if (header === null) return { ...NO_FIGURES };
  return {
    ...NO_FIGURES,
    memory: header.memoryBytes,
    available: header.availableBytes,
    committed: header.commitBytes,
    commitLimit: header.commitLimitBytes,
    nonPagedPool: header.nonPagedPoolBytes,
    pagedPool: header.pagedPoolBytes,
  };
}

/** Takes a table with a tag a row. */
export function readTagCsv(bytes: Uint8Array, name: string, to: Collector, utcOffsetMinutes: number): Failure | null {
  const table = parseTagCsv(bytes);
  if (failed(table)) return table;
  if (table.badRows > 0)
    to.warn('rows-unreadable', `${name}: ${counted(table.badRows, 'row')} left out: they cannot be read`);
  const offset = table.offsetKnown ? 0 : utcOffsetMinutes * 60_000;
  const untimed = table.rows.some((row) => row.time < 0);
  const numbers = table.times.map((time) => to.sample({ time: time - offset, hasTags: true }));
  const without = untimed ? to.sample({ hasTags: true }) : -1;
  // Rows of one sample have to stand together.
  const rows = [...table.rows].sort((a, b) => a.time - b.time);
  for (const { time, tag, pool, allocs, frees, bytes: held } of rows) {
    to.tag(time < 0 ? without : (numbers[time] ?? without), tag, pool === 'paged' ? 1 : 0, allocs, frees, held);
  }
  return null;
}
