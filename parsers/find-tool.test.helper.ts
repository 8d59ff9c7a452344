/** Tools that tests compare with or make files with, where they are installed. */

import { spawnSync } from 'node:child_process';

/** The name under which a tool runs, with or without a version, or `null`. */
export function findTool(name: string): string | null {
  const names = [name, ...Array.from({ length: 10 }, (_, i) => `${name}-${22 - i}`)];
  return names.find((each) => spawnSync(each, ['--version']).error === undefined) ?? null;
}
