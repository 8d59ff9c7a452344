/**
 * What a bug check says about pool: nothing (it was forced), which driver Driver Verifier caught, that the pool's own
 * figures may be damaged, or what ran out. Codes and parameters as the public bug check reference describes them.
 */

import { printable } from '../../../parsers/text-safety.js';
import { bugCheckNames } from './bug-check-names.js';

/** Set by the kernel where it raised the bug check by another way; no part of the code (0x1000007E is 0x7E). */
const REAPPLIED_FLAG = 0x10000000;

/**
 * - `forced`: how somebody made the dump; accuses nobody.
 * - `watchdog`: a cluster or virtual machine monitor gave up waiting; accuses nobody.
 * - `verifier-driver`: raised against one driver, for what it had not given back.
 * - `pool-corruption`: pool structures were damaged; the counters may be, too.
 * - `exhaustion`: something ran out.
 * - `other`: says nothing about pool use.
 */
export type BugCheckClass = 'forced' | 'watchdog' | 'verifier-driver' | 'pool-corruption' | 'exhaustion' | 'other';

/** What ran out, or what a driver kept. */
export type Resource = 'pool' | 'nonpaged-pool' | 'physical-memory' | 'system-ptes';

/** Answers about addresses and names in the dump, given by the caller. */
export interface BugCheckLookup {
  /** The text at an address, whether a UNICODE_STRING, UTF-16 or ASCII stands there; null where there is none. */
  readText(address: bigint): string | null;
  /** File name of the loaded module that covers an address, or null. */
  moduleAt(address: bigint): string | null;
  /** File name of the loaded or unloaded module that a name or path means, or null. */
  moduleNamed(name: string): string | null;
}

/** A bug check, read as evidence. */
export interface BugCheckReading {
  /** Without the 0x10000000 flag. */
  code: number;
  name: string | null;
  class: BugCheckClass;
  /** Only for `verifier-driver`: a module known to the dump. */
  driver: string | null;
  /** For `exhaustion` and `verifier-driver`. */
  resource: Resource | null;
  /** What it means, in a sentence. */
  message: string;
}

/** The code as documented: without 0x10000000, unless the code is documented with that bit. */
export function plainBugCheckCode(code: number): number {
  const unsigned = code >>> 0;
  return bugCheckNames().has(unsigned) ? unsigned : (unsigned & ~REAPPLIED_FLAG) >>> 0;
}

/** The documented name of a bug check code, with or without the 0x10000000 flag; null where no table has it. */
export function nameBugCheck(code: number): string | null {
  return bugCheckNames().get(plainBugCheckCode(code)) ?? null;
}

const FORCED: ReadonlyMap<number, string> = new Map([
  [0x80, 'a non-maskable interrupt, as management boards and virtual machine hosts send to force a dump'],
  [0xe2, 'a crash asked for from the keyboard or by a tool'],
  [0x161, 'a dump of the running system, without a crash'],
  [0x1c8, 'the power button held down'],
  [0xdeaddead, 'a crash asked for from a debugger'],
]);

const WATCHDOG: ReadonlyMap<number, string> = new Map([
  [0x9e, 'a cluster stopped this node because a monitored process no longer answered'],
  [0x1ca, 'the virtual machine made no progress for a long time'],
]);

const POOL_CORRUPTION: ReadonlySet<number> = new Set([
  0x19, 0xc1, 0xc2, 0xc5, 0xc6, 0xcc, 0xcd, 0xd0, 0xd5, 0xd6, 0xde, 0x126, 0x13a,
]); // prettier-ignore

const EXHAUSTION: ReadonlyMap<number, [Resource, string]> = new Map([
  [0x3f, ['system-ptes', 'no free system PTEs were left']],
  [0x41, ['nonpaged-pool', 'an allocation that must succeed found no nonpaged pool']],
  [0x4d, ['physical-memory', 'no free pages of physical memory were left']],
]);

const STATUS_INSUFFICIENT_RESOURCES = 0xc000009an;

