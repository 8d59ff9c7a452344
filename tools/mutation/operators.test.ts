/** The changes that a mutation run makes are those that it names, none of text, imports or bounds, and one load serves all. */

import { expect } from 'chai';
import { linesRun, hasLine } from './lines.js';
import { applied, mutantsOf, switched, SWITCH } from './operators.js';

const changes = (text: string): string[] => mutantsOf(text).map((mutant) => applied(text, mutant));

describe('mutants', () => {
  it('change comparisons, arithmetic, conditions, logic, negations, truths, numbers and calls', () => {
    expect(changes('a < b;')).to.deep.equal(['((a) <= (b));']);
    expect(changes('a + b;')).to.deep.equal(['((a) - (b));']);
    expect(changes('if (a) b;')).to.deep.equal(['if (false) b;', 'if (true) b;']);
    expect(changes('a ?? b;')).to.deep.equal(['((a) && (b));']);
    expect(changes('!a;')).to.deep.equal(['(a);']);
    expect(changes('x = true;')).to.deep.equal(['x = false;']);
    expect(changes('x = 7;')).to.deep.equal(['x = (7 + 1);']);
    expect(changes('f(a);')).to.deep.equal([';']);
  });

  it('leave alone what types demand of an indexed read, and no other default', () => {
    expect(changes('a[i] ?? 0;')).to.deep.equal(['((a[i]) && (0));']);
    expect(changes('a.get(i) ?? 0;')).to.include('a.get(i) ?? (0 + 1);');
    expect(changes('a[i + 1] ?? 0;')).to.include('a[i + (1 + 1)] ?? 0;');
  });

  it('leave text and imports alone', () => {
    expect(changes("import { a } from './b.js';")).to.deep.equal([]);
    expect(changes("x = 'a' + b;")).to.deep.equal([]);
    expect(changes("x = `${n === 1 ? '' : 's'}`;")).to.deep.equal([]);
    expect(changes("x = n === 1 ? 'low' : 'high';")).to.have.length(4);
  });

  it('leave the value of a bound alone, but not the question', () => {
    expect(changes('const MOST_PAGES = 64 * 1024;')).to.deep.equal([]);
    expect(changes('if (n > MOST_PAGES) f(n);')).to.deep.equal([
      'if (false) f(n);',
      'if (true) f(n);',
      'if (n > MOST_PAGES) ;',
    ]);
  });
});

describe('switched mutants', () => {
  it('do what the changed text does, each alone, and nothing when none is on', () => {
    const text = `(a, b) => {
      const seen = [];
      if (!(a < b) || a + 2 > 9) seen.push(1);
      if (a === 3) return b ?? 7;
      return seen.length > 0 ? a * b : true;
    }`;
    const mutants = mutantsOf(text);
    expect(mutants).to.have.length.above(15);
    const all = switched(
      text,
      mutants.map((mutant, i) => ({ id: i + 1, mutant })),
    );
    type Tried = (a: number, b: number | null) => unknown;
    const made = (source: string): Tried => (0, eval)(source) as Tried;
    const together = made(all);
    const inputs = [1, 2, 3, 8].flatMap((a) => [1, 3, null].map((b) => [a, b] as const));
    const told = (tried: Tried): unknown[] => inputs.map(([a, b]) => tried(a, b));
    try {
      expect(told(together)).to.deep.equal(told(made(text)));
      for (const [i, mutant] of mutants.entries()) {
        Reflect.set(globalThis, SWITCH, i + 1);
        expect(told(together), mutant.change).to.deep.equal(told(made(applied(text, mutant))));
      }
    } finally {
      Reflect.deleteProperty(globalThis, SWITCH);
    }
  });
});

describe('lines that ran', () => {
  const starts = [0, 10, 20, 30, 40, 50];
  const ran = (functions: Parameters<typeof linesRun>[1]): number[] => {
    const lines = linesRun(starts, functions);
    return starts.map((_, i) => i).filter((i) => hasLine(lines, i));
  };

  it('are those of the innermost range that ran', () => {
    const outer = { startOffset: 0, endOffset: 60, count: 1 };
    expect(ran([{ ranges: [outer, { startOffset: 15, endOffset: 45, count: 0 }] }])).to.deep.equal([0, 1, 4, 5]);
  });

  it('are those of an inner function that ran alone', () => {
    const outer = { startOffset: 0, endOffset: 60, count: 0 };
    expect(ran([{ ranges: [outer] }, { ranges: [{ startOffset: 20, endOffset: 40, count: 2 }] }])).to.deep.equal([
      2, 3,
    ]);
  });
});
