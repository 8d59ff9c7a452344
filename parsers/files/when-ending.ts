/** What must be undone when the process ends in the middle of something: by itself, or by a signal. */

/**
 * The signals that end a process and can be heard. On Windows Ctrl+Break is `SIGBREAK`, and a console that is closed
 * `SIGHUP`, which leaves some seconds.
 */
export const endingSignals = (platform: NodeJS.Platform = process.platform): readonly NodeJS.Signals[] =>
  platform === 'win32' ? ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGBREAK'] : ['SIGINT', 'SIGTERM', 'SIGHUP'];

const SIGNALS = endingSignals();

const steps = new Set<() => void>();

/**
 * Has `undo` run as the process ends, also when a signal ends it; a program that handles the signal itself decides when to
 * end. `undo` must not throw. Gives what calls it off. While something is to be undone, a signal is heard between two
 * steps of the program only, so nothing long and synchronous may come before it is called off.
 */
export function whenEnding(undo: () => void): () => void {
  if (steps.size === 0) {
    process.on('exit', undoAll);
    for (const signal of SIGNALS) process.on(signal, onSignal);
  }
  steps.add(undo);
  return () => {
    if (steps.delete(undo) && steps.size === 0) release();
  };
}

function undoAll(): void {
  for (const step of steps) step();
  steps.clear();
}

function onSignal(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) > 1) return;
  undoAll();
  release();
  // Nobody else handles it, so it does what it would have done.
  process.kill(process.pid, signal);
}

function release(): void {
  process.off('exit', undoAll);
  for (const signal of SIGNALS) process.off(signal, onSignal);
}
