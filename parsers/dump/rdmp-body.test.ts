import { expect } from 'chai';
import fc from 'fast-check';
import { pfn } from '../addresses.js';
import { failed } from '../bytes/failure.js';
import { MemorySource } from '../bytes/source.js';
import { ABSENT } from './page-index.js';
import { readRdmpBody, type RdmpBody } from './rdmp-body.js';

const START = 0x2000;

interface Written {
  runs: readonly (readonly [base: number, count: number])[];
  /** Type 10: the records are counted. */
  complete?: boolean;
  total?: number;
  /** Bytes of the file after the records. */
  data?: number;
  metadata?: number;
}

/** An RDMP body at 0x2000 with records and nothing in its pages. */
function body({ runs, complete = false, total, data = 0, metadata }: Written): Buffer {
  const records = runs.length + (complete ? 0 : 1);
  const firstPage = START + 0x30 + records * 16;
  const bytes = Buffer.alloc(firstPage + data);
  bytes.writeUInt32LE(0x40, START);
  bytes.write('RDMPDUMP', START + 4, 'latin1');
  bytes.writeBigUInt64LE(BigInt(metadata ?? firstPage - START - 0x20), START + 0x10);
  bytes.writeBigUInt64LE(BigInt(firstPage), START + 0x18);
  if (complete) {
    bytes.writeUInt32LE(runs.length, START + 0x20);
    bytes.writeBigUInt64LE(BigInt(total ?? runs.reduce((sum, [, count]) => sum + count, 0)), START + 0x28);
  }
  runs.forEach(([base, count], i) => {
    bytes.writeBigUInt64LE(BigInt(base), START + 0x30 + i * 16);
    bytes.writeBigUInt64LE(BigInt(count), START + 0x38 + i * 16);
  });
  return bytes;
}

function read(written: Written, type = written.complete === true ? 10 : 8): RdmpBody {
  const found = readRdmpBody(new MemorySource(body(written)), START, type);
  if (found === null || failed(found)) throw new Error(found === null ? 'not recognised' : found.message);
  return found;
}

describe('RDMP bodies', () => {
  it('have their pages one after the other, in the order of the records', () => {
    const found = read({ runs: [[1, 2], [7, 1], [2 ** 34, 3]] }); // prettier-ignore
    const first = START + 0x30 + 4 * 16;
    expect([1, 2, 3, 7, 2 ** 34 + 2].map((page) => found.index.offsetOf(pfn(page)))).to.deep.equal(
      [first, first + 0x1000, ABSENT, first + 0x2000, first + 0x5000],
    ); // prettier-ignore
    expect([found.index.pagesPresent, found.end]).to.deep.equal([6, first + 6 * 0x1000]);
    expect(found.softErrors).to.deep.equal([]);
  });

  it('complete ones may hold page 0 and say how many pages there are', () => {
    const found = read({ runs: [[0, 3], [9, 1]], complete: true }); // prettier-ignore
    expect(found.index.pagesPresent).to.equal(4);
    expect(found.softErrors).to.deep.equal([]);
    const wrong = read({ runs: [[0, 3], [9, 1]], complete: true, total: 9 }); // prettier-ignore
    expect(wrong.softErrors.map((e) => e.code)).to.deep.equal(['rdmp-count']);
  });

  it('end at a record for page 0 where nothing counts them', () => {
    expect(read({ runs: [[4, 2], [0, 5], [9, 1]] }).index.pagesPresent).to.equal(2); // prettier-ignore
  });

  it('with a record that cannot be true keep what stands before it', () => {
    const found = read({ runs: [[4, 2], [2 ** 50, 1], [9, 1]] }); // prettier-ignore
    expect(found.index.pagesPresent).to.equal(2);
    expect(found.softErrors[0]?.message).to.match(/^run 1 of the RDMP header cannot be true/);
  });

  it('with sizes that do not belong together, or without records, are refused; other bodies are none', () => {
    const refused = (written: Written): boolean =>
      failed(readRdmpBody(new MemorySource(body(written)), START, written.complete === true ? 10 : 8));
    expect(refused({ runs: [[4, 2]], metadata: 0x100000 })).to.equal(true);
    expect(refused({ runs: [] })).to.equal(true);
    expect(refused({ runs: [], complete: true })).to.equal(true);
    expect(readRdmpBody(new MemorySource(Buffer.alloc(0x3000)), START, 8)).to.equal(null);
    expect(readRdmpBody(new MemorySource(Buffer.alloc(10)), START, 8)).to.equal(null);
  });

  it('answer as the plain list of records does, whatever stands in it', () => {
    const run = fc.tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 12 }));
    fc.assert(
      fc.property(fc.array(run, { minLength: 1, maxLength: 12 }), (runs) => {
        const { index, end } = read({ runs });
        let offset = START + 0x30 + (runs.length + 1) * 16;
        const places = new Map<number, number>();
        for (const [base, count] of runs) {
          for (let page = base; page < base + count; page++, offset += 0x1000) {
            if (!places.has(page)) places.set(page, offset);
          }
        }
        expect(end).to.equal(offset);
        const present = [...places.keys()].sort((a, b) => a - b);
        for (let page = 0; page < 80; page++) {
          expect(index.offsetOf(pfn(page)), `page ${page}`).to.equal(places.get(page) ?? ABSENT);
          expect(index.nextPresent(pfn(page))).to.equal(present.find((p) => p >= page) ?? ABSENT);
        }
      }),
    );
  });

  it('of any bytes give a body, a failure or nothing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(11), (bytes, type) => {
        const head = body({ runs: [[1, 1]] });
        head.set(bytes.subarray(0, head.length - START - 12), START + 12);
        const found = readRdmpBody(new MemorySource(head), START, type);
        expect(found === null || failed(found) || found.index.pagesPresent > 0).to.equal(true);
      }),
    );
  });

  it('with a million overlapping records in no order are refused at once; in order they are read', function () {
    this.timeout(10_000);
    const bytes = (step: number): Buffer => {
      const count = 1_000_000;
      const made = body({ runs: [] });
      const all = Buffer.alloc(START + 0x30 + (count + 1) * 16);
      made.copy(all);
      all.writeBigUInt64LE(BigInt(all.length - START - 0x20), START + 0x10);
      all.writeBigUInt64LE(BigInt(all.length), START + 0x18);
      const words = new Uint32Array(all.buffer, all.byteOffset + START + 0x30, count * 4);
      for (let i = 0; i < count; i++) {
        words[i * 4] = step > 0 ? 1 + i * step : 1 + ((i * 7919) % 50_000);
        words[i * 4 + 2] = 3;
      }
      return all;
    };
    expect(failed(readRdmpBody(new MemorySource(bytes(0)), START, 8))).to.equal(true);
    const found = readRdmpBody(new MemorySource(bytes(4)), START, 8);
    expect(found === null || failed(found) ? 0 : found.index.pagesPresent).to.equal(3_000_000);
  });
});
