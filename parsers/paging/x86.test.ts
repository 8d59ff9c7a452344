import { expect } from 'chai';
import fc from 'fast-check';
import { physical, virtual } from '../addresses.js';
import { failed } from '../bytes/failure.js';
import { MemorySource } from '../bytes/source.js';
import { ABSENT } from '../dump/page-index.js';
import { PhysicalMemory } from '../dump/physical-memory.js';
import { X86Memory, type X86Options } from './x86.js';

const PAGES = 32;

/** A machine of bare page tables, for one rule at a time. Frame n is the page at n * 4096. */
class Machine {
  readonly bytes = new Uint8Array(PAGES * 4096);
  readonly absent = new Set<number>();
  private readonly view = new DataView(this.bytes.buffer);

  /** A 4-byte entry of a table. */
  short(frame: number, index: number, value: number): this {
    this.view.setUint32(frame * 4096 + index * 4, value, true);
    return this;
  }

  /** An 8-byte entry at a physical address. */
  long(at: number, value: bigint): this {
    this.view.setBigUint64(at, value, true);
    return this;
  }

  memory(root: number, options: Partial<X86Options> = {}): X86Memory {
    const pages = {
      pagesPresent: PAGES,
      end: PAGES,
      offsetOf: (page: number) => (page < PAGES && !this.absent.has(page) ? page * 4096 : ABSENT),
    };
    const physicalMemory = new PhysicalMemory(new MemorySource(this.bytes), pages as never);
    return new X86Memory(physicalMemory, physical(root), { pae: false, prototypes: 'unknown', ...options });
  }
}

const reason = (value: unknown): string =>
  failed(value) ? `${value.code}: ${value.message}` : `read ${String(value)}`;

/** Page directory entry 0x202, page table entry 3. */
const VA = virtual(0x80803000n);
const short = (frame: number, flags = 0x63): number => frame * 4096 + flags;
const long = (frame: number, flags = 0x63n): bigint => (BigInt(frame) << 12n) | flags;

describe('x86 translation without PAE', () => {
  /** VA's page table is frame 2; the page directory frame 1. */
  const mapped = (): Machine => new Machine().short(1, 0x202, short(2));
  const memory = (machine: Machine, options: Partial<X86Options> = {}): X86Memory => machine.memory(0x1000, options);

  it('walks two levels', () => {
    const found = memory(mapped().short(2, 3, short(9)));
    expect(found.translate(virtual(VA + 0x123n))).to.equal(0x9123);
    expect([found.levels, found.pointerSize]).to.deep.equal([2, 4]);
  });

  it('ignores the low bits of CR3', () => {
    expect(mapped().short(2, 3, short(9)).memory(0x1018).translate(VA)).to.equal(0x9000);
  });

  it('stops at 4 MB pages, whose address has up to 40 bits (PSE-36)', () => {
    const machine = mapped()
      .short(1, 0x203, 0xc0000000 + 0xe3)
      .short(1, 0x204, 0x00400000 + 0x1fe000 + 0xe3);
    expect(memory(machine).translate(virtual(0x80c12345n))).to.equal(0xc0012345);
    expect(memory(machine).translate(virtual(0x81012345n))).to.equal(0xff_0041_2345);
  });

  it('tells what is not valid, and a missing table or page from it', () => {
    expect(reason(memory(mapped()).translate(virtual(0x90000000n)))).to.match(/^not-mapped: .*PDE is not valid/);
    expect(reason(memory(mapped()).translate(VA))).to.match(/^not-mapped: 0x80803000: the PTE is zero/);
    expect(memory(mapped()).translate(VA)).to.deep.include({ place: { address: VA, level: 0 } });
    expect(memory(mapped()).translate(virtual(0x90000000n))).to.deep.include({
      place: { address: 0x90000000n, level: 1 },
    });
    const machine = mapped().short(2, 3, short(9));
    machine.absent.add(9);
    expect(reason(memory(machine).read(VA, 4))).to.match(/^not-in-dump: the page \(physical page 0x9\)/);
    expect(memory(machine).read(VA, 4)).to.have.nested.property('place.physical', 0x9000);
    machine.absent.add(2);
    expect(reason(memory(machine).read(VA, 4))).to.match(/^not-in-dump: .*the page table \(physical page 0x2\)/);
    machine.absent.add(1);
    expect(reason(memory(machine).read(VA, 4))).to.match(/^not-in-dump: .*page directory/);
  });

  it('refuses addresses of more than 32 bits, and reads that go on past 4 GB', () => {
    const found = memory(new Machine().short(1, 0x3ff, short(2)).short(2, 0x3ff, short(9)));
    expect(reason(found.translate(virtual(0xffffffff80803000n)))).to.match(/^bad-address/);
    expect(failed(found.read(virtual(0xfffffff0n), 16))).to.equal(false);
    expect(reason(found.read(virtual(0xfffffff0n), 32))).to.match(/^bad-address/);
  });

  describe('software PTEs', () => {
    const pte = (value: number, options: Partial<X86Options> = {}, machine = mapped()): unknown => {
      const found = memory(machine.short(2, 3, value), options).translate(VA);
      return failed(found) ? found.code : found;
    };

    it('transition, page file, demand zero', () => {
      expect(pte(short(9, 0x880))).to.equal(0x9000);
      expect(pte(0x00012080)).to.equal('paged-out');
      expect(pte(0x80)).to.equal('paged-out');
    });

    it('prototype: a distance from the start of paged pool, or units of 8 bytes in the upper half', () => {
      // VA + 0x1000 maps frame 10, which holds the prototype PTE at +0x128.
      const proto = (inner: number): Machine => mapped().short(2, 4, short(10)).short(10, 0x4a, inner);
      const at = Number(VA) + 0x1128;
      const pack = (units: number): number => Math.floor(units / 0x80) * 0x800 + 0x400 + (units % 0x80) * 2;
      const base = 0x80400000;
      expect(pte(pack((at - base) / 4), { prototypes: base }, proto(short(9)))).to.equal(0x9000);
      expect(pte(pack((at - 0x80000000) / 8), { prototypes: 'upper-half' }, proto(short(9)))).to.equal(0x9000);
      expect(pte(pack((at - base) / 4), { prototypes: base }, proto(short(9, 0x880)))).to.equal(0x9000);
      expect(pte(pack((at - base) / 4), { prototypes: base }, proto(0x12345400))).to.equal('paged-out');
      expect(pte(pack((at - base) / 4), { prototypes: base }, proto(0))).to.equal('not-mapped');
      expect(pte(pack((at - base) / 4), { prototypes: 'unknown' }, proto(short(9)))).to.equal('not-mapped');
    });

    it('a prototype PTE that lies on its own page does not hang', () => {
      const units = (Number(VA) - 0x80000000) / 8;
      const value = Math.floor(units / 0x80) * 0x800 + 0x400 + (units % 0x80) * 2;
      expect(pte(value, { prototypes: 'upper-half' })).to.equal('corrupt');
    });

    it('are accepted at the last level only', () => {
      const machine = new Machine().short(1, 0x202, short(2, 0x880));
      expect(reason(memory(machine).translate(VA))).to.match(/^not-mapped: .*PDE/);
    });
  });
});

