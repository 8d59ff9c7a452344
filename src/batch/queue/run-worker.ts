/** `dumpleak worker`: works on the queue until it is told to end, or until it is empty. */

import { openStation, type StationOptions } from './station.js';
import { TablesUp } from './tables-up.js';
import { work, type WorkEvents } from './work.js';
import type { Mapping } from './path-map.js';
import type { DumpQueue } from './dump-queue.js';
import type { HealthAddress } from './health-address.js';
import { startHealth, type Health } from './health.js';
import { WorkFigures } from './work-figures.js';

export interface WorkerOptions extends StationOptions {
  readonly mappings: readonly Mapping[];
  readonly drain: boolean;
  readonly graceMs: number;
  readonly stop: AbortSignal;
  readonly events: WorkEvents;
  /** Where it tells how it is; null for nowhere. */
  readonly health: HealthAddress | null;
  /** Told once the queue is open, with the port of `health`. */
  readonly started?: (queue: DumpQueue, port: number | null) => void;
}

/** Parts of the lease after which a worker tells that it lives. */
const BEATS = 4;

/** Gives how many dumps are left that this host does not see. Throws HistoryError. */
export async function runWorker(options: WorkerOptions): Promise<number> {
  const { jobs, mappings, drain, graceMs, stop, events, leaseMs } = options;
  const figures = new WorkFigures();
  const memory = figures.reader.bind(figures);
  const station = await openStation({ ...options, memory });
  const { history, queue, pool, key, redactor } = station;
  let health: Health | null = null;
  try {
    if (options.health !== null)
      health = await startHealth(options.health, history.server, figures, () => !stop.aborted);
    options.started?.(queue, health?.port ?? null);
    const tables = new TablesUp(history, (error) => {
      events.note(`the tables could not be brought up yet: ${error instanceof Error ? error.message : String(error)}`);
    });
    const telling: WorkEvents = {
      ...{ taken: events.taken.bind(events), note: events.note.bind(events) },
      returned: (place, why, seconds) => {
        figures.count('returned');
        events.returned(place, why, seconds);
      },
      done: (place, outcome) => {
        figures.done(outcome);
        events.done(place, outcome);
        tables.changed();
      },
      buried: (place, why) => {
        figures.count('dead');
        events.buried(place, why);
        tables.changed();
      },
    };
    const beatMs = leaseMs / BEATS;
    const left = await work(history, queue, { pool, jobs, mappings, redactor, key, drain, beatMs, graceMs, stop, events: telling }); // prettier-ignore
    await tables.end();
    return left;
  } finally {
    await health?.close();
    await station.close();
  }
}
