import { expect } from 'chai';
import fc from 'fast-check';
import { matchesTag, parsePoolUsedArguments } from './poolused-words.js';

const parse = (...words: string[]) => parsePoolUsedArguments(words);
const errorOf = (...words: string[]) => {
  const parsed = parse(...words);
  return 'error' in parsed ? parsed.error : `no error: ${JSON.stringify(parsed)}`;
};

describe('the words after !poolused', () => {
  it('are rows, flags and a tag pattern', () => {
    expect(parse()).to.deep.equal({ flags: 0 });
    expect(parse('2')).to.deep.equal({ flags: 2 });
    expect(parse('/t5', '2', 'Leak')).to.deep.equal({ flags: 2, top: 5, pattern: 'Leak' });
    expect(parse('/t', '20', '4')).to.deep.equal({ flags: 4, top: 20 });
    expect(parse('3', '/t20', 'Mm*')).to.deep.equal({ flags: 3, top: 20, pattern: 'Mm*' });
  });

  it('has flags in hexadecimal, or decimal after 0n', () => {
    expect(parse('0x5')).to.deep.equal({ flags: 5 });
    expect(parse('0n5')).to.deep.equal({ flags: 5 });
    expect(parse('b')).to.deep.equal({ flags: 11 });
    // 0x10 is no known bit, though decimal 10 would be.
    expect(errorOf('10')).to.match(/known bits/);
  });

  it('keeps blanks of a tag, and takes quotes off', () => {
    expect(parse('0', 'Abc ')).to.deep.equal({ flags: 0, pattern: 'Abc ' });
    expect(parse('0', '"Io  "')).to.deep.equal({ flags: 0, pattern: 'Io  ' });
    // A tag may look like an option.
    expect(parse('0', '/t5')).to.have.property('top', 5);
  });

  it('says clearly what is wrong', () => {
    expect(errorOf('6')).to.match(/2 .* and 4 .* exclude each other/);
    expect(errorOf('7')).to.match(/exclude each other/);
    expect(errorOf('Leak')).to.match(/no number.*0 Leak/);
    expect(errorOf('dead')).to.match(/known bits.*0 dead/);
    expect(errorOf('2', 'Abc')).to.match(/3 characters.*"Abc\*"/);
    expect(errorOf('2', 'Abcde')).to.match(/5 characters/);
    expect(errorOf('2', '')).to.match(/empty/);
    expect(errorOf('2', 'Dh', '1')).to.match(/2 characters/);
    expect(errorOf('2', 'Dh 1', 'x')).to.match(/too many words/);
    for (const words of [['/t'], ['/t0'], ['/tx'], ['/t-5'], ['/t', '2x']]) {
      expect(errorOf(...words), words.join(' ')).to.match(/number of rows/);
    }
  });
});

describe('tag patterns', () => {
  it('match the whole tag, case counts', () => {
    expect(matchesTag('Leak', 'Leak')).to.equal(true);
    expect(matchesTag('leak', 'Leak')).to.equal(false);
    expect(matchesTag('Le', 'Leak')).to.equal(false);
    expect(matchesTag('L??k', 'Leak')).to.equal(true);
    expect(matchesTag('Mm*', 'MmSt')).to.equal(true);
    expect(matchesTag('*ak', 'Leak')).to.equal(true);
    expect(matchesTag('Leak*', 'Leak')).to.equal(true);
    expect(matchesTag('....', 'Leak')).to.equal(false);
  });

  it('match as a regular expression of the same meaning does', () => {
    const letter = fc.constantFrom('a', 'b', '.', ' ', '*', '?', '[');
    const text = (size: number) => fc.array(letter, { maxLength: size }).map((letters) => letters.join(''));
    fc.assert(
      fc.property(text(8), text(6), (pattern, tag) => {
        const source = pattern
          .replace(/[.[\]]/g, '\\$&')
          .replaceAll('?', '.')
          .replaceAll('*', '.*');
        expect(matchesTag(pattern, tag)).to.equal(new RegExp(`^${source}$`, 's').test(tag));
      }),
    );
  });

  it('take no long time over many stars', () => {
    expect(matchesTag('*a'.repeat(2000), 'a'.repeat(1999))).to.equal(false);
  });
});
