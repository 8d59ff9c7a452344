/** What the commands that show pool blocks share. */

import { InputError } from '../../parsers/bytes/input-error.js';
import { describeDump } from '../analysis/dump-info.js';
import { openBlocks } from '../analysis/pool-find.js';
import { readSystem } from '../analysis/system-info.js';
import type { OpenedDump } from '../kernel/open/opened-dump.js';
import type { PoolBlocks } from '../kernel/pool/blocks/pool-blocks.js';
import { SCHEMA_VERSION, type Warning } from '../result/result.js';

/** The pools of a dump. Throws InputError where there is no pool that can be walked. */
export function blocksOf(opened: OpenedDump): { pool: PoolBlocks; warnings: Warning[]; wide: boolean } {
  const { blocks, warnings } = openBlocks(opened.kernel);
  if (blocks === null || (blocks.form === 'none' && blocks.bigPages === null)) {
    const why = warnings.map(({ message }) => message).join('; ');
    throw new InputError(
      'wrong-kind',
      `${opened.path} holds no pool memory that can be walked${why === '' ? '' : `: ${why}`}`,
    );
  }
  return { pool: blocks, warnings: [...warnings], wide: blocks.memory.pointerSize === 8 };
}

/** What a command writes as JSON: its part between the dump it is about and what was found wrong. */
export function partOf(opened: OpenedDump, part: object, warnings: readonly Warning[] = []): object {
  const about = { schemaVersion: SCHEMA_VERSION, dump: describeDump(opened), system: readSystem(opened.kernel) };
  return { ...about, ...part, warnings };
}
