/**
 * How a batch shows itself on stderr: a line for each dump as it is done, with the time where there is no terminal; on a
 * terminal also a last line, rewritten in place, with how far it is and what is being read.
 */

import { basename } from 'node:path';
import { printable } from '../../../parsers/text-safety.js';
import type { AnalyzedDump, BatchEvents } from '../../batch/events.js';
import type { Task } from '../../batch/messages.js';
import { asciiOnly } from '../../views/print/style.js';
import { columnsOf, type Stream } from './terminal.js';

/** Shortest time between two drawings of the last line, in milliseconds. */
const INTERVAL = 100;

export interface DisplayOptions {
  quiet: boolean;
  ascii: boolean;
  /** A clock in milliseconds since 1970. */
  now?: () => number;
}

export class BatchDisplay implements BatchEvents {
  private readonly started: number;
  private readonly now: () => number;
  private files = 0;
  private done = 0;
  private leaks = 0;
  private failures = 0;
  private readonly running = new Map<string, string>();
  private shown = 0;
  private drawn = -Infinity;

  constructor(
    private readonly stream: Stream,
    private readonly options: DisplayOptions,
  ) {
    this.now = options.now ?? Date.now;
    this.started = this.now();
  }

  more(count: number): void {
    this.files += count;
    this.draw(true);
  }

  step({ path }: Task, step: string, done: number, total: number): void {
    const share = total > 1 ? ` ${Math.floor((Math.min(done, total) / total) * 100)} %` : '';
    this.running.delete(path);
    this.running.set(path, `${basename(path)}: ${step}${share}`);
    this.draw();
  }

  analyzed(place: string, dump: AnalyzedDump): void {
    if (dump.leakSuspected === true) this.leaks++;
    const seconds = `${(dump.elapsedMs / 1000).toFixed(1)} s`;
    const mark = dump.leakSuspected === null ? '?   ' : dump.leakSuspected ? 'LEAK' : 'ok  ';
    this.finish(place, `${mark}  ${place}  ${dump.headline} (${seconds})`);
  }

  failed(place: string, error: { code: string; message: string }): void {
    this.failures++;
    const about = error.message.startsWith(place) ? error.message : `${place}: ${error.message}`;
    this.finish(place, `FAIL  ${about} [${error.code}]`);
  }

  known(place: string): void {
    this.finish(place, null);
  }

  passed(place: string): void {
    this.finish(place, null);
  }

  deferred(place: string, why: 'new' | 'cut'): void {
    const text = why === 'new' ? 'is new: read at the next look, if it has not grown' : 'is not whole yet';
    this.finish(place, `wait  ${place} ${text}`);
  }

  note(message: string): void {
    this.line(`note  ${message}`);
  }

  /** Takes the last line away. */
  end(): void {
    if (this.shown > 0) this.rewrite('');
  }

  private finish(place: string, text: string | null): void {
    this.done++;
    for (const path of this.running.keys()) if (place.startsWith(path)) this.running.delete(path);
    if (text !== null) this.line(text);
    this.draw(text !== null);
  }

  private line(text: string): void {
    if (this.options.quiet) return;
    this.end();
    const safe = printable(this.options.ascii ? asciiOnly(text) : text);
    const time = this.stream.isTTY === true ? '' : `${new Date(this.now()).toISOString()}  `;
    this.stream.write(`${time}${safe}\n`);
  }

  private draw(always = false): void {
    if (this.options.quiet || this.stream.isTTY !== true) return;
    const time = this.now();
    if (!always && time - this.drawn < INTERVAL) return;
    this.drawn = time;
    const parts = [`${this.done} of ${this.files} files`];
    if (this.leaks > 0) parts.push(`${this.leaks} leaks`);
    if (this.failures > 0) parts.push(`${this.failures} not read`);
    const left = this.left(time);
    if (left !== null) parts.push(left);
    const doing = [...this.running.values()].at(-1);
    const text = `dumpleak: ${parts.join(', ')}${doing === undefined ? '' : ` | ${doing}`}`;
    // The last column stays free: a full line would wrap, and could not be rewritten.
    this.rewrite(printable(asciiOnly(text)).slice(0, (columnsOf(this.stream) ?? 80) - 1));
  }

  /** The time that the rest takes, if it goes on as so far. */
  private left(time: number): string | null {
    const rest = this.files - this.done;
    if (this.done < 3 || rest <= 0) return null;
    const minutes = (((time - this.started) / this.done) * rest) / 60_000;
    if (minutes < 1) return 'less than a minute left';
    return minutes < 90 ? `about ${Math.ceil(minutes)} min left` : `about ${Math.round(minutes / 60)} h left`;
  }

  /** Blanks rather than an escape sequence: those are text to older consoles. */
  private rewrite(text: string): void {
    this.stream.write(`\r${text.padEnd(this.shown)}${text === '' ? '\r' : ''}`);
    this.shown = text.length;
  }
}
