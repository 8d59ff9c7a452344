/** Removing what is only for a while: a scanner that holds a file in it must not cost anybody his work. */

import { rmSync } from 'node:fs';

/** Attempts, and milliseconds that are added before each: about a second in all. */
const AGAIN = { maxRetries: 5, retryDelay: 60 } as const;

/**
 * Removes a temporary file, or a folder with all in it, again where somebody holds a file of it. Never throws: what stays
 * has the number of its process in its name, and a later run removes it.
 */
export function removeTemporary(path: string, remove: typeof rmSync = rmSync): void {
  try {
    remove(path, { recursive: true, force: true, ...AGAIN });
  } catch {
    // Somebody still holds it.
  }
}
