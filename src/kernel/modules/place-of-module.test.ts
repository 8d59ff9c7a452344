/** Where one module lies: its list entry against the image header at that place, witness by witness. */

import { expect } from 'chai';
import { plus, virtual, type VirtualAddress } from '../../../parsers/addresses.js';
import { FLAT_BASE, FlatMemory } from '../../../parsers/pe/flat-memory.test.helper.js';
import { readImageHeaders } from '../../../parsers/pe/image.js';
import { failed } from '../../../parsers/bytes/failure.js';
import type { ListEntry } from './list-entry.js';
import { placeOf, stampsOf, type ModulePlace } from './module-place.js';

const PE = 0x80;
const NAME = { text: 'drv.sys', wrong: null };
const ENTRY: ListEntry = {
  address: virtual(0xffffe00000010000n),
  base: FLAT_BASE,
  entryPoint: plus(FLAT_BASE, 0x1040),
  size: 0x6000,
  baseName: NAME,
  fullName: NAME,
  checkSum: 0x1234,
  timeDateStamp: 0x5f000001,
};
interface Header {
  size?: number;
  end?: number;
  checkSum?: number;
  stamp?: number;
  entryPoint?: number;
  debug?: number;
}

/** An image with a section that ends at `end`. */
function image(
  { size = 0x6000, end = 0x6000, checkSum = 0x1234, stamp = 0x5f000001, entryPoint = 0x1040, debug = 0 }: Header = {},
  missing: number[] = [],
): FlatMemory {
  const memory = new FlatMemory(12, missing);
  const { view } = memory;
  memory.words(0, 0x5a4d);
  memory.words(0x3c, PE);
  memory.words(PE, 0x4550, 0x18664, stamp);
  view.setUint16(PE + 0x14, 0xf0, true);
  view.setUint16(PE + 0x18, 0x20b, true);
  memory.words(PE + 0x28, entryPoint);
  memory.words(PE + 0x38, 0x1000);
  memory.words(PE + 0x50, size, 0x400, checkSum);
  memory.words(PE + 0x84, 16);
  if (debug !== 0) memory.words(PE + 0x88 + 6 * 8, 0x2000, 28);
  memory.words(0x2004, debug);
  memory.words(PE + 0x108 + 8, end - 0x1000, 0x1000);
  return memory;
}

const place = (entry: Partial<ListEntry>, memory: FlatMemory | null = image()): ModulePlace =>
  placeOf({ ...ENTRY, ...entry }, () => memory);
const told = ({ base, size, isConfirmed, doubts }: ModulePlace): unknown[] => [
  ...[base - FLAT_BASE, size, isConfirmed, ...doubts.map(({ settled, message }) => `${settled} ${message}`)],
];
const address = (offset: number): string => `0x${(FLAT_BASE + BigInt(offset)).toString(16)}`;

