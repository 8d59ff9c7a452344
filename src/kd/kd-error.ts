/** What a command of the debugger's prompt cannot do: told in one line, and the session goes on. */

/** Why a command failed, as the exit code of a script tells it: a line that makes no sense, or a dump that lacks what is asked. */
export type KdErrorKind = 'usage' | 'input';

/** The message is one line, without a full stop at its end unless the debugger prints one. */
export class KdError extends Error {
  override readonly name = 'KdError';
  constructor(
    message: string,
    readonly kind: KdErrorKind = 'usage',
  ) {
    super(message);
  }
}

/** Ends a command that the user stopped. */
export class Stopped extends Error {
  override readonly name = 'Stopped';
  constructor() {
    super('stopped');
  }
}

/** Ends the session: `q`. */
export class Quit extends Error {
  override readonly name = 'Quit';
  constructor() {
    super('quit');
  }
}
