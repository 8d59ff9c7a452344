/** Driver Verifier of a dump, with names for addresses: `dumpleak verifier`. */

import { heapAddress } from '../../parsers/heap/memory.js';
import { readModules } from '../kernel/modules/modules.js';
import type { Kernel } from '../kernel/open/open-kernel.js';
import type { VerifierState } from '../kernel/state.js';
import { readVerifierDrivers, type VerifierDriver } from '../kernel/verifier/drivers.js';
import { readPoolLog, type PoolLog } from '../kernel/verifier/pool-log.js';
import { readVerifier, readVerifierStatistics, type VerifierStatistics } from '../kernel/verifier/verifier.js';
import { addressNames } from './sample-blocks.js';

export interface VerifierView {
  readonly state: VerifierState | null;
  readonly statistics: VerifierStatistics;
  readonly drivers: readonly VerifierDriver[];
  readonly log: (about: bigint | null, most: number) => PoolLog | null;
  /** `acme+0x1f40`, or the export that begins there; null where no module holds the address. */
  readonly nameOf: (address: bigint) => string | null;
  readonly wide: boolean;
}

/** Everything that the dump has of it; of one driver where `driver` (a file name) is given. */
export function verifierOf(kernel: Kernel, driver: string | null): VerifierView {
  const width = kernel.memory?.pointerSize ?? 8;
  const names = addressNames(readModules(kernel).modules, width);
  const wanted = driver?.toLowerCase() ?? null;
  return {
    state: readVerifier(kernel),
    statistics: readVerifierStatistics(kernel),
    drivers: readVerifierDrivers(kernel).filter(({ name }) => wanted === null || name?.toLowerCase() === wanted),
    log: (about, most) => readPoolLog(kernel, about, most),
    nameOf: (address) => {
      const at = heapAddress(address, width);
      const module = names.moduleAt(at);
      if (module === null) return null;
      const short = module.name.replace(/\.[^.]*$/, '');
      const symbol = names.exportAt(address);
      return symbol === null ? `${short}+0x${(at - module.base).toString(16)}` : `${short}!${symbol}`;
    },
    wide: width === 8,
  };
}
