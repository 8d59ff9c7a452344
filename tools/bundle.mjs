/**
 * Bundles the compiled program, its workers and the library into build/bin. What starts often is in few files that need no
 * loader of ES modules: `dumpleak.js` looks at the version of Node, `start.cjs` has what every command needs and `analysis.cjs`
 * what reads and judges dumps. The other commands are ES modules beside them, and everything is there once. Packages that are
 * installed with this one stay outside, but for those that a short command would load; what only `dumpleak mcp` needs goes in too,
 * for its package would bring web servers with it. The licences of what goes in are in THIRD-PARTY.txt.
 */

import { build } from 'esbuild';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { noticesOf, packagesIn } from '../build/tools/package/notices.js';

const OUT = 'build/bin';
/** Small packages that every command, or every analysis, needs. */
const INSIDE = new Set(['yargs-parser', 'binary-parser']);
/**
 * Files that are loaded whole, in this order: each holds the files named, and what these import, as far as no earlier one has it.
 */
const GROUPS = [
  { name: 'start.cjs', of: ['build/src/cli/program.js'] },
  {
    name: 'analysis.cjs',
    of: ['build/src/cli/commands/analyze.js', 'build/src/analysis/known-issues.js', 'build/src/report/text/analyze.js'],
  },
];
const MAIN = 'dumpleak.mjs';

const { dependencies, peerDependencies, version } = JSON.parse(readFileSync('package.json', 'utf8'));
const external = Object.keys({ ...dependencies, ...peerDependencies }).filter((name) => !INSIDE.has(name));
const shared = { bundle: true, platform: 'node', target: 'node20', external, logLevel: 'warning', write: false };

/** First cut: what is used by the same files is in one file. */
const { metafile, outputFiles } = await build({
  ...shared,
  entryPoints: {
    dumpleak: 'build/src/cli/main.js',
    'batch-worker': 'build/src/batch/batch-worker.js',
    'kd-thread': 'build/src/cli/kd/kd-thread.js',
    index: 'build/src/index.js',
  },
  outdir: OUT,
  outExtension: { '.js': '.mjs' },
  splitting: true,
  metafile: true,
  format: 'esm',
});
const texts = new Map(outputFiles.map(({ path, text }) => [basename(path), text]));
const cuts = new Map(Object.entries(metafile.outputs).map(([path, about]) => [basename(path), about]));

/** Which group a cut is in. */
const groupOf = new Map();
for (const { name, of } of GROUPS) {
  for (const path of of) {
    const found = [...cuts].find(([, { entryPoint }]) => entryPoint === path);
    if (found === undefined) throw new Error(`${path} is in no file of its own: a group cannot begin with it`);
    gather(found[0], name);
  }
}

/** Puts a cut and what it imports into a group. */
function gather(cut, group) {
  if (groupOf.has(cut)) return;
  groupOf.set(cut, group);
  for (const { path, kind } of cuts.get(cut)?.imports ?? []) {
    if (kind === 'import-statement' && cuts.has(basename(path))) gather(basename(path), group);
  }
}

rmSync(OUT, { recursive: true, force: true });
mkdirSync(OUT, { recursive: true });
for (const { name } of GROUPS) writeFileSync(join(OUT, name), await joined(name));
for (const [cut, text] of texts) {
  if (cut === MAIN) writeFileSync(join(OUT, 'dumpleak.js'), asFirst(text));
  else if (!groupOf.has(cut)) writeFileSync(join(OUT, cut), withRequire(rewritten(text, null)));
}
writeFileSync(join(OUT, 'package.json'), '{ "type": "commonjs" }\n');
writeFileSync(join(OUT, 'THIRD-PARTY.txt'), noticesOf('.', packagesIn(Object.keys(metafile.inputs)), version));

/** For groups; a CommonJS package in an ES module (`pg`, `pg-boss`) asks for Node's own modules by `require` too. */
function withRequire(text) {
  const names = [
    ['ofGroup', 'ofGroup('],
    ['require', 'Dynamic require of'],
  ].filter(([, sign]) => text.includes(sign));
  if (names.length === 0) return text;
  const made = names.map(([name]) => `const ${name} = requireFrom(import.meta.url);\n`).join('');
  return `import { createRequire as requireFrom } from "node:module";\n${made}${text}`;
}

