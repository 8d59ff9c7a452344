/** Driver Verifier's state: level, drivers, what they hold; its statistics; and the tag that special pool is on for. */

import { failed } from '../../../parsers/bytes/failure.js';
import type { Found } from '../open/kernel-object.js';
import type { Kernel } from '../open/open-kernel.js';
import type { VerifierState } from '../state.js';
import { outstandingOf, readVerifierDrivers } from './drivers.js';

/** Reads what the dump tells; every part is null or empty on its own where it cannot be read. */
export function readVerifier(kernel: Kernel): VerifierState | null {
  if (kernel.memory === null || kernel.symbols === null) return null;
  const level = numberOf(kernel.variable('MmVerifierData', 'unsigned long'));
  const drivers = level === null || level === 0 ? [] : readVerifierDrivers(kernel);
  const outstanding = outstandingOf(drivers);
  return {
    level,
    drivers: drivers.flatMap(({ name }) => (name === null ? [] : [name])),
    ...(outstanding.length === 0 ? {} : { outstanding }),
    specialPoolTag: numberOf(kernel.variable('MmSpecialPoolTag', 'unsigned long')),
  };
}

const numberOf = (found: Found<bigint>): number | null => (failed(found) ? null : Number(found.value));

/** Figures of `_MM_DRIVER_VERIFIER_DATA`, in the order in which the debugger shows them. */
const STATISTICS = [
  'RaiseIrqls', 'AcquireSpinLocks', 'SynchronizeExecutions', 'Trims', 'AllocationsAttempted', 'AllocationsSucceeded',
  'AllocationsSucceededSpecialPool', 'AllocationsWithNoTag', 'AllocationsFailed', 'AllocationsFailedDeliberately',
  'CurrentPagedPoolAllocations', 'PagedBytes', 'PeakPagedPoolAllocations', 'PeakPagedBytes',
  'CurrentNonPagedPoolAllocations', 'NonPagedBytes', 'PeakNonPagedPoolAllocations', 'PeakNonPagedBytes',
] as const; // prettier-ignore

/** Each figure; null where it could not be read. */
export type VerifierStatistics = Readonly<Record<(typeof STATISTICS)[number], number | null>>;

/** The statistics over all verified drivers. */
export function readVerifierStatistics(kernel: Kernel): VerifierStatistics {
  const data = kernel.object('MmVerifierData', '_MM_DRIVER_VERIFIER_DATA');
  return Object.fromEntries(STATISTICS.map((name) => [name, numberOf(data.at(name))])) as VerifierStatistics;
}
