/**
 * This package's own files: data tables and package.json, beside the compiled or bundled code. The single-file program has them
 * inside: its build puts another module in the place of this one (tools/package/bundle.ts).
 */

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

let root: string | null = null;

/**
 * The bytes of a file of the package, given relative to its root (`symbols/tags/data/x.txt`). The root is the nearest
 * folder above the running code that holds the kernel tables, in the project as in an installed package. Throws when
 * there is none: the installation is not complete. Throws the platform's error for a file that is not there.
 */
export function readPackageFile(...path: string[]): Buffer {
  root ??= findRoot();
  return readFileSync(join(root, ...path));
}

function findRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'symbols', 'profiles', 'data', 'kernels.txt'))) {
    const parent = dirname(folder);
    if (parent === folder) {
      throw new Error('the built-in tables (symbols/profiles/data) are missing: the installation is not complete');
    }
    folder = parent;
  }
  return folder;
}
