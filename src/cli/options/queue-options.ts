/** Options of the commands that work on the queue. */

import type { Options } from 'yargs';
import type { Mapping } from '../../batch/queue/path-map.js';
import { readMapping } from '../../batch/queue/path-map.js';
import { WORK } from './reading-many.js';

export const MAP = {
  type: 'array',
  string: true,
  requiresArg: true,
  coerce: (values: unknown): Mapping[] =>
    [values].flat().map((text) => {
      const mapping = readMapping(String(text));
      if (mapping === null) throw new Error('--map wants two prefixes, as /mnt/dumps=\\\\server\\dumps');
      return mapping;
    }),
  describe: 'Paths of the queue that begin with the first prefix begin with the second here: /mnt/dumps=\\\\server\\dumps', // prettier-ignore
  group: WORK,
} as const satisfies Options;
