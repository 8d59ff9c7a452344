/** The error for an input that cannot be analyzed: one line for the user, and a code for programs. */

export type InputErrorCode =
  | 'not-found'
  | 'access-denied'
  | 'in-use'
  | 'is-folder'
  | 'empty'
  | 'all-zero'
  | 'text-file'
  | 'not-a-dump'
  | 'header-only'
  | 'wrong-kind'
  | 'not-supported'
  | 'encrypted'
  | 'corrupt'
  | 'too-large'
  | 'several-dumps'
  | 'io';

/** Thrown when a file is not something that can be analyzed. The message is one line and says what to do next. */
export class InputError extends Error {
  override readonly name = 'InputError';

  constructor(
    readonly code: InputErrorCode,
    message: string,
  ) {
    super(message);
  }
}
