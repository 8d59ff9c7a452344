/** Which files of the paths that a batch is given may be dumps. */

import { closeSync, readdirSync, readSync, statSync, type Dirent } from 'node:fs';
import { join, resolve } from 'node:path';
import { isInside, pathKey, realPath } from '../../../parsers/files/paths.js';
import { openRegularFile } from '../../../parsers/files/regular-file.js';
import { naturalOrder } from '../../growth/read/file-names.js';

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

/** What was found, and links that were not followed since they lead out of the folders. */
export interface FoundFiles {
  /** In natural order of their paths, none twice. */
  files: FoundFile[];
  linksLeft: string[];
}

/**
 * The files that paths stand for. A path that is a folder stands for the dumps and archives in it and in the folders below;
 * the folders `without` are left out. Links in it are followed as far as they lead into one of the folders named, or with
 * `followLinks` anywhere. A path that is no folder is taken as it is, also where nothing is there: reading it says so.
 */
export function findFiles(paths: readonly string[], without: readonly string[], followLinks = false): FoundFiles {
  const search = new Search(without.map(realOr), followLinks);
  const resolved = paths.map((path) => resolve(path));
  search.roots.push(...resolved.filter(isFolder).map(realOr));
  for (const path of resolved) {
    if (isFolder(path)) search.walk(path, 0);
    else search.add({ path, expected: true });
  }
  const files = [...search.found.values()].sort((a, b) => naturalOrder(a.path, b.path));
  return { files, linksLeft: search.linksLeft };
}

class Search {
  /** By what tells paths apart on this platform. */
  readonly found = new Map<string, FoundFile>();
  readonly linksLeft: string[] = [];
  /** The folders that were named, without links. */
  readonly roots: string[] = [];
  private readonly skipped: Set<string>;

  constructor(
    skipped: readonly string[],
    private readonly followLinks: boolean,
  ) {
    this.skipped = new Set(skipped.map((path) => pathKey(path)));
  }

  add(file: FoundFile): void {
    const key = pathKey(file.path);
    if (!this.found.has(key)) this.found.set(key, file);
  }

  walk(folder: string, depth: number): void {
    const real = pathKey(realOr(folder));
    if (this.skipped.has(real)) return;
    // Links may lead back: every folder once.
    this.skipped.add(real);
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
      const isBelow = entry.isDirectory() || (isLink && isFolder(path));
      if (isLink && this.leadsOut(path)) {
        // Of other links nobody would want to know.
        if (isBelow || DUMP_INSIDE.test(entry.name) || WRAPPED.test(entry.name)) this.linksLeft.push(path);
      } else if (isBelow) {
        if (depth < DEEPEST) this.walk(path, depth + 1);
      } else if (entry.isFile() || isLink) {
        const expected = DUMP_INSIDE.test(entry.name) || beginsLikeDump(path);
        if (expected || WRAPPED.test(entry.name)) this.add({ path, expected });
      }
    }
  }

  private leadsOut(path: string): boolean {
    if (this.followLinks) return false;
    try {
      return !isInside(realPath(path), this.roots);
    } catch {
      // It leads nowhere: reading it says so.
      return false;
    }
  }
}

function beginsLikeDump(path: string): boolean {
  const head = Buffer.alloc(8);
  try {
    const { descriptor } = openRegularFile(path);
    try {
      readSync(descriptor, head, 0, 8, 0);
    } finally {
      closeSync(descriptor);
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

function realOr(path: string): string {
  try {
    return realPath(path);
  } catch {
    return resolve(path);
  }
}
