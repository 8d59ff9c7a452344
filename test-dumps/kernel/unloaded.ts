/** The ring of unloaded drivers: `MmUnloadedDrivers` and `MmLastUnloadedDriver`. */

import { canonical, va48, type Va } from '../bytes.js';
import { rvaOf, type KernelFacts } from '../kernel-facts.js';
import type { KernelSpace } from './kernel-space.js';
import type { UnloadedSpec } from '../scenario.js';
import type { Truth } from '../truth.js';

const SLOTS = 50;
/** `_UNLOADED_DRIVERS` by size of a pointer. */
const RECORD = {
  4: { size: 0x18, start: 0x08, end: 0x0c, time: 0x10 },
  8: { size: 0x28, start: 0x10, end: 0x18, time: 0x20 },
} as const;

/** Fills the ring, oldest first, and gives what remains in it: with more than 50 entries the oldest are overwritten. */
export function writeUnloaded(
  space: KernelSpace,
  kernel: KernelFacts,
  base: Va,
  specs: readonly UnloadedSpec[],
  now: bigint,
): Truth['unloadedDrivers'] {
  const record = RECORD[space.width];
  const array = space.allocate('nonPagedPool', SLOTS * record.size);
  space.pointer(base + rvaOf(kernel, 'MmUnloadedDrivers'), array);
  space.u32(base + rvaOf(kernel, 'MmLastUnloadedDriver'), specs.length);
  const all = specs.map((spec, i) => {
    const start =
      spec.start === undefined
        ? space.plan.drivers + (space.width === 4 ? 0x1e0_0000 : 0x4_0000_0000) + i * 0x20000
        : va48(spec.start);
    const end = start + (spec.size ?? 0x1a000);
    const time = spec.time ?? now - BigInt(specs.length - i) * 36_000_000_000n;
    const at = array + (i % SLOTS) * record.size;
    space.unicode(at, spec.name);
    space.pointer(at + record.start, start);
    space.pointer(at + record.end, end);
    space.u64(at + record.time, time);
    return { name: spec.name, start: canonical(start), end: canonical(end), time };
  });
  return all.slice(-SLOTS);
}
