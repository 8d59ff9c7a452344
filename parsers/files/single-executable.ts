/**
 * The program as one executable (tools/package/executables.ts): Node with the program inside. It has no script that Node could be
 * given, and takes every word for its own, so what starts it again does it in another way.
 */

import { getAsset, isSea } from 'node:sea';

/** The script that starts the program, in an executable. */
export const START_ASSET = 'start.cjs';

/** The text of the script that starts the program, or null where this is no such executable. */
export function startText(): string | null {
  return isSea() ? getAsset(START_ASSET, 'utf8') : null;
}

/** How Node runs the program again. */
export interface Again {
  /** For Node itself, before the program. */
  readonly execArgv: string[];
  readonly env: NodeJS.ProcessEnv;
}

/**
 * How to limit the JavaScript objects of another process of this program to `megabytes`: by a word for Node, or, for an executable,
 * by the environment, where Node takes it from. `more` are other words for Node, which an executable goes without.
 */
export function withHeap(megabytes: number, env: NodeJS.ProcessEnv, more: readonly string[] = []): Again {
  const heap = `--max-old-space-size=${megabytes}`;
  if (!isSea()) return { execArgv: [heap, ...more], env };
  return { execArgv: [], env: { ...env, NODE_OPTIONS: `${env['NODE_OPTIONS'] ?? ''} ${heap}`.trim() } };
}

/** The words that make Node run `program`: none where it is inside. */
export const programWords = (program: string): string[] => (isSea() ? [] : [program]);
