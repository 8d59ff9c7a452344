/** Functions and their parts by the exception table, as the public documents of x64 and ARM64 exception handling lay it out. */

import { expect } from 'chai';
import { ExceptionTable } from './exception-table.js';
import { FLAT_BASE, FlatMemory } from './flat-memory.test.helper.js';
import type { ImageHeaders } from './image.js';

const SIZE = 0x8000;
const PDATA = 0x4000;
const XDATA = 0x5000;

interface Given {
  arm64?: boolean;
  /** Of the directory; by default as many as the words fill. */
  size?: number;
  missing?: readonly number[];
  sizeOfImage?: number;
  fill?: (memory: FlatMemory) => void;
}

function table(words: readonly number[], given: Given = {}): ExceptionTable {
  const memory = new FlatMemory(SIZE / 0x1000, given.missing ?? []);
  memory.words(PDATA, ...words);
  given.fill?.(memory);
  const directories = Array.from({ length: 16 }, () => ({ rva: 0, size: 0 }));
  directories[3] = { rva: PDATA, size: given.size ?? words.length * 4 };
  const headers = { sizeOfImage: given.sizeOfImage ?? SIZE, directories } as unknown as ImageHeaders;
  return ExceptionTable.read(memory, FLAT_BASE, headers, given.arm64 === true);
}

const at = (start: number, end: number): { start: number; end: number } => ({ start, end });

describe('exception tables of x64', () => {
  const words = [0x1000, 0x1010, XDATA, 0x1010, 0x1030, XDATA, 0x1040, 0x1050, XDATA];

  it('say where functions begin and end', () => {
    const found = table(words);
    expect(found.count).to.equal(3);
    for (const [rva, entry] of [
      [0xfff, null],
      [0x1000, at(0x1000, 0x1010)],
      [0x100f, at(0x1000, 0x1010)],
      [0x1010, at(0x1010, 0x1030)],
      [0x102f, at(0x1010, 0x1030)],
      [0x1030, null],
      [0x103f, null],
      [0x104f, at(0x1040, 0x1050)],
      [0x1050, null],
    ] as const) {
      expect(found.entryAt(rva), rva.toString(16)).to.deep.equal(entry);
    }
  });

  it('leave gaps for functions that call nothing', () => {
    const found = table(words);
    expect(found.gapAt(0x1034)).to.deep.equal(at(0x1030, 0x1040));
    expect(found.gapAt(0x10)).to.deep.equal(at(0, 0x1000));
    expect(found.gapAt(0x2000)).to.deep.equal(at(0x1050, 0xffffffff));
  });

  it('lose entries that cannot be true, and no other', () => {
    const good = [0x1000, 0x1010, XDATA];
    const more = [0x2000, 0x2010, XDATA];
    const count = (...bad: number[]): number => table([...good, ...bad, ...more]).count;
    expect(count()).to.equal(2);
    // Without a start, behind the image, in the wrong order, twice, and ending before it begins or behind the image.
    for (const bad of [[0, 8], [SIZE, SIZE + 8], [0x900, 0x910], [0x1000, 0x1010], [0x1800, 0x1800], [0x1800, SIZE + 1]]) {
      expect(count(...bad, XDATA), bad.join()).to.equal(2);
    }
    expect(count(0x1001, 0x1002, XDATA)).to.equal(3);
    expect(count(0x1800, SIZE, XDATA)).to.equal(3);
    expect(table([...good, SIZE - 1, SIZE, XDATA]).count).to.equal(2);
  }); // prettier-ignore

  it('end with their directory, and with the image', () => {
    expect(table(words, { size: 24 }).count).to.equal(2);
    expect(table(words, { size: 35 }).count).to.equal(2);
    expect(table(words, { sizeOfImage: PDATA + 24 }).count).to.equal(2);
    expect(table(words, { sizeOfImage: PDATA - 1 }).count).to.equal(0);
    expect(table(words, { size: 0 }).count).to.equal(0);
    expect(table(words, { missing: [4] }).count).to.equal(0);
  });

  it('chain the parts of a function by their unwind information', () => {
    // Entry 2 is a part of 0, with three unwind codes (padded to four); entry 3 of 2; entry 1 has none of it.
    const chained = [0x1000, 0x1010, XDATA, 0x1010, 0x1030, XDATA, 0x2000, 0x2010, XDATA + 0x10, 0x3000, 0x3010, XDATA + 0x40];
    const fill = (memory: FlatMemory): void => {
      memory.words(XDATA, 0x00000001);
      memory.words(XDATA + 0x10, 0x00030021, 0, 0, 0x1000, 0x1010, XDATA);
      memory.words(XDATA + 0x40, 0x00000021, 0x2000, 0x2010, XDATA + 0x10);
    };
    const found = table(chained, { fill });
    const [first, second, part, further] = [at(0x1000, 0x1010), at(0x1010, 0x1030), at(0x2000, 0x2010), at(0x3000, 0x3010)];
    expect([first, second, part, further].map((entry) => found.primaryOf(entry))).to.deep.equal([first, second, first, first]);
    expect(found.partsOf(0x1000)).to.deep.equal([first, part, further]);
    expect(found.partsOf(0x1010)).to.deep.equal([second]);
    expect(found.partsOf(0x1008)).to.deep.equal([]);
    // Asked again, and in another order, it says the same.
    expect([further, part].map((entry) => found.primaryOf(entry))).to.deep.equal([first, first]);
    expect(found.isLoosePart(part)).to.equal(false);
    expect(found.looseParts()).to.deep.equal([]);
    // Where the unwind information is missing every entry stands for itself.
    expect(table(chained, { fill, missing: [5] }).primaryOf(part)).to.deep.equal(part);
  }); // prettier-ignore

  it('chain also by an entry that names another entry, with the lowest bit set', () => {
    const indirect = [0x1000, 0x1010, XDATA, 0x2000, 0x2010, PDATA + 1];
    const found = table(indirect, { fill: (memory) => { memory.words(XDATA, 1); } }); // prettier-ignore
    expect(found.primaryOf(at(0x2000, 0x2010))).to.deep.equal(at(0x1000, 0x1010));
  });

  it('do not chain to what is no entry, nor for ever', () => {
    const loop = [0x1000, 0x1010, XDATA, 0x2000, 0x2010, XDATA + 0x20];
    const fill = (memory: FlatMemory): void => {
      memory.words(XDATA, 0x00000021, 0x2000, 0x2010, XDATA + 0x20);
      memory.words(XDATA + 0x20, 0x00000021, 0x1000, 0x1010, XDATA);
    };
    expect(table(loop, { fill }).primaryOf(at(0x2000, 0x2010))).to.deep.equal(at(0x2000, 0x2010));
    const nowhere = table(loop, { fill: (memory) => { memory.words(XDATA + 0x20, 0x21, 0x1004, 0x1010, XDATA); } }); // prettier-ignore
    expect(nowhere.primaryOf(at(0x2000, 0x2010))).to.deep.equal(at(0x2000, 0x2010));
  });
});

