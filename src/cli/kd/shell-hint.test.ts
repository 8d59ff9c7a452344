/** How to do here what was typed as a command of the debugger, in the quotes of the shell. */

import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { shellHint } from './shell-hint.js';

const SEARCH = '!for_each_module s -a @#Base @#End "Leak"';

describe('the hint for a command of the debugger at the shell', () => {
  it('is in single quotes on Linux and macOS, where ! means something in double ones', () => {
    for (const platform of ['linux', 'darwin'] as const) {
      expect(shellHint(['!vm 1', 'x.dmp'], platform)).to.equal(
        `"!vm 1" is a command of the debugger: dumpleak kd x.dmp -c '!vm 1', or dumpleak vm x.dmp`,
      );
      expect(shellHint([SEARCH], platform)).to.contain(`-c '${SEARCH}'`);
      expect(shellHint([".echo it's"], platform)).to.contain(String.raw`-c '.echo it'\''s'`);
    }
  });

  it('is in double quotes on Windows, which knows no others', () => {
    expect(shellHint(['!vm 1', 'x.dmp'], 'win32')).to.contain('dumpleak kd x.dmp -c "!vm 1", or');
    expect(shellHint([SEARCH], 'win32')).to.contain(String.raw`-c "!for_each_module s -a @#Base @#End \"Leak\""`);
  });

  it('is one word to the shell that it is for', function () {
    if (process.platform === 'win32') this.skip();
    for (const line of [SEARCH, '!vm 1', ".echo it's $HOME `id`", '? poi(nt!x)']) {
      const word = shellHint([line], 'linux')!.split(' -c ')[1]!.split(', or dumpleak')[0]!;
      expect(execFileSync('/bin/sh', ['-c', `printf %s ${word}`], { encoding: 'utf8' })).to.equal(line);
    }
  });

  it('says the way to the prompt once', () => {
    expect(shellHint(['!object \\Device', 'x.dmp'], 'linux')).to.equal(
      `"!object \\Device" is a command of the debugger: dumpleak kd x.dmp -c '!object \\Device'`,
    );
  });
});
