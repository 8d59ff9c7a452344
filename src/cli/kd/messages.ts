/** What the prompt and the thread that runs its commands say to each other. */

import type { Completions } from '../../kd/completion.js';
import type { SessionState } from '../../kd/session.js';
import type { ExitCode } from '../exit-codes.js';
import type { Environment } from '../terminal/terminal.js';
import type { RunKdArguments } from './kd-arguments.js';

/** What a session had that takes more than its own state to have again. */
export interface ThreadState extends SessionState {
  readonly log: string | null;
  readonly symbolPath: string | null;
}

/** By what a program that is a single file knows that it is the thread of a prompt. */
export const KD_THREAD = 'kd';

/** What a thread is started with. */
export interface ThreadStart {
  readonly thread: typeof KD_THREAD;
  readonly args: RunKdArguments;
  readonly env: Environment;
  /** One number: not 0 once the user has stopped the command. */
  readonly stop: SharedArrayBuffer;
  /** Of the thread before it, where that one had to be ended. */
  readonly state: ThreadState | null;
}

export type ToThread =
  | { readonly kind: 'line'; readonly text: string }
  /** The last text was shown. */
  | { readonly kind: 'shown' }
  | { readonly kind: 'complete'; readonly line: string }
  | { readonly kind: 'close' };

export type FromThread =
  | { readonly kind: 'ready' }
  /** Waits for `shown` before it says more. */
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'ended'; readonly quit: boolean; readonly code: ExitCode; readonly state: ThreadState }
  | { readonly kind: 'completions'; readonly found: Completions }
  /** The dump cannot be read, or this program made a mistake. */
  | { readonly kind: 'failed'; readonly code: ExitCode; readonly text: string };