describe('exception tables of ARM64', () => {
  /** Packed unwind data: flag 1 a function, 2 a part without a prologue; the length in instructions. */
  const packed = (instructions: number, flag = 1): number => flag | (instructions << 2);
  const [NOP, B, BR, BLR, RET, BRK, SVC, BLRAA] = [0xd503201f, 0x14000001, 0xd61f0200, 0xd63f0200, 0xd65f03c0, 0xd4200000, 0xd4000001, 0xd73f0a11]; // prettier-ignore

  it('have packed lengths, or those of a record', () => {
    const fill = (memory: FlatMemory): void => {
      memory.words(XDATA, 0x08000000 | 8);
    };
    const found = table([0x1000, packed(4), 0x1010, XDATA, 0x1040, packed(0x7ff)], { arm64: true, fill });
    expect(found.count).to.equal(3);
    expect(found.entryAt(0x100c)).to.deep.equal(at(0x1000, 0x1010));
    expect(found.entryAt(0x1010)).to.deep.equal(at(0x1010, 0x1030));
    expect(found.entryAt(0x1030)).to.equal(null);
    expect(found.entryAt(0x1044)).to.deep.equal(at(0x1040, 0x1040 + 0x7ff * 4));
    // The record's page is missing: how long the function is nobody can say.
    const missing = table([0x1000, packed(4), 0x1010, XDATA, 0x1040, packed(1)], { arm64: true, fill, missing: [5] });
    expect(missing.entryAt(0x1010)).to.equal(null);
    expect(missing.gapAt(0x1014)).to.deep.equal(at(0x1010, 0x1040));
  });

  /** A function of four instructions that ends with `last`, and behind it an entry without a prologue. */
  const twice = (last: number, second = packed(4, 2), fill?: (memory: FlatMemory) => void): ExceptionTable =>
    table([0x1000, packed(4), 0x1010, second], {
      arm64: true,
      fill: (memory) => {
        memory.words(0x1000, NOP, NOP, NOP, last);
        fill?.(memory);
      },
    });

  it('make an entry without a prologue a part of the one that runs into it', () => {
    for (const [last, runsOn] of [[NOP, true], [BLR, true], [BLRAA, true], [SVC, true], [B, false], [BR, false], [RET, false], [BRK, false]] as const) {
      const found = twice(last);
      const [first, part] = [at(0x1000, 0x1010), at(0x1010, 0x1020)];
      expect(found.primaryOf(part), last.toString(16)).to.deep.equal(runsOn ? first : part);
      expect(found.isLoosePart(part)).to.equal(!runsOn);
      expect(found.looseParts()).to.deep.equal(runsOn ? [] : [0x1010]);
      expect(found.partsOf(0x1000)).to.deep.equal(runsOn ? [first, part] : [first]);
      expect(found.isLoosePart(first)).to.equal(false);
    }
  }); // prettier-ignore

  it('tell a part by the end of a prologue elsewhere, which is its first unwind code', () => {
    const record = (word: number, ...rest: number[]) => (memory: FlatMemory): void => {
      memory.words(XDATA, word, ...rest);
    };
    const isPart = (fill: (memory: FlatMemory) => void): boolean =>
      twice(NOP, XDATA, fill).primaryOf(at(0x1010, 0x1020)).start === 0x1000;
    const codes = 1 << 27;
    const single = 1 << 21;
    expect(isPart(record(codes | single | 4, 0x000000e5))).to.equal(true);
    expect(isPart(record(codes | single | 4, 0x0000e5d1))).to.equal(false);
    // Two epilogues, a word of scope each before the codes.
    expect(isPart(record(codes | (2 << 22) | 4, 0, 0, 0x000000e5))).to.equal(true);
    expect(isPart(record(codes | (2 << 22) | 4, 0x000000e5, 0, 0))).to.equal(false);
    expect(isPart(record(codes | (1 << 22) | 4, 0, 0x000000e5))).to.equal(true);
    // Extended counts are not read.
    expect(isPart(record(4, 0, 0x000000e5))).to.equal(false);
  }); // prettier-ignore

  it('do not join what does not touch', () => {
    const found = table([0x1000, packed(3), 0x1010, packed(4, 2)], { arm64: true });
    expect(found.primaryOf(at(0x1010, 0x1020))).to.deep.equal(at(0x1010, 0x1020));
    expect(table([0x1000, packed(4, 2)], { arm64: true }).looseParts()).to.deep.equal([0x1000]);
  });
});
