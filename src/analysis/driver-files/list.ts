/** Lists the tags that drivers pass to allocators: `dumpleak tags PATH... --localtag`. */

import { allocationsIn } from '../../code/calls/allocations.js';
import type { Architecture, Warning } from '../../result/result.js';
import { tagText } from '../../result/tag.js';
import { eachDriver, type FilesSearched, type Progress } from './each.js';

/** A tag that a driver allocates under. */
export interface ListedTag {
  /** Four characters; what is no printable ASCII is `.`. */
  tag: string;
  key: number;
  /** The driver's file name. */
  driver: string;
  architecture: Architecture | null;
  /** Calls that pass it. */
  calls: number;
  description: string | null;
  company: string | null;
}

export interface TagList {
  /** In order of tag, then driver. */
  tags: ListedTag[];
  /** Calls of allocators whose tag the code does not tell. */
  unknownCalls: number;
  /** Of `tags`, those that were only seen in variables that code changes: there may be other values. */
  changing: number;
  /** Drivers that may pass more tags: parts of their code are missing, or they have more than is looked at. */
  incomplete: number;
  searched: FilesSearched;
  warnings: Warning[];
}

/** Reads the code of every driver once. Tags are told from allocations and lookaside lists, not from what is freed. */
export function listTags(paths: readonly string[], progress?: Progress, followLinks = true): TagList {
  const tags: ListedTag[] = [];
  const known = new Set<string>();
  let [unknownCalls, incomplete, changing] = [0, 0, 0];
  const { searched, warnings } = eachDriver(
    paths,
    progress,
    ({ module, architecture }) => {
      const { allocations, unknown, complete } = allocationsIn(module);
      unknownCalls += unknown;
      // Of other processors a warning tells.
      if (!complete && architecture !== null) incomplete++;
      const calls = new Map<number, number>();
      const steady = new Set<number>();
      for (const { key, kind, isChanged } of allocations) {
        if (kind !== 'allocate' && kind !== 'lookaside') continue;
        calls.set(key, (calls.get(key) ?? 0) + 1);
        if (!isChanged) steady.add(key);
      }
      const driver = module.name;
      for (const [key, count] of calls) {
        // A store holds many versions of a driver: one line says as much as fifty.
        const id = `${key} ${driver.toLowerCase()} ${architecture ?? ''}`;
        if (known.has(id)) continue;
        known.add(id);
        if (!steady.has(key)) changing++;
        const { fileDescription: description = null, companyName: company = null } = module.version ?? {};
        tags.push({ tag: tagText(key), key, driver, architecture, calls: count, description, company });
      }
    },
    followLinks,
  );
  tags.sort((a, b) => compare(a.tag, b.tag) || a.key - b.key || compare(a.driver, b.driver));
  return { tags, unknownCalls, changing, incomplete, searched, warnings };
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
