/** Files by name in any letter case, as Windows finds them, on systems that tell cases apart. */

import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Folder listings kept: enough for the roots of a path and the folders below them. */
const MOST_LISTINGS = 64;

/** Looks up files; remembers listings for as long as it lives. */
export class AnyCase {
  private readonly listings = new Map<string, ReadonlyMap<string, readonly string[]>>();

  /** `exact`: the platform itself ignores case, so folders need not be listed. */
  constructor(private readonly exact: boolean = process.platform === 'win32') {}

  /**
   * The regular files below `root` whose path has these parts, in any case; the exact spelling first. Nothing else:
   * a folder, a pipe or a device of that name is no file.
   */
  files(root: string, ...parts: readonly string[]): string[] {
    const exact = join(root, ...parts);
    const found = isFile(exact) ? [exact] : [];
    if (!this.exact) {
      for (const path of this.walk(root, parts, 0)) if (!found.includes(path) && isFile(path)) found.push(path);
    }
    return found;
  }

  private *walk(folder: string, parts: readonly string[], index: number): Generator<string> {
    const part = parts[index];
    if (part === undefined) {
      yield folder;
      return;
    }
    for (const name of this.listing(folder).get(part.toLowerCase()) ?? []) {
      yield* this.walk(join(folder, name), parts, index + 1);
    }
  }

  private listing(folder: string): ReadonlyMap<string, readonly string[]> {
    const known = this.listings.get(folder);
    if (known !== undefined) return known;
    const names = new Map<string, string[]>();
    for (const name of entries(folder)) {
      const lower = name.toLowerCase();
      const same = names.get(lower);
      if (same === undefined) names.set(lower, [name]);
      else same.push(name);
    }
    if (this.listings.size >= MOST_LISTINGS) this.listings.clear();
    this.listings.set(folder, names);
    return names;
  }
}

/** True for a regular file that can be seen. */
export function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
