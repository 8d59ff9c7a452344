/** How the parts of a result are joined: by the base of an image and the key of a tag, never by what is printed of them. */

import type { Hex, ModuleInfo, SuspectDriver } from './result.js';

/**
 * The module that a suspect's driver is; null for one that is no longer loaded. Results of version 1 have no base: there it
 * is the one that a piece of its evidence stands in, else the one of its name.
 */
export function moduleOfDriver(driver: SuspectDriver, modules: readonly ModuleInfo[] | null): ModuleInfo | null {
  if (modules === null) return null;
  const { base } = driver;
  if (base !== null && base !== undefined) return modules.find((module) => module.base === base) ?? null;
  for (const { address } of driver.evidence) {
    const at = value(address);
    const around = modules.find(({ base: from, end }) => at >= value(from) && at < value(end));
    if (around?.name === driver.module) return around;
  }
  const name = driver.module.toLowerCase();
  return modules.find((module) => module.name.toLowerCase() === name) ?? null;
}

/** An address as a number to compare; -1 for none, and for text of an old result that is none. */
const value = (address: Hex | null): bigint => (/^0x[0-9a-f]{1,16}$/.test(address ?? '') ? BigInt(address ?? 0) : -1n);
