/**
 * What the loss of a whole worker says of the dump that it had: little, for hosts are restarted and killed for many reasons. Only
 * a dump with which workers go on being lost for an hour is left alone.
 */

import type { QueuedDump } from './queued-dump.js';

/** Losses from which on others wait before they take the dump again, and with which it may be left alone. */
export const MANY_LOST = 10;
/** From the first loss on, in milliseconds. */
const WATCHED_FOR = 3600 * 1000;
/** In seconds. */
const PAUSE = 60;

export type AfterLoss = { readonly kind: 'again'; readonly seconds: number } | { readonly kind: 'left-alone' };

/** The dump with one loss more, and what is to be done with it. `now` in milliseconds since 1970. */
export function afterLoss(before: QueuedDump, now: number): { readonly dump: QueuedDump; readonly then: AfterLoss } {
  const lost = before.lost + 1;
  const lostSince = before.lost === 0 ? new Date(now).toISOString() : (before.lostSince ?? new Date(now).toISOString());
  const dump = { ...before, lost, lostSince };
  if (lost < MANY_LOST) return { dump, then: { kind: 'again', seconds: 0 } };
  const watched = now - Date.parse(lostSince);
  return { dump, then: watched >= WATCHED_FOR ? { kind: 'left-alone' } : { kind: 'again', seconds: PAUSE } };
}
