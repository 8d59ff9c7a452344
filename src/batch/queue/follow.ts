/** How far all hosts are with the queue, told until it is empty. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Server } from '../store/server/server.js';
import { doneCounts, queueCounts, workersOf, type DoneCounts, type QueueCounts } from './queue-state.js';

export interface Progress {
  readonly queue: QueueCounts;
  readonly done: DoneCounts;
  readonly hosts: number;
  readonly workers: number;
}

export interface FollowOptions {
  /** What was done before is not counted. */
  readonly since?: Date | undefined;
  readonly everyMs: number;
  readonly stop: AbortSignal;
  readonly tell: (progress: Progress) => void;
}

/** Until nothing waits and nothing is read, or until it is stopped. Throws HistoryError. */
export async function follow(
  server: Server,
  { since = new Date(), everyMs, stop, tell }: FollowOptions,
): Promise<void> {
  while (!stop.aborted) {
    const queue = await queueCounts(server);
    const workers = await workersOf(server);
    const hosts = new Set(workers.map(({ host }) => host)).size;
    tell({ queue, done: await doneCounts(server, since.toISOString()), hosts, workers: workers.length });
    if (queue.waiting + queue.delayed + queue.reading === 0) return;
    await sleep(everyMs, undefined, { signal: stop }).catch(() => undefined);
  }
}

export function progressText({ queue, done, hosts, workers }: Progress): string {
  const read = done.leak + done.noLeak + done.undecided;
  const parts = [`${queue.waiting + queue.delayed} wait`, `${queue.reading} are read`, `${read} done`];
  if (done.leak > 0) parts.push(`${done.leak} leaks`);
  if (done.failed > 0) parts.push(`${done.failed} not read`);
  if (queue.dead > 0) parts.push(`${queue.dead} dead letters`);
  if (queue.unseen > 0) parts.push(`${queue.unseen} not seen by a host`);
  const who = workers === 0 ? 'no worker is there' : `${workers} ${workers === 1 ? 'worker' : 'workers'} on ${hosts} ${hosts === 1 ? 'host' : 'hosts'}`; // prettier-ignore
  return `${parts.join(', ')}; ${who}`;
}
