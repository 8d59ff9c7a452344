import { expect } from 'chai';
import fc from 'fast-check';
import { TripleFinder } from './triple-finder.js';

/** Bytes that are alike in their halves, so that tables of halves say yes where a pattern is not. */
const byte = fc.constantFrom(0x41, 0x42, 0x51, 0x52, 0x00, 0xff);
const pattern = fc.uint8Array({ minLength: 3, maxLength: 4 }).chain((any) => fc.oneof(fc.constant(any), fc.array(byte, { minLength: 3, maxLength: 3 }).map((some) => Uint8Array.from(some)))); // prettier-ignore

function placesOf(finder: TripleFinder, bytes: Uint8Array, end = bytes.length): number[] {
  const found: number[] = [];
  finder.each(bytes, end, (at) => found.push(at));
  return found;
}

function naive(patterns: readonly Uint8Array[], bytes: Uint8Array, end: number): number[] {
  return Array.from({ length: Math.max(0, Math.min(end, bytes.length - 2)) }, (_, at) => at).filter((at) =>
    patterns.some((one) => [0, 1, 2].every((i) => bytes[at + i] === one[i])),
  );
}

describe('the search for many patterns', () => {
  it('passes over no place of any pattern, and gives places once, in order, below the end', () => {
    fc.assert(
      fc.property(
        fc.array(pattern, { minLength: 1, maxLength: 60 }),
        fc.array(byte, { maxLength: 400 }),
        fc.nat(420),
        (patterns, list, end) => {
          const bytes = Uint8Array.from(list);
          const found = placesOf(TripleFinder.of(patterns)!, bytes, end);
          expect(found).to.deep.equal([...new Set(found)].sort((a, b) => a - b));
          expect(found.every((at) => at < end && at + 3 <= bytes.length)).to.equal(true);
          expect(found).to.include.members(naive(patterns, bytes, end));
        },
      ),
    );
  });

  it('finds exactly the places where there are at most as many patterns as groups', () => {
    fc.assert(
      fc.property(
        fc.array(pattern, { minLength: 1, maxLength: 8 }),
        fc.array(byte, { maxLength: 400 }),
        (patterns, list) => {
          const bytes = Uint8Array.from(list);
          const found = placesOf(TripleFinder.of(patterns)!, bytes);
          expect(found).to.deep.equal(naive(patterns, bytes, bytes.length));
        },
      ),
    );
  });

  it('finds them across the pieces that are looked at in one call, and nothing of an earlier piece', () => {
    const patterns = [Buffer.from('abc'), Buffer.from('xyz')];
    const finder = TripleFinder.of(patterns)!;
    const bytes = Buffer.alloc(0x60005);
    const places = [0, 0x1fffd, 0x1ffff, 0x20004, 0x3fffe, 0x40001, 0x5fffe, 0x60002];
    for (const at of places) bytes.write(at % 2 === 0 ? 'abc' : 'xyz', at);
    // Overwritten by the one behind it.
    expect(placesOf(finder, bytes)).to.deep.equal(naive(patterns, bytes, bytes.length));
    expect(placesOf(finder, bytes).length).to.be.greaterThan(6);
    // The same memory again, with fewer bytes: what it held before is not found.
    expect(placesOf(finder, Buffer.alloc(20))).to.deep.equal([]);
    expect(placesOf(finder, Buffer.from('ab'))).to.deep.equal([]);
    expect(placesOf(finder, Buffer.from('xyzabc'))).to.deep.equal([0, 3]);
  });
});
