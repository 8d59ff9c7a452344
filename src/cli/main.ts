#!/usr/bin/env node
/**
 * The program `dumpleak`: looks at the version of Node before anything else is loaded, for an older one would fail on
 * the syntax of what follows. So this file uses none that is young, and imports nothing at its top.
 */

const found = process.versions.node.split('.');
// As `engines` in package.json; a test holds them together.
const major = 20;
const minor = 19;

if (Number(found[0]) > major || (Number(found[0]) === major && Number(found[1]) >= minor)) {
  keepCompiled();
  void import('./program.js').then(function (program) {
    program.start();
  });
} else {
  process.stderr.write(
    'dumpleak: Node.js ' +
      process.versions.node +
      ' is too old: install ' +
      String(major) +
      '.' +
      String(minor) +
      ' or later from https://nodejs.org\n',
  );
  process.exitCode = 70;
}

/**
 * Has Node 22.3 and later keep what they compile, which is a third of the time of a start. In a folder of this user: the usual
 * one, for temporary files, is open to others on some systems. NODE_DISABLE_COMPILE_CACHE turns it off, NODE_COMPILE_CACHE
 * names another folder; where the folder cannot be written nothing is kept and nothing is said.
 */
function keepCompiled(): void {
  const { env, platform } = process;
  let user = platform === 'win32' ? env['LOCALAPPDATA'] : env['XDG_CACHE_HOME'];
  if (!user && env['HOME']) user = env['HOME'] + '/.cache';
  // As Node 22.3 and later have it: the types here are those of the oldest Node.
  const engine = process as { getBuiltinModule?: (id: string) => { enableCompileCache?: (folder: string) => unknown } };
  if (!user || !engine.getBuiltinModule) return;
  const loader = engine.getBuiltinModule('module');
  if (loader.enableCompileCache) loader.enableCompileCache(user + '/dumpleak/compiled');
}
