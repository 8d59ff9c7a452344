/** The program as one file: code, packages, tables and WebAssembly, for Node alone. */

import { build as run, type BuildOptions, type Plugin } from 'esbuild';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { packagesIn } from './notices.js';

/** Optional parts: they are looked for beside the program when they are needed. */
export const OPTIONAL = ['@electric-sql/pglite', '7z-wasm'];

/** The engine of the database: of the optional parts the one that packages have. */
export const ENGINE = '@electric-sql/pglite';

/** Folders of tables that the program reads. */
const TABLES = ['symbols/profiles/data', 'symbols/objects/data', 'symbols/tags/data'];

export interface Bundle {
  readonly code: string;
  /** Names of the packages in it, sorted. */
  readonly packages: readonly string[];
}

/** Bundles the compiled program of the project in `root`. */
export async function bundle(root: string): Promise<Bundle> {
  return made(root, {
    format: 'esm',
    outfile: 'dumpleak.mjs',
    external: OPTIONAL,
    // CommonJS packages ask for parts of Node by `require`.
    banner: { js: "import { createRequire as ownRequire } from 'node:module';\nconst require = ownRequire(import.meta.url);" }, // prettier-ignore
  });
}

/** The same as a script that is no module, for an executable (executables.ts), with the database part `engine` in it. */
export async function bundleForExecutable(root: string, engine: Plugin): Promise<Bundle> {
  return made(root, {
    format: 'cjs',
    outfile: 'dumpleak.cjs',
    external: OPTIONAL.filter((name) => name !== ENGINE),
    define: { 'import.meta.url': 'ownUrl' },
    banner: { js: "const ownUrl = require('node:url').pathToFileURL(process.execPath).href, ownRequire = require;" },
    // A script inside an executable has no loader of modules: what is loaded later is required.
    supported: { 'dynamic-import': false },
    plugins: [engine],
  });
}

async function made(root: string, { plugins = [], ...options }: BuildOptions): Promise<Bundle> {
  const { outputFiles, metafile } = await run({
    absWorkingDir: root,
    entryPoints: ['build/src/cli/single.js'],
    bundle: true,
    platform: 'node',
    target: 'node20',
    minify: true,
    legalComments: 'none',
    logLevel: 'warning',
    ...options,
    write: false,
    metafile: true,
    plugins: [...plugins, ownFiles(root), requiredPackages(), wasmInside()],
  });
  return { code: outputFiles[0]?.text ?? '', packages: packagesIn(Object.keys(metafile.inputs)) };
}

/** `symbols/package-root.js` with the files in it. */
function ownFiles(root: string): Plugin {
  const files = TABLES.flatMap((folder) => readdirSync(join(root, folder)).map((name) => `${folder}/${name}`));
  // Text as text: it compresses better than its base64 when the program is packed.
  const inside = [
    'package.json',
    'docs/result.schema.json',
    ...files.filter((path) => /\.(?:txt|json)$/.test(path)),
  ].sort();
  const entries = inside.map(
    (path) => `  ${JSON.stringify(path)}: ${literal(readFileSync(join(root, path), 'latin1'))}`,
  );
  const contents = [
    'const files = {',
    entries.join(',\n'),
    '};',
    'export function readPackageFile(...path) {',
    "  const text = files[path.join('/')];",
    "  if (text === undefined) throw new Error('no such file in the program: ' + path.join('/'));",
    "  return Buffer.from(text, 'latin1');",
    '}',
  ].join('\n');
  return replacing('own-files', /[\\/]symbols[\\/]package-root\.js$/, () => contents);
}

const literal = (latin1: string): string => JSON.stringify(latin1).replace(/[\u007f-\u00ff]/g, (character) => `\\x${character.charCodeAt(0).toString(16)}`); // prettier-ignore

/** Packages that are loaded when they are needed, by a `require` that a bundler sees. */
function requiredPackages(): Plugin {
  const read = (path: string): string => {
    const code = readFileSync(path, 'utf8').replace(
      /createRequire\(import\.meta\.url\)\((['"][\w-]+['"])\)/g,
      'require($1)',
    );
    if (code.includes('import.meta.url')) throw new Error(`${path}: another way to load a package`);
    return code;
  };
  return replacing('required-packages', /[\\/]parsers[\\/](?:code[\\/]x86-iced|text[\\/]decode)\.js$/, read);
}

/** The WebAssembly of iced-x86, which it reads from its own folder. */
function wasmInside(): Plugin {
  const read = (path: string): string => {
    const bytes = readFileSync(path.replace(/\.js$/, '_bg.wasm'));
    const text = deflateRawSync(bytes, { level: 9 }).toString('base64');
    const code = readFileSync(path, 'utf8');
    const changed = code
      .replace(/^const path = require\('path'\)\.join\(__dirname, 'iced_x86_bg\.wasm'\);$/m, '')
      .replace(
        /^const bytes = require\('fs'\)\.readFileSync\(path\);$/m,
        `const bytes = require('zlib').inflateRawSync(Buffer.from('${text}', 'base64'));`,
      );
    if (changed.includes('iced_x86_bg.wasm')) throw new Error(`${path}: another way to load its WebAssembly`);
    return changed;
  };
  return replacing('wasm-inside', /[\\/]iced-x86[\\/]iced_x86\.js$/, read);
}

function replacing(name: string, filter: RegExp, contents: (path: string) => string): Plugin {
  return {
    name,
    setup(build) {
      build.onLoad({ filter }, ({ path }) => ({ contents: contents(path), loader: 'js' }));
    },
  };
}
