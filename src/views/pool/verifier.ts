/** `!verifier`: what Driver Verifier tracked, and `!verifier 0x80`: its log of allocations and frees. */

import { hex } from '../../../parsers/bytes/failure.js';
import type { DumpPart } from '../../analysis/dump-part.js';
import type { ShownDriver, ShownLog, VerifierFigures } from '../../analysis/pool/verifier-part.js';
import type { View } from '../view.js';
import { debuggerNumber, noAddress, typedAddress, unquoted } from '../words.js';
import { renderPoolLog, renderVerifier, type VerifierDetail } from './verifier-text.js';

interface VerifierWanted {
  /** File name of a driver; all without it. */
  readonly driver?: string | undefined;
  /** All that is known without it. */
  readonly detail?: VerifierDetail | undefined;
  /** The log instead; `about` null for all of it. */
  readonly log?: { readonly about: bigint | null } | undefined;
  /** Allocations of a driver, or entries of the log, at most. */
  readonly limit?: number | undefined;
  /** Lines on flags that are not here, beside others that are. */
  readonly left?: readonly string[] | undefined;
}

const USUAL_ROWS = 100;

interface VerifierFound extends DumpPart {
  /** What was asked for of these; null where it was not, or is not in the dump. */
  readonly verifier: VerifierFigures | null;
  readonly poolLog: ShownLog | null;
  readonly wide: boolean;
}

/** Flags of `!verifier`: the drivers, what each had not freed, the log. */
const DRIVERS = 1;
const ALLOCATIONS = 2;
const LOG = 0x80;

/** Numbers from here on are addresses of the kernel, others are counts of log entries. */
const LOWEST_ADDRESS = 0x80000000n;

/** The flags that the debugger documents and that are not here, by what they would show: of none the layout is known. */
const ABSENT: readonly (readonly [number, string])[] = [
  [4, 'the history of injected faults'],
  [8, 'the log of changes of IRQL'],
  [0x40, 'pending IRPs'],
  [0x100, 'the log of IRPs'],
  [0x200, 'the log of critical regions'],
  [0x400, 'the log of cancelled IRPs'],
  [0x800, 'the log of low resources'],
];

/** Why flags of these are not shown, a line each. */
const absentLines = (flags: number): string[] =>
  ABSENT.filter(([bit]) => (flags & bit) !== 0).map(
    ([bit, what]) => `Flag 0x${bit.toString(16)} (${what}) is not here: the layout of what it shows is not known.`,
  );

const USAGE =
  'of !verifier there are the flags 0, 1 and 3 with a driver behind them, and 0x80 with an address or a number';

export const verifier: View<VerifierWanted, VerifierFound> = {
  command: '!verifier',
  shell: 'verifier MEMORY.DMP',
  words: ([flagsWord = '0', word, ...more]) => {
    const flags = debuggerNumber(flagsWord);
    if (more.length > 0) return { error: USAGE };
    if (flags === LOG) return logWanted(word);
    const left = flags === null ? [] : absentLines(flags);
    const known = flags === null ? null : ABSENT.reduce((rest, [bit]) => rest & ~bit, flags);
    if (known === 0 && left.length > 0) return { error: left.join(' ') };
    if (known === null || (known & ~(DRIVERS | ALLOCATIONS)) !== 0 || known === ALLOCATIONS) return { error: USAGE };
    const detail = known === 0 ? 'level' : known === DRIVERS ? 'drivers' : 'allocations';
    const driver = word === undefined ? undefined : unquoted(word);
    return left.length === 0 ? { detail, driver } : { detail, driver, left };
  },
  read: async ({ opened }, { driver, log, limit = USUAL_ROWS }) => {
    const { verifierFigures, verifierLog } = await import('../../analysis/pool/verifier-part.js');
    const { dumpPart } = await import('../../analysis/dump-part.js');
    const { kernel } = opened;
    const found =
      log === undefined
        ? { verifier: verifierFigures(kernel, driver, limit), poolLog: null }
        : { verifier: null, poolLog: verifierLog(kernel, log.about, limit) };
    return dumpPart(opened, { ...found, wide: kernel.memory?.pointerSize !== 4 });
  },
  text: ({ verifier: figures, poolLog, wide }, { log, detail = 'allocations', left = [] }) => {
    if (log !== undefined) {
      return poolLog === null
        ? 'The log of allocations (VfPoolTraces) is not in this dump, or nothing tells where it is.\n'
        : renderPoolLog(poolLog, log.about, wide);
    }
    const level = figures?.level ?? null;
    return figures === null || level === null
      ? 'Unable to get verifier list.\n'
      : `${renderVerifier({ ...figures, level }, wide, detail)}${left.map((line) => `${line}\n`).join('')}`;
  },
  json: ({ schemaVersion, dump, system, verifier: figures, poolLog, warnings }, { log }) => ({
    ...{ schemaVersion, dump, system },
    ...(log === undefined
      ? { verifier: figures === null ? null : { ...figures, drivers: figures.drivers.map(driverRecord) } }
      : { poolLog: poolLog === null ? null : logRecord(poolLog) }),
    warnings,
  }),
};

function logWanted(word: string | undefined): VerifierWanted | { error: string } {
  if (word === undefined) return { log: { about: null } };
  const value = typedAddress(word);
  if (value === null) return { error: noAddress(word) };
  return value < LOWEST_ADDRESS ? { log: { about: null }, limit: Number(value) } : { log: { about: value } };
}

function driverRecord({ address, outstanding, more, ...figures }: ShownDriver): object {
  return {
    address: hex(address),
    ...figures,
    outstanding:
      outstanding?.map(({ address: at, caller, bytes, tag, place }) => ({
        ...{ address: hex(at), bytes, key: hex(tag), caller: hex(caller), place },
      })) ?? null,
    more,
  };
}

function logRecord({ entries, missing, traces }: ShownLog): object {
  return {
    ...{ entries, missing },
    traces: traces.map(({ address, bytes, thread, stack }) => ({
      ...{ address: hex(address), bytes, thread: hex(thread) },
      stack: stack.map(({ address: frame, place }) => ({ address: hex(frame), place })),
    })),
  };
}
