/** Output a screen at a time: after each screen a line that waits for a key. */

import { columnsOf, type Stream } from '../terminal/terminal.js';

/** What the user wants after a screen. */
export type PageKey = 'page' | 'line' | 'all' | 'stop';

const ASK = '-- more: Space a page, Enter a line, a all, q stop --';

/** Of a terminal; rows are read anew for each page, for windows change. */
export class Pager {
  private shown = 0;
  private all = false;

  constructor(
    private readonly stream: Stream & { readonly rows?: number | undefined },
    private readonly write: (text: string) => Promise<void>,
    private readonly key: () => Promise<PageKey>,
  ) {}

  /** A new command begins. */
  begin(): void {
    this.shown = 0;
    this.all = false;
  }

  /** Shows text. Gives false when the user wants no more of the command. */
  async show(text: string): Promise<boolean> {
    let rest = text;
    while (rest !== '') {
      const room = this.all ? Infinity : this.rows - 1 - this.shown;
      const { part, rows } = this.take(rest, room);
      await this.write(part);
      rest = rest.slice(part.length);
      this.shown += rows;
      if (rest === '' && this.shown < this.rows - 1) return true;
      if (this.all) continue;
      if (this.shown < this.rows - 1) continue;
      await this.write(ASK);
      const key = await this.key();
      await this.write(`\r${' '.repeat(ASK.length)}\r`);
      if (key === 'stop') return false;
      if (key === 'all') this.all = true;
      this.shown = key === 'line' ? this.rows - 2 : 0;
    }
    return true;
  }

  private get rows(): number {
    return Math.max(4, this.stream.rows ?? 24);
  }

  /** As many whole lines as take no more than `room` rows of the screen, one at least. */
  private take(text: string, room: number): { part: string; rows: number } {
    const width = columnsOf(this.stream) ?? 80;
    let end = 0;
    let rows = 0;
    while (end < text.length) {
      const stop = text.indexOf('\n', end);
      const next = stop < 0 ? text.length : stop + 1;
      const lines = Math.max(1, Math.ceil((next - end - 1) / width));
      if (end > 0 && rows + lines > room) break;
      rows += lines;
      end = next;
    }
    return { part: text.slice(0, end), rows };
  }
}
