/** Object directories: every named object stands in a bucket of the directory that its name says. */

import type { KernelFacts } from '../kernel-facts.js';
import type { KernelSpace } from '../kernel/kernel-space.js';
import type { Thing } from './model/things.js';
import { Piece } from './piece.js';
import type { Plan } from './model/plan.js';
import type { PoolPages } from './pool-pages.js';

const BUCKETS = 37;

/** A bucket by the letters of the name, without regard to case. */
function bucketOf(name: string): { bucket: number; hash: number } {
  let hash = 0;
  for (const c of name.toUpperCase()) hash = (hash * 3 + c.charCodeAt(0)) >>> 0;
  return { bucket: hash % BUCKETS, hash };
}

export function writeDirectories(space: KernelSpace, kernel: KernelFacts, pool: PoolPages, plan: Plan): void {
  const members = new Map<Thing, Thing[]>();
  for (const thing of plan.nameSpace.values()) {
    if (!thing.directory) continue;
    const known = members.get(thing.directory);
    if (known) known.push(thing);
    else members.set(thing.directory, [thing]);
  }
  const { size } = kernel.structs['_OBJECT_DIRECTORY_ENTRY'] ?? { size: 0x18 };
  const buckets = kernel.structs['_OBJECT_DIRECTORY']?.fields['HashBuckets'] ?? 0;
  for (const [directory, things] of members) {
    const chains = new Map<number, number>();
    for (const thing of things) {
      const { bucket, hash } = bucketOf(thing.named ?? '');
      const block = pool.allocate('pagedPool', 'ObDi', size);
      const entry = new Piece(kernel, '_OBJECT_DIRECTORY_ENTRY', block.bytes, block.va);
      entry.pointer('ChainLink', chains.get(bucket) ?? 0);
      entry.pointer('Object', thing.body);
      entry.u32('HashValue', hash);
      chains.set(bucket, block.va);
    }
    for (const [bucket, va] of chains) space.pointer(directory.body + buckets + bucket * space.width, va);
  }
}
