/** A segment heap walked by several threads: each takes the next segment that nobody has, and has its own sums. */

import { readFileSync } from 'node:fs';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { failed } from '../../parsers/bytes/failure.js';
import { PointerReader, type HeapAddress } from '../../parsers/heap/memory.js';
import { POOL_HEADER_X64, POOL_HEADER_X86 } from '../../parsers/heap/pool-header.js';
import { openSegmentHeap } from '../../parsers/heap/segment/open.js';
import { proveHeaps } from '../../parsers/heap/segment/prove.js';
import { SegmentHeapWalk } from '../../parsers/heap/segment/walk.js';
import { TagSums } from '../../parsers/heap/tag-sums.js';
import { FastMemory, type SharedPages } from './fast-memory.js';

/** What is walked, and how often. */
export interface HeapTask {
  readonly pages: SharedPages;
  readonly heapAt: HeapAddress;
  readonly rounds: number;
}

interface Part extends HeapTask {
  /** By round: how many segments are taken. */
  readonly taken: Int32Array<SharedArrayBuffer>;
}

interface Done {
  readonly ms: number;
  readonly blocks: number;
}

/** Walks the heap on so many threads at once: the blocks of all, and the processor time of each, in the mean. */
export async function walkOnThreads(task: HeapTask, parts: number): Promise<{ threadMs: number; blocks: number }> {
  const taken = new Int32Array(new SharedArrayBuffer(task.rounds * 4));
  const done = await Promise.all(Array.from({ length: parts }, () => onThread({ ...task, taken })));
  return {
    threadMs: done.reduce((sum, { ms }) => sum + ms, 0) / parts,
    blocks: done.reduce((sum, { blocks }) => sum + blocks, 0),
  };
}

function onThread(part: Part): Promise<Done> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: part });
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

/** Milliseconds of processor time that this thread has used; of wall time where the system does not tell. */
function usedMs(): number {
  try {
    return Number(readFileSync('/proc/thread-self/schedstat', 'latin1').split(' ')[0]) / 1e6;
  } catch {
    return performance.now();
  }
}

function walk({ pages, heapAt, rounds, taken }: Part): Done {
  const memory = new FastMemory(pages);
  const heap = openSegmentHeap(new PointerReader(memory), heapAt);
  if (heap === null) throw new Error('the built heap does not open');
  const proof = proveHeaps(memory, [heap]);
  if (failed(proof)) throw new Error(`the built heap is not proven: ${proof.message}`);
  const pool = memory.pointerSize === 8 ? POOL_HEADER_X64 : POOL_HEADER_X86;
  let blocks = 0;
  // One round before is not counted: each thread compiles the walk for itself, whatever it has to walk.
  new SegmentHeapWalk(memory, heap, proof, { pool }).walk(() => undefined);
  const start = usedMs();
  for (let i = 0; i < rounds; i++) {
    const sums = new TagSums();
    const once = new SegmentHeapWalk(memory, heap, proof, { pool });
    const segments = once.segments.address.length;
    for (let at = Atomics.add(taken, i, 1); at <= segments; at = Atomics.add(taken, i, 1)) {
      if (at === segments) once.walkLarge(sums.sink);
      else once.walkSegment(at, sums.sink);
    }
    blocks += sums.list().reduce((sum, { live }) => sum + live, 0);
  }
  return { ms: usedMs() - start, blocks };
}

if (!isMainThread) parentPort?.postMessage(walk(workerData as Part));
