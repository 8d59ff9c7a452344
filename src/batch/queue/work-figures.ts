/** What a worker did and takes, as OpenMetrics text. */

import type { Outcome } from './dump-queue.js';
import type { QueueCounts } from './queue-state.js';

/** Upper bounds of the histogram, in seconds. */
const BOUNDS = [0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 1800] as const;

type Result = 'leak' | 'no_leak' | 'undecided' | 'failed' | 'passed' | 'moved' | 'returned' | 'dead';
const RESULTS: readonly Result[] = ['leak', 'no_leak', 'undecided', 'failed', 'passed', 'moved', 'returned', 'dead'];

export class WorkFigures {
  private readonly counts = new Map<Result, number>(RESULTS.map((result) => [result, 0]));
  private readonly buckets: number[] = BOUNDS.map(() => 0);
  private seconds = 0;
  private analyzed = 0;
  private readerBytes = 0;

  done({ kind, leak = null, elapsedMs = 0 }: Outcome): void {
    if (kind !== 'dump') {
      this.count(kind === 'failure' ? 'failed' : kind);
      return;
    }
    this.count(leak === null ? 'undecided' : leak ? 'leak' : 'no_leak');
    const seconds = elapsedMs / 1000;
    this.analyzed++;
    this.seconds += seconds;
    for (const [i, bound] of BOUNDS.entries()) if (seconds <= bound) this.buckets[i] = (this.buckets[i] ?? 0) + 1;
  }

  count(result: Result): void {
    this.counts.set(result, (this.counts.get(result) ?? 0) + 1);
  }

  /** What a process that reads took after a dump, in bytes. */
  reader(bytes: number): void {
    this.readerBytes = Math.max(this.readerBytes, bytes);
  }

  /** `queue` is null where the server does not answer. Ended by `# EOF`. */
  render(queue: QueueCounts | null, ownBytes: number): string {
    const states = queue === null ? [] : (['waiting', 'delayed', 'reading', 'dead'] as const);
    const lines = [
      ...family('queue_dumps', 'gauge', 'Dumps in the queue of all hosts, by state; dead ones are dead letters.'),
      ...states.map((state) => `dumpleak_queue_dumps{state="${state}"} ${queue?.[state] ?? 0}`),
      ...family('queue_oldest_seconds', 'gauge', 'Age of the dump that waits longest.', 'seconds'),
      ...(queue === null ? [] : [`dumpleak_queue_oldest_seconds ${queue.oldestSeconds ?? 0}`]),
      ...family('queue_reachable', 'gauge', 'Whether the database answered just now.'),
      `dumpleak_queue_reachable ${queue === null ? 0 : 1}`,
      ...family('worker_dumps', 'counter', 'Dumps that this worker was done with, by what they came to.'),
      ...[...this.counts].map(([result, count]) => `dumpleak_worker_dumps_total{result="${result}"} ${count}`),
      ...family('worker_dump_seconds', 'histogram', 'Time that the analysis of a dump took.', 'seconds'),
      ...BOUNDS.map((bound, i) => `dumpleak_worker_dump_seconds_bucket{le="${floatText(bound)}"} ${this.buckets[i] ?? 0}`),
      `dumpleak_worker_dump_seconds_bucket{le="+Inf"} ${this.analyzed}`,
      `dumpleak_worker_dump_seconds_sum ${this.seconds}`,
      `dumpleak_worker_dump_seconds_count ${this.analyzed}`,
      ...family('worker_memory_bytes', 'gauge', 'Memory: of the worker itself now, and the most that a process of it had after a dump.', 'bytes'),
      `dumpleak_worker_memory_bytes{process="worker"} ${ownBytes}`,
      `dumpleak_worker_memory_bytes{process="reader"} ${this.readerBytes}`,
    ]; // prettier-ignore
    return `${lines.join('\n')}\n# EOF\n`;
  }
}

/** As OpenMetrics writes bounds. */
const floatText = (value: number): string => (Number.isInteger(value) ? value.toFixed(1) : String(value));

function family(name: string, type: string, help: string, unit?: string): string[] {
  const full = `dumpleak_${name}`;
  return [
    `# TYPE ${full} ${type}`,
    ...(unit === undefined ? [] : [`# UNIT ${full} ${unit}`]),
    `# HELP ${full} ${help}`,
  ];
}