/** What a group calls something that a cut exports: names of two cuts may be the same. */
function exported(cut, name) {
  return `${cut.replace(/\.mjs$/, '').replaceAll(/\W/g, '_')}_${name}`;
}

/** The program's first file, which runs on any Node: no import, and what it loads is a group. */
function asFirst(text) {
  const first = text.replace(
    /\bimport\("\.\/([\w-]+\.mjs)"\)/,
    (_, cut) => `Promise.resolve(require("./${groupOf.get(cut)}").${exported(cut, 'all')})`,
  );
  if (first === text || /\bimport\b\W*\(/.test(first)) throw new Error('main.js loads its program in another way');
  return first;
}

/** All cuts of a group as one file. */
async function joined(group) {
  const own = [...groupOf].filter(([, of]) => of === group).map(([cut]) => cut);
  const contents = own.map((cut) => {
    const { exports, entryPoint } = cuts.get(cut);
    const names = exports.map((name) => `${name} as ${exported(cut, name)}`);
    const all = entryPoint === undefined ? '' : `export * as ${exported(cut, 'all')} from "./${cut}";\n`;
    return `import "./${cut}";\n${names.length === 0 ? '' : `export { ${names.join(', ')} } from "./${cut}";\n`}${all}`;
  });
  const cutsOfGroup = {
    name: 'cuts-of-group',
    setup(of) {
      of.onResolve({ filter: /^\.\/[\w-]+\.(?:mjs|cjs)$/ }, ({ path }) =>
        groupOf.get(basename(path)) === group ? { path: basename(path), namespace: 'cut' } : { path, external: true },
      );
      of.onLoad({ filter: /./, namespace: 'cut' }, ({ path }) => ({ contents: rewritten(texts.get(path), group) }));
    },
  };
  const { outputFiles: files } = await build({
    ...shared,
    stdin: { contents: contents.join(''), resolveDir: OUT },
    format: 'cjs',
    define: { 'import.meta.url': 'ownUrl' },
    banner: { js: 'const ownUrl = require("node:url").pathToFileURL(__filename).href;' },
    // Less to read at each start. Names stay: they are in what is said of a mistake of the program.
    minifyWhitespace: true,
    minifySyntax: true,
    lineLimit: 200,
    plugins: [cutsOfGroup],
  });
  return asked(files[0].text);
}

/** With one `require` for every file and module that is imported, where there was one for every cut that imports it. */
function asked(text) {
  const names = new Map();
  const once = text.replaceAll(/\brequire\("((?:\.\/|node:)[\w./-]+)"\)(?=[,;])/g, (_, path) => {
    if (!names.has(path)) names.set(path, `own_${names.size}`);
    return names.get(path);
  });
  return [...names].map(([path, name]) => `const ${name} = require(${JSON.stringify(path)});\n`).join('') + once;
}

/**
 * The text of a cut with its imports of what is in groups taken from there; of its own group they stay. An ES module takes a
 * group by `require`: an import would have the loader look for its exports, which takes longer than to run it.
 */
function rewritten(text, own) {
  const elsewhere = (cut) => groupOf.has(cut) && groupOf.get(cut) !== own;
  return text
    .replaceAll(/^import (?:\{([^}]*)\} from )?"\.\/([\w-]+\.mjs)";$/gm, (whole, names, cut) => {
      if (!elsewhere(cut)) return whole;
      const group = `"./${groupOf.get(cut)}"`;
      if (names === undefined) return own === null ? `ofGroup(${group});` : `import ${group};`;
      const taken = names.split(',').map((one) => {
        const [, name, as = name] = /^\s*([\w$]+)(?: as ([\w$]+))?\s*$/.exec(one);
        return `${exported(cut, name)}${own === null ? ': ' : ' as '}${as}`;
      });
      const list = `{ ${taken.join(', ')} }`;
      return own === null ? `const ${list} = ofGroup(${group});` : `import ${list} from ${group};`;
    })
    .replaceAll(/\bimport\("\.\/([\w-]+\.mjs)"\)/g, (whole, cut) => {
      if (!groupOf.has(cut)) return whole;
      const group = JSON.stringify(`./${groupOf.get(cut)}`);
      const all = exported(cut, 'all');
      // In a group `require` is at hand, and what it gives is loaded without the loader of ES modules.
      return own === null
        ? `Promise.resolve().then(() => ofGroup(${group}).${all})`
        : `Promise.resolve().then(() => require(${group}).${all})`;
    });
}
