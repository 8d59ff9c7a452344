/** `!thread`: one thread, as `!process` with flag 2 shows it. */

import type { DumpPart } from '../../analysis/dump-part.js';
import type { ThreadFields } from '../../kernel/objects/threads.js';
import type { ProcessBlock } from '../../result/object-parts.js';
import { hasWideAddresses, noFigures } from '../print/dump-kind.js';
import type { View } from '../view.js';
import { debuggerNumber, noAddress, typedAddress } from '../words.js';
import { NO_STACKS, threadLines } from './process-details.js';

interface ThreadWanted {
  readonly address: bigint;
  readonly flags: number;
}

/** Details, and the stack, which is not here. */
const USUAL = 6;

type Found = DumpPart & { readonly threads: readonly ThreadFields[] | null; readonly blocks: readonly ProcessBlock[] };

export const thread: View<ThreadWanted, Found> = {
  command: '!thread',
  shell: 'kd MEMORY.DMP -c "!thread ADDRESS"',
  words: ([word, flagWord, ...more]) => {
    if (word === undefined || word === '-1' || more.length > 0) return { error: '!thread wants an address: !process 0 2 lists threads' }; // prettier-ignore
    const [address, flags] = [typedAddress(word), flagWord === undefined ? USUAL : debuggerNumber(flagWord)];
    if (address === null) return { error: noAddress(word) };
    return flags === null ? { error: `${flagWord ?? ''} is no number` } : { address, flags };
  },
  read: async ({ opened }) =>
    (await import('../../analysis/objects/inventory.js')).describeProcesses(opened, { details: false, threadsOf: () => true }), // prettier-ignore
  text: (found, { address, flags }) => {
    const wide = hasWideAddresses(found);
    if (found.threads === null) return `${noFigures(found.dump, 'list of threads')}\n`;
    const one = found.threads.find((each) => each.address === address);
    if (one === undefined) return `${address.toString(16).padStart(wide ? 16 : 8, '0')} is not a thread\n`;
    const owner = found.blocks.find(({ pid }) => Number(pid) === one.pid) ?? null;
    const lines = threadLines(one, owner, wide, '');
    if (flags === 0) return `${lines[0] ?? ''}\n`;
    return `${lines.join('\n')}\n${(flags & 4) === 0 ? '' : `${NO_STACKS}\n`}`;
  },
  json: ({ schemaVersion, dump, system, threads, warnings }, { address }) => ({
    ...{ schemaVersion, dump, system, warnings },
    thread: threads?.find((each) => each.address === address) ?? null,
  }),
};
