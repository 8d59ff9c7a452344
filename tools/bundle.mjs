/**
 * Bundles the compiled program, its worker and the library into build/bin: few files start fast, and what they share is
 * there once. Packages that are installed with this one stay outside; what only `dumpleak mcp` needs goes in, with its
 * licences, for its package would bring web servers with it.
 */

import { build } from 'esbuild';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { noticesOf, packagesIn } from '../build/tools/package/notices.js';

const { dependencies, peerDependencies, version } = JSON.parse(readFileSync('package.json', 'utf8'));

rmSync('build/bin', { recursive: true, force: true });
const { metafile } = await build({
  entryPoints: {
    dumpleak: 'build/src/cli/main.js',
    'batch-worker': 'build/src/batch/batch-worker.js',
    'kd-thread': 'build/src/cli/kd/kd-thread.js',
    index: 'build/src/index.js',
  },
  outdir: 'build/bin',
  bundle: true,
  splitting: true,
  metafile: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  external: Object.keys({ ...dependencies, ...peerDependencies }),
  logLevel: 'warning',
});
writeFileSync('build/bin/THIRD-PARTY.txt', noticesOf('.', packagesIn(Object.keys(metafile.inputs)), version));
