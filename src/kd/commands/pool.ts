/** The commands of the leak runbook: memory totals and pool tags. */

import { pool as blocksOfPage } from '../../views/pool/pool.js';
import { poolFind } from '../../views/pool/poolfind.js';
import { poolVal } from '../../views/pool/poolval.js';
import { verifier } from '../../views/pool/verifier.js';
import { poolTag } from '../../views/pooltag.js';
import { poolUsed } from '../../views/poolused.js';
import { isWrong } from '../../views/view.js';
import { vm } from '../../views/vm.js';
import type { Family } from '../command.js';
import { KdError } from '../kd-error.js';
import { showWords, withValue } from '../views.js';

export const pool: Family = {
  title: 'Pool and memory',
  commands: [
    {
      names: ['!vm'],
      usage: ['!vm [Flags]'],
      summary: 'Memory totals',
      flags: [
        ['0', 'the totals and the processes by commit, as without flags'],
        ['1', 'the totals without processes'],
      ],
      standing: 'differs',
      differs:
        'Rows that the dump has no source for say n/a, and rows of the newest debuggers that dumpleak does not read (kernel stacks, MDL pages, ...) are left out; of processes, SharedCommit and Debt are n/a. Flags 2, 4, 8, 10 and 20 are not here.',
      run: async ({ session, words }) => showWords(session, vm, words),
    },
    {
      names: ['!poolused'],
      usage: ['!poolused [/tN] [Flags [TagString]]'],
      summary: 'What each pool tag holds',
      flags: [
        ['0', 'by tag'],
        ['1', 'verbose: allocations and frees since boot'],
        ['2', 'by nonpaged bytes'],
        ['4', 'by paged bytes'],
        ['8', 'session pool'],
        ['/tN', 'the first N rows only'],
      ],
      standing: 'same',
      run: async ({ session, words }) => showWords(session, poolUsed, words),
    },
    {
      names: ['!pooltag'],
      usage: ['!pooltag Tag'],
      summary: 'What the lists of tags say of one',
      standing: 'ours',
      differs: 'The debugger prints the line of pooltag.txt alone; here each list that has the tag is named.',
      run: async ({ session, words }) => {
        const wanted = poolTag.words(words);
        if (isWrong(wanted)) throw new KdError(wanted.error);
        const found = await poolTag.read({ lists: session.lists }, wanted);
        await session.out.text(poolTag.text(found, wanted));
      },
    },
    {
      names: ['!poolfind'],
      usage: ['!poolfind Tag [PoolType]', '!poolfind -tag Tag [-nonpaged | -paged]'],
      summary: 'All blocks of a tag',
      flags: [
        ['0', 'nonpaged pool, as without it; -nonpaged'],
        ['1', 'paged pool; -paged'],
      ],
      standing: 'differs',
      differs:
        'Blocks come from the walk of all of the pool, also of the segment heap that the debugger often cannot read; how many there were, what the tag table says and what could not be walked stands below.',
      run: async ({ session, words }) => showWords(session, poolFind, words),
    },
    {
      names: ['!pool'],
      usage: ['!pool Address [Flags]'],
      summary: 'The block that holds an address, and its neighbours',
      flags: [
        ['0', 'all blocks of the page'],
        ['2', 'the block alone'],
      ],
      standing: 'differs',
      differs: 'What the allocator keeps of freed blocks is told.',
      run: async ({ session, words }) => showWords(session, blocksOfPage, await withValue(session, words, 0)),
    },
    {
      names: ['!poolval'],
      usage: ['!poolval Address'],
      summary: 'Checks the blocks of a pool page',
      standing: 'differs',
      differs: 'The segment heap is checked by its own rules; the debugger calls each of its pages invalid.',
      run: async ({ session, words }) => showWords(session, poolVal, await withValue(session, words, 0)),
    },
    {
      names: ['!verifier'],
      usage: ['!verifier [Flags [Image]]', '!verifier 80 [Quantity | Address]'],
      summary: 'What Driver Verifier tracked',
      flags: [
        ['0', 'level and statistics'],
        ['1', 'drivers and their totals'],
        ['3', 'and what each has not freed'],
        ['80', 'the log of allocations and frees'],
      ],
      standing: 'differs',
      differs: 'Of the log, the newest 100 entries; of a driver, 100 allocations.',
      run: async ({ session, words }) => showWords(session, verifier, words[0] === undefined ? words : await withValue(session, words, /^(?:0x)?80$/i.test(words[0]) ? 1 : -1)), // prettier-ignore
    },
  ],
};
