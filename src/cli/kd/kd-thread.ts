/**
 * The thread that runs the commands of a prompt: they are long synchronous work, during which the prompt must hear Ctrl+C. It
 * opens the dump by itself.
 */

import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { setEngine } from '../../engine.js';
import { complete } from '../../kd/completion.js';
import { Stopped } from '../../kd/kd-error.js';
import { endingOf } from '../errors.js';
import { EXIT } from '../exit-codes.js';
import { readDump } from '../read-dump.js';
import type { FromThread, ThreadStart, ThreadState, ToThread } from './messages.js';
import { openSession, type OpenSession } from './open-session.js';
import { codeOf } from './run-script.js';

setEngine();
if (parentPort !== null) void serve(parentPort, workerData as ThreadStart);

async function serve(port: MessagePort, start: ThreadStart): Promise<void> {
  const say = (message: FromThread): void => {
    port.postMessage(message);
  };
  const stop = new Int32Array(start.stop);
  let shown = (): void => undefined;
  const nowhere = { write: (_text: string, done?: () => void): boolean => (done?.(), true) };
  const host = { env: start.env, platform: process.platform, stdout: nowhere, stderr: nowhere };
  try {
    await readDump(start.args, host, async (opened, _progress, symbols) => {
      const session = openSession(opened, symbols, start.args, start.env, {
        write: async (text) =>
          new Promise((resolve) => {
            shown = resolve;
            say({ kind: 'text', text });
          }),
        stopped: () => Atomics.load(stop, 0) !== 0,
      });
      if (start.state !== null) await restore(session, start.state);
      await new Promise<void>((resolve) => {
        port.on('message', (message: ToThread) => {
          if (message.kind === 'shown') shown();
          else if (message.kind === 'line') void runLine(session, message.text, say).catch(die);
          else if (message.kind === 'complete') void answer(session, message.line, say).catch(die);
          else resolve();
        });
        say({ kind: 'ready' });
      });
      session.close();
    });
  } catch (error) {
    die(error);
  }
  port.close();

  function die(error: unknown): void {
    const { code, text } = endingOf(error, 'kd', (start.env['DUMPLEAK_DEBUG'] ?? '') !== '');
    say({ kind: 'failed', code, text });
  }
}

async function runLine(session: OpenSession, text: string, say: (message: FromThread) => void): Promise<void> {
  const { interpreter, host } = session;
  try {
    host.note(`kd> ${text}\n`);
    const { quit, failed } = await interpreter.line(text);
    say({ kind: 'ended', quit, code: codeOf(failed), state: stateOf(session) });
  } catch (error) {
    if (!(error instanceof Stopped)) throw error;
    say({ kind: 'ended', quit: false, code: EXIT.interrupted, state: stateOf(session) });
  }
}

async function answer(session: OpenSession, line: string, say: (message: FromThread) => void): Promise<void> {
  say({ kind: 'completions', found: await complete(session.interpreter.session, line) });
}

function stateOf({ interpreter, host, changedPath }: OpenSession): ThreadState {
  return { ...interpreter.session.state, log: host.log, symbolPath: changedPath() };
}

/** What the thread before this one had: also its log, which goes on. */
async function restore({ interpreter, host }: OpenSession, state: ThreadState): Promise<void> {
  interpreter.session.restore(state);
  if (state.log !== null) host.openLog(state.log, { append: true });
  if (state.symbolPath !== null) interpreter.session.symbols.use(await host.openSymbols(state.symbolPath));
}
