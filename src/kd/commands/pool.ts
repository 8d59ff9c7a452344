/** The commands of the leak runbook: memory totals and pool tags. */

import { poolTag } from '../../views/pooltag.js';
import { poolUsed } from '../../views/poolused.js';
import { isWrong } from '../../views/view.js';
import { vm } from '../../views/vm.js';
import type { Family } from '../command.js';
import { KdError } from '../kd-error.js';
import { showWords } from '../views.js';

export const pool: Family = {
  title: 'Pool and memory',
  commands: [
    {
      names: ['!vm'],
      usage: ['!vm [Flags]'],
      summary: 'Memory totals',
      flags: [['1', 'the totals without processes']],
      standing: 'same',
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
  ],
};
