/** `!thread`: one thread, as `!process` with flag 2 shows it. */

import type { DumpPart } from '../../analysis/dump-part.js';
import type { ThreadFields } from '../../kernel/objects/threads.js';
import type { ProcessBlock } from '../../result/object-parts.js';
import { hasWideAddresses, noFigures } from '../print/dump-kind.js';
import type { View } from '../view.js';
import { debuggerNumber, noAddress, typedAddress } from '../words.js';
import { NO_STACKS, STACK_FLAG, THREAD_FLAGS, threadLines, type RunsOn } from './process-details.js';

export interface ThreadWanted {
  readonly address: bigint;
  readonly flags: number;
}

/** Details and the stack, which the prompt alone shows. */
const USUAL = 6;

export type ThreadFound = DumpPart & {
  readonly threads: readonly ThreadFields[] | null;
  readonly blocks: readonly ProcessBlock[];
};

/** The text in pieces: where its stack stands, the thread itself. */
export function* threadPieces(
  found: ThreadFound,
  { address, flags }: ThreadWanted,
  runsOn: RunsOn = () => null,
): Generator<string | ThreadFields, void, void> {
  const wide = hasWideAddresses(found);
  if (found.threads === null) return yield `${noFigures(found.dump, 'list of threads')}\n`;
  const one = found.threads.find((each) => each.address === address);
  if (one === undefined) return yield `${address.toString(16).padStart(wide ? 16 : 8, '0')} is not a thread\n`;
  const owner = found.blocks.find(({ pid }) => Number(pid) === one.pid) ?? null;
  const lines = threadLines(one, owner, wide, '', runsOn(one));
  yield flags === 0 ? `${lines[0] ?? ''}\n` : `${lines.join('\n')}\n`;
  if ((flags & STACK_FLAG) !== 0) yield one;
}

export const thread: View<ThreadWanted, ThreadFound> = {
  command: '!thread',
  shell: 'kd MEMORY.DMP -c "!thread ADDRESS"',
  words: ([word, flagWord, ...more]) => {
    if (word === undefined || word === '-1' || more.length > 0) return { error: '!thread wants an address: !process 0 2 lists threads' }; // prettier-ignore
    const [address, flags] = [typedAddress(word), flagWord === undefined ? USUAL : debuggerNumber(flagWord)];
    if (address === null) return { error: noAddress(word) };
    return flags === null || flags > THREAD_FLAGS ? { error: `of the flags of !thread there are 0, 2, 4, 8 and 10: not ${flagWord ?? ''}` } : { address, flags }; // prettier-ignore
  },
  read: async ({ opened }) =>
    (await import('../../analysis/objects/inventory.js')).describeProcesses(opened, { details: false, threadsOf: () => true }), // prettier-ignore
  text: (found, wanted) =>
    [...threadPieces(found, wanted)].map((piece) => (typeof piece === 'string' ? piece : `${NO_STACKS}\n`)).join(''),
  json: ({ schemaVersion, dump, system, threads, warnings }, { address }) => ({
    ...{ schemaVersion, dump, system, warnings },
    thread: threads?.find((each) => each.address === address) ?? null,
  }),
};
