import { expect } from 'chai';
import { failed, Failure } from '../bytes/failure.js';
import { putU32, latin1 } from '../../test-dumps/bytes.js';
import { writeMsf } from '../../test-dumps/pdb/msf-writer.js';
import { Prng } from '../../test-dumps/prng.js';
import { fileOffset } from '../addresses.js';
import { CountingSource, MemorySource } from '../bytes/source.js';
import type { PdbFailure } from './failure.js';
import { MsfStream, openMsf, type MsfFile } from './msf.js';

const open = (bytes: Uint8Array): MsfFile => {
  const msf = openMsf(new MemorySource(bytes, 'test.pdb'));
  if (failed(msf)) throw new Error(msf.message);
  return msf;
};
const stream = (msf: MsfFile, number: number): MsfStream => {
  const found = msf.stream(number);
  if (!(found instanceof MsfStream)) throw new Error(`stream ${number}: ${found?.message ?? 'none'}`);
  return found;
};
const refuse = (bytes: Uint8Array): PdbFailure => {
  const msf = openMsf(new MemorySource(bytes, 'test.pdb'));
  expect(msf).to.be.instanceOf(Failure);
  return msf as PdbFailure;
};
const word = (bytes: Uint8Array, at: number): number => new DataView(bytes.buffer).getUint32(at, true);

describe('MSF', () => {
  const contents = [10, 0, 4096, 70_000, 5].map((size, i) => new Prng(i).bytes(size));

  for (const options of [{}, { blockSize: 512 }, { blockSize: 1024, scatter: 1 }, { scatter: 2 }]) {
    it(`reads streams over several blocks: ${JSON.stringify(options)}`, () => {
      const msf = open(writeMsf([...contents, null], options));
      expect(msf.streamCount).to.equal(contents.length + 1);
      contents.forEach((content, i) => {
        expect(stream(msf, i).bytes(0, content.length), `stream ${i}`).to.deep.equal(content);
      });
      const long = stream(msf, 3);
      for (const [at, length] of [
        [0, 1],
        [4095, 2],
        [511, 9000],
        [69_999, 1],
      ] as const) {
        expect(long.bytes(at, length)).to.deep.equal(contents[3]!.slice(at, at + length));
      }
      const tail = new Uint8Array(10);
      expect(long.read(fileOffset(69_995), tail)).to.equal(5);
      expect(long.read(fileOffset(70_000), tail)).to.equal(0);
      expect(msf.stream(5)).to.equal(null);
      expect(msf.stream(6)).to.equal(null);
    });
  }

  it('reads a directory whose own list takes several blocks', () => {
    // 40 000 blocks of 512 bytes: a directory of 160 KB in 313 blocks, listed in 3.
    const content = new Uint8Array(40_000 * 512);
    for (let i = 0; i < content.length; i += 512) putU32(content, i, i);
    const msf = open(writeMsf([null, content], { blockSize: 512 }));
    expect(stream(msf, 1).bytes(20_000_000, 1000)).to.deep.equal(content.slice(20_000_000, 20_001_000));
  });

  it('reads only what is asked for', () => {
    const source = new CountingSource(new MemorySource(writeMsf([null, new Uint8Array(2_000_000)])));
    const msf = openMsf(source) as MsfFile;
    stream(msf, 1).bytes(1_000_000, 16);
    expect(source.bytesRead).to.be.lessThan(4096);
  });

  it('tells other kinds of file from damage', () => {
    const cases: readonly (readonly [string, PdbFailure['code'], RegExp])[] = [
      ['Microsoft MSFZ Container\r\n\x1aALD\0\0', 'not-supported', /MSFZ/],
      ['Microsoft C/C++ program database 2.00\r\n\x1aJG\0\0', 'not-supported', /2\.00/],
      ['BSJB\x01\0\x01\0', 'not-supported', /\.NET/],
      ['MSCF\0\0\0\0', 'not-supported', /unpack/],
      ['MZ\x90\0', 'other-format', /executable/],
      ['<html>not here</html>', 'other-format', /web page/],
      ['\xef\xbb\xbf\r\n<!DOCTYPE html>', 'other-format', /web page/],
      ['PAGEDU64', 'other-format', /signature/],
      ['', 'other-format', /is empty/],
    ];
    for (const [text, kind, message] of cases) {
      const failure = refuse(latin1(text));
      expect(failure.code, text).to.equal(kind);
      expect(failure.message).to.match(message);
    }
  });

  describe('refuses what cannot be', () => {
    const good = writeMsf([null, new Uint8Array(10_000), new Uint8Array(3)]);
    const changed = (change: (bytes: Uint8Array) => void): Uint8Array => {
      const bytes = good.slice();
      change(bytes);
      return bytes;
    };
    const directoryAt = word(good, word(good, 0x34) * 4096) * 4096;
    const superblock: readonly (readonly [string, number, number])[] = [
      ['a block size of 0', 0x20, 0],
      ['a block size that is no power of two', 0x20, 4097],
      ['a block size of 2 GB', 0x20, 0x80000000],
      ['a directory of nothing', 0x2c, 0],
      ['a directory of 4 GB', 0x2c, 0xffffffff],
      ['a directory longer than the blocks of the file', 0x2c, 0x80000],
      ['a list of the directory past the end', 0x34, 0x7fffffff],
      ['a list of the directory in block 0', 0x34, 0],
      ['more streams than the directory holds', directoryAt, 60_000],
      ['millions of streams', directoryAt, 0x7fffffff],
      ['a stream longer than the directory lists', directoryAt + 8, 0x7fffffff],
    ];
    for (const [name, at, value] of superblock) {
      it(name, () => {
        const failure = refuse(
          changed((bytes) => {
            putU32(bytes, at, value);
          }),
        );
        expect(failure.code).to.be.oneOf(['corrupt', 'short-file']);
      });
    }

    it('a stream of blocks past the end', () => {
      const msf = open(
        changed((bytes) => {
          putU32(bytes, directoryAt + 16, 999);
        }),
      );
      expect(msf.stream(1)).to.be.instanceOf(Failure);
      expect(msf.stream(2)).to.be.instanceOf(MsfStream);
    });

    it('a file cut short: whatever is there can be read', () => {
      for (let length = 1; length < good.length; length += 997) {
        const msf = openMsf(new MemorySource(good.subarray(0, length), 'cut.pdb'));
        if (failed(msf)) {
          expect(msf.code).to.be.oneOf(['short-file', 'corrupt', 'other-format']);
          continue;
        }
        const whole = stream(msf, 1).bytes(0, 10_000);
        if (failed(whole)) expect(whole.code).to.equal('short-file');
      }
    });
  });

  it('lets a stream go over the same block again: it is as long as it says', () => {
    const bytes = writeMsf([null, new Prng(3).bytes(8192)]);
    const directoryAt = word(bytes, word(bytes, 0x34) * 4096) * 4096;
    putU32(bytes, directoryAt + 16, word(bytes, directoryAt + 12));
    const twice = stream(open(bytes), 1).bytes(0, 8192) as Uint8Array;
    expect(twice.slice(4096)).to.deep.equal(twice.slice(0, 4096));
  });
});
