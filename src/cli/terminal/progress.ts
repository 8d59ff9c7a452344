/** One line on stderr that says what takes so long, rewritten in place and erased at the end. */

import { columnsOf, type Stream } from './terminal.js';

/** Nothing is shown for what is done within this time, in milliseconds. */
const PATIENCE = 500;
/** Shortest time between two lines. */
const INTERVAL = 100;

export class Progress {
  private readonly started: number;
  private last = -Infinity;
  private shown = 0;

  /**
   * @param stream shown only if this is a terminal.
   * @param now a clock in milliseconds.
   */
  constructor(
    private readonly stream: Stream,
    private readonly enabled: boolean,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.started = now();
  }

  /** Says what is being done. Fit for calls from inside a long synchronous analysis: it never waits for a timer. */
  readonly update = (step: string, done: number, total: number): void => {
    if (!this.enabled || this.stream.isTTY !== true) return;
    const time = this.now();
    if (time - this.started < PATIENCE || time - this.last < INTERVAL) return;
    this.last = time;
    const share = total > 1 ? ` ${Math.floor((Math.min(done, total) / total) * 100)} %` : '';
    // The last column stays free: a full line would wrap, and could not be rewritten.
    this.show(`dumpleak: ${step}${share} ...`.slice(0, (columnsOf(this.stream) ?? 80) - 1));
  };

  /** Takes the line away. */
  readonly end = (): void => {
    if (this.shown > 0) this.show('');
  };

  /** Blanks rather than an escape sequence: those are text to older consoles. */
  private show(text: string): void {
    this.stream.write(`\r${text.padEnd(this.shown)}${text === '' ? '\r' : ''}`);
    this.shown = text.length;
  }
}
