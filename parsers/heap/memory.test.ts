import { expect } from 'chai';
import fc from 'fast-check';
import { PAGE_SIZE, virtual, type PhysicalAddress, type VirtualAddress } from '../addresses.js';
import { Failure } from '../bytes/failure.js';
import { MemoryBase } from '../paging/memory-base.js';
import { AddressSet } from './address-set.js';
import {
  heapAddress,
  heapMemory,
  highWord,
  joinWords,
  lowWord,
  PageWindow,
  PointerReader,
  toVirtual,
} from './memory.js';

/** Pages that hold their own number, every third of which is missing. */
class Numbered extends MemoryBase {
  readonly pointerSize = 8;
  constructor(private readonly base: bigint) {
    super();
  }
  translate(): PhysicalAddress | Failure {
    return new Failure('not-mapped', 'nothing is');
  }
  read(address: VirtualAddress, length: number): Uint8Array | Failure {
    const page = Number((address - this.base) / 4096n);
    if (page % 3 === 2) return new Failure('not-in-dump', `page ${page}`);
    return new Uint8Array(length).fill(page);
  }
}

describe('heap memory', () => {
  const aligned = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }).map((value) => {
    // Canonical with five levels: bits 63 to 57 repeat bit 56; a multiple of 8, as addresses of heaps are.
    return BigInt.asUintN(64, BigInt.asIntN(57, value & ~7n));
  });

  it('keeps addresses exact, also with five levels of paging', () => {
    fc.assert(
      fc.property(aligned, (address) => {
        const number = heapAddress(address, 8);
        expect(toVirtual(number)).to.equal(address);
        expect((BigInt(highWord(number)) << 32n) | BigInt(lowWord(number))).to.equal(address);
        expect(joinWords(lowWord(number), highWord(number))).to.equal(number);
        expect(toVirtual(number + 0x1000)).to.equal(BigInt.asUintN(64, address + 0x1000n));
      }),
    );
    expect(heapAddress(0x8512_0000n, 4)).to.equal(0x8512_0000);
    expect(toVirtual(0x8512_0000)).to.equal(0x8512_0000n);
  });

  it('reads an address space in runs, with holes', () => {
    const base = 0xffff_9c8a_0000_0000n;
    const memory = heapMemory(new Numbered(base));
    const window = new PageWindow(memory);
    expect(window.load(heapAddress(base, 8), 8 * PAGE_SIZE)).to.equal(true);
    expect([...window.present.subarray(0, 8)]).to.deep.equal([1, 1, 0, 1, 1, 0, 1, 1]);
    expect(window.found).to.equal(6);
    expect(window.bytes[3 * PAGE_SIZE]).to.equal(3);
    expect(window.has(PAGE_SIZE - 8, 16)).to.equal(true);
    expect(window.has(2 * PAGE_SIZE - 8, 16)).to.equal(false);
    expect(window.has(8 * PAGE_SIZE - 8, 16)).to.equal(false);
    expect(window.run(PAGE_SIZE, 3 * PAGE_SIZE)).to.equal(PAGE_SIZE);
    expect(window.run(2 * PAGE_SIZE, 16)).to.equal(0);
    const reader = new PointerReader(memory);
    expect(reader.u32(heapAddress(base + 0x1ffen, 8))).to.equal(null);
    expect(reader.u32(heapAddress(base + 0x1ffcn, 8))).to.equal(0x01010101);
    expect(reader.u16(heapAddress(base + 0x0fffn, 8))).to.equal(0x0100);
    expect(reader.pointer(heapAddress(base, 8))).to.equal(0);
    // One page is asked for once.
    expect(reader.reads).to.equal(3);
    expect(virtual(base)).to.equal(base);
  });

  it('keeps sets of addresses', () => {
    fc.assert(
      fc.property(fc.array(aligned, { maxLength: 300 }), fc.array(aligned, { maxLength: 20 }), (members, others) => {
        const set = new AddressSet();
        const wanted = new Set(members);
        for (const member of members) set.add(heapAddress(member, 8));
        expect(set.size).to.equal(wanted.size);
        for (const one of [...members, ...others]) expect(set.has(heapAddress(one, 8))).to.equal(wanted.has(one));
        if (members[0] !== undefined) expect(set.add(heapAddress(members[0], 8))).to.equal(false);
      }),
    );
  });
});
