/** What stands in the way of a history: of its folder, its journal, its key. */

import { Thrown, type HistoryCode } from '../../../parsers/bytes/failure.js';

/** The message is one line for the user. */
export class HistoryError extends Thrown<HistoryCode> {
  override readonly name = 'HistoryError';
}

/** Whether an error is of a history, and with this code where one is given. */
export function isHistoryError(error: unknown, code?: HistoryCode): error is HistoryError {
  return error instanceof HistoryError && (code === undefined || error.code === code);
}
