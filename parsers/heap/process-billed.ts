/**
 * Who was charged for a block. With the quota bit, x64 pool headers keep EPROCESS ^ ExpPoolQuotaCookie ^ address of the header
 * (Windows 8 and later; a plain pointer before). Where no symbol gives the cookie, the blocks do: each block and
 * each known process give a cookie, and the right one is given by nearly all of them.
 */

import { highWord, joinWords, lowWord, type HeapAddress } from './memory.js';

/** The cookie, as words. Both 0 where pointers are plain. */
export interface QuotaCookie {
  readonly low: number;
  readonly high: number;
}

/** Different processes that must come out of one cookie, and how much oftener than out of the next best. */
const FEWEST = 4;
const LEAD = 2;
/** Different encoded processes, and known processes, that a vote looks at. */
const MOST_ENCODED = 64;
const MOST_PROCESSES = 4096;

/** The process that a stored ProcessBilled names. `header` is the address of the pool header; 0 for none. */
export function billedProcess(low: number, high: number, header: HeapAddress, cookie: QuotaCookie): HeapAddress {
  if (low === 0 && high === 0) return 0;
  if (cookie.low === 0 && cookie.high === 0) return joinWords(low, high);
  return joinWords(low ^ cookie.low ^ lowWord(header), high ^ cookie.high ^ highWord(header));
}

/** What was stored in a block that was billed. */
export interface BilledBlock {
  readonly header: HeapAddress;
  readonly low: number;
  readonly high: number;
}

/** A cookie, and how it was told. */
export interface CookieVote {
  readonly cookie: QuotaCookie;
  /** Different processes named with it that are known, of the different ones that blocks were billed to (those looked at). */
  readonly votes: number;
  readonly of: number;
}

/**
 * The cookie with which blocks name known processes (addresses of EPROCESS); null unless one clearly wins. Plain pointers
 * win as a cookie of zeros.
 */
export function voteCookie(blocks: readonly BilledBlock[], processes: readonly HeapAddress[]): CookieVote | null {
  const known = processes.slice(0, MOST_PROCESSES);
  // All blocks of one process have the same EPROCESS ^ cookie, so few values stand for many blocks.
  const encoded = distinct(blocks, ({ header, low, high }) => [low ^ lowWord(header), high ^ highWord(header)]);
  const plain = distinct(blocks, ({ low, high }) => [low, high]);
  const isKnown = new Set(known);
  const pointers = plain.filter(([low, high]) => isKnown.has(joinWords(low, high))).length;
  if (pointers > 0 && pointers * 2 >= plain.length) {
    return { cookie: { low: 0, high: 0 }, votes: pointers, of: plain.length };
  }
  const votes = new Map<string, { low: number; high: number; count: number }>();
  for (const [low, high] of encoded) {
    for (const process of known) {
      const cookie = { low: (low ^ lowWord(process)) >>> 0, high: (high ^ highWord(process)) >>> 0, count: 1 };
      const name = `${cookie.high}:${cookie.low}`;
      const vote = votes.get(name);
      if (vote === undefined) votes.set(name, cookie);
      else vote.count++;
    }
  }
  let best = { low: 0, high: 0, count: 0 };
  let second = 0;
  for (const vote of votes.values()) {
    if (vote.count > best.count) {
      second = best.count;
      best = vote;
    } else second = Math.max(second, vote.count);
  }
  if (best.count < FEWEST || best.count < second * LEAD || best.count * 2 < encoded.length) return null;
  return { cookie: { low: best.low, high: best.high }, votes: best.count, of: encoded.length };
}

/** The most frequent values, as words. */
function distinct(
  blocks: readonly BilledBlock[],
  value: (block: BilledBlock) => readonly [number, number],
): (readonly [number, number])[] {
  const counts = new Map<string, { words: readonly [number, number]; count: number }>();
  for (const block of blocks) {
    if (block.low === 0 && block.high === 0) continue;
    const [low, high] = value(block);
    const words = [low >>> 0, high >>> 0] as const;
    const name = `${words[1]}:${words[0]}`;
    const found = counts.get(name);
    if (found === undefined) counts.set(name, { words, count: 1 });
    else found.count++;
  }
  return [...counts.values()]
    .sort((a, b) => b.count - a.count)
    .slice(0, MOST_ENCODED)
    .map(({ words }) => words);
}
