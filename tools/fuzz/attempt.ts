/** Feeds one input to its target in this process, and says what went wrong: an exception, too much time or memory. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LARGEST, SLOWEST, type FuzzTarget } from './target.js';

/** How an input was taken. */
export interface Outcome {
  /** Null when all is as it must be, else what went wrong. */
  readonly message: string | null;
  /** It was the time or the memory: on a busy machine, or with another input's garbage, worth a second look. */
  readonly measured: boolean;
  /** Milliseconds of processor time. */
  readonly ms: number;
  /** Bytes of resident memory over what the process had before. */
  readonly bytes: number;
}

/** Feeds `input`; `scratch` is a folder that the input's own folder is made in. */
export async function attempt(target: FuzzTarget, input: Uint8Array, scratch: string): Promise<Outcome> {
  const folder = mkdtempSync(join(scratch, 'input-'));
  const before = startPeak();
  const started = process.cpuUsage();
  let message: string | null = null;
  try {
    await target.feed(input, folder);
  } catch (error) {
    message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
  const used = process.cpuUsage(started);
  const bytes = Math.max(0, peak() - before);
  const ms = (used.user + used.system) / 1000;
  rmSync(folder, { recursive: true, force: true });
  if (message !== null) return { message, measured: false, ms, bytes };
  const most = target.limits ?? { ms: SLOWEST, bytes: LARGEST };
  if (ms > most.ms) message = `took more than ${most.ms} ms of processor time`;
  else if (bytes > most.bytes) message = `took more than ${most.bytes / 2 ** 20} MB of memory`;
  return { message, measured: message !== null, ms, bytes };
}

/** Resident bytes now; where the system can, the peak is counted from here on. */
function startPeak(): number {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    // another system: growth is measured at the end
  }
  return process.memoryUsage.rss();
}

/** Most resident bytes since `startPeak`, or the bytes now where the system does not tell. */
function peak(): number {
  try {
    const kb = /^VmHWM:\s*(\d+) kB/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1];
    if (kb !== undefined) return Number(kb) * 1024;
  } catch {
    // as above
  }
  return process.memoryUsage.rss();
}
