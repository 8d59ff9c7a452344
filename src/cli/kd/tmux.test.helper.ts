/** A real terminal for tests: tmux, where it is installed. */

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../main.js', import.meta.url));
/** Between two looks at the screen, and the longest wait for something to come up, in milliseconds. */
const LOOK_EVERY = 40;
const PATIENCE = 30_000;

/** Whether this machine has tmux. */
export const hasTmux = (): boolean =>
  (process.env['PATH'] ?? '').split(':').some((folder) => existsSync(`${folder}/tmux`));

/** A window with a process in it. Each has a server of its own, so that nothing else is touched. */
export class TmuxTerminal {
  private readonly server = `dumpleak-test-${process.pid}-${Math.random().toString(36).slice(2)}`;

  /** Runs the program with these arguments, and says how it ended in the last line. */
  constructor(args: readonly string[], { columns = 140, rows = 60 } = {}) {
    const quoted = [process.execPath, MAIN, ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
    this.tmux('-f', '/dev/null', 'new-session', '-d', '-x', String(columns), '-y', String(rows), `LANG=C.UTF-8 ${quoted}; echo "ended with $?"; sleep 600`); // prettier-ignore
    this.tmux('set-option', '-g', 'history-limit', '20000');
  }

  /** Types text, letter by letter. */
  type(text: string): void {
    this.tmux('send-keys', '-l', text);
  }

  /** Pastes text in one piece. */
  paste(text: string): void {
    this.tmux('set-buffer', text);
    this.tmux('paste-buffer', '-r');
  }

  /** Presses keys by tmux's names: `Enter`, `C-c`, `Tab`, `Up`. */
  press(...keys: string[]): void {
    this.tmux('send-keys', ...keys);
  }

  /** All lines that were shown, blanks at their ends cut off. */
  lines(): string[] {
    const text = this.tmux('capture-pane', '-p', '-J', '-S', '-');
    return text.split('\n').map((line) => line.trimEnd());
  }

  /** Waits until the last line that is not empty fits, and gives all of them. */
  async until(last: RegExp): Promise<string[]> {
    const end = Date.now() + PATIENCE;
    for (;;) {
      const lines = this.lines();
      while (lines.at(-1) === '') lines.pop();
      if (last.test(lines.at(-1) ?? '')) return lines;
      if (Date.now() > end) throw new Error(`never came up: ${String(last)}\n${lines.slice(-20).join('\n')}`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY));
    }
  }

  /** Types a line at the prompt, and gives the lines that it prints. */
  async ask(line: string): Promise<string[]> {
    const before = (await this.until(/^kd>$/)).length;
    this.type(line);
    this.press('Enter');
    // The prompt alone in a line comes after what was printed.
    for (;;) {
      const lines = await this.until(/^kd>$/);
      if (lines.length > before) return lines.slice(before, -1);
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY));
    }
  }

  close(): void {
    this.tmux('kill-server');
  }

  private tmux(...args: string[]): string {
    return execFileSync('tmux', ['-L', this.server, ...args], { encoding: 'utf8' });
  }
}

/** A tab as a terminal shows it. */
export const withoutTabs = (line: string): string => {
  let text = '';
  for (const c of line) text += c === '\t' ? ' '.repeat(8 - (text.length % 8)) : c;
  return text.trimEnd();
};
