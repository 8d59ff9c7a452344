import { expect } from 'chai';
import { buildDump, type BuiltDump } from '../../test-dumps/build-dump.js';
import { SCENARIOS } from '../../test-dumps/scenarios.js';
import { physical, virtual } from '../addresses.js';
import { failed } from '../bytes/failure.js';
import { MemorySource, type ByteSource } from '../bytes/source.js';
import { openDump } from '../dump/open-dump.js';
import { ABSENT } from '../dump/page-index.js';
import { PhysicalMemory } from '../dump/physical-memory.js';
import type { TableMemory, TableOptions } from './table-memory.js';
import { X64Memory } from './x64.js';

/** A machine of bare page tables, for one rule at a time. Frame n is the page at n * 4096; frame 0 is the root. */
class Machine {
  readonly bytes = new Uint8Array(64 * 4096);
  readonly absent = new Set<number>();

  entry(frame: number, index: number, value: bigint): this {
    new DataView(this.bytes.buffer).setBigUint64(frame * 4096 + index * 8, value, true);
    return this;
  }

  memory(options: Partial<TableOptions> = {}): TableMemory {
    const source: ByteSource = new MemorySource(this.bytes);
    const pages = {
      pagesPresent: 64,
      end: 64,
      offsetOf: (page: number) => (page < 64 && !this.absent.has(page) ? page * 4096 : ABSENT),
    };
    const base = new X64Memory(new PhysicalMemory(source, pages as never), physical(0));
    return base.with({ options: { invalidPteMask: 0n, ...options } });
  }
}

const table = (frame: number, flags = 0x63n): bigint => (BigInt(frame) << 12n) | flags;
/** Indexes 0x1F0, 1, 2, 3 of the four levels. */
const VA = virtual(0xfffff80040403000n);

/** Maps VA's page table at frame 3. */
const mapped = (): Machine => new Machine().entry(0, 0x1f0, table(1)).entry(1, 1, table(2)).entry(2, 2, table(3));

const reason = (value: unknown): string =>
  failed(value) ? `${value.code}: ${value.message}` : `read ${String(value)}`;