describe('x86 translation with PAE', () => {
  const ROOT = 0x1060;
  /** VA's pointer is the third of the table at 0x1060; directory frame 2, page table frame 3. */
  const mapped = (): Machine => new Machine().long(ROOT + 16, long(2, 1n)).long(0x2000 + 4 * 8, long(3));
  const memory = (machine: Machine): X86Memory => machine.memory(ROOT, { pae: true });
  const pte = (value: bigint, machine = mapped()): unknown => {
    const found = memory(machine.long(0x3000 + 3 * 8, value)).translate(VA);
    return failed(found) ? found.code : found;
  };

  it('walks three levels, and masks flags and NX', () => {
    expect(pte(long(9) | (1n << 63n))).to.equal(0x9000);
    expect(pte(long(0x123456))).to.equal(0x123456000);
    expect(memory(mapped()).levels).to.equal(3);
  });

  it('finds the pointers anywhere in their page', () => {
    const machine = new Machine()
      .long(0x1ff0, long(2, 1n))
      .long(0x2000 + 4 * 8, long(3))
      .long(0x3018, long(9));
    expect(machine.memory(0x1fe0, { pae: true }).translate(VA)).to.equal(0x9000);
  });

  it('stops at 2 MB pages', () => {
    const machine = mapped().long(0x2000 + 5 * 8, 0x1_00a000e3n);
    expect(memory(machine).translate(virtual(0x80a12345n))).to.equal(0x1_00a1_2345);
  });

  it('tells what is not valid', () => {
    expect(reason(memory(mapped()).translate(virtual(0x1000n)))).to.match(/^not-mapped: .*PDPTE is not valid/);
    expect(reason(memory(mapped()).translate(virtual(0x90000000n)))).to.match(/^not-mapped: .*PDE is not valid/);
    const machine = mapped();
    machine.absent.add(1);
    expect(reason(memory(machine).translate(VA))).to.match(/^not-in-dump: .*table of page directory pointers/);
  });

  it('software PTEs: transition (also mixed with high bits), page file, demand zero, prototype', () => {
    expect(pte(long(9, 0x880n))).to.equal(0x9000);
    expect(pte(long(9, 0x880n) | (1n << 36n)), 'mixed').to.equal(0x9000);
    expect(pte(0x00001234_00000080n)).to.equal('paged-out');
    expect(pte(0x80n)).to.equal('paged-out');
    const proto = mapped()
      .long(0x3000 + 4 * 8, long(10))
      .long(0xa128, long(9));
    expect(pte(((VA + 0x1128n) << 32n) | 0x400n, proto)).to.equal(0x9000);
    expect(pte((VA << 32n) | 0x400n)).to.equal('corrupt');
  });
});

