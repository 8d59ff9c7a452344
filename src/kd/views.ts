/** Commands that show a view: its words read, what it reads read, its text printed. */

import { hex } from '../../parsers/bytes/failure.js';
import type { DumpSource, StreamedView, View } from '../views/view.js';
import { isWrong } from '../views/view.js';
import { KdError } from './kd-error.js';
import type { Session } from './session.js';

/** What a view reads from, for this session. Long reading ends when the user stops the command. */
export function sourceOf(session: Session): DumpSource {
  return {
    opened: session.opened,
    lists: session.lists,
    stopped: () => session.out.stopped,
    progress: () => {
      session.out.check();
    },
  };
}

/** Prints a view of the dump for words as the debugger's. Throws KdError for words that it cannot read. */
export async function showWords<Wanted, Result>(
  session: Session,
  view: View<Wanted, Result>,
  words: readonly string[],
): Promise<void> {
  const wanted = view.words(words);
  if (isWrong(wanted)) throw new KdError(wanted.error);
  await showView(session, view, wanted);
}

/** Prints a view of the dump for what was asked. */
export async function showView<Wanted, Result>(
  session: Session,
  view: View<Wanted, Result>,
  wanted: Wanted,
): Promise<void> {
  if (isStreamed(view)) {
    for await (const piece of view.pieces(sourceOf(session), wanted)) await session.out.text(piece);
    return;
  }
  const result = await view.read(sourceOf(session), wanted);
  await session.out.text(view.text(result, wanted));
}

function isStreamed<Wanted, Result>(view: View<Wanted, Result>): view is StreamedView<Wanted, Result, unknown> {
  return 'pieces' in view;
}

/**
 * Words with the expression at `index` as a number, as views take addresses. A word that is no expression stays: the view says what is
 * wrong with it.
 */
export async function withValue(session: Session, words: readonly string[], index: number): Promise<readonly string[]> {
  const word = words[index];
  if (word === undefined || /^[/"-]/.test(word)) return words;
  try {
    return words.with(index, hex(session.address(await session.evaluate(word))));
  } catch (error) {
    if (error instanceof KdError && error.kind === 'usage' && !/^[\w`]+$/.test(word)) throw error;
    return words;
  }
}
