/** Where paths lead, and whether two of them are one. */

import { realpathSync } from 'node:fs';
import { isAbsolute, relative, sep } from 'node:path';
import { errorCode } from './system-errors.js';

/**
 * The path without links, on Windows as the disk spells it. Asks the system, which knows every form of a path
 * (`\\?\C:\dumps`); Node's own way is for the file systems that cannot tell. Throws the platform's error.
 */
export function realPath(
  path: string,
  native: (path: string) => string = realpathSync.native,
  plain: (path: string) => string = realpathSync,
): string {
  try {
    return native(path);
  } catch (error) {
    if (['ENOENT', 'ELOOP', 'EACCES'].includes(errorCode(error) ?? '')) throw error;
    return plain(path);
  }
}

/** Equal for paths that Windows takes for one, whatever their case, separators and prefix; elsewhere the path itself. */
export function pathKey(path: string, platform: NodeJS.Platform = process.platform): string {
  if (platform !== 'win32') return path;
  return path
    .replaceAll('/', '\\')
    .replace(/^\\\\\?\\UNC\\/i, '\\\\')
    .replace(/^\\\\\?\\/, '')
    .toLowerCase();
}

/** Whether a path without links lies in one of some folders, which have none either, or is one of them. */
export function isInside(real: string, folders: readonly string[]): boolean {
  return folders.some((folder) => {
    const way = relative(folder, real);
    return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
  });
}

/** Names that are said of links. */
const MOST_NAMED = 3;

/** What is to be said of links that were left alone, in one line; null where there are none. */
export function linksLeftText(links: readonly string[]): string | null {
  if (links.length === 0) return null;
  const names = links.slice(0, MOST_NAMED).join(', ') + (links.length > MOST_NAMED ? ', ...' : '');
  return links.length === 1
    ? `${names} is a link that leads out of the folders that were named, and was not followed: --follow-links follows it`
    : `${links.length} links lead out of the folders that were named, and were not followed: --follow-links follows them (${names})`;
}
