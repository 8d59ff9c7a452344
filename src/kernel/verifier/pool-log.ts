/**
 * Driver Verifier's log of the latest allocations and frees, with stacks: VfPoolTraces, a ring of VfPoolTracesLength entries
 * of which VfPoolTracesIndex counts those that were ever written (reference: objects-and-pool-blocks, section 11).
 */

import { plus, virtual, type VirtualAddress } from '../../../parsers/addresses.js';
import { failed } from '../../../parsers/bytes/failure.js';
import { u32, u64 } from '../../../parsers/bytes/fields.js';
import { kernelDoes } from '../../../symbols/generations.js';
import type { Kernel } from '../open/open-kernel.js';

/** A power of two on every system. */
const MOST_ENTRIES = 1 << 22;
/** Frames of an entry: more cannot be true. */
const MOST_FRAMES = 256;

/** An allocation or a free: the log does not say which; its stack does. */
export interface PoolTrace {
  readonly address: VirtualAddress;
  readonly bytes: number;
  readonly thread: VirtualAddress;
  readonly stack: readonly VirtualAddress[];
}

export interface PoolLog {
  /** Entries that the ring has. */
  readonly entries: number;
  /** Latest first. */
  readonly traces: readonly PoolTrace[];
  /** Entries that the dump lacks. */
  readonly missing: number;
}

/** Reads the log; `about` keeps entries of blocks that hold this address. Null where there is none. */
export function readPoolLog(kernel: Kernel, about: bigint | null = null, most = Infinity): PoolLog | null {
  const { memory } = kernel;
  const table = kernel.pointerAt('VfPoolTraces');
  const length = kernel.variable('VfPoolTracesLength', 'unsigned long');
  const index = kernel.variable('VfPoolTracesIndex', 'unsigned long');
  if (memory === null || failed(table) || failed(length) || table.value === 0n) return null;
  const entries = Number(length.value);
  if (entries === 0 || entries > MOST_ENTRIES) return null;
  const wide = memory.pointerSize === 8;
  const head = wide ? 0x18 : 0xc;
  const known = kernel.sizeOf('_VF_POOL_TRACE');
  const usual = wide && kernelDoes('logsLongStacks', kernel.identity.buildNumber) ? 50 : 13;
  const size = failed(known) ? head + usual * memory.pointerSize : known.value;
  const frames = Math.floor((size - head) / memory.pointerSize);
  if (frames < 1 || frames > MOST_FRAMES) return null;
  const latest = failed(index) ? entries - 1 : Number(index.value) % entries;
  const traces: PoolTrace[] = [];
  let missing = 0;
  for (let i = 0; i < entries && traces.length < most; i++) {
    const at = (latest - i + entries) % entries;
    const bytes = memory.read(plus(table.value, at * size), size);
    if (failed(bytes)) {
      missing++;
      continue;
    }
    const word = (place: number): bigint => (wide ? u64(bytes, place * 8) : BigInt(u32(bytes, place * 4)));
    const address = word(0);
    const blockBytes = Number(word(1));
    if (address === 0n) continue;
    if (about !== null && (about < address || about >= address + BigInt(Math.max(1, blockBytes)))) continue;
    const stack = Array.from({ length: frames }, (_, frame) => word(3 + frame));
    const end = stack.indexOf(0n);
    traces.push({
      address: virtual(address),
      bytes: blockBytes,
      thread: virtual(word(2)),
      stack: stack.slice(0, end < 0 ? frames : end).map((frame) => virtual(frame)),
    });
  }
  return { entries, traces, missing };
}
