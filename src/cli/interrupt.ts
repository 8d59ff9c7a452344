/** Ctrl+C, a closed console and the like, while there is something to clean up. */

import { endingSignals } from '../../parsers/files/when-ending.js';
import { EXIT, type ExitCode } from './exit-codes.js';

/** Exit codes of signals other than Ctrl+C and Ctrl+Break. */
const CODES: Partial<Record<NodeJS.Signals, ExitCode>> = { SIGTERM: EXIT.terminated, SIGHUP: EXIT.hungUp };

/** Has signals that end a process handled. Gives what takes the handlers away again. */
export function onEndingSignals(handler: (code: ExitCode) => () => void, platform = process.platform): () => void {
  const handlers = endingSignals(platform).map(
    (signal) => [signal, handler(CODES[signal] ?? EXIT.interrupted)] as const,
  );
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
