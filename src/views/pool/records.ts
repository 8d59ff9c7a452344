/** Records of the commands that show blocks and Driver Verifier. */

import { hex } from '../../../parsers/bytes/failure.js';
import type { ContentWord, FoundBlock } from '../../analysis/pool-find.js';
import type { PoolCoverage } from '../../kernel/pool/blocks/pool-blocks.js';
import type { VerifierDriver } from '../../kernel/verifier/drivers.js';
import type { PoolLog } from '../../kernel/verifier/pool-log.js';

/** A block. `size` is in bytes, with the pool header. */
export function blockRecord(block: FoundBlock): object {
  const { address, size, previousSize, tag, key, paged, state, kind } = block;
  return {
    address: hex(address),
    size,
    previousSize,
    tag,
    key: hex(key),
    pool: paged ? 'paged' : 'nonpaged',
    state,
    kind,
  };
}

/** What was walked and what was missing. */
export function coverageRecord(coverage: PoolCoverage): object {
  return { ...coverage };
}

/** A word of a block. */
export function wordRecord({ address, value, meaning }: ContentWord): object {
  return { address: hex(address), value: value === null ? null : hex(value), meaning };
}

/** A driver under verification; of its allocations at most `most`. */
export function driverRecord(driver: VerifierDriver, nameOf: (address: bigint) => string | null, most: number): object {
  const { address, outstanding, ...figures } = driver;
  return {
    address: hex(address),
    ...figures,
    outstanding:
      outstanding?.slice(0, most).map(({ address: at, caller, bytes, tag }) => ({
        address: hex(at),
        bytes,
        key: hex(tag),
        caller: hex(caller),
        place: nameOf(caller),
      })) ?? null,
  };
}

/** The log of allocations and frees. */
export function logRecord(log: PoolLog, nameOf: (address: bigint) => string | null): object {
  const traces = log.traces.map(({ address, bytes, thread, stack }) => ({
    ...{ address: hex(address), bytes, thread: hex(thread) },
    stack: stack.map((frame) => ({ address: hex(frame), place: nameOf(frame) })),
  }));
  return { entries: log.entries, missing: log.missing, traces };
}
