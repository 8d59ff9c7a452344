/** What a packed program is tried with. */

import { expect } from 'chai';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildDump } from '../../test-dumps/build-dump.js';
import { SCENARIOS } from '../../test-dumps/scenarios.js';

const HELP = fileURLToPath(new URL('../../../src/cli/golden/help-trend.txt', import.meta.url));

/** A dump and logs with a leak. */
export function makeInputs(folder: string): void {
  buildDump(SCENARIOS.notmyfault()).writeTo(join(folder, 'leak.dmp'));
  mkdirSync(join(folder, 'logs'), { recursive: true });
  for (let i = 1; i <= 12; i++) {
    const bytes = i * 50_000_000;
    writeFileSync(join(folder, `logs/log-${i}.txt`), ` Tag  Type     Allocs         Frees    Diff   Bytes    Per Alloc\r\n Leak Nonp ${1000 * i} 5 ${1000 * i - 5} ${bytes} 1\r\n`); // prettier-ignore
  }
}

/** Runs what a package is for, where those inputs lie; `run` gives what a command prints and fails where it ends with another code than 0. */
export function tryAll(drivers: string, run: (...args: string[]) => string): void {
  expect(run('analyze', 'leak.dmp', '--json', '-q')).to.include('"module": "myfault.sys"');
  // Workers are the program itself.
  expect(run('batch', 'leak.dmp', '--out', 'out', '-q')).to.include('1 suspected leak');
  expect(run('history', 'list', 'out', '--csv')).to.include('myfault.sys');
  expect(run('history', 'groups', 'out', '--csv')).to.include('myfault.sys');
  // What needs the database part.
  expect(run('history', 'search', 'out', 'myfault', '--csv')).to.include('myfault.sys');
  expect(run('trend', 'logs', '--interval', '15m', '-q')).to.match(/^LEAK {2}Tag Leak/m);
  expect(run('tags', drivers, '--localtag', '-q')).to.match(/^\S{1,4} +- /m);
  expect(run('kd', 'leak.dmp', '-c', '!poolused 2 Leak', '-q')).to.match(/^ *Leak\b/m);
  expect(run('pooltag', 'MmSt')).to.include('MmSt');
  expect(run('completion', 'bash')).to.include('complete -o bashdefault');
  // Texts of yargs, and the width that it finds for itself.
  expect(run('trend', '--help')).to.equal(readFileSync(HELP, 'utf8'));
}
