/**
 * `npm run package`: everything that is published, into `dist/`: packages with Node for Windows and Linux, the single-file
 * program, the npm package, manifests, the bill of materials and the sums of all.
 *
 *     npm run package [-- --url https://where/releases/are] [--executables]
 *
 * With `--executables` also the program as one executable for each of them.
 */

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { tarGz, zip } from './archive.js';
import { bundle } from './bundle.js';
import { contentsOf, packageName } from './contents.js';
import { blob, executable, EXECUTABLE_PINS, executableLicences, executableName } from './executables.js';
import { manifests } from './manifests.js';
import { licenceOf, NODE_PINS, nodeProgram, withoutSymbols } from './node-programs.js';
import { sbom } from './sbom.js';

/** What a package may have, and an executable, which nothing packs. */
const MOST_BYTES = 40 * 2 ** 20;
const MOST_OF_EXECUTABLE = 160 * 2 ** 20;

// build/tools/package -> project root
const root = fileURLToPath(new URL('../../../', import.meta.url));
const { url, executables } = parseArgs({
  options: {
    url: { type: 'string', default: 'https://example.invalid/dumpleak' },
    executables: { type: 'boolean', default: false },
  },
}).values;
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
const [dist, cache] = [join(root, 'dist'), join(root, '.cache/node')];
const sums = new Map<string, string>();

function put(name: string, bytes: Uint8Array | string, most = MOST_BYTES): string {
  const path = join(dist, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
  const sum = createHash('sha256').update(bytes).digest('hex');
  sums.set(name, sum);
  process.stdout.write(`${sum}  ${name}  ${(Buffer.byteLength(bytes) / 2 ** 20).toFixed(1)} MB\n`);
  if (Buffer.byteLength(bytes) > most) throw new Error(`${name} is larger than ${most / 2 ** 20} MB`);
  return sum;
}

rmSync(dist, { recursive: true, force: true });
const program = await bundle(root);
put('dumpleak.mjs', program.code);
const nodeLicence = await licenceOf(NODE_PINS['linux-x64'], cache);
const parts = { root, version, bundle: program, nodeLicence };
const forWindows = await nodeProgram(NODE_PINS['win-x64'], cache);
const ofWindows = put(`${packageName(version, true)}.zip`, await zip(contentsOf({ ...parts, windows: true, node: forWindows }))); // prettier-ignore
const forLinux = withoutSymbols(await nodeProgram(NODE_PINS['linux-x64'], cache));
put(`${packageName(version, false)}.tar.gz`, await tarGz(contentsOf({ ...parts, windows: false, node: forLinux })));
const windows = process.platform === 'win32';
const packed = ['pack', '--ignore-scripts', '--silent', '--pack-destination', dist];
execFileSync(windows ? 'npm.cmd' : 'npm', packed, { cwd: root, shell: windows });
put(`dumpleak-${version}.tgz`, readFileSync(join(dist, `dumpleak-${version}.tgz`)));
if (executables) {
  const inside = await blob(root, cache);
  for (const platform of ['win-x64', 'linux-x64'] as const) {
    put(executableName(version, platform), await executable(platform, inside, cache), MOST_OF_EXECUTABLE);
    if (platform === 'linux-x64') chmodSync(join(dist, executableName(version, platform)), 0o755);
  }
  put('THIRD-PARTY-executables.txt', executableLicences(root, version, inside, nodeLicence));
}
put(`dumpleak-${version}.cdx.json`, sbom(root, executables ? Object.values(EXECUTABLE_PINS) : []));
for (const { name, text } of manifests(root, { version, sha256: ofWindows, url })) put(name, text);
const lines = [...sums].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, sum]) => `${sum}  ${name}\n`);
writeFileSync(join(dist, 'SHA256SUMS'), lines.join(''));
