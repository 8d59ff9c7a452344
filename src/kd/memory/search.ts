/** `s`: where a pattern stands in memory. Pages that are not in the dump are passed over. */

import { plus, virtual, type VirtualAddress } from '../../../parsers/addresses.js';
import { failed, hex } from '../../../parsers/bytes/failure.js';
import type { VirtualMemory } from '../../../parsers/paging/virtual-memory.js';
import { KdError } from '../kd-error.js';

/** A range longer than this is searched only where page tables map something; shorter ones page by page. */
const SPARSE = 2 ** 30;
/** Bytes of one walk. */
const STRETCH = 2n ** 30n;

/** What is looked for. */
export interface MemoryPattern {
  readonly bytes: Uint8Array;
  /** Bytes from one place that is compared to the next. */
  readonly step: number;
}

/** Where the kernel's half of a 64-bit address space begins, of which `mappedRegions` tells. */
const UPPER_HALF = 0xffff_0000_0000_0000n;
/** Bytes of the lower half that are walked page by page. */
const MOST_LOWER = 2n ** 36n;

const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);

/** Stretches of `[from, end)`. */
function* stretches(from: bigint, end: bigint): Iterable<readonly [bigint, number]> {
  for (let at = from; at < end; at += STRETCH) yield [at, Number(least(end - at, STRETCH))];
}

/** The parts of a range that may hold anything, in order. Throws KdError where that would take for ever. */
function* parts(memory: VirtualMemory, from: bigint, length: number): Iterable<readonly [bigint, number]> {
  const end = from + BigInt(length);
  if (length <= SPARSE || memory.mappedRegions === undefined) {
    yield* stretches(from, end);
    return;
  }
  const half = memory.pointerSize === 8 ? UPPER_HALF : 0x8000_0000n;
  const lower = least(end, half) - from;
  if (lower > MOST_LOWER) {
    throw new KdError(`Range error: of addresses below ${hex(half)} at most 64 GB are searched at once`);
  }
  yield* stretches(from, least(end, half));
  for (const { address, length: bytes } of memory.mappedRegions()) {
    const start = virtual(BigInt(address));
    const first = start > from ? start : from;
    yield* stretches(first, least(start + BigInt(bytes), end));
  }
}

/**
 * Addresses at which the pattern stands, whole inside of the range, in order. `look` is called now and then; it may throw to end the search.
 *
 * @param length bytes of the range.
 */
export function* searchMemory(
  memory: VirtualMemory,
  from: VirtualAddress,
  length: number,
  { bytes: pattern, step }: MemoryPattern,
  look: () => void,
): Generator<VirtualAddress> {
  const needle = Buffer.from(pattern);
  if (needle.length === 0) return;
  for (const [start, size] of parts(memory, from, length)) {
    // The end of a piece, for what begins there and ends in the next one.
    let carried: Buffer = Buffer.alloc(0);
    for (const chunk of memory.chunks(virtual(start), size)) {
      look();
      if (failed(chunk.bytes)) {
        carried = Buffer.alloc(0);
        continue;
      }
      const piece = Buffer.concat([carried, chunk.bytes]);
      const first = start + BigInt(chunk.offset - carried.length);
      for (let at = piece.indexOf(needle); at >= 0; at = piece.indexOf(needle, at + 1)) {
        const address = first + BigInt(at);
        if (step === 1 || (address - from) % BigInt(step) === 0n) yield plus(virtual(address), 0);
      }
      carried = Buffer.from(piece.subarray(Math.max(0, piece.length - needle.length + 1)));
    }
  }
}
