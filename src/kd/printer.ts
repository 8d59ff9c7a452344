/** What a command prints, on its way out: in pieces, at most so many lines a command, and ended when the user stops it. */

import { KdError, Stopped } from './kd-error.js';

/** Lines that one command of the prompt may print. */
export const MOST_LINES = 2_000_000;
/** Characters that a captured output may have. */
const MOST_CAPTURED = 16 * 1024 * 1024;
/** Characters that are kept back before they go out together. */
const PIECE = 16 * 1024;

/** Where text goes, and whether the user wants no more of it. */
export interface Sink {
  /** Resolves once the text is on its way. */
  write(text: string): Promise<void>;
  /** Asked often. */
  stopped(): boolean;
}

/** The output of a session. */
export class Printer {
  private pending = '';
  private lines = 0;
  private captured: string[] | null = null;
  private capturedLength = 0;

  constructor(private readonly sink: Sink) {}

  /** A new command of the user's begins: the count of lines too. */
  begin(): void {
    this.lines = 0;
  }

  /** Whether the user has stopped the command. */
  get stopped(): boolean {
    return this.sink.stopped();
  }

  /** Throws Stopped when the user has stopped the command. Long work asks this often. */
  check(): void {
    if (this.stopped) throw new Stopped();
  }

  /** One line, without its line feed. */
  async line(text = ''): Promise<void> {
    await this.text(`${text}\n`);
  }

  /** Text with its line feeds. Throws Stopped, and KdError where a command prints without end. */
  async text(text: string): Promise<void> {
    this.check();
    if (this.captured !== null) {
      this.capturedLength += text.length;
      if (this.capturedLength > MOST_CAPTURED) throw new KdError('The output that is read is too long');
      this.captured.push(text);
      return;
    }
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) this.lines++;
    this.pending += text;
    if (this.pending.length >= PIECE) await this.flush();
    if (this.lines > MOST_LINES) {
      this.lines = 0;
      throw new KdError(`The output was ended after ${MOST_LINES} lines`);
    }
  }

  /** Sends out what was kept back. */
  async flush(): Promise<void> {
    const text = this.pending;
    this.pending = '';
    if (text !== '') await this.sink.write(text);
  }

  /** What is printed while `run` runs, instead of printing it. */
  async capture(run: () => Promise<void>): Promise<string> {
    const [outer, outerLength] = [this.captured, this.capturedLength];
    const own: string[] = [];
    [this.captured, this.capturedLength] = [own, 0];
    try {
      await run();
      return own.join('');
    } finally {
      [this.captured, this.capturedLength] = [outer, outerLength];
    }
  }
}
