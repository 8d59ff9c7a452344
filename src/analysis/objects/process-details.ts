/** What `!process` shows of processes beside their blocks: what they were charged for, and their threads. */

import { hex } from '../../../parsers/bytes/failure.js';
import type { ProcessFields } from '../../kernel/objects/process-fields.js';
import type { Objects } from '../../kernel/objects/objects.js';
import { rootsOf } from '../../kernel/objects/roots.js';
import { readThreads, type ThreadFields } from '../../kernel/objects/threads.js';
import type { Kernel } from '../../kernel/open/open-kernel.js';
import type { Hex } from '../../result/result.js';

/** Of one process. Null where the dump or the layout does not tell. */
export interface ProcessDetails {
  readonly token: Hex | null;
  /** Milliseconds from its start to the dump. */
  readonly elapsed: number | null;
  /** Bytes. */
  readonly quota: { readonly paged: number; readonly nonPaged: number } | null;
  readonly commitBytes: number | null;
}

const FILETIME_OF_1970 = 11_644_473_600_000;

/** By the address of the process. */
export function processDetails(kernel: Kernel, processes: readonly ProcessFields[]): ReadonlyMap<Hex, ProcessDetails> {
  const { systemTime } = kernel.dump.header;
  const now = systemTime === null ? null : Number(systemTime / 10_000n) - FILETIME_OF_1970;
  const found = new Map<Hex, ProcessDetails>();
  for (const process of processes) {
    const { createdAt, quota, token, commitBytes } = process;
    found.set(hex(process.address), {
      token: token === null ? null : hex(token),
      elapsed: now === null || createdAt === null || createdAt > now ? null : now - createdAt,
      quota: quota === null ? null : { paged: quota.pagedBytes, nonPaged: quota.nonPagedBytes },
      commitBytes,
    });
  }
  return found;
}

/** The threads of processes that `wants` takes; null where they could not be read. */
export function processThreads(
  kernel: Kernel,
  objects: Objects,
  wants: (pid: number) => boolean,
): ThreadFields[] | null {
  const roots = rootsOf(kernel);
  const layouts = objects.layouts();
  const places = objects.processes()?.threads ?? null;
  if (roots === null || layouts === null || places === null) return null;
  return readThreads(roots, layouts, kernel.debuggerData, places, wants);
}
