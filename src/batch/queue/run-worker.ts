/** `dumpleak worker`: works on the queue until it is told to end, or until it is empty. */

import { openStation, type StationOptions } from './station.js';
import { TablesUp } from './tables-up.js';
import { work, type WorkEvents } from './work.js';
import type { Mapping } from './path-map.js';
import type { DumpQueue } from './dump-queue.js';

export interface WorkerOptions extends StationOptions {
  readonly mappings: readonly Mapping[];
  readonly drain: boolean;
  readonly graceMs: number;
  readonly stop: AbortSignal;
  readonly events: WorkEvents;
  /** Told once the queue is open. Gives what ends with the worker. */
  readonly started?: (queue: DumpQueue) => Promise<() => Promise<void>>;
}

/** Parts of the lease after which a worker tells that it lives. */
const BEATS = 4;

/** Gives how many dumps are left that this host does not see. Throws HistoryError. */
export async function runWorker(options: WorkerOptions): Promise<number> {
  const { jobs, mappings, drain, graceMs, stop, events, leaseMs } = options;
  const station = await openStation(options);
  const { history, queue, pool, key, redactor } = station;
  let end: (() => Promise<void>) | null = null;
  try {
    end = (await options.started?.(queue)) ?? null;
    const tables = new TablesUp(history, (error) => {
      events.note(`the tables could not be brought up yet: ${error instanceof Error ? error.message : String(error)}`);
    });
    const telling: WorkEvents = {
      ...{ taken: events.taken.bind(events), returned: events.returned.bind(events), note: events.note.bind(events) },
      done: (place, outcome) => {
        events.done(place, outcome);
        tables.changed();
      },
      buried: (place, why) => {
        events.buried(place, why);
        tables.changed();
      },
    };
    const beatMs = leaseMs / BEATS;
    const left = await work(history, queue, { pool, jobs, mappings, redactor, key, drain, beatMs, graceMs, stop, events: telling }); // prettier-ignore
    await tables.end();
    return left;
  } finally {
    await end?.();
    await station.close();
  }
}
