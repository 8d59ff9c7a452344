import { expect } from 'chai';
import fc from 'fast-check';
import { TagFinder } from './tag-finder.js';

const byte = fc.constantFrom(0x41, 0x61, 0x42, 0x62, 0xc1, 0xe1);
const tag = fc.array(byte, { minLength: 4, maxLength: 4 }).map((bytes) => Buffer.from(bytes).readUInt32LE());

describe('the finder of tags', () => {
  it('finds the same with and without the instructions for sixteen bytes, wherever the bytes lie', () => {
    fc.assert(
      fc.property(
        fc.array(tag, { minLength: 1, maxLength: 40 }),
        fc.boolean(),
        fc.array(byte, { maxLength: 300 }),
        fc.nat(3),
        fc.nat(310),
        (keys, withProtected, list, shift, limit) => {
          const bytes = Buffer.from(Uint8Array.from([...Buffer.alloc(shift), ...list])).subarray(shift);
          const fast = new TagFinder(keys, withProtected);
          const plain = new TagFinder(keys, withProtected, true);
          const expected: number[] = [];
          for (let at = 0; at < limit && at + 4 <= bytes.length; at++)
            if (fast.values.has(bytes.readUInt32LE(at))) expected.push(at);
          expect(fast.find(bytes, limit)).to.deep.equal(expected);
          expect(plain.find(bytes, limit)).to.deep.equal(expected);
        },
      ),
    );
  });
});
