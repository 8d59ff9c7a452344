/** Runs lines of commands one after the other, without a prompt: of `-c`, of a file, of a pipe. */

import type { KdErrorKind } from '../../kd/kd-error.js';
import { LineJoiner } from '../../kd/line/whole-lines.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import type { OpenSession } from './open-session.js';

/** The exit code that stands for how a line ended. */
export const codeOf = (failed: KdErrorKind | null): ExitCode =>
  failed === null ? EXIT.done : failed === 'usage' ? EXIT.usage : EXIT.badInput;

/** How a script ended. */
export interface ScriptEnd {
  /** `q` was among the commands. */
  readonly quit: boolean;
  readonly code: ExitCode;
}

/** Lines that belong together as one. */
async function* joined(lines: AsyncIterable<string> | Iterable<string>): AsyncGenerator<string> {
  const joiner = new LineJoiner();
  for await (const line of lines) yield* joiner.push(line);
  yield* joiner.end();
}

/**
 * Runs all lines, or those up to `q`. The exit code is that of the first command that failed: 64 for one that makes no sense, 2
 * for one that the dump has no answer to.
 */
export async function runScript(
  { interpreter, host }: OpenSession,
  lines: AsyncIterable<string> | Iterable<string>,
): Promise<ScriptEnd> {
  let code: ExitCode = EXIT.done;
  for await (const line of joined(lines)) {
    if (line.trim() === '') continue;
    host.note(`kd> ${line}\n`);
    const { quit, failed } = await interpreter.line(line);
    if (code === EXIT.done) code = codeOf(failed);
    if (quit) return { quit, code };
  }
  return { quit: false, code };
}
