/** A file of the debugger's commands. */

import { failed } from '../../../parsers/bytes/failure.js';
import { InputError } from '../../../parsers/bytes/input-error.js';
import { readRegularFile } from '../../../parsers/files/regular-file.js';
import { errorText } from '../../../parsers/files/system-errors.js';
import { decodeText } from '../../../parsers/text/decode.js';
import { KdError } from '../../kd/kd-error.js';

/** No script is longer. */
const MOST_BYTES = 16 * 1024 * 1024;

/** Its text. Throws KdError. */
export function readScript(path: string): string {
  let bytes: Buffer;
  try {
    bytes = readRegularFile(path, MOST_BYTES);
  } catch (error) {
    throw new KdError(
      error instanceof InputError ? error.message : `${path} cannot be read: ${errorText(error)}`,
      'input',
    );
  }
  const text = decodeText(bytes);
  if (failed(text)) throw new KdError(`${path}: ${text.message}`, 'input');
  return text;
}
