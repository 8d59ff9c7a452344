/** Links in tests: Windows makes them for who has the right to, and a Windows API layer may only say that it did. */

import { lstatSync, symlinkSync } from 'node:fs';

/** Makes a link, and skips the test where none can be made. */
export function linkOrSkip(test: { skip(): never | void }, target: string, path: string): void {
  if (!isLinked(target, path)) test.skip();
}

/** Makes a link, and says whether it is there. */
export function isLinked(target: string, path: string): boolean {
  try {
    symlinkSync(target, path);
    return lstatSync(path).isSymbolicLink();
  } catch (error) {
    if (process.platform !== 'win32') throw error;
    return false;
  }
}
