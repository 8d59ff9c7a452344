/** Who was charged for the blocks of a tag: the processes that pool headers (and rows of big pages) name. */

import { failed } from '../../../../parsers/bytes/failure.js';
import { heapAddress, joinWords, type HeapAddress } from '../../../../parsers/heap/memory.js';
import {
  billedProcess,
  voteCookie,
  type BilledBlock,
  type QuotaCookie,
} from '../../../../parsers/heap/process-billed.js';
import type { Suspect } from '../../../result/result.js';
import { objectsOf } from '../../objects/objects.js';
import type { Process } from '../../objects/process-list.js';
import type { Kernel } from '../../open/open-kernel.js';
import type { Sample, StoredBiller, TagSample } from './sample.js';

const MOST_PROCESSES = 16;
/** The share of billers that must be known processes, so that what was decoded is believed. */
const SHARE = 0.5;

export type Billed = NonNullable<Suspect['billed']>;

/** The processes of each tag of a sample, most bytes first; null where nobody was billed, or nothing tells whom. */
export function billedTo(kernel: Kernel, sample: Sample): readonly (Billed | null)[] {
  const all = sample.tags.flatMap((tag) => billersOf(tag));
  if (all.length === 0) return sample.tags.map(() => null);
  const processes = objectsOf(kernel).processes()?.processes ?? [];
  const width = kernel.memory?.pointerSize ?? 8;
  const known = new Map(processes.map((process) => [heapAddress(process.address, width), process]));
  const cookie = cookieOf(kernel, all, known);
  if (cookie === null) return sample.tags.map(() => null);
  return sample.tags.map((tag) => ofTag(tag, cookie, known));
}

const billersOf = ({ billers }: TagSample): StoredBiller[] => [...new Set(billers.values())];

/** ExpPoolQuotaCookie where it names known processes, none where pointers are plain, else what the data votes for. */
function cookieOf(
  kernel: Kernel,
  all: readonly StoredBiller[],
  known: ReadonlyMap<HeapAddress, Process>,
): QuotaCookie | null {
  const fits = (cookie: QuotaCookie): boolean => {
    const good = all.filter(({ low, high, header }) => known.has(billedProcess(low, high, header, cookie))).length;
    return good >= all.length * SHARE;
  };
  const stored = kernel.variable('ExpPoolQuotaCookie');
  if (!failed(stored)) {
    const cookie = { low: Number(stored.value & 0xffffffffn), high: Number((stored.value >> 32n) & 0xffffffffn) };
    if (fits(cookie)) return cookie;
  }
  const none = { low: 0, high: 0 };
  if (fits(none)) return none;
  const blocks: BilledBlock[] = all.map(({ low, high, header }) => ({ low, high, header }));
  return voteCookie(blocks, [...known.keys()])?.cookie ?? null;
}

function ofTag(tag: TagSample, cookie: QuotaCookie, known: ReadonlyMap<HeapAddress, Process>): Billed | null {
  const sums = new Map<Process, { bytes: number; blocks: number }>();
  for (const { low, high, header, blocks, bytes } of billersOf(tag)) {
    const process = known.get(billedProcess(low, high, header, cookie)) ?? known.get(plainOf(low, high));
    if (process === undefined) continue;
    const sum = sums.get(process) ?? { bytes: 0, blocks: 0 };
    sum.bytes += bytes;
    sum.blocks += blocks;
    sums.set(process, sum);
  }
  if (sums.size === 0) return null;
  return [...sums]
    .map(([{ pid, image }, sum]) => ({ pid, image, ...sum }))
    .sort((a, b) => b.bytes - a.bytes || a.pid - b.pid)
    .slice(0, MOST_PROCESSES);
}

const plainOf = (low: number, high: number): HeapAddress => joinWords(low, high);
