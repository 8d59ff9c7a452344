import { expect } from 'chai';
import fc from 'fast-check';
import { failed, Failure } from '../bytes/failure.js';
import { putU32 } from '../../test-dumps/bytes.js';
import { I386, AMD64, PLAIN } from '../../test-dumps/pdb/plain-pdb.js';
import { samplePdb } from '../../test-dumps/pdb/sample-pdb.js';
import { symbolRecord as S, writePdb } from '../../test-dumps/pdb/pdb-writer.js';
import { TypeWriter } from '../../test-dumps/pdb/type-writer.js';
import { CountingSource, MemorySource } from '../bytes/source.js';
import { MsfFile } from './msf.js';
import { openPdb } from './pdb.js';

/** Does all that can be done with a PDB, and says how much it read. */
function useAll(bytes: Uint8Array): number {
  const source = new CountingSource(new MemorySource(bytes, 'damaged.pdb'));
  const pdb = openPdb(source);
  if (failed(pdb)) {
    expect(pdb.message).to.match(/damaged\.pdb|PDB/);
    return source.bytesRead;
  }
  const symbols = pdb.symbols(['PoolTrackTable', 'Static', 'Public1', '_Public2@4']);
  for (const { rva } of symbols.values()) expect(rva).to.be.within(0, 0xffffffff);
  for (const type of ['_LIST_ENTRY', '_POOL', '_OUTER', '<unnamed-tag>', '_KIND']) {
    const layout = pdb.layout(type);
    if (layout === null) continue;
    expect(layout.size).to.be.at.least(0);
    for (const { offset, type: spelled } of Object.values(layout.fields)) {
      expect(offset).to.be.at.least(0);
      expect(spelled.length).to.be.lessThan(5000);
    }
  }
  pdb.enumValue('_KIND', 'many');
  for (const rva of [0, 0x1000, 0x1088, 0x6008, 0xffffffff]) pdb.nearestFunction(rva);
  pdb.bytesToNextSymbol(0x1010);
  pdb.counts();
  expect(pdb.notes.length).to.be.at.most(50);
  return source.bytesRead;
}

describe('a damaged PDB', () => {
  const samples = [samplePdb(I386, 1), samplePdb(AMD64, 2)];

  it('is usable when it is not damaged', () => {
    const pdb = openPdb(new MemorySource(samples[0]!));
    if (failed(pdb)) throw new Error(pdb.message);
    expect(pdb.symbols(['PoolTrackTable', 'Static', 'Public1']).size).to.equal(3);
    expect(Object.keys(pdb.layout('_POOL')!.fields)).to.deep.equal(['First', 'Second']);
  });

  it('with any words changed never breaks the reader, and is not read over and over', () => {
    const change = fc.record({
      at: fc.nat(),
      value: fc.oneof(
        fc.constantFrom(0, 1, 2, 3, 4, 5, 6, 0x7fff, 0x8000, 0xffff, 0x1000, 0x1001, 0x1005, 0x7fffffff, 0xffffffff),
        fc.nat({ max: 0xffffffff }),
      ),
      size: fc.constantFrom(1, 2, 4),
    });
    fc.assert(
      fc.property(fc.nat({ max: 1 }), fc.array(change, { minLength: 1, maxLength: 6 }), (which, changes) => {
        const bytes = samples[which]!.slice();
        for (const { at, value, size } of changes) {
          const place = at % (bytes.length - 4);
          const word = new Uint8Array(4);
          putU32(word, 0, value);
          bytes.set(word.subarray(0, size), place);
        }
        expect(useAll(bytes)).to.be.lessThan(bytes.length * 40);
      }),
      { numRuns: 1500 },
    );
  });

  it('cut off anywhere never breaks the reader', () => {
    for (const bytes of samples) {
      for (let length = 0; length < bytes.length; length += 61) useAll(bytes.subarray(0, length));
    }
  });

  it('with blocks of one stream in place of another never breaks the reader', () => {
    fc.assert(
      fc.property(fc.nat({ max: 1 }), fc.nat(), fc.nat(), (which, from, to) => {
        const bytes = samples[which]!.slice();
        const blocks = bytes.length / 512;
        const source = (from % blocks) * 512;
        bytes.copyWithin((to % blocks) * 512, source, source + 512);
        useAll(bytes);
      }),
      { numRuns: 400 },
    );
  });

  it('whose structures double with every level ends soon', () => {
    const types = new TypeWriter();
    let inner = types.struct('<unnamed-tag>', 0, []);
    for (let level = 0; level < 30; level++) {
      inner = types.struct(
        '<unnamed-tag>',
        0,
        [0, 1].map(() => ({ name: '', type: inner, offset: 0 })),
      );
    }
    types.struct('_DOUBLING', 0, [{ name: '', type: inner, offset: 0 }]);
    const pdb = openPdb(new MemorySource(writePdb({ ...PLAIN, types })));
    if (failed(pdb)) throw new Error(pdb.message);
    expect(pdb.layout('_DOUBLING')).to.equal(null);
  });

  it('whose stream names a block again and again is no longer than its file', () => {
    const file = new MemorySource(new Uint8Array(1024));
    const directory = Uint32Array.of(1, 512 * 1000, ...Array.from({ length: 1000 }, () => 1));
    const open = (blockCount: number): unknown =>
      new MsfFile(file, 512, blockCount, directory, Uint32Array.of(2)).stream(0);
    expect(open(2)).to.be.instanceOf(Failure).and.include({ code: 'corrupt' });
    expect(open(2000)).to.be.instanceOf(Failure).and.include({ code: 'short-file' });
  });

  it('with one name a million times keeps a few of them', () => {
    const one = S.public({ name: 'PoolTrackTable', segment: 1, offset: 0 });
    const symbols = [Buffer.concat(Array.from({ length: 200_000 }, () => one))];
    const pdb = openPdb(new MemorySource(writePdb({ ...PLAIN, symbols })));
    if (failed(pdb)) throw new Error(pdb.message);
    expect(pdb.symbols(['PoolTrackTable']).size).to.equal(1);
    expect(pdb.notes.join()).to.match(/65536 times/);
  });

  it('that claims millions of types, symbols or members costs no more than its bytes', () => {
    const types = new TypeWriter();
    for (let i = 0; i < 2000; i++) types.structOver('_X', 4, 0x1000);
    for (let i = 0; i < 300; i++) types.array(0x1000 + 2000 + i + 1, 0x40000000);
    types.struct('_Y', 4, [{ name: 'deep', type: 0x1000 + 2000, offset: 0 }]);
    const before = process.memoryUsage().rss;
    useAll(writePdb({ ...PLAIN, types }));
    const pdb = openPdb(new MemorySource(writePdb({ ...PLAIN, types })));
    if (failed(pdb)) throw new Error(pdb.message);
    expect(pdb.layout('_X')).to.equal(null);
    expect(pdb.layout('_Y')?.fields['deep']?.type).to.equal('?');
    expect(process.memoryUsage().rss - before).to.be.lessThan(100e6);
  });
});
