/** Object directories: 37 buckets of chains (reference: objects-and-pool-blocks, section 3.3). */

import { plus, type VirtualAddress } from '../../../../parsers/addresses.js';
import { failed } from '../../../../parsers/bytes/failure.js';
import type { ObjectLayouts } from '../layouts.js';
import { inKernel, type ObjectRoots } from '../roots.js';

const BUCKETS = 37;
/** `\BaseNamedObjects` of busy sessions has some thousands. */
const MOST_ENTRIES = 100_000;

/** What a directory leads to. */
export interface DirectoryEntries {
  /** Bodies of objects. */
  readonly objects: readonly VirtualAddress[];
  /** The bucket of each, 0 to 36. */
  readonly buckets: readonly number[];
  /** False where a bucket or a chain could not be read to its end. */
  readonly complete: boolean;
}

/** The objects of the directory whose body is at `directory`. */
export function directoryEntries(
  roots: ObjectRoots,
  layouts: ObjectLayouts,
  directory: VirtualAddress,
): DirectoryEntries {
  const { memory } = roots;
  const linkAt = layouts.offset('_OBJECT_DIRECTORY_ENTRY', 'ChainLink');
  const objectAt = layouts.offset('_OBJECT_DIRECTORY_ENTRY', 'Object');
  if (linkAt === null || objectAt === null) return { objects: [], buckets: [], complete: false };
  const objects: VirtualAddress[] = [];
  const buckets: number[] = [];
  const seen = new Set<bigint>();
  let complete = true;
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    let entry = memory.readPointer(plus(directory, bucket * memory.pointerSize));
    while (!failed(entry) && entry !== 0n) {
      if (seen.has(entry) || seen.size >= MOST_ENTRIES || !inKernel(roots, entry)) {
        complete = false;
        break;
      }
      seen.add(entry);
      const object = memory.readPointer(plus(entry, objectAt));
      if (failed(object) || !inKernel(roots, object)) complete = false;
      else {
        objects.push(object);
        buckets.push(bucket);
      }
      entry = memory.readPointer(plus(entry, linkAt));
    }
    if (failed(entry)) complete = false;
  }
  return { objects, buckets, complete };
}
