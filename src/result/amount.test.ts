import { expect } from 'chai';
import { humanBytes } from '../views/print/format.js';
import { pagesText } from '../leak/wording.js';
import { sizeText } from './amount.js';

describe('an amount of memory', () => {
  it('has one decimal and the largest unit of which there is one; below 1 KB it is exact', () => {
    const all: [number | string | bigint, string][] = [
      [0, '0 bytes'], [1, '1 byte'], [-1, '-1 byte'], [1023, '1023 bytes'], ['512', '512 bytes'], [1024, '1.0 KB'],
      [615_424_000, '586.9 MB'], [-615_424_000, '-586.9 MB'], [2 ** 30 - 1, '1.0 GB'], [1.5 * 2 ** 40, '1.5 TB'],
      [2n ** 64n, '16.0 EB'], ['1180591620717411303424', '1024.0 EB'],
    ]; // prettier-ignore
    for (const [bytes, text] of all) expect(sizeText(bytes), String(bytes)).to.equal(text);
  });

  it('is the same in headlines and messages as in reports', () => {
    for (const pages of [1, 255, 256, 155_371, 191_078, 2 ** 24]) {
      expect(pagesText(pages)).to.equal(`${pages} pages (${humanBytes(pages * 4096)})`);
    }
  });
});
