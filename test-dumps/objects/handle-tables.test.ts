/** Entries of handle tables, bit by bit, in every encoding; that of 64-bit Windows 8, of which there is no machine, among them. */

import { expect } from 'chai';
import type { KernelFacts } from '../kernel-facts.js';
import { EntryStyle } from './handle-tables.js';

const facts = (build: number, pointerSize?: 4): KernelFacts =>
  ({ version: `${build}`, build, ...(pointerSize ? { pointerSize } : {}) }) as unknown as KernelFacts;

interface Entry {
  low: bigint;
  high: number;
}

function entry(style: EntryStyle, target: number, access: number, attributes: number, count: number): Entry {
  const bytes = new Uint8Array(32);
  style.put(bytes, 16, target, access, attributes, count);
  const view = new DataView(bytes.buffer);
  expect(bytes.subarray(0, 16).every((byte) => byte === 0)).to.equal(true);
  const wide = style.entrySize === 16;
  return {
    low: wide ? view.getBigUint64(16, true) : BigInt(view.getUint32(16, true)),
    high: view.getUint32(wide ? 24 : 20, true),
  };
}

const HEADER = 0xe000_0123_4560;
const ACCESS = 0x1f_0003;

describe('entries of handle tables', () => {
  it('of Windows 7 and before hold a pointer, and attributes in its low bits', () => {
    const wide = new EntryStyle(facts(7601), 4);
    expect(entry(wide, HEADER, ACCESS, 3, 0)).to.deep.equal({ low: 0xffff_e000_0123_4567n, high: ACCESS });
    const narrow = new EntryStyle(facts(2600, 4), 3);
    expect(entry(narrow, 0x8765_4320, ACCESS, 1, 0)).to.deep.equal({ low: 0x8765_4323n, high: ACCESS });
    expect([wide.perLeaf, narrow.perLeaf, wide.stock, narrow.stock]).to.deep.equal([256, 512, 0, 0]);
  });

  it('of 64-bit Windows 8 hold 41 bits of the pointer above 19 bits of a count', () => {
    const style = new EntryStyle(facts(9200), 4);
    // Addresses of that system have 44 bits.
    const { low, high } = entry(style, 0xfa80_0123_4560, ACCESS, 2, 5);
    expect(BigInt.asUintN(64, (BigInt.asIntN(64, low) >> 23n) << 4n)).to.equal(0xffff_fa80_0123_4560n);
    expect((low >> 20n) & 7n).to.equal(2n);
    expect((low >> 1n) & 0x7_ffffn).to.equal(5n);
    expect(low & 1n).to.equal(1n);
    expect(high).to.equal(ACCESS);
    expect(style.stock).to.equal(0);
  });

  it('from Windows 8.1 on hold 44 bits above 16, with five levels 53 above 7', () => {
    const four = entry(new EntryStyle(facts(9600), 4), HEADER, ACCESS, 5, 0x7ffe).low;
    expect(BigInt.asUintN(64, (BigInt.asIntN(64, four) >> 20n) << 4n)).to.equal(0xffff_e000_0123_4560n);
    expect((four >> 17n) & 7n).to.equal(5n);
    expect((four >> 1n) & 0xffffn).to.equal(0x7ffen);
    const five = entry(new EntryStyle(facts(19041), 5), HEADER, ACCESS, 5, 0x7e).low;
    expect(BigInt.asUintN(64, (BigInt.asIntN(64, five) >> 11n) << 4n)).to.equal(0xffff_e000_0123_4560n);
    expect((five >> 8n) & 7n).to.equal(5n);
    expect((five >> 1n) & 0x7fn).to.equal(0x7en);
  });

  it('of 32-bit Windows 8 and later hold the count beside the access', () => {
    const eight = entry(new EntryStyle(facts(9200, 4), 3), 0x8765_4320, ACCESS, 1, 0x3f);
    expect(eight.low).to.equal(0x8765_4323n);
    expect([eight.high & 0x1ff_ffff, eight.high >>> 26]).to.deep.equal([ACCESS, 0x3f]);
    const later = entry(new EntryStyle(facts(19041, 4), 3), 0x8765_4320, ACCESS, 4, 0x1e);
    expect(later.low).to.equal(0x8765_4321n);
    expect([later.high & 0x1ff_ffff, (later.high >>> 25) & 1, later.high >>> 27]).to.deep.equal([ACCESS, 1, 0x1e]);
  });
});
