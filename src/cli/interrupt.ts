/** Ctrl+C while there is something to clean up. */

import { EXIT } from './exit-codes.js';

/**
 * Ends the process with the exit code of the signal once `cleanup` has run; temporary files go as the process exits.
 * Without this a signal ends the process on the spot, also in the middle of a long synchronous analysis, in which no
 * handler can run: so it is on only while something must be cleaned up.
 *
 * @returns what takes the handlers away again.
 */
export function onInterrupt(cleanup: () => void): () => void {
  const end = (code: number) => () => {
    cleanup();
    process.exit(code);
  };
  const interrupted = end(EXIT.interrupted);
  const terminated = end(EXIT.terminated);
  process.on('SIGINT', interrupted).on('SIGTERM', terminated);
  return () => {
    process.off('SIGINT', interrupted).off('SIGTERM', terminated);
  };
}
