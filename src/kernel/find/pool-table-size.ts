/**
 * How many slots a pool tag table has, told from the table itself, where no symbol knows it: from 3790 on by where its
 * tags stand (parsers/kernel/tag-hash). Older kernels hash otherwise: there the table is as large a power of two as its
 * records can be true, with tags all over it.
 */

import { plus, type VirtualAddress } from '../../../parsers/addresses.js';
import { failed } from '../../../parsers/bytes/failure.js';
import { u32 } from '../../../parsers/bytes/fields.js';
import type { TrackerRecord } from '../../../parsers/kernel/pool-tracker.js';
import { plainTag } from '../../../parsers/kernel/tag.js';
import { placementOf } from '../../../parsers/kernel/tag-hash.js';
import type { VirtualMemory } from '../../../parsers/paging/virtual-memory.js';

/** Sizes tried: 2^6 to 2^18 slots, plus the overflow slot. */
const SMALLEST_BITS = 6;
const LARGEST_BITS = 18;
/** Tags needed, and the share of them that must stand where the hash says. */
const FEWEST_TAGS = 24;
const SHARE = 0.75;
/** In a crowded table: so many at most with a free slot before them, and so many near theirs, more than by chance. */
const ASTRAY_SHARE = 0.02;
const CROWDED_SHARE = 0.25;
const CHANCE = 128;
/** Shares that are told apart. */
const ALIKE = 0.75;
/** The same for a table of which a part cannot be read. */
const UNSEEN_ALIKE = 0.9;
/** Any hash spreads tags evenly: so many of them at least stand in the upper half. */
const UPPER_SHARE = 0.2;
/** Records that cannot be any: what follows a table is full of them, in a table there are next to none. */
const ODD_SHARE = 0.02;
/** Records read at once. */
const STEP = 256;

/** A size, and what it was told from. */
export interface InferredSize {
  readonly slots: number;
  readonly by: 'hash' | 'extent';
}

/** The slots of the table at `table`, or null where the data does not decide. */
export function inferTableSize(
  memory: VirtualMemory,
  table: VirtualAddress,
  record: TrackerRecord,
): InferredSize | null {
  const records = readRecords(memory, table, record, (1 << LARGEST_BITS) + 1);
  const slots = sizeByHash(records.keys);
  if (slots !== null) return { slots, by: 'hash' };
  const extent = sizeByExtent(records);
  return extent === null ? null : { slots: extent, by: 'extent' };
}

function sizeByHash(keys: Uint32Array): number | null {
  const fitting: { bits: number; share: number }[] = [];
  const fit = (bits: number): { tags: number; share: number; astray: number } => {
    const { tags, near, astray } = placementOf(keys, (1 << bits) - 1);
    return { tags, share: near / tags, astray };
  };
  let bits = SMALLEST_BITS;
  for (; bits <= LARGEST_BITS && 1 << bits <= keys.length; bits++) {
    const { tags, share, astray } = fit(bits);
    // In a table that is nearly full tags stand far behind their slots, but with no free slot between.
    const crowded = astray <= tags * ASTRAY_SHARE && share >= Math.max(CROWDED_SHARE, CHANCE / (1 << bits));
    if (tags >= FEWEST_TAGS && (share >= SHARE || crowded)) fitting.push({ bits, share });
  }
  // Half of the table fits as well as all of it, what is twice as large half as well.
  const best = Math.max(...fitting.map(({ share }) => share));
  const seen = fitting.findLast(({ share }) => share >= best * ALIKE)?.bits;
  if (seen === undefined) return null;
  // Where a missing page ended the records, a larger table is told by their hash as well.
  let size = seen;
  if (seen === bits - 1) {
    for (; bits <= LARGEST_BITS && fit(bits).share >= best * UNSEEN_ALIKE; bits++) size = bits;
  }
  return (1 << size) + 1;
}

/** The largest power of two with tags in both halves, and with hardly a record that cannot be one. */
function sizeByExtent({ keys, odd }: Records): number | null {
  let found: number | null = null;
  for (let bits = SMALLEST_BITS; bits <= LARGEST_BITS && 1 << bits <= keys.length; bits++) {
    const slots = 1 << bits;
    let tags = 0;
    let upper = 0;
    let strange = 0;
    for (let slot = 0; slot < slots; slot++) {
      if (odd[slot] === 1) strange++;
      else if (keys[slot] !== 0) {
        tags++;
        if (slot >= slots / 2) upper++;
      }
    }
    if (strange > slots * ODD_SHARE) continue;
    if (tags >= FEWEST_TAGS && upper >= tags * UPPER_SHARE) found = slots;
  }
  // The slot for tags that found none stands behind, where there is one.
  return found === null ? null : found + (odd[found] === 0 ? 1 : 0);
}

interface Records {
  /** Keys without the protected bit, ending at the first page that is missing. */
  readonly keys: Uint32Array;
  /** 1 for each record that cannot be one of a pool tag table. */
  readonly odd: Uint8Array;
}

function readRecords(memory: VirtualMemory, table: VirtualAddress, record: TrackerRecord, most: number): Records {
  const keys: number[] = [];
  const odd: number[] = [];
  const add = (bytes: Uint8Array, count: number): void => {
    for (let i = 0; i < count; i++) {
      const at = i * record.size;
      odd.push(isRecord(bytes, at, record) ? 0 : 1);
      keys.push(plainTag(u32(bytes, at + record.key)));
    }
  };
  while (keys.length < most) {
    const at = plus(table, keys.length * record.size);
    const many = memory.read(at, STEP * record.size);
    if (!failed(many)) {
      add(many, STEP);
      continue;
    }
    // Up to the page that is missing.
    for (let i = 0; i < STEP; i++) {
      const one = memory.read(plus(at, i * record.size), record.size);
      if (failed(one)) return { keys: Uint32Array.from(keys), odd: Uint8Array.from(odd) };
      add(one, 1);
    }
  }
  return { keys: Uint32Array.from(keys), odd: Uint8Array.from(odd) };
}

/** A free record is all zeros; a used one has a tag of which at least three characters can be typed. */
function isRecord(bytes: Uint8Array, at: number, record: TrackerRecord): boolean {
  const key = u32(bytes, at + record.key);
  if (key === 0) {
    for (let i = 0; i < record.size; i++) if (bytes[at + i] !== 0) return false;
    return true;
  }
  let typed = 0;
  for (let i = 0; i < 4; i++) {
    const byte = (bytes[at + record.key + i] ?? 0) & (i === 3 ? 0x7f : 0xff);
    if (byte >= 0x20 && byte <= 0x7e) typed++;
  }
  return typed >= 3;
}
