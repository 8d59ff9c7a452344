/** The program, once it is known that this Node can run it. */

import '../engine.js';
import { run } from './run.js';

// Whoever writes hears of a failure by its callback; without listeners the same failure would end the process.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);

// Not process.exit: what was written may still be on its way.
process.exitCode = await run(process.argv.slice(2), process);
