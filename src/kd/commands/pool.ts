/** The commands of the leak runbook: memory totals and pool tags. */

import { poolfindRow } from '../../views/pool/block-lines.js';
import { pool as blocksOfPage } from '../../views/pool/pool.js';
import { poolFind } from '../../views/pool/poolfind.js';
import { poolVal } from '../../views/pool/poolval.js';
import { verifier } from '../../views/pool/verifier.js';
import { poolTag } from '../../views/pooltag.js';
import { poolUsed } from '../../views/poolused.js';
import { isWrong } from '../../views/view.js';
import { vm } from '../../views/vm.js';
import { unquoted } from '../../views/words.js';
import type { Call, Family } from '../command.js';
import { KdError } from '../kd-error.js';
import { EXTENSION_RESULT } from '../registers.js';
import { showWords, sourceOf, withValue } from '../views.js';

/** Blocks that one `!poolfind -x` runs its command for. */
const MOST_RUNS = 100_000;

/** `!poolfind`, with `-x` a command after the row of each block, its address in `@$extret`. */
async function findBlocks({ session, words }: Call): Promise<void> {
  const at = words.findIndex((word) => word.toLowerCase() === '-x');
  if (at < 0) return showWords(session, poolFind, words);
  const command = unquoted(words[at + 1] ?? '');
  if (command === '') throw new KdError('!poolfind -x wants a command in quotes: -x "!pool @$extret 2"');
  const wanted = poolFind.words(words.toSpliced(at, 2));
  if (isWrong(wanted)) throw new KdError(wanted.error);
  const { blocks, wide } = await poolFind.read(sourceOf(session), { ...wanted, limit: MOST_RUNS });
  for (const block of blocks) {
    session.out.check();
    await session.out.text(poolfindRow(block, wide));
    session.registers.set(EXTENSION_RESULT, block.address);
    await session.run(command);
  }
  if (blocks.length === MOST_RUNS) await session.out.line(`!poolfind -x ended after ${MOST_RUNS} blocks: there may be more`); // prettier-ignore
}

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
        ['4', 'terminal server sessions and their commit'],
      ],
      standing: 'differs',
      differs:
        'Rows that the dump has no source for say n/a, and rows of the newest debuggers that dumpleak does not read (kernel stacks, MDL pages, ...) are left out; of processes, SharedCommit and Debt are n/a. Of sessions only the commit is known: the figures of their pool are n/a, for no published output tells which they are. Flags 2 and 10 (stacks of threads that wait), 8 (the log of page file writes, whose structures are not known) and 20 (regions of the kernel, whose table is not read) are not here.',
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
      usage: ['!poolfind Tag [PoolType]', '!poolfind -tag Tag [-nonpaged | -paged] [-x "Command"]'],
      summary: 'All blocks of a tag',
      flags: [
        ['0', 'nonpaged pool, as without it; -nonpaged'],
        ['1', 'paged pool; -paged'],
        ['2', 'special pool: only said that it is not searched'],
        ['4', 'session pool: only said that it is not read; -session'],
        ['-x "Command"', 'a command for each block, its address in @$extret'],
      ],
      standing: 'differs',
      differs:
        'Blocks come from the walk of all of the pool, also of the segment heap that the debugger often cannot read; how many there were, what the tag table says and what could not be walked stands below. With -x the row of each block stands before what the command prints, and the lines around the rows are left out.',
      run: findBlocks,
    },
    {
      names: ['!pool'],
      usage: ['!pool Address [Flags]'],
      summary: 'The block that holds an address, and its neighbours',
      flags: [
        ['0', 'all blocks of the page'],
        ['1', 'with the first 32 bytes behind each header, as the debugger also past the end of a smaller block'],
        ['2', 'the block alone'],
        ['80000000', 'without what lists of tags say'],
      ],
      standing: 'differs',
      differs: 'What the allocator keeps of freed blocks is told.',
      run: async ({ session, words }) => showWords(session, blocksOfPage, await withValue(session, words, 0)),
    },
    {
      names: ['!poolval'],
      usage: ['!poolval Address [Level]'],
      summary: 'Checks the blocks of a pool page',
      flags: [
        ['0', 'whether the page holds together, and how its blocks follow each other'],
        ['1', 'the same'],
        ['2', 'and the headers: size, previous size, tag'],
        ['3', 'and all that the headers say'],
      ],
      standing: 'differs',
      differs:
        'No output of the debugger with headers is known: their look is ours. The segment heap is checked by its own rules; the debugger calls each of its pages invalid.',
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
      differs:
        'Of the log, the newest 100 entries; of a driver, 100 allocations. Flags 4, 8, 40, 100, 200, 400 and 800 say in a line each that they are not here, for the layouts of what they show are not known; beside others, as in !verifier f, these are shown.',
      run: async ({ session, words }) => showWords(session, verifier, words[0] === undefined ? words : await withValue(session, words, /^(?:0x)?80$/i.test(words[0]) ? 1 : -1)), // prettier-ignore
    },
  ],
};