/** Which parameter (from 0) holds the address of the instruction that failed. */
const INSTRUCTION_PARAMETER: ReadonlyMap<number, number> = new Map([
  [0x0a, 3], [0x1e, 1], [0x3b, 1], [0x50, 2], [0x7e, 1], [0x8e, 1], [0xd1, 3],
]); // prettier-ignore

/** The driver of Sysinternals NotMyFault, a tool that crashes or leaks on demand. */
const NOTMYFAULT = 'myfault.sys';

/** Driver Verifier's 0xC4 with this first parameter: a driver unloaded and left allocations behind. */
const POOL_LEFT_AT_UNLOAD = 0x62n;

/**
 * Reads a bug check as evidence. A driver is named only where the documented parameter leads to a text that is the
 * name of a loaded or unloaded module.
 *
 * @param parameters the four parameters, unsigned; missing ones count as 0.
 */
export function readBugCheck(code: number, parameters: readonly bigint[], lookup: BugCheckLookup): BugCheckReading {
  const plain = plainBugCheckCode(code);
  const name = nameBugCheck(plain);
  const title = `Bug check 0x${plain.toString(16).toUpperCase()}${name === null ? '' : ` (${name})`}`;
  const parameter = (index: number): bigint => BigInt.asUintN(64, parameters[index] ?? 0n);
  const reading = (
    kind: BugCheckClass,
    says: string,
    driver: string | null = null,
    resource: Resource | null = null,
  ): BugCheckReading => ({ code: plain, name, class: kind, driver, resource, message: `${title}: ${says}` });

  const forced = FORCED.get(plain);
  if (forced !== undefined) return reading('forced', `${forced}. It is how the dump was made and accuses nobody`);
  const instruction = INSTRUCTION_PARAMETER.get(plain);
  if (instruction !== undefined && lookup.moduleAt(parameter(instruction))?.toLowerCase() === NOTMYFAULT) {
    return reading('forced', `raised on purpose by NotMyFault (${NOTMYFAULT}), a tool for making crashes and leaks`);
  }
  const watchdog = WATCHDOG.get(plain);
  if (watchdog !== undefined) return reading('watchdog', `${watchdog}. It names no driver`);

  if (plain === 0xc4 && parameter(0) === POOL_LEFT_AT_UNLOAD) {
    const driver = namedDriver(parameter(1), lookup);
    const count = parameter(3) === 1n ? '1 allocation was' : `${parameter(3).toString()} allocations were`;
    const left = `unloaded without freeing its pool: ${count} left (parameter 4)`;
    if (driver === null) {
      return reading('verifier-driver', `a driver ${left}; its name (parameter 2) could not be read`, null, 'pool');
    }
    return reading('verifier-driver', `${driver} ${left}`, driver, 'pool');
  }
  if (plain === 0xd8) {
    const driver = namedDriver(parameter(0), lookup);
    const free = `${parameter(2).toString()} of ${parameter(3).toString()} system PTEs were free`;
    if (driver === null) {
      return reading('verifier-driver', `a driver used too many system PTEs: ${free}`, null, 'system-ptes');
    }
    const used = `${driver} used ${parameter(1).toString()} system PTEs (parameter 2); ${free}`;
    return reading('verifier-driver', used, driver, 'system-ptes');
  }
  if (POOL_CORRUPTION.has(plain)) {
    return reading('pool-corruption', 'pool structures were damaged, so the counters of pool may be damaged, too');
  }
  const exhausted = EXHAUSTION.get(plain);
  if (exhausted) return reading('exhaustion', exhausted[1], null, exhausted[0]);
  if (plain === 0x7a && BigInt.asUintN(32, parameter(1)) === STATUS_INSUFFICIENT_RESOURCES) {
    const says = 'a page could not be read in for want of nonpaged pool (status 0xC000009A, parameter 2)';
    return reading('exhaustion', says, null, 'nonpaged-pool');
  }
  return reading('other', 'says nothing about pool use');
}

function namedDriver(address: bigint, lookup: BugCheckLookup): string | null {
  if (address === 0n) return null;
  const text = lookup.readText(address);
  if (text === null || text.trim() === '') return null;
  const module = lookup.moduleNamed(text.trim());
  return module === null ? null : printable(module);
}
