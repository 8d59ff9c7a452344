/**
 * Names of performance counters in English, whatever language wrote the log: by the index that every counter has in the
 * registry (Perflib\009), which is the same in all languages.
 */

import type { CounterPath } from '../../../parsers/text/perfmon.js';

/** Index -> English name, of the counters that tell about pool and memory. */
const BY_INDEX: Readonly<Record<number, string>> = {
  2: 'System',
  4: 'Memory',
  24: 'Available Bytes',
  26: 'Committed Bytes',
  30: 'Commit Limit',
  56: 'Pool Paged Bytes',
  58: 'Pool Nonpaged Bytes',
  174: 'Virtual Bytes',
  180: 'Working Set',
  184: 'Page File Bytes',
  186: 'Private Bytes',
  230: 'Process',
  674: 'System Up Time',
  678: 'Free System Page Table Entries',
  680: 'Thread Count',
  784: 'ID Process',
  952: 'Handle Count',
  1380: 'Available KBytes',
  1382: 'Available MBytes',
};

/** Local name in lower case -> English name. */
export type CounterNames = ReadonlyMap<string, string>;

/** Longest list of names that is read, in characters: the registry's has about 300,000. */
const LONGEST_LIST = 8 * 2 ** 20;

/**
 * Reads a list of local names: lines `58=Name`, `58 Name`, `"58","Name"`, or the index and the name on a line each (as
 * the registry's multi-string value comes out). Indexes that are not known here are passed over.
 */
export function parseCounterNames(text: string): CounterNames {
  const names = new Map<string, string>();
  let waiting: number | null = null;
  for (const line of text.slice(0, LONGEST_LIST).split(/[\r\n\0]+/)) {
    const clean = line.trim().replace(/^"|"$/g, '');
    const pair = /^(\d{1,6})(?:"?\s*[=,;:\t]\s*"?|\s+)(\S.*)$/.exec(clean);
    if (pair?.[1] !== undefined && pair[2] !== undefined) {
      add(names, Number(pair[1]), pair[2]);
      waiting = null;
    } else if (/^\d{1,6}$/.test(clean)) waiting = Number(clean);
    else if (waiting !== null) {
      add(names, waiting, clean);
      waiting = null;
    }
  }
  return names;
}

function add(names: Map<string, string>, index: number, name: string): void {
  const english = BY_INDEX[index];
  if (english !== undefined && name.trim() !== '') names.set(name.trim().toLowerCase(), english);
}

/** A path with the English names where they are known: by index (`\4\58`), or by a list of local names. */
export function englishPath(path: CounterPath, names: CounterNames): CounterPath {
  return { ...path, object: english(path.object, names), counter: english(path.counter, names) };
}

function english(name: string, names: CounterNames): string {
  if (/^\d{1,6}$/.test(name)) return BY_INDEX[Number(name)] ?? name;
  return names.get(name.toLowerCase()) ?? name;
}

/** True of an object that is known by this English name: what a log in another language does not have. */
export function isEnglishObject(name: string): boolean {
  return /^(?:memory|process(?: v2)?|processor(?: information)?|system|paging file|cache|objects|server|(?:logical|physical)disk|network interface)$/i.test(
    name,
  );
}
