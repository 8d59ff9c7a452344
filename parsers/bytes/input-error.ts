/** The error for an input that cannot be analyzed: one line for the user, and a code for programs. */

import { Thrown, type InputCode } from './failure.js';

/** Thrown when a file is not something that can be analyzed. The message is one line and says what to do next. */
export class InputError extends Thrown<InputCode> {
  override readonly name = 'InputError';
}
