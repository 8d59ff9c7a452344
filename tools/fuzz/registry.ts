/** All targets of the fuzzer. A new parser is one more entry in one of the lists. */

import { SELF_TEST_TARGETS } from './self-test.js';
import type { FuzzTarget } from './target.js';
import { ACCUSED_TARGETS } from './targets/accused.js';
import { COMMAND_TARGETS } from './targets/commands.js';
import { CONTAINER_TARGETS } from './targets/containers.js';
import { DUMP_TARGETS } from './targets/dumps.js';
import { HEAP_TARGETS } from './targets/heaps.js';
import { IMAGE_TARGETS } from './targets/images.js';
import { JOURNAL_TARGETS } from './targets/journals.js';
import { SYMBOL_TARGETS } from './targets/symbol-files.js';
import { TEXT_TARGETS } from './targets/texts.js';

export const TARGETS: readonly FuzzTarget[] = [
  ...DUMP_TARGETS,
  ...ACCUSED_TARGETS,
  ...CONTAINER_TARGETS,
  ...SYMBOL_TARGETS,
  ...IMAGE_TARGETS,
  ...TEXT_TARGETS,
  ...HEAP_TARGETS,
  ...JOURNAL_TARGETS,
  ...COMMAND_TARGETS,
];

/** The target of that name. Throws an Error that lists the names. */
export function targetNamed(name: string): FuzzTarget {
  const found = [...TARGETS, ...SELF_TEST_TARGETS].find((target) => target.name === name);
  if (found === undefined) throw new Error(`no target ${name}; there are: ${TARGETS.map((t) => t.name).join(', ')}`);
  return found;
}
