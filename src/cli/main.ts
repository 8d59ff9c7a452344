#!/usr/bin/env node
/** The program `dumpleak`. */

import '../engine.js';
import { run } from './run.js';

// Whoever writes hears of a failure by its callback; without listeners the same failure would end the process.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);

// Not process.exit: what was written may still be on its way.
process.exitCode = await run(process.argv.slice(2), process);
