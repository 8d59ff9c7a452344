/** The changes that a mutation run makes are those that it names, and none of text or imports. */

import { expect } from 'chai';
import { applied, mutantsOf } from './operators.js';
import { reaches } from './coverage.js';

const changes = (text: string): string[] => mutantsOf(text).map((mutant) => applied(text, mutant));

describe('mutants', () => {
  it('change comparisons, arithmetic, conditions, logic, negations, truths, numbers and calls', () => {
    expect(changes('a < b;')).to.deep.equal(['a <= b;']);
    expect(changes('a + b;')).to.deep.equal(['a - b;']);
    expect(changes('if (a) b;')).to.deep.equal(['if (false) b;', 'if (true) b;']);
    expect(changes('a ?? b;')).to.deep.equal(['a && b;']);
    expect(changes('!a;')).to.deep.equal(['(a);']);
    expect(changes('x = true;')).to.deep.equal(['x = false;']);
    expect(changes('x = 7;')).to.deep.equal(['x = (7 + 1);']);
    expect(changes('f(a);')).to.deep.equal([';']);
  });

  it('leave alone what types demand of an indexed read, and no other default', () => {
    expect(changes('a[i] ?? 0;')).to.deep.equal(['a[i] && 0;']);
    expect(changes('a.get(i) ?? 0;')).to.include('a.get(i) ?? (0 + 1);');
    expect(changes('a[i + 1] ?? 0;')).to.include('a[i + (1 + 1)] ?? 0;');
  });

  it('leave text and imports alone', () => {
    expect(changes("import { a } from './b.js';")).to.deep.equal([]);
    expect(changes("x = 'a' + b;")).to.deep.equal([]);
  });
});

describe('what a test reaches', () => {
  const functions = [
    [
      { startOffset: 0, endOffset: 100, count: 1 },
      { startOffset: 40, endOffset: 60, count: 0 },
    ],
  ];

  it('is what ran in the innermost range', () => {
    expect(reaches(functions, 10)).to.equal(true);
    expect(reaches(functions, 50)).to.equal(false);
    expect(reaches([], 50)).to.equal(false);
  });

  it('is reached when one of several processes ran it', () => {
    const other = [[{ startOffset: 40, endOffset: 60, count: 3 }]];
    expect(reaches([...functions, ...other], 50)).to.equal(true);
  });
});
