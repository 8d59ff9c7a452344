/** What dumps and machines are called in an overview, where most dumps are called MEMORY.DMP and most machines have no name. */

import type { Overview } from '../outputs/overview.js';

/**
 * The end of each path, as long as it takes to tell it from the others: `FS01/MEMORY.DMP`. Equal paths stay equal.
 *
 * @param paths with `/` or `\`.
 */
export function shortestPaths(paths: readonly string[]): string[] {
  const split = [...new Set(paths)].map((path) => ({ path, parts: path.split(/[\\/]/).filter((part) => part !== '') }));
  const labels = new Map<string, string>();
  let open = split;
  for (let length = 1; open.length > 0; length++) {
    const tails = open.map((one) => ({ ...one, tail: one.parts.slice(-length).join('/') }));
    const counts = new Map<string, number>();
    for (const { tail } of tails) counts.set(tail, (counts.get(tail) ?? 0) + 1);
    const isAlone = ({ tail, parts }: (typeof tails)[number]): boolean =>
      counts.get(tail) === 1 || parts.length <= length;
    for (const one of tails) if (isAlone(one)) labels.set(one.path, one.parts.length <= length ? one.path : one.tail);
    open = tails.filter((one) => !isAlone(one));
  }
  return paths.map((path) => labels.get(path) ?? path);
}

/** What to do where machines have no names though their folders seem to tell them apart; null where that does not help. */
export function folderAdvice({
  records,
  machines,
  machineOf,
}: Pick<Overview, 'records' | 'machines' | 'machineOf'>): string | null {
  const unnamed = new Set(machines.flatMap(({ id, name }) => (name === null ? [id] : [])));
  const folders = records
    .filter(({ id }) => unnamed.has(machineOf.get(id) ?? ''))
    .map(({ place }) => place.replace(/[\\/][^\\/]*$/, ''));
  if (new Set(folders).size < 2) return null;
  return `${unnamed.size} machines have no name in their dumps. If each folder holds the dumps of one machine, batch --machine-by-folder calls them so (with --again for dumps that were read before)`;
}
