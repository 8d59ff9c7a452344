/** What the commands on driver files share: wildcards, progress, and that no report is written over a driver. */

import { closeSync, readSync } from 'node:fs';
import { InputError } from '../../../parsers/bytes/input-error.js';
import { openRegularFile } from '../../../parsers/files/regular-file.js';
import { looksLikeImage } from '../../../parsers/pe/image-file.js';
import { UsageError } from '../errors.js';
import type { Host } from '../terminal/output.js';
import { Progress } from '../terminal/progress.js';
import { expandWildcards } from './wildcards.js';
import { checkWritable, isSameFile } from '../terminal/write-file.js';

interface PathArguments {
  readonly output?: string | undefined;
  readonly quiet?: boolean | undefined;
}

/**
 * Lets `read` take what it needs from the paths. Throws UsageError for a report that would overwrite one of them or any
 * other executable file, InputError for a pattern without a file.
 */
export function withPaths<T>(
  paths: readonly string[],
  written: readonly (string | undefined)[],
  args: PathArguments,
  host: Host,
  read: (paths: string[], progress: (done: number, total: number, path: string) => void) => T,
): T {
  const found = paths.flatMap((path) => {
    const files = expandWildcards(path, host.platform);
    if (files.length === 0) throw new InputError('not-found', `${path}: no file has such a name`);
    return files;
  });
  for (const target of [args.output, ...written]) {
    if (target === undefined) continue;
    if (found.some((path) => isSameFile(path, target)) || isImage(target)) {
      throw new UsageError(`${target} would be overwritten: it is a file to read, or a program`);
    }
  }
  for (const target of written) if (target !== undefined) checkWritable(target);
  const progress = new Progress(host.stderr, args.quiet !== true);
  try {
    return read(found, (done, total, path) => {
      progress.update(`reading ${path}`, done, total);
    });
  } finally {
    progress.end();
  }
}

function isImage(path: string): boolean {
  try {
    const { descriptor } = openRegularFile(path);
    try {
      const head = new Uint8Array(2);
      readSync(descriptor, head);
      return looksLikeImage(head);
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return false;
  }
}
