/** Where a file of the queue lies on this host: shares are mounted at other places, and Windows writes paths another way. */

/** Paths of the queue that begin with `from` begin with `to` here. */
export interface Mapping {
  readonly from: string;
  readonly to: string;
}

const isWindows = (path: string): boolean => /^(?:[A-Za-z]:|\\\\|\/\/[^/])/.test(path);

/** Reads `/mnt/a=\\server\share`; null where it is not of that form. */
export function readMapping(text: string): Mapping | null {
  const at = text.indexOf('=');
  const [from, to] = [text.slice(0, at), text.slice(at + 1)].map(withoutEnd);
  return at < 1 || from === undefined || to === undefined || from === '' || to === '' ? null : { from, to };
}

/** Without the separators at its end, but for a root. */
const withoutEnd = (path: string): string => path.replace(/(?<=[^\\/])[\\/]+$/, '');

/** The path on this host; as it is where no mapping fits. The longest prefix counts. */
export const localPath = (path: string, mappings: readonly Mapping[]): string => translated(path, mappings);

/** The path for the queue of a path on this host. */
export const sharedPath = (path: string, mappings: readonly Mapping[]): string =>
  translated(
    path,
    mappings.map(({ from, to }) => ({ from: to, to: from })),
  );

function translated(path: string, mappings: readonly Mapping[]): string {
  let best: { rest: string; to: string; length: number } | null = null;
  for (const { from, to } of mappings) {
    const rest = below(path, from);
    if (rest !== null && from.length > (best?.length ?? 0)) best = { rest, to, length: from.length };
  }
  if (best === null) return path;
  const { rest, to } = best;
  const separator = to.includes('\\') || /^[A-Za-z]:/.test(to) ? '\\' : '/';
  const inside = separator === '\\' ? rest.replaceAll('/', '\\') : rest;
  return inside === '' ? to : `${to.replace(/[\\/]+$/, '')}${separator}${inside}`;
}

/** What follows the prefix, without the separator; null where the path is not below it. */
function below(path: string, prefix: string): string | null {
  const windows = isWindows(prefix);
  const alike = (text: string): string => (windows ? text.replaceAll('\\', '/').toLowerCase() : text);
  if (!alike(path).startsWith(alike(prefix))) return null;
  const rest = path.slice(prefix.length);
  if (rest === '' || /[\\/]$/.test(prefix)) return slashes(rest, windows);
  return /^[\\/]/.test(rest) && (windows || rest.startsWith('/')) ? slashes(rest.slice(1), windows) : null;
}

/** Of Windows both separators are one; elsewhere a backslash is part of a name. */
const slashes = (rest: string, windows: boolean): string => (windows ? rest.replaceAll('\\', '/') : rest);
