import { expect } from 'chai';
import fc from 'fast-check';
import { physical, virtual } from '../addresses.js';
import { failed } from '../bytes/failure.js';
import { MemorySource } from '../bytes/source.js';
import { ABSENT } from '../dump/page-index.js';
import { PhysicalMemory } from '../dump/physical-memory.js';
import { Arm64Memory } from './arm64.js';
import type { TableMemory } from './table-memory.js';
import { X64Memory } from './x64.js';

const FRAMES = 64;

/** Bare page tables: frame n is the page at n * 4096, frame 0 is the root. */
class Machine {
  readonly bytes = new Uint8Array(FRAMES * 4096);

  entry(frame: number, index: number, value: bigint): this {
    new DataView(this.bytes.buffer).setBigUint64(frame * 4096 + index * 8, value, true);
    return this;
  }

  physical(): PhysicalMemory {
    const offsetOf = (page: number): number => (page < FRAMES ? page * 4096 : ABSENT);
    const nextPresent = (page: number): number => (page < FRAMES ? page : ABSENT);
    return new PhysicalMemory(new MemorySource(this.bytes), { pagesPresent: FRAMES, end: FRAMES, offsetOf, nextPresent } as never); // prettier-ignore
  }

  memory(): TableMemory {
    return new Arm64Memory(this.physical(), physical(0));
  }
}

const table = (frame: number): bigint => (BigInt(frame) << 12n) | 3n;
/** A page or block: attributes, accessed, inner shareable; UXN and PXN. */
const leaf = (address: bigint, low: bigint): bigint => address | 0x60000000000704n | low;
/** Indexes 0x1F0, 1, 2, 3. */
const VA = 0xfffff80040403000n;
const mapped = (): Machine => new Machine().entry(0, 0x1f0, table(1)).entry(1, 1, table(2)).entry(2, 2, table(3));
const reason = (value: unknown): string =>
  failed(value) ? `${value.code}: ${value.message}` : `read ${String(value)}`;

describe('ARM64 translation', () => {
  it('walks four levels and masks attributes', () => {
    const memory = mapped().entry(3, 3, leaf(0x9000n, 3n)).memory();
    expect(memory.translate(virtual(VA + 0x123n))).to.equal(0x9123);
    const high = mapped()
      .entry(3, 3, leaf(0x2_5678_9abc_d000n, 3n) | 0xfc00000000000000n)
      .memory();
    expect(high.translate(virtual(VA))).to.equal(0x2_5678_9abc_d000);
  });

  it('stops at blocks of 2 MB and 1 GB, told by bit 1', () => {
    const memory = mapped().entry(2, 5, leaf(0x4000000n, 1n)).entry(1, 2, leaf(0x80000000n, 1n)).memory();
    expect(memory.translate(virtual(0xfffff80040a12345n))).to.equal(0x4012345);
    expect(memory.translate(virtual(0xfffff80081234567n))).to.equal(0x81234567);
  });

  it('takes bit 7 for an attribute, not for a large page as x64 does', () => {
    const machine = mapped()
      .entry(2, 2, table(3) | 0x80n)
      .entry(3, 3, leaf(0x9000n, 3n));
    expect(machine.memory().translate(virtual(VA))).to.equal(0x9000);
    const x64 = new X64Memory(machine.physical(), physical(0));
    expect(x64.translate(virtual(VA))).not.to.equal(0x9000);
  });

  it('refuses a page entry without bit 1, and names the level of an invalid entry', () => {
    const memory = mapped().entry(3, 3, leaf(0x9000n, 1n)).memory();
    expect(reason(memory.translate(virtual(VA)))).to.match(/^corrupt: .* is no level 3 entry/);
    expect(reason(memory.translate(virtual(0xfffff80100000000n)))).to.match(
      /^not-mapped: .*level 1 entry is not valid/,
    );
    expect(reason(memory.translate(virtual(0xffff800000000000n)))).to.match(/^not-mapped: .*level 0 entry/);
    const block = new Machine().entry(0, 0x1f0, leaf(0x1000n, 1n)).memory();
    expect(reason(block.translate(virtual(VA)))).to.match(/^corrupt: .* is no level 0 entry/);
  });

  it('reads pages in transition and behind prototypes, as x64 does; no mask is tried', () => {
    const machine = mapped()
      .entry(3, 3, 0x9860n)
      .entry(3, 4, ((VA + 0x2010n) << 16n) & 0xffffffffffffffffn | 0x460n)
      .entry(3, 5, leaf(0xa000n, 3n))
      .entry(10, 2, leaf(0xb000n, 3n))
      .entry(3, 6, 0x2000_0000_9860n)
      .entry(3, 7, 0x1234_0000_0060n); // prettier-ignore
    const memory = machine.memory();
    expect(memory.translate(virtual(VA))).to.equal(0x9000);
    expect(memory.translate(virtual(VA + 0x1000n))).to.equal(0xb000);
    expect(reason(memory.read(virtual(VA + 0x3000n), 4))).to.match(/^not-in-dump/);
    expect(reason(memory.read(virtual(VA + 0x4000n), 4))).to.match(/^paged-out/);
  });

  it('keeps its rules under another root', () => {
    const machine = mapped().entry(3, 3, leaf(0x9000n, 3n)).entry(5, 0x1f0, table(1));
    const other = machine.memory().rootedAt(physical(0x5000));
    expect(other).to.be.instanceOf(Arm64Memory);
    expect(other.translate(virtual(VA))).to.equal(0x9000);
    expect(other.levels).to.equal(4);
  });

  it('of any tables gives an address, or a reason; the same as a plain walk', () => {
    const value = fc.oneof(
      fc.tuple(fc.nat(FRAMES), fc.constantFrom(0n, 1n, 2n, 3n, 0x803n, 0x800n, 0x460n)).map(
        ([frame, low]) => (BigInt(frame) << 12n) | low,
      ),
      fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
    ); // prettier-ignore
    const entry = fc.tuple(fc.nat(6), fc.nat(3), value);
    fc.assert(
      fc.property(
        fc.array(entry, { maxLength: 24 }),
        fc.array(fc.nat(3), { minLength: 4, maxLength: 4 }),
        (entries, at) => {
          const machine = new Machine();
          for (const [frame, slot, v] of entries) machine.entry(frame, 508 + slot, v);
          const address =
            0xffff000000000000n + at.reduce((sum, slot, i) => sum + (BigInt(508 + slot) << BigInt(39 - 9 * i)), 0n);
          const found = machine.memory().translate(virtual(address));
          const plain = walk(machine.bytes, address);
          if (plain !== null) expect(found).to.equal(plain);
          else expect(failed(found) || typeof found === 'number').to.equal(true);
        },
      ),
    );
  });
});

/** A walk of valid entries alone, on bigint; null where it meets any other. */
function walk(bytes: Uint8Array, address: bigint): number | null {
  const view = new DataView(bytes.buffer);
  let frame = 0n;
  for (const shift of [39n, 30n, 21n, 12n]) {
    if (frame >= BigInt(FRAMES)) return null;
    const entry = view.getBigUint64(Number(frame) * 4096 + Number((address >> shift) & 511n) * 8, true);
    const base = entry & 0x0003fffffffff000n;
    if ((entry & 1n) === 0n) return null;
    if (shift === 12n) return (entry & 2n) === 0n ? null : Number(base | (address & 0xfffn));
    if ((entry & 2n) === 0n) {
      if (shift === 39n) return null;
      const inside = (1n << shift) - 1n;
      return Number((base & ~inside) | (address & inside));
    }
    frame = base >> 12n;
  }
  return null;
}
