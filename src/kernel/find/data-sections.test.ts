/** Values and pointers in a kernel's data: those that stand there aligned, and nothing from outside of it. */

import { expect } from 'chai';
import { FLAT_BASE, FlatMemory } from '../../../parsers/pe/flat-memory.test.helper.js';
import type { KernelImage } from '../open/locate-kernel.js';
import { dataSections, placesOfValue, pointersIn } from './data-sections.js';

const section = (rva: number, size: number, executable = false): object => ({ name: 'x', rva, size, executable, fileOffset: 0, fileSize: 0 }); // prettier-ignore
const image = (...sections: object[]): KernelImage =>
  ({ base: FLAT_BASE, size: 0x4000, headers: { sections } }) as unknown as KernelImage;

/** Code from 0x1000, data from 0x2000 to 0x3010. */
const KERNEL = image(section(0x1000, 0x1000, true), section(0x2000, 0x1010));
const rvas = (places: Iterable<bigint>): number[] => [...places].map((place) => Number(place - FLAT_BASE));

describe("a kernel's data", () => {
  it('are the sections without code, or all of it where there is no table of sections', () => {
    expect(dataSections(KERNEL).map(({ rva }) => rva)).to.deep.equal([0x2000]);
    expect(dataSections(image(section(0x1000, 0x1000, true)))).to.deep.equal([{ rva: 0, size: 0x4000 }]);
    expect(dataSections(image(section(0x1000, 0), section(0x2000, 0x4000001), section(0x3000, 0x4000000)))).to.have.lengthOf(1); // prettier-ignore
    expect(dataSections({ ...KERNEL, headers: null })).to.deep.equal([{ rva: 0, size: 0x4000 }]);
    expect(dataSections({ ...KERNEL, headers: null, size: null })).to.deep.equal([{ rva: 0, size: 0 }]);
  });

  it('hold a value of 64 bits where all of it stands, aligned, on a page that is there', () => {
    const memory = new FlatMemory(4, [1]);
    const value = 0x1_8000_0010;
    for (const rva of [0x10, 0x2000, 0x2008, 0x2ff8, 0x3008]) memory.words(rva, 0x80000010, 1);
    // Behind the section, unaligned, and with another upper half.
    for (const rva of [0x3010, 0x2104]) memory.words(rva, 0x80000010, 1);
    memory.words(0x2200, 0x80000010, 2);
    expect(rvas(placesOfValue(memory, KERNEL, value))).to.deep.equal([0x2000, 0x2008, 0x2ff8, 0x3008]);
    expect(rvas(placesOfValue(new FlatMemory(4, [2]), KERNEL, value))).to.deep.equal([]);
  });

  it('hold a value of 32 bits at every fourth byte', () => {
    const memory = new FlatMemory(4, [], 4);
    for (const rva of [0x2000, 0x2004, 0x210c, 0x300c, 0x3010]) memory.words(rva, 0x80123456);
    expect(rvas(placesOfValue(memory, KERNEL, 0x80123456))).to.deep.equal([0x2000, 0x2004, 0x210c, 0x300c]);
    expect(rvas(placesOfValue(memory, KERNEL, 0x1_80123456))).to.deep.equal([]);
  });

  it('hold pointers into the kernel, each given once', () => {
    const memory = new FlatMemory(4);
    const pointers = [[0x2000, 0x1000, 0xffff8000], [0x2008, 0x1000, 0xffff8000], [0x2010, 0x2010, 0xffffffff], [0x2020, 0x3000, 0xffff7fff], [0x2028, 0x3004, 0xffff8000], [0x3008, 0x4000, 0xfffff800], [0x3010, 0x5000, 0xfffff800]] as const; // prettier-ignore
    for (const [rva, low, high] of pointers) memory.words(rva, low, high);
    const found = (alignment: number): string[] =>
      [...pointersIn(memory, KERNEL, alignment)].map((p) => p.toString(16));
    expect(found(16)).to.deep.equal(['ffff800000001000', 'ffffffff00002010', 'fffff80000004000']);
    expect(found(4096)).to.deep.equal(['ffff800000001000', 'fffff80000004000']);
    expect(found(4)).to.include('ffff800000003004');
  });

  it('hold pointers of 32 bits from the upper half on', () => {
    const memory = new FlatMemory(4, [], 4);
    memory.words(0x2000, 0x80000000, 0x7ffffff0, 0x80000000, 0xffdf0000);
    expect([...pointersIn(memory, KERNEL, 16)]).to.deep.equal([0x80000000n, 0xffdf0000n]);
  });
});
