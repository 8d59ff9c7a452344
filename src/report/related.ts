/** Tags whose counts go with a suspect's: those in lock step, and those that only hint. */

import { timesAsMany } from '../views/print/format.js';
import type { RelatedTag, TagCluster } from '../result/result.js';

export function unclustered(related: readonly RelatedTag[], cluster: TagCluster | null): RelatedTag[] {
  const isMember = ({ tag, pool }: RelatedTag): boolean =>
    cluster?.members.some((member) => member.tag === tag && member.pool === pool) === true;
  return related.filter((one) => !isMember(one));
}

/** `, twice as many`; empty where the suspect itself is not in step with it. */
export function stepText(ratio: number): string {
  const times = ratio >= 1 ? ratio : 1 / ratio;
  return Math.abs(times / Math.round(times) - 1) <= 0.01 && times < 4.5 ? `, ${timesAsMany(ratio)}` : '';
}
