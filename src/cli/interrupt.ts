/** Ctrl+C, a closed console and the like, while there is something to clean up. */

import { EXIT, type ExitCode } from './exit-codes.js';

/** The signals that end a process, and its exit code then. Ctrl+Break (SIGBREAK) is Windows' own. */
const ENDING: readonly (readonly [NodeJS.Signals, ExitCode])[] = [
  ['SIGINT', EXIT.interrupted],
  ['SIGTERM', EXIT.terminated],
  ['SIGHUP', EXIT.hungUp],
  ...(process.platform === 'win32' ? ([['SIGBREAK', EXIT.interrupted]] as const) : []),
];

/** Has signals that end a process handled. Gives what takes the handlers away again. */
export function onEndingSignals(handler: (code: ExitCode) => () => void): () => void {
  const handlers = ENDING.map(([signal, code]) => [signal, handler(code)] as const);
  for (const [signal, handle] of handlers) process.on(signal, handle);
  return () => {
    for (const [signal, handle] of handlers) process.off(signal, handle);
  };
}

/**
 * Ends the process with the exit code of the signal once `cleanup` has run; temporary files go as the process exits.
 * Without this a signal ends the process on the spot, also in the middle of a long synchronous analysis, in which no
 * handler can run: so it is on only while something must be cleaned up.
 *
 * @returns what takes the handlers away again.
 */
export function onInterrupt(cleanup: () => void): () => void {
  return onEndingSignals((code) => () => {
    cleanup();
    process.exit(code);
  });
}
