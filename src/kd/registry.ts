/**
 * The commands of the prompt. To add some: a file in `commands/` that exports a `Family` (or a line in one), and a line here.
 * docs/kd.md is compared with this list by a test.
 */

import { Catalog } from './catalog.js';
import { control } from './commands/control.js';
import { numbers } from './commands/numbers.js';
import { pool } from './commands/pool.js';
import { symbols } from './commands/symbols.js';
import { system } from './commands/system.js';

export const KD = new Catalog([pool, symbols, system, numbers, control]);