describe('x64 translation', () => {
  it('visits pages of which none is in the dump', () => {
    const seen: [number, Uint8Array | null][] = [];
    const pages = new Float64Array([Number(VA & 0xffffffffffffn) - 2 ** 48, -4096]);
    mapped()
      .memory()
      .eachPage(pages, (place, bytes) => seen.push([place, bytes]));
    expect(seen).to.deep.equal([[0, null], [1, null]]); // prettier-ignore
  });

  it('walks four levels, and masks flags, protection keys and NX', () => {
    const memory = mapped()
      .entry(3, 3, table(9) | 0xfff0000000000000n)
      .memory();
    expect(memory.translate(virtual(VA + 0x123n))).to.equal(9 * 4096 + 0x123);
  });

  it('stops at 2 MB and 1 GB pages', () => {
    const machine = mapped().entry(2, 5, 0x40000e3n).entry(1, 2, 0x800000e3n);
    const memory = machine.memory();
    expect(memory.translate(virtual(0xfffff80040a12345n))).to.equal(0x4012345);
    expect(memory.translate(virtual(0xfffff80081234567n))).to.equal(0x81234567);
  });

  it('tells at which level an entry is not valid', () => {
    const memory = mapped().memory();
    const at = (address: bigint): string => reason(memory.translate(virtual(address)));
    expect(at(0xffff800000000000n)).to.match(/^not-mapped: .*PML4E is not valid/);
    expect(at(0xfffff80100000000n)).to.match(/^not-mapped: .*PDPTE is not valid/);
    expect(at(0xfffff80040000000n)).to.match(/^not-mapped: .*PDE is not valid/);
    expect(at(VA)).to.match(/^not-mapped: .*PTE is zero/);
  });

  it('tells a missing table and a missing page from an invalid entry', () => {
    const machine = mapped().entry(3, 3, table(9));
    machine.absent.add(9);
    expect(reason(machine.memory().read(VA, 4))).to.match(/^not-in-dump: the page \(physical page 0x9\)/);
    machine.absent.add(2);
    expect(reason(machine.memory().read(VA, 4))).to.match(/^not-in-dump: .*page table \(of PDEs\)/);
    expect(machine.memory().read(VA, 4)).to.have.property('place').that.includes({ address: VA, level: 1 });
    machine.absent.add(0);
    expect(reason(machine.memory().read(VA, 4))).to.match(/^not-in-dump: .*top-level page table/);
  });

  it('refuses addresses that are not canonical', () => {
    const memory = mapped().memory();
    expect(reason(memory.translate(virtual(0x0000800000000000n)))).to.match(/^bad-address/);
    expect(memory.translate(virtual(0x0000800000000000n))).to.deep.include({ place: { address: 0x0000800000000000n } });
    expect(reason(memory.translate(virtual(0xffff7fffffffffffn)))).to.match(/^bad-address/);
    const five = mapped().memory({ levels: 5 });
    expect(reason(five.translate(virtual(0x0000800000000000n)))).to.match(/^not-mapped: .*PML5E/);
    expect(reason(five.translate(virtual(0x0100000000000000n)))).to.match(/^bad-address/);
  });

  describe('software PTEs', () => {
    const pte = (value: bigint, options: Partial<TableOptions> = {}, machine = mapped()): unknown => {
      const found = machine.entry(3, 3, value).memory(options).translate(VA);
      return failed(found) ? found.code : found;
    };

    it('transition: the page is still in memory', () => {
      expect(pte((9n << 12n) | 0x880n)).to.equal(9 * 4096);
    });

    it('transition with the frame bits of the build', () => {
      const high = (1n << 49n) | (9n << 12n) | 0x880n;
      expect(pte(high, { transitionPfnBits: 36 })).to.equal(9 * 4096);
      expect(pte(high, { transitionPfnBits: 40 })).to.equal(2 ** 49 + 9 * 4096);
    });

    it('transition, mixed with InvalidPteMask unless SwizzleBit is set', () => {
      const mask = 1n << 45n;
      expect(pte(mask | (9n << 12n) | 0x880n, { invalidPteMask: mask })).to.equal(9 * 4096);
      expect(pte((9n << 12n) | 0x890n, { invalidPteMask: mask })).to.equal(9 * 4096);
      expect(pte(mask | (9n << 12n) | 0x880n, { invalidPteMask: null }), 'mask not known').to.equal(9 * 4096);
    });

    it('prototype: followed to a valid or transition entry, not past a second prototype', () => {
      const proto = (inner: bigint): unknown => {
        // VA + 0x1000 maps frame 10, which holds the prototype PTE at its start.
        const machine = mapped().entry(3, 4, table(10)).entry(10, 0, inner);
        const address = BigInt.asUintN(48, VA + 0x1000n);
        return pte((address << 16n) | 0x400n, {}, machine);
      };
      expect(proto(table(9))).to.equal(9 * 4096);
      expect(proto((9n << 12n) | 0x880n)).to.equal(9 * 4096);
      expect(proto(0x12345678_00000400n)).to.equal('paged-out');
      expect(proto(0x00001234_00000080n)).to.equal('paged-out');
      expect(proto(0n)).to.equal('not-mapped');
    });

    it('a prototype PTE that cannot be read says so, and one that points at itself does not hang', () => {
      expect(pte((BigInt.asUintN(48, VA + 0x5000n) << 16n) | 0x400n)).to.equal('not-mapped');
      expect(pte((BigInt.asUintN(48, VA) << 16n) | 0x400n)).to.equal('corrupt');
    });

    it('page file and demand zero are paged out', () => {
      expect(pte(0x00001234_00000080n)).to.equal('paged-out');
      expect(pte(0x80n)).to.equal('paged-out');
    });

    it('are accepted at the last level only', () => {
      const machine = new Machine().entry(0, 0x1f0, table(1)).entry(1, 1, (2n << 12n) | 0x880n);
      expect(reason(machine.memory().translate(VA))).to.match(/^not-mapped: .*PDPTE/);
    });
  });

  describe('against the builder’s own reader', () => {
    const compare = (built: BuiltDump): void => {
      const source: ByteSource = {
        name: 'built',
        byteLength: built.byteLength,
        read: (position, target) => built.read(position, target),
        close: () => undefined,
      };
      const dump = openDump(source);
      const memory = new X64Memory(new PhysicalMemory(source, dump.pages!), dump.header.directoryTableBase!);
      let read = 0;
      let missing = 0;
      for (const module of built.truth.modules.filter((m) => !m.session).slice(0, 25)) {
        for (let at = 0; at < module.size; at += 0x1000) {
          for (const [start, length] of [
            [at, 16],
            [at + 0xff8, 24],
          ] as const) {
            const address = module.base + BigInt(start);
            const expected = built.readVirtual(address, length);
            const found = memory.read(virtual(address), length);
            if (expected === null) {
              expect(failed(found), `${module.name}+${start.toString(16)}`).to.equal(true);
              missing++;
            } else {
              expect(failed(found) ? found.message : Buffer.from(found).toString('hex'), module.name).to.equal(
                Buffer.from(expected).toString('hex'),
              );
              read++;
            }
          }
        }
      }
      expect(read).to.be.greaterThan(100);
      expect(missing).to.be.greaterThan(10);
    };

    it('reads what it reads and misses what it misses, page by page and across borders', () => {
      compare(
        buildDump({
          ...SCENARIOS.modernLeak(),
          paging: { transition: 0.2, prototype: 0.2, pagedOut: 0.2, absent: 0.1 },
        }),
      );
      compare(buildDump({ ...SCENARIOS.pagedLeak(), paging: { transition: 0.3, prototype: 0.3, pagedOut: 0.1 } }));
    });
  });

  it('chunks cover a range without gaps, in order, and count what is missing', () => {
    const machine = mapped();
    for (let i = 0; i < 40; i++) if (i % 7 !== 3) machine.entry(3, i + 3, table(10 + ((i * 5) % 50)));
    const memory = machine.memory();
    let next = 0;
    let missing = 0;
    for (const chunk of memory.chunks(virtual(VA + 0x10n), 39 * 4096)) {
      expect(chunk.offset).to.equal(next);
      if (failed(chunk.bytes)) missing++;
      else {
        expect(chunk.bytes.length).to.equal(chunk.length);
        const direct = memory.read(virtual(VA + 0x10n + BigInt(chunk.offset)), chunk.length);
        expect(failed(direct) ? null : Buffer.from(direct).equals(Buffer.from(chunk.bytes))).to.equal(true);
      }
      next += chunk.length;
    }
    expect(next).to.equal(39 * 4096);
    expect(missing).to.equal(6);
    expect(memory.countPages(virtual(VA + 0x10n), 39 * 4096)).to.equal(40 - 6);
  });
});
