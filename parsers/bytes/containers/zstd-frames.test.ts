import { expect } from 'chai';
import fc from 'fast-check';
import { execFileSync } from 'node:child_process';
import { zstdOf } from '../../../test-dumps/zstd.js';
import { ZstdFrames } from './zstd-frames.js';

/** Whether bytes that come in pieces of a size are whole. */
function isWhole(bytes: Uint8Array, piece: number): boolean {
  const frames = new ZstdFrames();
  for (let at = 0; at < bytes.length; at += piece) frames.push(bytes.subarray(at, at + piece));
  return frames.isWhole;
}

const skippable = (size: number): Buffer => {
  const bytes = Buffer.alloc(8 + size);
  bytes.writeUInt32LE(0x184d2a53, 0);
  bytes.writeUInt32LE(size, 4);
  return bytes;
};

describe('frames of a Zstandard file', () => {
  const blocks = [Buffer.from('one'), Buffer.alloc(5000, 7), Buffer.from('three')];
  const one = Buffer.from(zstdOf(blocks));

  it('are whole at their ends and nowhere else, however the bytes come', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 0, max: 40 }), (piece, size) => {
        const all = Buffer.concat([skippable(size), one, one]);
        expect(isWhole(all, piece)).to.equal(true);
        for (let end = 1; end < all.length; end++) {
          const isEnd = end === 8 + size || end === 8 + size + one.length;
          if (end < 60 + size || end % 97 === 0 || isEnd || end > all.length - 20) {
            expect(isWhole(all.subarray(0, end), piece), String(end)).to.equal(isEnd);
          }
        }
      }),
      { numRuns: 20 },
    );
  });

  it('are told of other bytes: the engine says what is wrong with them', () => {
    expect(isWhole(Buffer.from('no frame at all'), 3)).to.equal(true);
    expect(isWhole(Buffer.concat([one, Buffer.from('rest')]), 5)).to.equal(true);
  });

  it('are those that zstd writes, with and without sums and sizes', function () {
    const input = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * i) % 251));
    for (const options of [['-3'], ['-1', '--no-check'], ['-19', '--long=27'], ['--no-content-size']]) {
      let packed: Buffer;
      try {
        packed = execFileSync('zstd', ['-q', '-c', ...options], { input });
      } catch {
        this.skip();
      }
      expect(isWhole(packed, 4096), options.join(' ')).to.equal(true);
      for (const less of [1, 5, 100]) expect(isWhole(packed.subarray(0, -less), 4096)).to.equal(false);
    }
  });
});
