/** All published field cases, in the order of their numbers. */

import { DRIVERS } from './drivers.js';
import { ENDED_PROCESSES } from './ended-processes.js';
import type { FieldCase } from './field-case.js';
import { HANDLES } from './handles.js';
import { NOT_POOL } from './not-pool.js';
import { VICTIMS } from './victims.js';

export const FIELD_CASES: readonly FieldCase[] = [
  ...ENDED_PROCESSES,
  ...HANDLES,
  ...VICTIMS,
  ...DRIVERS,
  ...NOT_POOL,
].toSorted((a, b) => a.number - b.number);
