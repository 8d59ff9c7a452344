import { expect } from 'chai';
import { MARK, pageOf, type Found } from './answer.js';

const found = (more: Partial<Found> = {}): Found => ({ facts: {}, rows: [], text: 'x', ...more });

describe('answers for a model', () => {
  it('fit, whatever is in a dump: texts and lists are cut, which is said', () => {
    const long = 'A'.repeat(100_000);
    const huge = { a: long, b: Array.from({ length: 10_000 }, () => ({ c: long, d: [long, long] })) };
    const { answer, text } = pageOf(found({ facts: huge, rows: [huge, huge, huge], text: long }), 'q', undefined);
    expect(JSON.stringify(answer).length + text.length).to.be.lessThan(19_000);
    expect(answer.notes).to.not.deep.equal([]);
    expect(answer.total).to.equal(3);
  });

  it('go on to the last row, also where none fits', () => {
    const wide = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`name${i}`, 'x'.repeat(100)]));
    let cursor: string | undefined;
    for (let pages = 0; pages < 3; pages++) {
      const { answer } = pageOf(found({ rows: [wide, wide, 1] }), 'q', cursor);
      if (answer.nextCursor === null) return;
      cursor = answer.nextCursor;
    }
    expect.fail('it never ends');
  });

  it('can be printed, and are marked as data', () => {
    const { answer, text } = pageOf(found({ facts: { a: '\u001b[31m\u202e' }, rows: ['\u0007'], text: 'a\u001b\nb' }), 'q', undefined); // prettier-ignore
    expect(JSON.stringify(answer) + text).to.not.match(/\\u001b|[\u001b\u202e\u0007]/);
    expect(text).to.equal(`a?\nb\n${MARK}`);
    expect(answer.notes).to.deep.equal([]);
  });

  it('say that rows are not known where they are not', () => {
    expect(pageOf(found({ rows: null }), 'q', undefined).answer).to.include({ total: null, nextCursor: null });
  });
});
