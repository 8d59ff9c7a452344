import { expect } from 'chai';
import fc from 'fast-check';
import { existsSync, readFileSync } from 'node:fs';
import { virtual } from '../addresses.js';
import { failed } from '../bytes/failure.js';
import { DebuggerData, debuggerDataSize, decodeDebuggerData } from './debugger-data.js';
import { KDBG_FIELDS } from './debugger-data-fields.js';
import type { StructLayout } from './layout.js';
import { COUNTERS, trackerRecord, TrackerSums } from './pool-tracker.js';
import { scalar } from './structures.js';

const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });

describe('KDDEBUGGER_DATA64', () => {
  const REFERENCE = new URL('../../../../shared/reference/kernel-structures.json', import.meta.url);

  it('has every field where the reference has it (skipped where that is missing)', function () {
    if (!existsSync(REFERENCE)) this.skip();
    const { kdbg } = JSON.parse(readFileSync(REFERENCE, 'utf8')) as {
      kdbg: { name: string; off: number; size: number }[];
    };
    expect(KDBG_FIELDS.map(([name, offset, size]) => ({ name, offset, size }))).to.deep.equal(
      kdbg.map(({ name, off, size }) => ({ name, offset: off, size })),
    );
  });

  /** A block of `size` bytes in which every 8-byte field holds its own offset. */
  const block = (size: number): Uint8Array => {
    const bytes = new Uint8Array(size);
    const view = new DataView(bytes.buffer);
    for (let at = 0; at + 8 <= size; at += 8) view.setBigUint64(at, BigInt(at), true);
    view.setUint32(0x10, 0x4742444b, true);
    view.setUint32(0x14, size, true);
    return bytes;
  };

  it('gives no field beyond its own size', () => {
    for (const size of [0x208, 0x290, 0x318, 0x328, 0x330, 0x340, 0x360, 0x368, 0x380, 0x3a0]) {
      const data = new DebuggerData(block(size), virtual(0xfffff80000001000n), false);
      for (const [name, offset, width] of KDBG_FIELDS) {
        const value = data.value(name);
        expect(value === null, `${name} in a block of ${size}`).to.equal(offset + width > size);
        if (width === 8 && value !== null) expect(value).to.equal(BigInt(offset));
      }
      expect([...data.entries()].length).to.equal(
        KDBG_FIELDS.filter(([, offset, width]) => offset + width <= size).length,
      );
    }
  });

  it('refuses headers that are none', () => {
    expect(failed(debuggerDataSize(new Uint8Array(8)))).to.equal(true);
    expect(failed(debuggerDataSize(new Uint8Array(0x18)))).to.equal(true);
    const huge = block(0x208);
    new DataView(huge.buffer).setUint32(0x14, 0x7fffffff, true);
    expect(failed(debuggerDataSize(huge))).to.equal(true);
    expect(debuggerDataSize(block(0x340))).to.equal(0x340);
  });

  it('is decoded to what was encoded, for any keys', () => {
    const swap = (v: bigint): bigint =>
      BigInt(`0x${(v.toString(16).padStart(16, '0').match(/../g) ?? []).reverse().join('')}`);
    const mask = 2n ** 64n - 1n;
    fc.assert(
      fc.property(u64, u64, u64, (KiWaitNever, KiWaitAlways, address) => {
        const plain = block(0x208);
        const encoded = new Uint8Array(plain.length);
        const [from, to] = [new DataView(plain.buffer), new DataView(encoded.buffer)];
        const rotate = KiWaitNever & 63n;
        for (let at = 0; at < plain.length; at += 8) {
          // The five steps of decoding, undone from the last to the first.
          const q = swap(from.getBigUint64(at, true) ^ KiWaitAlways) ^ (address | 0xffff000000000000n);
          to.setBigUint64(at, (((q >> rotate) | (q << (64n - rotate))) & mask) ^ KiWaitNever, true);
        }
        const decoded = decodeDebuggerData(encoded, {
          KiWaitNever,
          KiWaitAlways,
          KdpDataBlockEncoded: virtual(address),
        });
        expect(Buffer.from(decoded).equals(Buffer.from(plain))).to.equal(true);
      }),
    );
  });
});

