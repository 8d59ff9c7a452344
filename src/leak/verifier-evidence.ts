/** What Driver Verifier says of a tag: who holds it, from the allocations that it tracks. The best evidence there is. */

import { hex } from '../../parsers/bytes/failure.js';
import { printable } from '../../parsers/text-safety.js';
import type { VerifierState } from '../kernel/state.js';
import type { Confidence, ModuleInfo } from '../result/result.js';
import { VERIFIER_HIGH_PERCENT, VERIFIER_MEDIUM_PERCENT } from './thresholds.js';
import { sizeText } from '../result/amount.js';

const MOST_CALLERS = 2;

/** A driver that holds allocations under the tag. */
export interface VerifierTrace {
  /** Index into the modules. */
  readonly module: number;
  readonly strength: Confidence;
  readonly note: string;
}

/** Traces of the drivers that hold a tag; `outstanding` is what the tag tables say of it, in allocations. */
export function verifierTraces(
  verifier: VerifierState | null,
  key: number,
  outstanding: number,
  modules: readonly ModuleInfo[],
): VerifierTrace[] {
  return (verifier?.outstanding ?? [])
    .filter(({ tag }) => tag === key)
    .flatMap(({ driver, allocations, bytes, callers }) => {
      const module = modules.findIndex(({ name }) => name.toLowerCase() === driver.toLowerCase());
      if (module < 0) return [];
      const share = (allocations * 100) / Math.max(1, outstanding);
      const strength = share >= VERIFIER_HIGH_PERCENT ? 'high' : share >= VERIFIER_MEDIUM_PERCENT ? 'medium' : 'low';
      const from = callers
        .slice(0, MOST_CALLERS)
        .map(({ address, count }) => `${placeOf(address, modules)} (${count} times)`)
        .join(', ');
      const note = `Driver Verifier tracks ${allocations} of ${outstanding} outstanding allocations under this tag (${sizeText(bytes)}) for ${printable(driver)}, made at ${from}`;
      return [{ module, strength, note }];
    });
}

function placeOf(address: bigint, modules: readonly ModuleInfo[]): string {
  const module = modules.find(({ base, end }) => address >= BigInt(base) && address < BigInt(end));
  return module === undefined ? hex(address) : `${printable(module.moduleName)}+${hex(address - BigInt(module.base))}`;
}
