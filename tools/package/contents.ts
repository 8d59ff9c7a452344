/** What is in a package: Node, the program, the database part, documents. Nothing of it needs to be installed. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PackedFile } from './archive.js';
import type { Bundle } from './bundle.js';
import { noticesOf } from './notices.js';

/** The engine of the database, which the program looks for beside itself. */
const ENGINE = '@electric-sql/pglite';

const SHELL = `#!/bin/sh
# Finds its own folder, also through a link; needs nothing else.
self=$0
while [ -L "$self" ] && command -v readlink > /dev/null; do
  target=$(readlink "$self")
  case $target in
    /*) self=$target ;;
    *) self=\${self%/*}/$target ;;
  esac
done
here=\${self%/*}
exec "$here/node" "$here/dumpleak.mjs" "$@"
`;

/** For cmd.exe, which wants its own line ends. */
const BATCH = '@"%~dp0node.exe" "%~dp0dumpleak.mjs" %*\r\n';

export interface Contents {
  /** Root of the project. */
  readonly root: string;
  readonly version: string;
  readonly bundle: Bundle;
  readonly windows: boolean;
  /** Bytes of the program Node, and the text of its licence. */
  readonly node: Uint8Array;
  readonly nodeLicence: string;
}

/** All files, below one folder with the name of the package. */
export function contentsOf({ root, version, bundle, windows, node, nodeLicence }: Contents): PackedFile[] {
  const text = (name: string, content: string, executable = false): PackedFile => ({ name, bytes: Buffer.from(content), executable }); // prettier-ignore
  const copy = (name: string, from = name): PackedFile => ({ name, bytes: readFileSync(join(root, from)) });
  const files = [
    { name: windows ? 'node.exe' : 'node', bytes: node, executable: true },
    windows ? text('dumpleak.cmd', BATCH) : text('dumpleak', SHELL, true),
    text('dumpleak.mjs', bundle.code),
    ...engineFiles(root).map((name) => copy(name)),
    ...['README.md', 'CHANGELOG.md', 'LICENSE'].map((name) => copy(name)),
    ...filesBelow(root, 'docs').map((name) => copy(name)),
    copy('man/man1/dumpleak.1', 'docs/dumpleak.1'),
    text('THIRD-PARTY.txt', noticesOf(root, [...bundle.packages, ENGINE].sort(), version)),
    text('NODE-LICENSE.txt', nodeLicence),
  ];
  const folder = packageName(version, windows);
  return files.map((file) => ({ ...file, name: `${folder}/${file.name}` }));
}

/** Paths within the root, with slashes. */
const filesBelow = (root: string, folder: string): string[] =>
  readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    return entry.isDirectory() ? filesBelow(root, path) : [path];
  });

/** `dumpleak-1.2.3-win-x64`. */
export const packageName = (version: string, windows: boolean): string =>
  `dumpleak-${version}-${windows ? 'win-x64' : 'linux-x64'}`;

/** What the engine loads in Node: its ES modules, WebAssembly and data; no types, maps, CommonJS and extensions. */
function engineFiles(root: string): string[] {
  const folder = `node_modules/${ENGINE}`;
  const dist = readdirSync(join(root, folder, 'dist')).filter(
    (name) => /^(?:index|chunk-\w+)\.js$/.test(name) || /^(?:pglite|initdb)\.(?:js|wasm|data)$/.test(name),
  );
  return [`${folder}/package.json`, `${folder}/LICENSE`, `${folder}/dist/fs/nodefs.js`, ...dist.map((name) => `${folder}/dist/${name}`)]; // prettier-ignore
}
