/** Whether snapshots are of one machine, where none tells its name. */

import { sizeText } from '../../result/amount.js';
import type { Figures } from './collector.js';

/** What counters and dumps of one machine differ by in its physical memory: firmware keeps a little now and then. */
const SAME_MEMORY = 0.05;

/**
 * That two of them have other amounts of physical memory, in words; null where they have the same or do not tell. Memory
 * can be added to a machine, so this is said, and nothing is left out for it.
 */
export function otherMemory(samples: readonly Readonly<Figures>[]): string | null {
  const known = samples.flatMap(({ memory }) => (memory === null || memory <= 0 ? [] : [memory]));
  const [least, most] = [Math.min(...known), Math.max(...known)];
  if (known.length < 2 || most - least <= SAME_MEMORY * most) return null;
  return `physical memory is ${sizeText(least)} in one and ${sizeText(most)} in another`;
}
