import { expect } from 'chai';
import fc from 'fast-check';
import { existsSync, readFileSync } from 'node:fs';
import { buildDump } from '../../test-dumps/build-dump.js';
import { MemorySource } from '../bytes/source.js';
import { openDump } from './open-dump.js';
import { readSecondaryData } from './secondary-data.js';

const CORPUS = new URL('../../../../shared/corpus/dumps/', import.meta.url);
const BLOBS = [
  { guid: '{F87E4A4C-C5A1-4D2F-BFF0-D5DE63A5E4C3}', hex: '01'.repeat(77) },
  { guid: '11111111-2222-3333-4455-66778899aabb', hex: '' },
  // "MyLog" in 28 bytes, then WPLg.
  { guid: 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee', hex: `4d794c6f67${'00'.repeat(23)}57504c67${'ff'.repeat(300)}` },
];
const WANTED = [
  ['f87e4a4c-c5a1-4d2f-bff0-d5de63a5e4c3', 77, 'WDF drivers and libraries'],
  ['11111111-2222-3333-4455-66778899aabb', 0, null],
  ['aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee', 332, 'trace log: MyLog'],
];

const small = { memory: { bytes: 96 * 2 ** 20 }, secondaryData: BLOBS };
const listOf = (bytes: Uint8Array): ReturnType<typeof readSecondaryData> => {
  const dump = openDump(new MemorySource(bytes));
  return readSecondaryData(dump.source, dump.end);
};

describe('secondary data', () => {
  for (const kind of ['triage', 'full', 'bitmap-kernel', 'kernel', 'rdmp-kernel'] as const) {
    it(`of a ${kind} dump: every blob with its GUID, size and place`, () => {
      const kernel = kind === 'kernel' ? '7601' : '19041';
      const bytes = buildDump({ ...small, kernel, kind }).toBytes();
      const found = listOf(bytes);
      expect(found?.blobs.map((b) => [b.guid, b.size, b.name])).to.deep.equal(WANTED);
      expect(found?.complete).to.equal(true);
      expect(bytes[found!.blobs[0]!.offset]).to.equal(1);
      expect(bytes[found!.blobs[2]!.offset + 331]).to.equal(0xff);
    });
  }

  it('is null where a dump has none', () => {
    expect(listOf(buildDump({ memory: small.memory, kind: 'triage' }).toBytes())).to.equal(null);
  });

  it('cut off: what is whole is listed, and that it is not all', () => {
    const bytes = buildDump({ ...small, kind: 'triage' }).toBytes();
    const found = listOf(bytes.subarray(0, bytes.length - 20));
    expect(found?.blobs).to.have.length(2);
    expect(found?.complete).to.equal(false);
  });

  it('of the real triage dumps ends where the file ends', function () {
    if (!existsSync(CORPUS)) {
      if (this.test) this.test.title += ' - skipped: no corpus';
      this.skip();
    }
    for (const [name, count] of [
      ['triage_x64.dmp', 20],
      ['triage_arm64.dmp', 42],
    ] as const) {
      const found = listOf(readFileSync(new URL(name, CORPUS)));
      expect([found?.blobs.length, found?.complete], name).to.deep.equal([count, true]);
      expect(found?.blobs.map((b) => b.name)).to.include.members([
        'ACPI tables',
        'WDF drivers and libraries',
        'Storport',
      ]);
    }
  });

  it('of any bytes never reads past the file, and ends', () => {
    const blob = fc.record({
      header: fc.oneof(fc.constant(0x20), fc.nat(0x2000), fc.nat()),
      size: fc.oneof(fc.nat(64), fc.nat()),
      before: fc.oneof(fc.nat(16), fc.nat()),
      after: fc.oneof(fc.nat(16), fc.nat()),
      room: fc.nat(64),
    });
    fc.assert(
      fc.property(fc.array(blob, { maxLength: 20 }), fc.nat(40), fc.nat(0xffff), (blobs, gap, headerSize) => {
        const parts = [Buffer.alloc(gap * 4), Buffer.from('DumpBlob'), Buffer.alloc(8)];
        parts[2]!.writeUInt32LE(headerSize);
        for (const { header, size, before, after, room } of blobs) {
          const bytes = Buffer.alloc(0x20 + room);
          [header, 0, 0, 0, 0, size, before, after].forEach((value, i) => bytes.writeUInt32LE(value >>> 0, i * 4));
          parts.push(bytes);
        }
        const source = new MemorySource(Buffer.concat(parts));
        const found = readSecondaryData(source, 1);
        for (const { offset, size } of found?.blobs ?? []) expect(offset + size).to.be.at.most(source.byteLength);
      }),
    );
  });
});
