import { expect } from 'chai';
import fc from 'fast-check';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { failed, Failure } from '../bytes/failure.js';
import { concat, putU16 } from '../../test-dumps/bytes.js';
import { makeCab, type CabSpec } from '../../test-dumps/pdb/cab-writer.js';
import { Prng } from '../../test-dumps/prng.js';
import { fileOffset } from '../addresses.js';
import { FileSource } from '../bytes/file-source.js';
import { MemorySource } from '../bytes/source.js';
import { type CabFailure, decompressCab, isCab, OtherCompression, type UnpackedFile } from './cab.js';

const WINDOW = 0x8000;

const unpack = (cab: Uint8Array, limit?: number): UnpackedFile | CabFailure =>
  decompressCab(new MemorySource(cab, 'ntkrnlmp.pd_'), limit === undefined ? {} : { limit });

function contentOf(unpacked: UnpackedFile | CabFailure): Buffer {
  if (failed(unpacked)) throw new Error(`${unpacked.code}: ${unpacked.message}`);
  const bytes = Buffer.alloc(unpacked.source.byteLength);
  expect(unpacked.source.read(fileOffset(0), bytes)).to.equal(bytes.length);
  unpacked.source.close();
  return bytes;
}

describe('CAB', () => {
  /** Repeats itself over the borders of blocks, so that the window is needed. */
  const content = concat([new Prng(2).bytes(30_000), ...Array.from({ length: 5 }, () => new Prng(3).bytes(25_001))]);

  const kinds: readonly (readonly [string, Partial<CabSpec>])[] = [
    ['MSZIP', {}],
    ['stored', { packing: 'stored' }],
    ['with reserved parts', { reserve: [7, 3, 5] }],
    ['after other bytes of its folder', { before: 40_001 }],
    ['without checksums', { checksums: false }],
    ['between other cabinets', { flags: 3 }],
    ['of nothing', { content: new Uint8Array(0) }],
    ['of one full block', { content: content.subarray(0, WINDOW) }],
  ];
  for (const [name, spec] of kinds) {
    it(`unpacks a file ${name}`, () => {
      const whole = { content, ...spec };
      const unpacked = unpack(makeCab(whole));
      expect(unpacked).to.include({ name: 'ntkrnlmp.pdb' });
      expect(contentOf(unpacked).equals(whole.content)).to.equal(true);
    });
  }

  it('unpacks what it packed, whatever it is', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat({ max: 400 }), (piece, times) => {
        const bytes = concat(Array.from({ length: times }, () => piece));
        expect(contentOf(unpack(makeCab({ content: bytes }))).equals(bytes)).to.equal(true);
      }),
      { numRuns: 40 },
    );
  });

  it('unpacks what a symbol server sends', function () {
    const path = fileURLToPath(new URL('../../../../shared/corpus/pdb/basic32.pd_', import.meta.url));
    if (!existsSync(path)) {
      this.test!.title += ' (no ../shared/corpus/pdb here)';
      this.skip();
    }
    const unpacked = decompressCab(new FileSource(path));
    expect(unpacked).to.include({ name: 'basic32.pdb' });
    // As cabextract unpacks it.
    expect(createHash('md5').update(contentOf(unpacked)).digest('hex')).to.match(/^a6c609e6/);
  });

  describe('refuses', () => {
    const good = makeCab({ content });
    const kindOf = (cab: Uint8Array, limit?: number): string => {
      const failure = unpack(cab, limit);
      expect(failure).to.be.instanceOf(Failure);
      return (failure as CabFailure).code;
    };
    const changed = (at: number, value: number): Uint8Array => {
      const bytes = good.slice();
      putU16(bytes, at, value);
      return bytes;
    };
    const folderAt = 36;
    const fileAt = 44;
    const dataAt = fileAt + 16 + 'ntkrnlmp.pdb'.length + 1;

    it('what is no cabinet', () => {
      expect(isCab(new MemorySource(good))).to.equal(true);
      expect(isCab(new MemorySource(Uint8Array.of(1, 2, 3, 4)))).to.equal(false);
      expect(kindOf(new Uint8Array(0))).to.equal('other-format');
      expect(kindOf(Buffer.from('MSC'))).to.equal('other-format');
    });

    it('LZX and other compressions, as not supported', () => {
      const failure = unpack(changed(folderAt + 6, 0x1503)) as OtherCompression;
      expect(failure).to.be.instanceOf(OtherCompression);
      expect(failure).to.include({ code: 'not-supported', compression: 'LZX', name: 'ntkrnlmp.pdb', files: 1 });
      expect(failure.size).to.equal(content.length);
      expect(failure.message).to.match(/LZX.*unpack/);
      expect(kindOf(changed(folderAt + 6, 2))).to.equal('not-supported');
    });

    it('files that continue in other cabinets, as not supported', () => {
      for (const folder of [0xfffd, 0xfffe, 0xffff])
        expect(kindOf(changed(fileAt + 8, folder))).to.equal('not-supported');
      expect(kindOf(changed(dataAt + 6, 0))).to.equal('not-supported');
    });

    it('more than the limit, before anything is unpacked', () => {
      expect(kindOf(good, content.length - 1)).to.equal('too-large');
      expect(contentOf(unpack(good, content.length)).length).to.equal(content.length);
    });

    it('damage of every kind', () => {
      expect(kindOf(changed(dataAt + 100, 0x1234))).to.equal('corrupt');
      expect(kindOf(changed(dataAt + 4, 0xffff))).to.equal('corrupt');
      expect(kindOf(changed(dataAt + 6, 0xffff))).to.equal('corrupt');
      expect(kindOf(changed(fileAt + 2, 0x7fff))).to.equal('corrupt');
      expect(kindOf(changed(fileAt + 8, 1))).to.equal('corrupt');
      expect(kindOf(changed(28, 0))).to.equal('corrupt');
      expect(kindOf(changed(folderAt + 4, 1))).to.equal('corrupt');
      const unchecked = makeCab({ content, checksums: false });
      unchecked[dataAt + 8] = 0x58;
      expect(kindOf(unchecked)).to.equal('corrupt');
    });

    it('a cabinet cut off anywhere', () => {
      for (let length = 4; length < good.length; length += 333) {
        expect(kindOf(good.subarray(0, length)), `${length}`).to.be.oneOf(['short-file', 'corrupt']);
      }
    });

    it('or unpacks, whatever bytes are changed', () => {
      fc.assert(
        fc.property(fc.array(fc.tuple(fc.nat({ max: 200 }), fc.nat({ max: 0xffff })), { maxLength: 4 }), (changes) => {
          const bytes = good.slice();
          for (const [at, value] of changes) putU16(bytes, at, value);
          const unpacked = unpack(bytes);
          if (!failed(unpacked)) unpacked.source.close();
        }),
        { numRuns: 200 },
      );
    });
  });
});
