/** `!process` and `!thread`: processes and threads with their stacks. */

import { hex } from '../../../parsers/bytes/failure.js';
import type { ContextKind } from '../../../parsers/dump/context.js';
import type { ThreadFields } from '../../kernel/objects/threads.js';
import type { RunsOn } from '../../views/objects/process-details.js';
import { processes, processPieces } from '../../views/objects/processes.js';
import { thread as threadView, threadPieces } from '../../views/objects/thread.js';
import { isWrong } from '../../views/view.js';
import type { KdCommand } from '../command.js';
import { KdError } from '../kd-error.js';
import { BY_FRAME_POINTERS, stackRow, stackTitle } from '../show/stack-lines.js';
import type { Session } from '../session.js';
import { currentProcess, currentThread } from '../stack/current.js';
import { contextKind, processorOf } from '../stack/processors.js';
import { threadStack } from '../stack/threads.js';
import type { Stack } from '../stack/walk.js';
import { showView, sourceOf, withValue } from '../views.js';

/** Frames of one thread. */
const MOST = 0x100;
/** Of the flags: stacks without arguments. */
const NO_ARGUMENTS = 8;

const runsOn =
  (session: Session): RunsOn =>
  ({ address }) =>
    processorOf(session.opened, address)?.number ?? null;

/** What a view gives in pieces; in place of a thread, its stack. */
async function showPieces(
  session: Session,
  pieces: Iterable<string | ThreadFields>,
  flags: number,
  indent: string,
): Promise<void> {
  const kind = contextKind(session.opened);
  let isSaid = kind === null || kind === 'x64';
  for (const piece of pieces) {
    if (typeof piece === 'string') {
      await session.out.text(piece);
      continue;
    }
    const stack = threadStack(session, piece, MOST);
    if (kind === null || typeof stack === 'string') {
      await session.out.line(`${indent}${typeof stack === 'string' ? stack : ''}`);
      continue;
    }
    if (!isSaid) await session.out.line(`${indent}${BY_FRAME_POINTERS}`);
    isSaid = true;
    await showStack(session, kind, stack, flags, indent);
  }
}

async function showStack(
  session: Session,
  kind: ContextKind,
  stack: Stack,
  flags: number,
  indent: string,
): Promise<void> {
  const look = { args: (flags & NO_ARGUMENTS) === 0, numbers: null, stack: true };
  await session.out.line(indent + stackTitle(kind, look));
  for (const [i, frame] of stack.frames.entries()) await session.out.line(indent + (await stackRow(session, kind, look, frame, i))); // prettier-ignore
  if (stack.ends !== null) await session.out.line(`${indent}The stack cannot be followed further: ${stack.ends}. dps shows what is on it`); // prettier-ignore
}

export const process: KdCommand = {
  names: ['!process'],
  usage: ['!process [-1 [Flags]]', '!process 0 Flags [ImageName]', '!process Address|Pid [Flags]'],
  summary: 'Processes, what they were charged for, their threads; alone or with -1 the current one',
  flags: [
    ['0 0', 'all processes, or those of an image'],
    ['1', 'token, age, pool quota and commit'],
    ['2', 'threads: ids, state, start address, where their stack is'],
    ['4', 'with 2: the stack of each thread'],
    ['8', 'with 4: stacks without arguments'],
    ['10', 'accepted: stacks lie in memory that all processes share'],
  ],
  standing: 'differs',
  differs:
    'Flags 1 and 2 show the lines that the dump has a source for: VADs, times of processors, working sets, and of a wait what is waited for and in which mode are left out, and priorities. Stacks are as those of k; one that waits begins where the switch to another thread left it, and a line says where no switch stands there. On ARM64 only stacks of threads that run are shown. The current process is that of the thread on the processor that crashed, or that ~N looks at; where that is not known, name one.',
  run: async ({ session, words }) => {
    const isCurrent = words[0] === undefined || words[0] === '-1';
    const typed = isCurrent ? [hex(await currentProcess(session)), ...words.slice(1)] : words;
    const wanted = processes.words(words[0] === '0' || isCurrent ? typed : await withValue(session, typed, 0));
    if (isWrong(wanted)) throw new KdError(wanted.error);
    const { flags = 0 } = wanted;
    if (flags === 0) return showView(session, processes, wanted);
    const found = await processes.read(sourceOf(session), wanted);
    return showPieces(session, processPieces(found, wanted, runsOn(session)), flags, ' '.repeat(8));
  },
};

export const thread: KdCommand = {
  names: ['!thread'],
  usage: ['!thread [-1 [Flags]]', '!thread Address [Flags]'],
  summary: 'A thread: whose it is, its state, where it began, its stack; alone or with -1 the current one',
  flags: [
    ['0', 'one line'],
    ['2', 'what it is and where its stack is; 6 is what is shown without flags'],
    ['4', 'its stack'],
    ['8', 'with 4: the stack without arguments'],
    ['10', 'accepted: stacks lie in memory that all processes share'],
  ],
  standing: 'differs',
  differs: 'As in !process with the flags 2 and 4. IRPs of the thread are not listed.',
  run: async ({ session, words }) => {
    const isCurrent = words[0] === undefined || words[0] === '-1';
    const typed = isCurrent
      ? [hex(await currentThread(session)), ...words.slice(1)]
      : await withValue(session, words, 0);
    const wanted = threadView.words(typed);
    if (isWrong(wanted)) throw new KdError(wanted.error);
    const found = await threadView.read(sourceOf(session), wanted);
    return showPieces(session, threadPieces(found, wanted, runsOn(session)), wanted.flags, '');
  },
};
