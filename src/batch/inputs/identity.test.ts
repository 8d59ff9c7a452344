import { expect } from 'chai';
import { CountingSource, MemorySource } from '../../../parsers/bytes/source.js';
import { headerIdOf, identify } from './identity.js';

const noise = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 131 + (i >> 9) * 7) & 0xff);
const idOf = (bytes: Uint8Array) => identify(new MemorySource(bytes));

describe('batch: identity', () => {
  const large = noise(5 << 20);

  it('is the same for the same bytes and reads at most 2 MB', () => {
    const source = new CountingSource(new MemorySource(large, 'another name'));
    expect(identify(source)).to.deep.equal(idOf(large));
    expect(source.bytesRead).to.be.at.most(2 << 20);
  });

  it('differs by size, header, end and any block of the sample', () => {
    const { id, headerId } = idOf(large);
    expect(idOf(large.subarray(0, -1)).id).to.not.equal(id);
    for (const at of [0, 4095, 8191, large.length - 1, 8192, 65_535]) {
      const changed = large.slice();
      changed[at]! ^= 1;
      expect(idOf(changed).id, String(at)).to.not.equal(id);
      expect(idOf(changed).headerId === headerId, String(at)).to.equal(at >= 8192 && at !== 0);
    }
  });

  it('has the header’s part alone, for reading no more than that', () => {
    for (const length of [0, 1, 100, 8191, 8192, 8193, 5 << 20]) {
      const source = new CountingSource(new MemorySource(large.subarray(0, length)));
      expect(headerIdOf(source), String(length)).to.equal(idOf(large.subarray(0, length)).headerId);
      expect(source.bytesRead).to.be.at.most(8192);
    }
  });

  it('of a file up to 2 MB is of every byte', () => {
    const small = noise((2 << 20) - 12_345);
    const { id } = idOf(small);
    for (let at = 0; at < small.length; at += 99_991) {
      const changed = small.slice();
      changed[at]! ^= 0x80;
      expect(idOf(changed).id, String(at)).to.not.equal(id);
    }
  });

  it('is of files of any size', () => {
    const ids = [0, 1, 100, 4096, 65_536, 65_537, 2 << 20, (2 << 20) + 1].map((length) => idOf(noise(length)).id);
    expect(new Set(ids).size).to.equal(ids.length);
    for (const id of ids) expect(id).to.match(/^[0-9a-f]{32}$/);
  });
});
