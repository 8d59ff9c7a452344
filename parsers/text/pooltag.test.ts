import { expect } from 'chai';
import fc from 'fast-check';
import { failed } from '../bytes/failure.js';
import {
  MAXIMUM_POOLTAG_ENTRIES,
  MAXIMUM_POOLTAG_LINE,
  MAXIMUM_POOLTAG_TEXT,
  PoolTagIndex,
  parsePoolTagFile,
  type PoolTagEntry,
} from './pooltag.js';

function entries(text: string): PoolTagEntry[] {
  const parsed = parsePoolTagFile(text);
  if (failed(parsed)) throw new Error(parsed.message);
  return parsed;
}

/** [tag, binary, description] of the one entry of a line; null where the line has none. */
function line(text: string): [string, string | null, string | null] | null {
  const [first, ...more] = entries(text);
  expect(more).to.deep.equal([]);
  return first ? [first.tag, first.binary, first.description] : null;
}

describe('parsePoolTagFile', () => {
  it('reads regular lines, keeping blanks inside tags and inside descriptions', () => {
    expect(line('Tst1 - one.sys   - First  thing')).to.deep.equal(['Tst1', 'one.sys', 'First  thing']);
    expect(line('Dh 1 - two.sys -  Second')).to.deep.equal(['Dh 1', 'two.sys', 'Second']);
    expect(line('Zz   - nt!zz        - Padded tag  ')).to.deep.equal(['Zz  ', 'nt!zz', 'Padded tag']);
    expect(line('Ab+: - three.sys - Signs')).to.deep.equal(['Ab+:', 'three.sys', 'Signs']);
  });

  it('gives null for <unknown>, in any case', () => {
    expect(line('Tst2 - <unknown>    - Some objects')).to.deep.equal(['Tst2', null, 'Some objects']);
    expect(line('Tst2 - <UNKNOWN> - Some objects')).to.deep.equal(['Tst2', null, 'Some objects']);
    expect(line('Tst2 - <multiple> - Some objects')).to.deep.equal(['Tst2', '<multiple>', 'Some objects']);
  });

  it('keeps names of several words and of several binaries', () => {
    expect(line('Tst3 - nt!xx or yy.sys - Text')).to.deep.equal(['Tst3', 'nt!xx or yy.sys', 'Text']);
    expect(line('Tst3 - a50.sys/a60.sys - Text')).to.deep.equal(['Tst3', 'a50.sys/a60.sys', 'Text']);
    expect(line('Tst3 - mod!Class::operator new - Text')).to.deep.equal(['Tst3', 'mod!Class::operator new', 'Text']);
  });

  it('does not split at hyphens of the description', () => {
    expect(line('Tst4 - four.sys - A non-paged pool - or not -1')).to.deep.equal([
      'Tst4',
      'four.sys',
      'A non-paged pool - or not -1',
    ]);
  });

  it('reads lines without a binary', () => {
    expect(line('Tst5 - A mount point')).to.deep.equal(['Tst5', null, 'A mount point']);
    expect(line('Tst5 - A mount point - of sorts')).to.deep.equal(['Tst5', null, 'A mount point - of sorts']);
    expect(line('Tst5 -  - A mount point')).to.deep.equal(['Tst5', null, 'A mount point']);
  });

  it('reads lines without a description', () => {
    expect(line('Tst6 - six.sys')).to.deep.equal(['Tst6', 'six.sys', null]);
    expect(line('Tst6 - six.sys -')).to.deep.equal(['Tst6', 'six.sys', null]);
    expect(line('Tst6 - six.sys seven.sys')).to.deep.equal(['Tst6', 'six.sys seven.sys', null]);
    expect(line('Tst6 -')).to.deep.equal(['Tst6', null, null]);
  });

  it('reads lines without the second hyphen', () => {
    expect(line('Tst7 - nt!seven         Seven things in a list')).to.deep.equal([
      'Tst7',
      'nt!seven',
      'Seven things in a list',
    ]);
    expect(line('Tst7 - seven.sys Seven things')).to.deep.equal(['Tst7', 'seven.sys', 'Seven things']);
    expect(line('Tst7 - nt!seven    Seven things - in a list')).to.deep.equal([
      'Tst7',
      'nt!seven',
      'Seven things - in a list',
    ]);
  });

  it('pads short tags and takes a tag column of five', () => {
    expect(line('AB1 - short.sys - Text')).to.deep.equal(['AB1 ', 'short.sys', 'Text']);
    expect(line('AB - short.sys - Text')).to.deep.equal(['AB  ', 'short.sys', 'Text']);
    expect(line('X - short.sys - Text')).to.deep.equal(['X   ', 'short.sys', 'Text']);
    expect(line('Abc -  short.sys')).to.deep.equal(['Abc ', 'short.sys', null]);
    expect(line('Tst8  - nt!mm - Text')).to.deep.equal(['Tst8', 'nt!mm', 'Text']);
  });

  it('passes over comments, empty lines, prose, orphans and end-of-file characters', () => {
    const text = [
      'rem a comment - not.sys - not a tag',
      'REM',
      '  Rem\ttoo',
      '// Abcd - not.sys - either',
      '',
      '       <unknown>',
      'TEST allocation tags are Ts00 through TsFF',
      'Longer - not.sys - a tag of six',
      'Tst9 - nine.sys - The only one',
      '\u001a',
    ].join('\r\n');
    expect(entries(text).map((e) => e.tag)).to.deep.equal(['Tst9']);
  });

  it('does not take a tag that begins with rem for a comment', () => {
    expect(line('Rema - a.sys - Text')).to.deep.equal(['Rema', 'a.sys', 'Text']);
  });

  it('keeps duplicates and letter case, in order', () => {
    const text = 'Dupl - a.sys - First\nDUPL - b.sys - Other\nDupl - c.sys - Second\n';
    expect(entries(text).map((e) => e.description)).to.deep.equal(['First', 'Other', 'Second']);
  });

  it('takes tabs for blanks and makes text safe to print', () => {
    expect(line('Tst1\t-\tone.sys\t-\tText\u001b[31m')).to.deep.equal(['Tst1', 'one.sys', 'Text?[31m']);
  });

  it('refuses what is too long or no text', () => {
    const message = (text: string): string => {
      const parsed = parsePoolTagFile(text);
      return failed(parsed) ? parsed.message : 'parsed';
    };
    expect(message(`Tst1 - a.sys - x\n${'-'.repeat(MAXIMUM_POOLTAG_LINE + 1)}`)).to.match(/^line 2 has 4097/);
    expect(message(' \n'.repeat(MAXIMUM_POOLTAG_TEXT / 2 + 1))).to.match(/at most 16777216/);
    expect(message('T - \n'.repeat(MAXIMUM_POOLTAG_ENTRIES + 1))).to.match(/line 100001: .*at most 100000/);
    expect(message('Tst1 - a\0.sys')).to.match(/not a text file/);
    expect(message('-'.repeat(MAXIMUM_POOLTAG_LINE))).to.equal('parsed');
  });

  it('takes time in proportion to hostile lines', () => {
    const hostile = [
      '- '.repeat(2048),
      ' '.repeat(4096),
      `Abcd - ${'a '.repeat(2000)}`,
      `Abcd - ${'.sys/'.repeat(800)}`,
    ];
    const text = hostile.map((l) => `${l}\n`.repeat(200)).join('');
    const start = process.cpuUsage().user;
    entries(text);
    expect((process.cpuUsage().user - start) / 1e6).to.be.below(3);
  });

  it('reads back any regular line', () => {
    const tag = fc
      .string({ minLength: 4, maxLength: 4 })
      .filter((t) => t.trim() !== '' && !/^\s*(rem\s|rem$|\/\/)/i.test(t));
    const word = fc.stringMatching(/^[A-Za-z0-9_]{1,12}$/);
    const description = fc.array(word, { minLength: 1, maxLength: 6 }).map((words) => words.join(' - '));
    fc.assert(
      fc.property(tag, word, fc.nat(12), description, (t, name, blanks, text) => {
        expect(line(`${t} - ${name}.sys${' '.repeat(blanks + 1)}- ${text}`)).to.deep.equal([t, `${name}.sys`, text]);
      }),
    );
  });

  it('gives well-formed entries for any text', () => {
    const piece = fc.oneof(
      fc.constantFrom(' - ', '-', '\n', ' ', 'nt!', '.sys', 'rem', '<unknown>', 'Tst1', '*', '?'),
      fc.string({ unit: 'binary', maxLength: 6 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const text = pieces.join('').replaceAll('\0', '');
        const list = entries(text);
        expect(list.length).to.be.at.most(text.split('\n').length);
        for (const { tag, binary, description } of list) {
          expect(tag).to.have.length(4);
          for (const field of [binary, description]) {
            if (field !== null) expect(field.trim()).to.equal(field).and.not.equal('');
          }
          expect(`${tag}${binary ?? ''}${description ?? ''}`).to.not.match(/[\u0000-\u001f\u007f-\u009f]/);
        }
      }),
    );
  });
});

