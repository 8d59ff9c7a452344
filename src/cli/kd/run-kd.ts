/** `dumpleak kd` from its arguments to its exit code: what is run without a prompt, and then the prompt on a terminal. */

import { createInterface } from 'node:readline';
import { KdError, Stopped } from '../../kd/kd-error.js';
import { FileError } from '../errors.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { readDump } from '../read-dump.js';
import type { Host, Output } from '../terminal/output.js';
import type { RunKdArguments } from './kd-arguments.js';
import { openSession } from './open-session.js';
import { readScript } from './read-script.js';
import { runScript } from './run-script.js';

/** Throws FileError for a script that cannot be read, and what opening a dump throws. */
export async function runKd(args: RunKdArguments, output: Output, host: Host): Promise<ExitCode> {
  const given = givenLines(args);
  const { stdin, stdout } = host;
  if (stdin?.isTTY === true && stdout.isTTY === true && args.output === undefined) {
    const { runPrompt } = await import('./prompt.js');
    return runPrompt(args, given ?? [], { stdin: stdin, host, output });
  }
  return readDump(args, host, async (opened, _progress, symbols) => {
    const session = openSession(opened, symbols, args, host.env, {
      write: async (text) => output.part(text),
      stopped: () => output.closed,
    });
    try {
      const { code } = await runScript(session, given ?? inputLines(host));
      await output.end();
      return code;
    } catch (error) {
      if (error instanceof Stopped) return EXIT.done;
      throw error;
    } finally {
      session.close();
    }
  });
}

/** The lines of `-c` or `-cf`; null where neither is given. */
function givenLines(args: RunKdArguments): readonly string[] | null {
  if (args.command !== undefined) return args.command.split(/\r?\n/);
  const file = args['command-file'];
  if (file === undefined) return null;
  try {
    return readScript(file).split(/\r?\n/);
  } catch (error) {
    throw error instanceof KdError ? new FileError(error.message) : error;
  }
}

/** The lines of a pipe. */
async function* inputLines({ stdin }: Host): AsyncIterable<string> {
  if (stdin === undefined) return;
  yield* createInterface({ input: stdin, crlfDelay: Infinity });
}
