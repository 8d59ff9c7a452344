/** The prompt on a terminal: line editing with history and completion, Ctrl+C that stops a command, output by the screen. */

import { createInterface, type Interface } from 'node:readline';
import type { ReadStream } from 'node:tty';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { onEndingSignals } from '../interrupt.js';
import { writeTo, type Host, type Output } from '../terminal/output.js';
import { wholeLines } from '../../kd/line/whole-lines.js';
import { VERSION } from '../../version.js';
import type { RunKdArguments } from './kd-arguments.js';
import { Pager, type PageKey } from './pager.js';
import { ThreadClient, ThreadFailure } from './thread-client.js';

const PROMPT = 'kd> ';
/** Lines that can be called back. */
const MOST_HISTORY = 1000;
/** Characters typed ahead while a command runs. */
const MOST_AHEAD = 64 * 1024;
const CTRL_C = '\u0003';

/** What a prompt is asked on. */
export interface Terminal {
  readonly stdin: ReadStream;
  readonly host: Host;
  readonly output: Output;
}

/** Runs the first lines, then asks for more until `q` or the end of input. Gives the exit code. */
export async function runPrompt(
  args: RunKdArguments,
  first: readonly string[],
  { stdin, host, output }: Terminal,
): Promise<ExitCode> {
  const thread = new ThreadClient(args, host.env);
  const prompt = new Prompt(stdin, host, output, thread);
  const release = onEndingSignals((code) => () => {
    void thread.end().finally(() => process.exit(code));
  });
  try {
    await thread.start();
    return await prompt.loop(first);
  } catch (error) {
    if (!(error instanceof ThreadFailure)) throw error;
    await writeTo(host.stderr, error.text);
    return error.code;
  } finally {
    release();
    await thread.close();
    stdin.pause();
  }
}

class Prompt {
  private history: string[] = [];
  private ahead = '';
  private waiting: ((key: PageKey) => void) | null = null;
  private readonly pager: Pager;

  constructor(
    private readonly stdin: ReadStream,
    private readonly host: Host,
    private readonly output: Output,
    private readonly thread: ThreadClient,
  ) {
    this.pager = new Pager(
      host.stdout,
      async (text) => output.text(text),
      async () => new Promise((resolve) => (this.waiting = resolve)),
    );
  }

  async loop(first: readonly string[]): Promise<ExitCode> {
    let code: ExitCode = EXIT.done;
    for (const line of first.length === 0 ? first : wholeLines(first.join('\n'))) {
      if (line.trim() === '') continue;
      const ended = await this.run(line);
      if (code === EXIT.done) code = ended.code;
      if (ended.quit) return code;
    }
    if (first.length === 0) {
      await this.output.text(`dumpleak ${VERSION}. .help lists the commands, q ends.\n`);
      await this.run('vertarget');
    }
    for (;;) {
      const line = await this.ask();
      if (line === null) return EXIT.done;
      if (line.trim() === '') continue;
      if ((await this.run(line)).quit) return EXIT.done;
    }
  }

  /** A line; null at the end of input. */
  private async ask(): Promise<string | null> {
    const { stdin, host } = this;
    const line = await new Promise<string | null>((resolve) => {
      const reader: Interface = createInterface({
        input: stdin,
        output: host.stdout as unknown as NodeJS.WritableStream,
        terminal: true,
        prompt: PROMPT,
        history: this.history,
        historySize: MOST_HISTORY,
        removeHistoryDuplicates: true,
        completer: (typed: string, done: (error: null, found: [string[], string]) => void) => {
          void this.thread.complete(typed).then(({ candidates, word }) => {
            done(null, [[...candidates], word]);
          });
        },
      });
      let isOver = false;
      /** Lines that came in one piece with the one that is taken: they were pasted. */
      const pasted: string[] = [];
      const end = (text: string | null): void => {
        if (isOver) {
          if (text !== null) pasted.push(`${text}\r`);
          return;
        }
        isOver = true;
        // What came with it has been heard by then.
        setImmediate(() => {
          this.ahead = `${pasted.join('')}${pasted.length > 0 || text === '' ? '' : reader.line}`;
          reader.close();
          resolve(text);
        });
      };
      reader.on('history', (lines: string[]) => (this.history = [...lines]));
      reader.on('line', (text) => {
        end(text);
      });
      reader.on('SIGINT', () => {
        host.stdout.write('^C\n');
        end('');
      });
      reader.on('close', () => {
        if (!isOver) host.stdout.write('\n');
        end(null);
      });
      reader.prompt();
      if (this.ahead !== '') {
        const typed = this.ahead;
        this.ahead = '';
        // What was typed while a command ran.
        stdin.unshift(Buffer.from(typed));
      }
    });
    return line;
  }

  /** Runs a line, while keys are heard for Ctrl+C and for the pager. */
  private async run(line: string): Promise<{ quit: boolean; code: ExitCode }> {
    const { stdin, thread, pager } = this;
    const hear = (data: Buffer | string): void => {
      this.hear(data.toString());
    };
    pager.begin();
    stdin.setRawMode(true);
    stdin.on('data', hear);
    stdin.resume();
    try {
      const ended = await thread.run(line, async (text) => {
        if (thread.stopping) return;
        if (!(await pager.show(text))) thread.interrupt();
      });
      if (ended.restarted) {
        await this.output.text(
          'The command did not hear that it was stopped: it was ended, and the dump opened again.\n',
        );
      }
      return ended;
    } finally {
      stdin.off('data', hear);
      stdin.pause();
      stdin.setRawMode(false);
    }
  }

  private hear(typed: string): void {
    if (typed.includes(CTRL_C)) {
      this.ahead = '';
      this.host.stdout.write('^C\n');
      this.thread.interrupt();
      this.answer('stop');
      return;
    }
    for (const key of typed) {
      if (this.waiting === null) {
        if (this.ahead.length < MOST_AHEAD) this.ahead += key;
      } else if (key === 'q' || key === 'Q') this.answer('stop');
      else if (key === 'a' || key === 'A') this.answer('all');
      else if (key === '\r' || key === '\n') this.answer('line');
      else if (key === ' ') this.answer('page');
    }
  }

  private answer(key: PageKey): void {
    const { waiting } = this;
    this.waiting = null;
    waiting?.(key);
  }
}
