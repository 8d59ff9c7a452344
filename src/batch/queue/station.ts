/** What a worker of the shared history has open: the history, the queue, the processes that read. */

import { Redactor } from '../../redact/redactor.js';
import type { AnalysisSettings, Task } from '../messages.js';
import { SharedHistory } from '../store/server/shared-history.js';
import type { StoreAddress } from '../store/server/address.js';
import { WorkerPool } from '../worker-pool.js';
import { DumpQueue } from './dump-queue.js';

export interface StationOptions {
  readonly address: StoreAddress;
  readonly jobs: number;
  readonly timeoutMs: number;
  readonly memoryBytes: number;
  readonly settings: Omit<AnalysisSettings, 'redactKey' | 'pages'>;
  /** Names become pseudonyms: under this key, or the history's `own`. Null: only in a history that was begun so. */
  readonly redact: Uint8Array | 'own' | null;
  /** So long a worker that is not heard of is taken for alive, in milliseconds. */
  readonly leaseMs: number;
  readonly progress?: ((task: Task, step: string, done: number, total: number) => void) | undefined;
  readonly memory?: ((rssBytes: number) => void) | undefined;
  /** Path of the program of a process; another one for tests. */
  readonly program?: string | undefined;
}

export interface Station {
  readonly history: SharedHistory;
  readonly queue: DumpQueue;
  readonly pool: WorkerPool;
  readonly key: Uint8Array | null;
  readonly redactor: Redactor | null;
  close(): Promise<void>;
}

/** A server that is not there is waited for so long, in milliseconds. */
const PATIENCE = 10 * 60_000;
/** A first word of it is waited for shorter: the address may be wrong. */
const FIRST_PATIENCE = 30_000;

/** Throws HistoryError. */
export async function openStation(options: StationOptions): Promise<Station> {
  const { address, jobs, timeoutMs, memoryBytes, leaseMs, progress, memory, program } = options;
  await (await SharedHistory.open(address, { patienceMs: FIRST_PATIENCE })).close();
  const history = await SharedHistory.open(address, { patienceMs: PATIENCE });
  try {
    const key = await history.redaction(options.redact);
    const queue = await DumpQueue.open(history.server, { jobs, leaseMs });
    const redactKey = key === null ? null : Buffer.from(key).toString('hex');
    const settings = { ...options.settings, redactKey, pages: null };
    const pool = new WorkerPool({ jobs, timeoutMs, memoryBytes, settings, progress, memory, program });
    return {
      ...{ history, queue, pool, key, redactor: key === null ? null : new Redactor(key, true) },
      close: async () => {
        await pool.close();
        await queue.close();
        await history.close();
      },
    };
  } catch (error) {
    await history.close();
    throw error;
  }
}