describe('x86 translation of anything', () => {
  /** The rules once more, as plainly as they can be said: where an address leads, or null. */
  function plain(bytes: Uint8Array, root: number, pae: boolean, va: number, followed = false): number | null {
    const view = new DataView(bytes.buffer);
    const inside = (at: number): boolean => at + 8 <= bytes.length;
    const entry = (at: number): bigint | null => {
      if (!inside(at - (at % 4096) + 4088)) return null;
      return pae ? view.getBigUint64(at, true) : BigInt(view.getUint32(at, true));
    };
    const frameOf = (e: bigint): number => Number(e & 0x000ffffffffff000n);
    let table = pae ? root - (root % 32) : root - (root % 4096);
    if (pae) {
      const pointer = entry(table + Math.floor(va / 2 ** 30) * 8);
      if (pointer === null || (pointer & 1n) === 0n) return null;
      table = frameOf(pointer);
    }
    const [size, span] = pae ? [8, 2 ** 21] : [4, 2 ** 22];
    const pde = entry(table + (Math.floor(va / span) % (4096 / size)) * size);
    if (pde === null || (pde & 1n) === 0n) return null;
    if ((pde & 0x80n) !== 0n) {
      const above = pae ? 0 : Number((pde >> 13n) & 0xffn) * 2 ** 32;
      return above + Math.floor(frameOf(pae ? pde : pde & 0xffc00000n) / span) * span + (va % span);
    }
    const pte = entry(frameOf(pde) + (Math.floor(va / 4096) % (4096 / size)) * size);
    const leaf = (e: bigint | null): number | null => {
      if (e === null) return null;
      if ((e & 1n) !== 0n) return frameOf(e) + (va % 4096);
      if ((e & 0xc00n) !== 0x800n) return null;
      const whole = Number(e & 0x3ffffff000n);
      const low = whole % 2 ** 32;
      return (inside(whole + 4088) || !inside(low + 4088) ? whole : low) + (va % 4096);
    };
    if (pte === null || (pte & 1n) !== 0n || (pte & 0x400n) === 0n) return leaf(pte);
    if (followed || !pae) return null;
    const at = Number(pte >> 32n);
    if (at % 4096 > 4088) return null;
    const home = plain(bytes, root, pae, at, true);
    return home === null || !inside(home) ? null : leaf(view.getBigUint64(home, true));
  }

  /** Few places and few indexes, so that entries meet addresses. */
  const index = fc.nat({ max: 3 });
  const entries = fc.array(
    fc.record({
      table: fc.integer({ min: 1, max: 8 }),
      index,
      frame: fc.oneof(
        { weight: 8, arbitrary: fc.integer({ min: 1, max: 9 }) },
        { arbitrary: fc.nat({ max: 0xfffff }), weight: 1 },
      ),
      flags: fc.constantFrom(0x63, 0x63, 0x63, 0xe3, 0x880, 0x400, 0x80, 0, 0xc00),
      high: fc.constantFrom(0, 0, 0, 1, 0x10, 0x80000000, 0x00201000, 0x40001008, 0xffffffff),
    }),
    { minLength: 20, maxLength: 120 },
  );
  const addresses = fc.array(fc.tuple(index, index, index, fc.nat({ max: 4095 })), { minLength: 1, maxLength: 20 });

  for (const pae of [true, false]) {
    it(`${pae ? 'with' : 'without'} PAE gives what the plain rules give, and never throws`, () => {
      let mapped = 0;
      fc.assert(
        fc.property(entries, addresses, (list, places) => {
          const machine = new Machine();
          for (const { table, index: at, frame, flags, high } of list) {
            const low = (frame * 4096 + flags) % 2 ** 32;
            if (pae) machine.long(table * 4096 + at * 8, (BigInt(high) << 32n) | BigInt(low));
            else machine.short(table, at, low);
          }
          for (let i = 0; i < 4; i++) if (pae) machine.long(0x1000 + i * 8, long(2 + i, 1n));
          const memory = machine.memory(0x1000, { pae });
          for (const [first, second, third, offset] of places) {
            const va = (pae ? first * 2 ** 30 + second * 2 ** 21 : second * 2 ** 22) + third * 4096 + offset;
            const found = memory.translate(virtual(BigInt(va)));
            expect(failed(found) ? null : found).to.equal(plain(machine.bytes, 0x1000, pae, va));
            if (!failed(found)) mapped++;
            memory.read(virtual(BigInt(va)), 9000);
          }
        }),
        { numRuns: 800 },
      );
      expect(mapped).to.be.greaterThan(150);
    });
  }
});
