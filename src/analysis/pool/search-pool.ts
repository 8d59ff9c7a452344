/** All blocks of some tags, step by step, so that rows can be shown as they are found and the search be ended between steps. */

import type { OpenedDump } from '../../kernel/open/opened-dump.js';
import type { PoolCoverage } from '../../kernel/pool/blocks/pool-blocks.js';
import type { PoolKind } from '../../result/result.js';
import { tagFilter } from '../../result/tag.js';
import type { DumpPart } from '../dump-part.js';
import { findBlocks, walkablePool, type BlockRange, type FoundBlock } from './find-blocks.js';
import { tagRow } from './tag-row.js';

/** Which blocks: of a tag as `tagFilter` takes it, of both pools without `pool`, at most `limit`. */
export interface PoolQuestion {
  readonly tag: string;
  readonly pool?: PoolKind | undefined;
  readonly limit?: number | undefined;
}

/** What is known at the end of a search. */
export interface PoolSearchEnd extends DumpPart {
  readonly rows: number;
  readonly bytes: number;
  readonly ending: 'whole' | 'limit' | 'interrupted';
  /** What the tag tables say; null where they cannot be read whole. */
  readonly expected: { readonly outstanding: number; readonly bytes: number } | null;
  readonly coverage: PoolCoverage;
  /** Where was searched: the big-page table and, of one pool, its range. Null where that is not known. */
  readonly table: BlockRange | null;
  readonly range: BlockRange | null;
}

export interface PoolSearch extends Pick<PoolSearchEnd, 'table' | 'range'> {
  readonly wide: boolean;
  /** The big allocations in the first step, whether there are any or not; then the small ones part by part. */
  readonly steps: AsyncGenerator<readonly FoundBlock[], PoolSearchEnd>;
}

interface Watched {
  readonly progress?: ((step: string, done: number, total: number) => void) | undefined;
  readonly stopped?: (() => boolean) | undefined;
}

/** Begins a search. Throws InputError where there is no pool that can be walked. */
export function searchPool(opened: OpenedDump, question: PoolQuestion, watched: Watched = {}): PoolSearch {
  const { pool, wide, about } = walkablePool(opened);
  const matches = tagFilter(question.tag) ?? (() => false);
  const paged = question.pool === undefined ? null : question.pool === 'paged';
  const limit = question.limit ?? Infinity;
  const search = findBlocks(pool, { matches, paged });
  const { table, range } = search;
  async function* steps(): AsyncGenerator<readonly FoundBlock[], PoolSearchEnd> {
    let [rows, bytes, done] = [0, 0, 0];
    let ending: PoolSearchEnd['ending'] = 'whole';
    for (const found of search.steps) {
      const taken = found.slice(0, limit - rows);
      rows += taken.length;
      for (const { size } of taken) bytes += size;
      if (taken.length < found.length) ending = 'limit';
      yield taken;
      watched.progress?.('searching pool', done++, search.parts);
      // Lets a signal be heard.
      await new Promise(setImmediate);
      if (watched.stopped?.() === true) ending = 'interrupted';
      if (ending !== 'whole') break;
    }
    return {
      ...about,
      table,
      range,
      rows,
      bytes,
      ending,
      expected: tagRow(opened, matches, paged),
      coverage: search.coverage(),
    };
  }
  return { wide, table, range, steps: steps() };
}