describe('TrackerSums', () => {
  const layouts: Record<string, StructLayout> = {
    '0x28': layout(0x28, { NonPagedAllocs: [4, 4], NonPagedFrees: [8, 4], NonPagedBytes: [16, 8], PagedAllocs: [24, 4], PagedFrees: [28, 4], PagedBytes: [32, 8] }),
    '0x38': layout(0x38, { NonPagedBytes: [8, 8], NonPagedAllocs: [16, 8], NonPagedFrees: [24, 8], PagedBytes: [32, 8], PagedAllocs: [40, 8], PagedFrees: [48, 8] }),
    '0x50': layout(0x50, { NonPagedBytes: [8, 8], NonPagedAllocs: [16, 8], NonPagedFrees: [24, 8], PagedBytes: [32, 8], PagedAllocs: [40, 8], PagedFrees: [48, 8] }),
    '0x1C': layout(0x1c, { NonPagedAllocs: [4, 4], NonPagedFrees: [8, 4], NonPagedBytes: [12, 4], PagedAllocs: [16, 4], PagedFrees: [20, 4], PagedBytes: [24, 4] }),
    '0x30': layout(0x30, { NonPagedBytes: [4, 4], NonPagedAllocs: [8, 8], NonPagedFrees: [16, 8], PagedBytes: [24, 4], PagedAllocs: [32, 8], PagedFrees: [40, 8] }),
  }; // prettier-ignore

  function layout(size: number, counters: Record<string, readonly [number, number]>): StructLayout {
    const fields: Record<string, { offset: number; type: string }> = { Key: { offset: 0, type: 'unsigned long' } };
    for (const [name, [offset, width]] of Object.entries(counters)) {
      fields[name] = { offset, type: width === 8 ? 'unsigned long long' : 'unsigned long' };
    }
    return { name: '_POOL_TRACKER_TABLE', size, fields };
  }

  const row = fc.record({
    key: fc.integer({ min: 0, max: 12 }),
    isProtected: fc.boolean(),
    values: fc.array(u64, { minLength: 6, maxLength: 6 }),
  });
  const tables = fc.array(fc.array(row, { minLength: 0, maxLength: 9 }), { minLength: 1, maxLength: 5 });

  for (const [name, struct] of Object.entries(layouts)) {
    it(`adds records of ${name} bytes as BigInt arithmetic does, in pieces of any size`, () => {
      const record = trackerRecord(struct)!;
      fc.assert(
        fc.property(tables, fc.integer({ min: 1, max: 4 }), (all, piece) => {
          const sums = new TrackerSums(record, 64);
          const expected = new Map<number, { isProtected: boolean; values: bigint[] }>();
          for (const rows of all) {
            const bytes = new Uint8Array(rows.length * struct.size);
            const view = new DataView(bytes.buffer);
            rows.forEach(({ key, isProtected, values }, i) => {
              const at = i * struct.size;
              view.setUint32(at, key === 0 ? 0 : key + (isProtected ? 0x80000000 : 0), true);
              // A free slot counts nothing.
              const kept = key === 0 ? values.map(() => 0n) : values;
              COUNTERS.forEach((counter, c) => {
                const { offset, type } = struct.fields[counter]!;
                if (type.endsWith('long long')) view.setBigUint64(at + offset, kept[c]!, true);
                else view.setUint32(at + offset, Number(kept[c]! & 0xffffffffn), true);
              });
              if (key === 0) return;
              const sum = expected.get(key) ?? { isProtected: false, values: [0n, 0n, 0n, 0n, 0n, 0n] };
              sum.isProtected ||= isProtected;
              sum.values = sum.values.map((v, c) => BigInt.asUintN(sums.width(c), v + kept[c]!));
              expected.set(key, sum);
            });
            for (let first = 0; first < rows.length; first += piece) {
              sums.add(
                bytes.subarray(first * struct.size, Math.min(bytes.length, (first + piece) * struct.size)),
                first,
                true,
              );
            }
          }
          expect(sums.rows).to.equal(expected.size);
          for (let i = 0; i < sums.rows; i++) {
            const wanted = expected.get(sums.keyOf(i))!;
            expect(sums.isProtected(i)).to.equal(wanted.isProtected);
            wanted.values.forEach((value, c) => expect(sums.sum(i, c)).to.equal(value));
          }
        }),
      );
    });
  }

  it('shows counters of a nameless overflow slot as Ovfl', () => {
    const struct = layouts['0x38']!;
    const sums = new TrackerSums(trackerRecord(struct)!, 65);
    const bytes = new Uint8Array(struct.size);
    new DataView(bytes.buffer).setBigUint64(struct.fields['NonPagedBytes']!.offset, 77n, true);
    sums.add(bytes, 63, true);
    expect(sums.rows).to.equal(0);
    sums.add(bytes, 64, true);
    expect([sums.rows, sums.keyOf(0), sums.sum(0, 2)]).to.deep.equal([1, 0x6c66764f, 77n]);
  });

  it('takes no layout that lacks a field or is too small', () => {
    const good = layouts['0x38']!;
    expect(trackerRecord({ ...good, size: 8 })).to.equal(null);
    const fields = Object.fromEntries(Object.entries(good.fields).filter(([name]) => name !== 'PagedBytes'));
    expect(trackerRecord({ ...good, fields })).to.equal(null);
    expect(
      trackerRecord({ ...good, fields: { ...good.fields, PagedBytes: { offset: 0x34, type: '*void' } } }),
    ).to.equal(null);
  });
});

describe('scalar', () => {
  it('takes bit fields out of their words', () => {
    const bytes = Uint8Array.of(0x78, 0x56, 0x34, 0x12);
    expect(scalar(bytes, 0, 'unsigned long')).to.equal(0x12345678n);
    expect(scalar(bytes, 0, 'unsigned long:8:12')).to.equal(0x456n);
    expect(scalar(bytes, 1, 'unsigned long')).to.equal(null);
    expect(scalar(bytes, 0, '_LIST_ENTRY')).to.equal(null);
  });
});
