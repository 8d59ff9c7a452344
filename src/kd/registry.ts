/**
 * The commands of the prompt. To add some: a file in `commands/` that exports a `Family` (or a line in one), and a line here.
 * docs/kd.md is compared with this list by a test.
 */

import { Catalog } from './catalog.js';
import { analysis } from './commands/analysis.js';
import { code } from './commands/code.js';
import { control } from './commands/control.js';
import { devices } from './commands/devices.js';
import { flow } from './commands/flow.js';
import { irps } from './commands/irps.js';
import { memory } from './commands/memory.js';
import { modules } from './commands/modules.js';
import { numbers } from './commands/numbers.js';
import { objects } from './commands/objects.js';
import { paging } from './commands/paging.js';
import { pool } from './commands/pool.js';
import { stacks } from './commands/stacks.js';
import { symbols } from './commands/symbols.js';
import { types } from './commands/types.js';
import { system } from './commands/system.js';

export const KD = new Catalog([
  ...[pool, analysis, modules, memory, objects, devices, irps, paging, symbols, types, code, stacks, system],
  ...[numbers, flow, control],
]);
