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
