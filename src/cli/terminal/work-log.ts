/** What a worker tells on stderr: a line for each event, for people or as NDJSON for programs that gather logs. */

import { printable } from '../../../parsers/text-safety.js';
import type { Outcome } from '../../batch/queue/dump-queue.js';
import type { WorkEvents } from '../../batch/queue/work.js';
import { asciiOnly } from '../../views/print/style.js';
import type { Stream } from './terminal.js';

export type LogForm = 'text' | 'ndjson';

interface Line {
  readonly level: 'info' | 'warn' | 'error';
  readonly event: string;
  /** For people; where left out, only programs are told. */
  readonly text?: string;
  readonly more?: Readonly<Record<string, unknown>>;
}

export class WorkLog implements WorkEvents {
  constructor(
    private readonly stream: Stream,
    private readonly options: { readonly form: LogForm; readonly quiet: boolean; readonly ascii: boolean },
    private readonly now: () => number = Date.now,
  ) {}

  started(store: string, worker: string, jobs: number): void {
    this.line({ level: 'info', event: 'started', text: `worker of ${store}, ${jobs} at a time`, more: { store, worker, jobs } }); // prettier-ignore
  }

  listening(port: number): void {
    this.line({ level: 'info', event: 'listening', text: `/healthz, /readyz and /metrics at port ${port}`, more: { port } }); // prettier-ignore
  }

  stopping(): void {
    this.line({ level: 'info', event: 'stopping', text: 'ends once what is being read is done' });
  }

  ended(): void {
    this.line({ level: 'info', event: 'ended', text: 'ended' });
  }

  taken(dump: string): void {
    this.line({ level: 'info', event: 'taken', more: { dump } });
  }

  done(dump: string, outcome: Outcome): void {
    const { kind, leak, headline, elapsedMs, code, message = '' } = outcome;
    if (kind === 'dump') {
      const mark = leak === null ? '?   ' : leak === true ? 'LEAK' : 'ok  ';
      const text = `${mark}  ${dump}  ${headline ?? ''} (${((elapsedMs ?? 0) / 1000).toFixed(1)} s)`;
      this.line({ level: 'info', event: 'analyzed', text, more: { dump, leak, headline, elapsedMs } });
    } else if (kind === 'passed') this.line({ level: 'info', event: 'passed', more: { dump, code } });
    else this.failed(kind === 'moved' ? 'moved' : 'failed', dump, code ?? kind, message);
  }

  private failed(event: string, dump: string, code: string, message: string): void {
    this.line({ level: 'warn', event, text: `FAIL  ${about(dump, message)} [${code}]`, more: { dump, code, message } });
  }

  returned(dump: string, why: string, seconds: number): void {
    const text = `back  ${about(dump, why)}; next try in ${seconds} s`;
    this.line({ level: 'warn', event: 'returned', text, more: { dump, why, seconds } });
  }

  buried(dump: string, why: string): void {
    const text = `DEAD  ${about(dump, why)}; it is left alone (dumpleak queue status)`;
    this.line({ level: 'error', event: 'dead-letter', text, more: { dump, why } });
  }

  note(message: string): void {
    this.line({ level: 'warn', event: 'note', text: `note  ${message}`, more: { message } });
  }

  private line({ level, event, text, more = {} }: Line): void {
    const { form, quiet, ascii } = this.options;
    const time = new Date(this.now()).toISOString();
    if (form === 'ndjson') {
      this.stream.write(`${JSON.stringify({ time, level, event, ...more })}\n`);
      return;
    }
    if (quiet || text === undefined) return;
    const safe = printable(ascii ? asciiOnly(text) : text);
    this.stream.write(`${this.stream.isTTY === true ? '' : `${time}  `}${safe}\n`);
  }
}

const about = (dump: string, message: string): string => (message.startsWith(dump) ? message : `${dump}: ${message}`);
