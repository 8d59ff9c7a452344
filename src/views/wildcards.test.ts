/** Patterns of names: the same as the plain expression, and no pattern that is slow. */

import { expect } from 'chai';
import { wholeText } from './wildcards.js';

describe('wholeText', () => {
  it('fits what the plain expression fits', () => {
    let state = 5;
    const random = (below: number): number => (state = (state * 1103515245 + 12345) & 0x7fffffff) % below;
    const word = (letters: string, most: number): string =>
      Array.from({ length: random(most + 1) }, () => letters[(random(1000) >> 3) % letters.length]).join('');
    let fits = 0;
    for (let i = 0; i < 20_000; i++) {
      const pattern = word('ab*.', 7);
      const text = word('abB', 9);
      const plain = new RegExp(`^${pattern.replaceAll('*', '.*')}$`, 'is').test(text);
      if (plain) fits++;
      expect(wholeText(pattern).test(text), `${pattern} ${text}`).to.equal(plain);
    }
    expect(fits).to.be.greaterThan(500);
  });

  it('ends for patterns of many stars', () => {
    expect(wholeText(`${'*a'.repeat(2000)}*b`).test('a'.repeat(5000))).to.equal(false);
    expect(wholeText(`${'*a'.repeat(2000)}*b`).test(`${'a'.repeat(5000)}b`)).to.equal(true);
    expect(wholeText('*a'.repeat(20_000)).test('a')).to.equal(false);
  });
});
