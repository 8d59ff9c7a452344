/** Driver Verifier of a dump, with names for addresses. */

import { heapAddress } from '../../../parsers/heap/memory.js';
import { readModules } from '../../kernel/modules/modules.js';
import type { Kernel } from '../../kernel/open/open-kernel.js';
import { readVerifierDrivers, type VerifierAllocation, type VerifierDriver } from '../../kernel/verifier/drivers.js';
import { readPoolLog, type PoolLog, type PoolTrace } from '../../kernel/verifier/pool-log.js';
import { readVerifier, readVerifierStatistics, type VerifierStatistics } from '../../kernel/verifier/verifier.js';
import { addressNames } from '../sample-blocks.js';

/** Where code stands: `acme+0x1f40`, or the export that begins there; null where no module holds it. */
type Place = string | null;

/** A driver under verification with its first allocations. */
export interface ShownDriver extends Omit<VerifierDriver, 'outstanding'> {
  readonly outstanding: readonly (VerifierAllocation & { readonly place: Place })[] | null;
  /** Allocations that are left out. */
  readonly more: number;
}

export interface VerifierFigures {
  /** Null where Driver Verifier is not there or cannot be read. */
  readonly level: number | null;
  readonly statistics: VerifierStatistics;
  readonly drivers: readonly ShownDriver[];
}

/** The log of allocations and frees, with a place for each frame. */
export interface ShownLog extends Omit<PoolLog, 'traces'> {
  readonly traces: readonly (Omit<PoolTrace, 'stack'> & {
    readonly stack: readonly { readonly address: PoolTrace['address']; readonly place: Place }[];
  })[];
}

/** Level, statistics, and the drivers, of one alone where `driver` (a file name) is given; `most` allocations of each. */
export function verifierFigures(kernel: Kernel, driver: string | undefined, most: number): VerifierFigures {
  const placeOf = places(kernel);
  const wanted = driver?.toLowerCase();
  const drivers = readVerifierDrivers(kernel).filter(
    ({ name }) => wanted === undefined || name?.toLowerCase() === wanted,
  );
  return {
    level: readVerifier(kernel)?.level ?? null,
    statistics: readVerifierStatistics(kernel),
    drivers: drivers.map((one) => ({
      ...one,
      outstanding: one.outstanding?.slice(0, most).map((each) => ({ ...each, place: placeOf(each.caller) })) ?? null,
      more: Math.max(0, (one.outstanding?.length ?? 0) - most),
    })),
  };
}

/** The log, of the block at an address alone where one is given; `most` entries. Null where it is not in the dump. */
export function verifierLog(kernel: Kernel, about: bigint | null, most: number): ShownLog | null {
  const log = readPoolLog(kernel, about, most);
  if (log === null) return null;
  const placeOf = places(kernel);
  const traces = log.traces.map((trace) => ({
    ...trace,
    stack: trace.stack.map((address) => ({ address, place: placeOf(address) })),
  }));
  return { ...log, traces };
}

function places(kernel: Kernel): (address: bigint) => Place {
  const width = kernel.memory?.pointerSize ?? 8;
  const names = addressNames(readModules(kernel).modules, width);
  return (address) => {
    const at = heapAddress(address, width);
    const module = names.moduleAt(at);
    if (module === null) return null;
    const short = module.name.replace(/\.[^.]*$/, '');
    const symbol = names.exportAt(address);
    return symbol === null ? `${short}+0x${(at - module.base).toString(16)}` : `${short}!${symbol}`;
  };
}