describe('PoolTagIndex', () => {
  const index = (...tags: string[]): PoolTagIndex<{ tag: string; place: number }> =>
    new PoolTagIndex(tags.map((tag, place) => ({ tag, place })));
  const found = (tags: string[], tag: string): string | undefined => index(...tags).lookup(tag)?.tag;

  it('prefers the exact line, then the wildcard with the most fixed characters', () => {
    expect(found(['Afd?', 'AfdB', 'Af*'], 'AfdB')).to.equal('AfdB');
    expect(found(['A*', 'Af??', 'Afd?'], 'AfdX')).to.equal('Afd?');
    expect(found(['CM??', 'CM2?'], 'CM31')).to.equal('CM??');
    expect(found(['Acp*', 'A???'], 'AcpD')).to.equal('Acp*');
    expect(found(['Afd?'], 'Leak')).to.equal(undefined);
  });

  it('takes the first of duplicates and of equally good wildcards', () => {
    expect(index('Dupl', 'Dupl').lookup('Dupl')?.place).to.equal(0);
    expect(index('?bcd', 'Abc?', 'Abc*').lookup('Abcd')?.place).to.equal(0);
    expect(index('Abc*', 'Abc?').lookup('Abcd')?.place).to.equal(0);
    expect(index('Abc?', 'Abc*').lookup('Abcd')?.place).to.equal(0);
  });

  it('reads a star before padding as any run, and a star elsewhere as itself', () => {
    expect(found(['Bu* '], 'Bulk')).to.equal('Bu* ');
    expect(found(['*   '], 'Any1')).to.equal('*   ');
    expect(found(['A*cd'], 'Abcd')).to.equal(undefined);
    expect(found(['A*cd'], 'A*cd')).to.equal('A*cd');
  });

  it('is case-sensitive, and blanks count', () => {
    expect(found(['Leak', 'Io  '], 'leak')).to.equal(undefined);
    expect(found(['Io  '], 'Io  ')).to.equal('Io  ');
    expect(found(['Io  '], 'IoXX')).to.equal(undefined);
    expect(found(['Gh?:'], 'Gh?:')).to.equal('Gh?:');
  });

  it('has nothing for a text that is no tag', () => {
    for (const tag of ['', 'Abc', 'Abcde']) expect(found(['Abc?', '*   '], tag)).to.equal(undefined);
  });

  it('agrees with a plain search over all lines', () => {
    const character = fc.constantFrom('a', 'b', '?', '*', ' ');
    const tag = fc.tuple(character, character, character, character).map((c) => c.join(''));
    const wanted = fc.tuple(...[0, 1, 2, 3].map(() => fc.constantFrom('a', 'b', ' '))).map((c) => c.join(''));
    fc.assert(
      fc.property(fc.array(tag, { maxLength: 12 }), wanted, (tags, query) => {
        expect(index(...tags).lookup(query)?.place ?? -1).to.equal(plainSearch(tags, query));
      }),
      { numRuns: 2000 },
    );
  });
});

/** The rule, written as a search: the place of the best line, or -1. */
function plainSearch(tags: string[], query: string): number {
  let best = -1;
  let score = -1;
  for (const [place, tag] of tags.entries()) {
    const star = /\* *$/.exec(tag);
    const fixedPart = star ? tag.slice(0, star.index) : tag;
    const matches = Array.from(fixedPart).every((c, i) => c === '?' || c === query[i]);
    const wildcard = star !== null || tag.includes('?');
    const points = wildcard ? Array.from(fixedPart).filter((c) => c !== '?').length : 5;
    if (matches && points > score) {
      best = place;
      score = points;
    }
  }
  return best;
}
