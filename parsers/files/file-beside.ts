/** Files of the program that run on their own, such as a worker: where they stand, compiled and bundled. */

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The path of a module `name` (without extension) beside the code at the URL `from`, or null where none stands there. */
export function fileBeside(name: string, from: string): string | null {
  // A bundle's modules end with .mjs (tools/bundle.mjs).
  const paths = ['.mjs', '.js'].map((extension) => fileURLToPath(new URL(`./${name}${extension}`, from)));
  return paths.find((path) => existsSync(path)) ?? null;
}
