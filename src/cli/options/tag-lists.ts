/** The lists of tags that a command describes tags by. */

import { failed } from '../../../parsers/bytes/failure.js';
import { findPoolTagFile, readTagFile, TagDescriptions } from '../../kernel/pool/tag-descriptions.js';
import type { TagLists } from '../../views/view.js';
import { FileError } from '../errors.js';
import type { Environment } from '../terminal/terminal.js';

/** The lists, and their files. */
interface GivenLists extends TagLists {
  /** Files in use. */
  readonly files: readonly string[];
}

/**
 * Reads the files of `--pooltag`; without any, the pooltag.txt of an installed debugger if there is one. Throws
 * FileError for a file that was asked for and cannot be used.
 */
export function readTagLists(asked: readonly string[] | undefined, env: Environment): GivenLists {
  if (asked === undefined || asked.length === 0) return debuggersList(env);
  const files = asked.map((path) => {
    const file = readTagFile(path);
    if (failed(file)) throw new FileError(file.message);
    return file;
  });
  return { descriptions: new TagDescriptions(files), files: asked, warnings: [] };
}

function debuggersList(env: Environment): GivenLists {
  const path = findPoolTagFile(env);
  const file = path === null ? null : readTagFile(path);
  if (path === null || file === null) return { descriptions: new TagDescriptions(), files: [], warnings: [] };
  if (!failed(file)) return { descriptions: new TagDescriptions([file]), files: [path], warnings: [] };
  const message = `The debugger's list of tags was not used: ${file.message}`;
  return {
    descriptions: new TagDescriptions(),
    files: [],
    warnings: [{ code: 'pooltag-file', where: 'poolTags', message }],
  };
}
