/** The ring of unloaded drivers: `MmUnloadedDrivers` and `MmLastUnloadedDriver`. */

import { canonical, va48, type Va } from './bytes.js';
import { rvaOf, type KernelFacts } from './kernel-facts.js';
import type { KernelSpace } from './kernel-space.js';
import type { UnloadedSpec } from './scenario.js';
import type { Truth } from './truth.js';

const SLOTS = 50;
const RECORD = 0x28;

/** Fills the ring, oldest first, and gives what remains in it: with more than 50 entries the oldest are overwritten. */
export function writeUnloaded(
  space: KernelSpace,
  kernel: KernelFacts,
  base: Va,
  specs: readonly UnloadedSpec[],
  now: bigint,
): Truth['unloadedDrivers'] {
  const array = space.allocate('nonPagedPool', SLOTS * RECORD);
  space.pointer(base + rvaOf(kernel, 'MmUnloadedDrivers'), array);
  space.u32(base + rvaOf(kernel, 'MmLastUnloadedDriver'), specs.length);
  const all = specs.map((spec, i) => {
    const start = spec.start === undefined ? space.plan.drivers + 0x4_0000_0000 + i * 0x20000 : va48(spec.start);
    const end = start + (spec.size ?? 0x1a000);
    const time = spec.time ?? now - BigInt(specs.length - i) * 36_000_000_000n;
    const at = array + (i % SLOTS) * RECORD;
    space.unicode(at, spec.name);
    space.pointer(at + 0x10, start);
    space.pointer(at + 0x18, end);
    space.u64(at + 0x20, time);
    return { name: spec.name, start: canonical(start), end: canonical(end), time };
  });
  return all.slice(-SLOTS);
}
