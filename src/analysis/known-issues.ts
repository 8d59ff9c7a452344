/** All known issues that suspects are compared with: the user's files and the built-in list. */

import { failed } from '../../parsers/bytes/failure.js';
import { InputError } from '../../parsers/bytes/input-error.js';
import { builtInIssues, type KnownIssueEntry } from '../leak/known-issues.js';

/** The entries of the user's files, which come first, and the built-in ones. Throws InputError for a file that cannot be used. */
export async function allIssues(paths: readonly string[]): Promise<KnownIssueEntry[]> {
  if (paths.length === 0) return builtInIssues();
  const { readKnownIssues } = await import('./known-issues-file.js');
  const own = paths.flatMap((path) => {
    const entries = readKnownIssues(path);
    if (failed(entries)) throw new InputError('io', entries.message);
    return entries;
  });
  return [...own, ...builtInIssues()];
}
