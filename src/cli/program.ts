/** The program, once it is known that this Node can run it. */

import { setEngine } from '../engine.js';
import { EXIT } from './exit-codes.js';
import { run } from './run.js';

/** Runs the command line of this process, and leaves the exit code to it. */
export function start(): void {
  setEngine();
  // Whoever writes hears of a failure by its callback; without listeners the same failure would end the process.
  process.stdout.on('error', () => undefined);
  process.stderr.on('error', () => undefined);
  // For an end without a result. Not process.exit at the end: what was written may still be on its way.
  process.exitCode = EXIT.internal;
  void run(process.argv.slice(2), process).then((code) => {
    process.exitCode = code;
  });
}
