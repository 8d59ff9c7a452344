/** Compiles what `npm run make-dump` needs, and only when a source is newer than what was compiled last. */

import { spawnSync } from 'node:child_process';
import { readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const PROJECT = fileURLToPath(new URL('../', import.meta.url));
const SOURCES = ['src', 'parsers', 'symbols', 'test-dumps', 'tools'];
/** Written after each compiling that succeeded. */
const STAMP = join(PROJECT, 'build', '.compiled');

function timeOf(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** The time of the newest source. */
function newest() {
  let time = Math.max(timeOf(join(PROJECT, 'tsconfig.json')), timeOf(join(PROJECT, 'package-lock.json')));
  for (const folder of SOURCES) {
    for (const name of readdirSync(join(PROJECT, folder), { recursive: true })) {
      if (name.endsWith('.ts')) time = Math.max(time, timeOf(join(PROJECT, folder, name)));
    }
  }
  return time;
}

const begun = new Date();
if (timeOf(STAMP) < newest()) {
  const compiler = join(PROJECT, 'node_modules/typescript/bin/tsc');
  const { status } = spawnSync(process.execPath, [compiler, '-p', PROJECT], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
  writeFileSync(STAMP, '');
  // A source that changed meanwhile is newer.
  utimesSync(STAMP, begun, begun);
}