describe('the place of a module', () => {
  it('is that of the list where the header agrees, in pages', () => {
    expect(told(place({}))).to.deep.equal([0n, 0x6000, true]);
    expect(told(place({ size: 0x5800 }))).to.deep.equal([0n, 0x5800, true]);
  });

  it('has the size that the sections say, of list or header', () => {
    const says = (listed: number, header: number, end: number): string =>
      `SizeOfImage is 0x${listed.toString(16)} in the list and 0x${header.toString(16)} in the image header; its sections end at 0x${end.toString(16)}`;
    expect(told(place({}, image({ size: 0x7000 })))).to.deep.equal([
      ...[0n, 0x6000, true, `true ${says(0x6000, 0x7000, 0x6000)}`],
    ]);
    expect(told(place({ size: 0x9000 }))).to.deep.equal([0n, 0x6000, true, `true ${says(0x9000, 0x6000, 0x6000)}`]);
    // Neither: the smaller one, and nothing is sure.
    expect(told(place({ size: 0x9000 }, image({ size: 0x7000 })))).to.deep.equal([
      ...[0n, 0x7000, false, `false ${says(0x9000, 0x7000, 0x6000)}`],
    ]);
    expect(told(place({ size: 0 }, image({ size: 0x7000 })))[1]).to.equal(0x7000);
    expect(told(place({ size: 0 }, image({ size: 0 })))).to.deep.equal([0n, 0, true]);
  });

  it('needs half of the witnesses that tell, and one at least', () => {
    const isOne = (entry: Partial<ListEntry>, header: Header): boolean => place(entry, image(header)).headers !== null;
    expect(isOne({}, { stamp: 1, checkSum: 2 })).to.equal(true);
    expect(isOne({}, { stamp: 1, checkSum: 2, entryPoint: 3 })).to.equal(false);
    expect(isOne({}, { stamp: 1, checkSum: 2, size: 0x9000 })).to.equal(false);
    // What the entry does not hold says nothing.
    expect(isOne({ timeDateStamp: 0 }, { stamp: 1, checkSum: 2 })).to.equal(true);
    expect(isOne({ timeDateStamp: 0 }, { checkSum: 2, entryPoint: 3 })).to.equal(false);
    expect(isOne({ timeDateStamp: 0, entryPoint: virtual(0n) }, { checkSum: 2, stamp: 3 })).to.equal(true);
    expect(isOne({ timeDateStamp: 0, checkSum: 0 }, { checkSum: 0, size: 0x9000 })).to.equal(true);
    expect(isOne({ timeDateStamp: 0, checkSum: 0, entryPoint: virtual(0n) }, { checkSum: 0, size: 0x9000 })).to.equal(
      false,
    );
  });

  it('is that of the list where the header page is missing, and its entry point inside', () => {
    const at = (entryPoint: VirtualAddress): unknown[] => told(place({ entryPoint }, image({}, [0])));
    for (const inside of [virtual(0n), FLAT_BASE, plus(FLAT_BASE, 0x5fff)])
      expect(at(inside), String(inside)).to.deep.equal([0n, 0x6000, false]);
    for (const outside of [plus(FLAT_BASE, 0x6000), plus(FLAT_BASE, -1)])
      expect(at(outside)[3], String(outside)).to.equal(
        `false the entry point 0x${outside.toString(16)} is not between ${address(0)} and ${address(0x6000)}`,
      );
    expect(told(place({}, null))).to.deep.equal([0n, 0x6000, false]);
  });

  it('is doubted where another image, or none, stands there', () => {
    expect(told(place({ entryPoint: virtual(0n) }, image({ stamp: 1, checkSum: 2 })))[3]).to.equal(
      `false the image header at ${address(0)} is that of another image`,
    );
    const none = new FlatMemory(12);
    expect(told(place({}, none))).to.deep.equal([0n, 0x6000, false, `false no image header stands at ${address(0)}`]);
  });

  it('is where its entry point leads, if that image is its own', () => {
    const base = plus(FLAT_BASE, 0x8000);
    expect(told(place({ base }))).to.deep.equal([
      0n, 0x6000, true,
      `true no image header stands at ${address(0x8000)}; that of its entry point stands at ${address(0)}`,
    ]); // prettier-ignore
    expect(told(place({ base }, image({ stamp: 1, checkSum: 2, size: 0x9000 })))[2]).to.equal(false);
    // Not further down than the image is large.
    const far = image({ entryPoint: 0x9040 });
    expect(told(place({ base, entryPoint: plus(FLAT_BASE, 0x9040) }, far))[2]).to.equal(false);
    expect(told(place({ base, entryPoint: plus(FLAT_BASE, 0x9040), size: 0x9000 }, far))[2]).to.equal(true);
  });
});

describe('stamps of a module', () => {
  function stamps(entry: Partial<ListEntry>, header: Header = {}): unknown {
    const memory = image(header);
    const headers = readImageHeaders(memory, FLAT_BASE);
    if (failed(headers)) throw new Error(headers.message);
    const found = stampsOf({ ...ENTRY, ...entry }, { headers, memory, base: FLAT_BASE });
    return [
      found.timeDateStamp,
      found.checkSum,
      ...found.doubts.map(({ settled, message }) => `${settled} ${message}`),
    ];
  }

  it('are those of the header; another in the list is told', () => {
    expect(stamps({})).to.deep.equal([0x5f000001, 0x1234]);
    expect(stamps({ timeDateStamp: 0, checkSum: 0 })).to.deep.equal([0x5f000001, 0x1234]);
    const stamp = 'true TimeDateStamp is 0x5f000002 in the list and 0x5f000001 in the image header';
    expect(stamps({ timeDateStamp: 0x5f000002 })).to.deep.equal([0x5f000001, 0x1234, stamp]);
    expect(stamps({ timeDateStamp: 0x5f000002 }, { debug: 0x5f000002 })).to.deep.equal([0x5f000002, 0x1234, stamp]);
    expect(stamps({ timeDateStamp: 0x5f000002 }, { debug: 0x5f000003 })).to.deep.equal([0x5f000001, 0x1234, stamp]);
    expect(stamps({ checkSum: 0x1235 })).to.deep.equal([
      ...[0x5f000001, 0x1234, 'true CheckSum is 0x1235 in the list and 0x1234 in the image header'],
    ]);
  });

  it('are those of the list without a header, and unknown where that has none', () => {
    const none = { headers: null, memory: null, base: FLAT_BASE };
    expect(stampsOf(ENTRY, none)).to.deep.equal({ timeDateStamp: 0x5f000001, checkSum: 0x1234, doubts: [] });
    expect(stampsOf({ timeDateStamp: 0, checkSum: 0 }, none)).to.deep.include({ timeDateStamp: null, checkSum: null });
  });
});
