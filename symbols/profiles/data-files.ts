/**
 * Reads the text tables in `symbols/profiles/data` and `symbols/objects/data`, which the `generate.mjs` beside each makes.
 * A table is read when it is first asked for, never at import.
 */

import { readPackageFile } from '../package-root.js';

/** Whose tables: those of kernels, or of processes and objects. */
export type DataRoom = 'profiles' | 'objects';

const cache = new Map<string, string>();

/**
 * The text of a data file. Throws when the installation lacks the file: that is no fault of any input.
 * The tables together are under 300 KB, and only those asked for are kept.
 */
export function readDataFile(name: string, room: DataRoom = 'profiles'): string {
  const key = `${room}/${name}`;
  let text = cache.get(key);
  if (text === undefined) {
    text = readPackageFile('symbols', room, 'data', name).toString('latin1').replaceAll('\r\n', '\n');
    cache.set(key, text);
  }
  return text;
}

/** The lines of a data file without its leading comments. */
export function readDataLines(name: string, room: DataRoom = 'profiles'): readonly string[] {
  const lines = readDataFile(name, room).split('\n');
  return lines.slice(lines.findIndex((line) => !line.startsWith('#')));
}

/** The words of the line that begins with `key` and a space, or `null`. `key` must hold no line break. */
export function findLine(text: string, key: string): readonly string[] | null {
  const start = text.indexOf(`\n${key} `) + 1;
  if (start === 0) return null;
  const end = text.indexOf('\n', start);
  return text.slice(start, end < 0 ? text.length : end).split(' ');
}
