/** Wildcards in file names: shells on Windows leave them to the program. */

import { existsSync, readdirSync } from 'node:fs';

/** Where file names are looked up. */
export interface Folders {
  /** Names in a folder; empty where it cannot be read. */
  list(folder: string): string[];
  exists(path: string): boolean;
}

const DISK: Folders = {
  list(folder) {
    try {
      return readdirSync(folder);
    } catch {
      return [];
    }
  },
  exists: existsSync,
};

/** `\\?\` and `\\.\` before a Windows path are no wildcards. */
const LITERAL_START = /^\\\\[?.]\\/;

/**
 * The files that a path with `*` and `?` stands for, in order of their names; the path itself where it has none, or
 * where a file is called just that. `*` stands for no name that begins with a full stop. On Windows case does not count.
 */
export function expandWildcards(
  path: string,
  platform: NodeJS.Platform = process.platform,
  disk: Folders = DISK,
): string[] {
  const windows = platform === 'win32';
  const start = windows ? (LITERAL_START.exec(path)?.[0] ?? '') : '';
  if (!/[*?]/.test(path.slice(start.length)) || disk.exists(path)) return [path];
  return expand(start, path.slice(start.length), windows, disk);
}

/** The files of several paths; a path that stands for none is kept, so that reading it says so. */
export const expandAll = (paths: readonly string[], { platform }: { readonly platform: NodeJS.Platform }): string[] =>
  paths.flatMap((path) => {
    const found = expandWildcards(path, platform);
    return found.length === 0 ? [path] : found;
  });

function expand(before: string, path: string, windows: boolean, disk: Folders): string[] {
  const separators = windows ? '\\\\/' : '/';
  // `C:*.dmp` is of the folder where the drive stands.
  const drive = windows ? '|[a-z]:' : '';
  const parts = new RegExp(`^((?:[^*?]*[${separators}]${drive})?)([^${separators}]*)(.*)$`, 'is').exec(path);
  const [, folder = '', pattern = '', rest = ''] = parts ?? [];
  const place = before + folder;
  const matches = matcher(pattern, windows);
  const found = disk
    .list(place === '' ? '.' : place)
    .filter((name) => matches.test(name) && (pattern.startsWith('.') || !name.startsWith('.')))
    .sort();
  if (rest === '') return found.map((name) => place + name);
  if (/[*?]/.test(rest))
    return found.flatMap((name) => expand(`${place}${name}${rest.slice(0, 1)}`, rest.slice(1), windows, disk));
  return found.map((name) => place + name + rest).filter((file) => disk.exists(file));
}

function matcher(pattern: string, ignoreCase: boolean): RegExp {
  const source = pattern.replace(/\*+|\?|[\\^$.+()[\]{}|]/g, (sign) =>
    sign.startsWith('*') ? '.*' : sign === '?' ? '.' : `\\${sign}`,
  );
  return new RegExp(`^${source}$`, ignoreCase ? 'isu' : 'su');
}
