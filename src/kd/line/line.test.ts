/** Lines into commands and words. */

import { expect } from 'chai';
import fc from 'fast-check';
import { withAliases } from './aliases.js';
import { blockAt, splitLine, wordsOf } from './split.js';

describe('a line of the prompt', () => {
  const CASES: readonly (readonly [string, readonly string[]])[] = [
    ['', []],
    ['  ;; ; ', []],
    ['!vm 1; !poolused /t5 2;q', ['!vm 1', '!poolused /t5 2', 'q']],
    ['.echo "a;b"; k', ['.echo "a;b"', 'k']],
    ['.foreach (x { a; b }) { c; d }; e', ['.foreach (x { a; b }) { c; d }', 'e']],
    ['* a comment; with more', []],
    ['k; * a comment', ['k']],
    ['k; $$ a comment; q', ['k', 'q']],
    ['? 2*3; k', ['? 2*3', 'k']],
    ['as x !vm 1; k', ['as x !vm 1; k']],
    ['.echo }; k', ['.echo }', 'k']],
    ['.echo "open; k', ['.echo "open; k']],
  ];
  for (const [line, commands] of CASES) {
    it(`${line} is ${commands.length} commands`, () => {
      expect(splitLine(line)).to.deep.equal(commands);
    });
  }

  it('loses nothing but what stands between commands', () => {
    const unit = fc.constantFrom(...Array.from('ab ;"{}*$1'));
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 40 }), (line) => {
        let from = 0;
        for (const command of splitLine(line)) {
          const at = line.indexOf(command, from);
          expect(at, command).to.be.at.least(from);
          from = at + command.length;
        }
      }),
    );
  });

  it('has words, with quotes around those that hold blanks', () => {
    expect(wordsOf(' a  "b c" d"e f"g  h ')).to.deep.equal(['a', '"b c"', 'd"e f"g', 'h']);
  });

  it('has blocks in braces', () => {
    expect(blockAt(' { a { b } "}" } c', 0)).to.deep.equal({ inside: ' a { b } "}" ', end: 16 });
    expect(blockAt('{ a', 0)).to.equal(null);
    expect(blockAt('a', 0)).to.equal(null);
  });

  it('has aliases replaced where they stand by themselves, once', () => {
    const aliases = new Map([
      ['tag', 'Leak'],
      ['Leak', 'tag'],
    ]);
    expect(withAliases('!poolused 2 tag; !pooltag tag', aliases)).to.equal('!poolused 2 Leak; !pooltag Leak');
    expect(withAliases('x${tag}y tags "tag"', aliases)).to.equal('xLeaky tags "tag"');
    expect(withAliases('ad tag', aliases)).to.equal('ad tag');
  });
});
