/** Which files of the paths that a batch is given may be dumps. */

import { closeSync, openSync, readdirSync, readSync, realpathSync, statSync, type Dirent } from 'node:fs';
import { join, resolve } from 'node:path';
import { naturalOrder } from '../growth/read/file-names.js';

export interface FoundFile {
  /** Absolute. */
  path: string;
  /** It was named, or its name says that it is a dump: when it is none, that is told. */
  expected: boolean;
}

const DUMP_INSIDE = /\.[mkh]?dmp\b/i;
const WRAPPED = /\.(gz|xz|zst|zstd|zip|7z)$/i;
/** Folders below folders that are gone into. */
const DEEPEST = 32;

/**
 * The files, in natural order of their paths, none twice. A path that is a folder stands for the dumps and archives in it
 * and in the folders below; the folder `without` is left out. A path that is no folder is taken as it is, also where
 * nothing is there: reading it says so.
 */
export function findFiles(paths: readonly string[], without: readonly string[]): FoundFile[] {
  const found = new Map<string, FoundFile>();
  const skipped = new Set(without.map(realPath));
  for (const given of paths) {
    const path = resolve(given);
    if (isFolder(path)) walk(path, 0, skipped, found);
    else found.set(path, { path, expected: true });
  }
  return [...found.values()].sort((a, b) => naturalOrder(a.path, b.path));
}

function walk(folder: string, depth: number, skipped: Set<string>, found: Map<string, FoundFile>): void {
  const real = realPath(folder);
  if (skipped.has(real)) return;
  // Links may lead back: every folder once.
  skipped.add(real);
  let entries: Dirent[];
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch {
    return;
  }
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue;
    const path = join(folder, entry.name);
    const isLink = entry.isSymbolicLink();
    if (entry.isDirectory() || (isLink && isFolder(path))) {
      if (depth < DEEPEST) walk(path, depth + 1, skipped, found);
    } else if ((entry.isFile() || isLink) && !found.has(path)) {
      const expected = DUMP_INSIDE.test(entry.name) || beginsLikeDump(path);
      if (expected || WRAPPED.test(entry.name)) found.set(path, { path, expected });
    }
  }
}

function beginsLikeDump(path: string): boolean {
  const head = Buffer.alloc(8);
  try {
    const file = openSync(path, 'r');
    try {
      readSync(file, head, 0, 8, 0);
    } finally {
      closeSync(file);
    }
  } catch {
    return false;
  }
  return /^PAGEDU(64|MP)$/.test(head.toString('latin1'));
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}
