/** Runs lines of the prompt: aliases, then one command after the other. A command that fails says so, and the next one runs. */

import { setImmediate as nextTurn } from 'node:timers/promises';
import { InputError } from '../../parsers/bytes/input-error.js';
import { printable } from '../../parsers/text-safety.js';
import { viewOf } from '../views/registry.js';
import type { View } from '../views/view.js';
import { Call } from './command.js';
import { isLeave } from './commands/flow.js';
import { withAliases } from './line/aliases.js';
import { splitLine } from './line/split.js';
import { wholeLines } from './line/whole-lines.js';
import { KdError, Quit, type KdErrorKind } from './kd-error.js';
import type { Session } from './session.js';
import { showWords } from './views.js';

/** Lines in one another: scripts that call scripts, `.foreach` in `.foreach`. */
const DEEPEST = 24;
/** Commands that one line of the user's may come to. */
const MOST_COMMANDS = 1_000_000;
/** Characters of a line, aliases replaced. */
const LONGEST_LINE = 1 << 20;

/** How a line of the user's ended. */
export interface LineEnd {
  readonly quit: boolean;
  /** What kind of failure the first command had that failed; null where all went well. */
  readonly failed: KdErrorKind | null;
}

/** Characters of a message; those behind them are the user's own line again. */
const LONGEST_MESSAGE = 1024;
/** Commands after which signals and the like get their turn. */
const TURN = 4096;

/** Ends a line that ran too many commands: no block around it goes on. */
class Endless extends Error {
  override readonly name = 'Endless';
  constructor(most: number) {
    super(`One line ran ${most} commands: it was ended`);
  }
}

/** Runs lines for a session. */
export class Interpreter {
  private depth = 0;
  private commands = 0;
  private failed: KdErrorKind | null = null;

  /** @param most commands that one line may come to. */
  constructor(
    readonly session: Session,
    private readonly most = MOST_COMMANDS,
  ) {
    session.run = async (text) => this.run(text);
  }

  /** Runs a line of the user's. Throws Stopped when the user stops it, and what is a mistake of this program. */
  async line(text: string): Promise<LineEnd> {
    this.commands = 0;
    this.failed = null;
    this.session.out.begin();
    try {
      await this.run(text);
      return { quit: false, failed: this.failed };
    } catch (error) {
      if (error instanceof Quit) return { quit: true, failed: this.failed };
      if (isLeave(error)) {
        await this.session.out.line(`${error.message} is outside of what it would leave`);
        return { quit: false, failed: 'usage' };
      }
      if (error instanceof Endless) {
        await this.session.out.line(error.message);
        return { quit: false, failed: 'usage' };
      }
      throw error;
    } finally {
      await this.session.out.flush();
    }
  }

  /** Runs a text of commands inside of another command: of a script, of `.foreach`. */
  private async run(text: string): Promise<void> {
    if (this.depth >= DEEPEST) throw new KdError(`Commands call one another more than ${DEEPEST} times deep`);
    this.depth++;
    const before = this.commands;
    try {
      for (const line of wholeLines(text)) {
        const replaced = withAliases(line, this.session.aliases);
        if (replaced.length > LONGEST_LINE) throw new KdError('The line is too long');
        for (const command of splitLine(replaced)) await this.command(command);
      }
      // A loop with nothing in it would never come to an end.
      if (this.commands === before) await this.count();
    } finally {
      this.depth--;
    }
  }

  /** Shows a view of ours that the debugger has no command for: `holders Proc`, `bigpool`. False where there is none. */
  private async showOurs(text: string): Promise<boolean> {
    const ours = viewOf(text);
    if (ours === null) return false;
    await showWords(this.session, ours.view as View<unknown, unknown>, ours.words);
    return true;
  }

  private async count(): Promise<void> {
    this.session.out.check();
    if (++this.commands > this.most) throw new Endless(this.most);
    if (this.commands % TURN === 0) await nextTurn();
  }

  private async command(text: string): Promise<void> {
    const { session } = this;
    await this.count();
    try {
      const { name, command, rest } = session.catalog.read(text);
      if (command !== null) await command.run(new Call(session, name, rest));
      else if (!(await this.showOurs(text))) throw new KdError(session.catalog.noSuch(name));
    } catch (error) {
      if (!(error instanceof KdError || error instanceof InputError)) throw error;
      this.failed ??= error instanceof KdError ? error.kind : 'input';
      const { message } = error;
      await session.out.line(
        printable(message.length > LONGEST_MESSAGE ? `${message.slice(0, LONGEST_MESSAGE)}...` : message),
      );
    }
  }
}
