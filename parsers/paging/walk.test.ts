import { expect } from 'chai';
import { physical, virtual } from '../addresses.js';
import {
  entryAddresses,
  pageTableBase,
  TABLE_SHAPES,
  walkTables,
  type PhysicalReader,
  type TableShape,
} from './walk.js';

/** Physical memory of whole pages; entries are put by their address. */
class Memory {
  private readonly pages = new Map<number, DataView>();

  put(at: number, value: bigint, size: 4 | 8 = 8): this {
    const page = this.pages.get(at - (at % 4096)) ?? new DataView(new ArrayBuffer(4096));
    this.pages.set(at - (at % 4096), page);
    if (size === 8) page.setBigUint64(at % 4096, value, true);
    else page.setUint32(at % 4096, Number(value), true);
    return this;
  }

  readonly read: PhysicalReader = (address, length) => {
    const page = this.pages.get(address - (address % 4096));
    return page === undefined ? null : new Uint8Array(page.buffer, address % 4096, length);
  };
}

const walk = (shape: TableShape, memory: Memory, address: bigint): ReturnType<typeof walkTables> =>
  walkTables(shape, physical(0x1000), virtual(address), memory.read);

describe('the way through page tables', () => {
  /** Index 0x1f0, 1, 2, 3 of four levels. */
  const ADDRESS = 0xfffff800_40403123n;
  const x64 = (): Memory =>
    new Memory().put(0x1f80, 0x2063n).put(0x2008, 0x3063n).put(0x3010, 0x4063n).put(0x4018, 0x8000000012345163n);

  it('goes through four levels to a page', () => {
    const found = walk(TABLE_SHAPES.x64, x64(), ADDRESS);
    expect(found.entries.map(({ name, at }) => `${name} ${at.toString(16)}`)).to.deep.equal([
      'PXE 1f80',
      'PPE 2008',
      'PDE 3010',
      'PTE 4018',
    ]);
    expect(found).to.include({ end: 'page', physical: 0x12345123 });
  });

  it('ends at large pages of each size', () => {
    const two = walk(TABLE_SHAPES.x64, x64().put(0x3010, 0x200010e3n), ADDRESS);
    expect(two, 'bit 12 is no part of the address').to.include({ end: 'large', physical: 0x20003123 });
    const one = walk(TABLE_SHAPES.x64, x64().put(0x2008, 0x800000e3n), ADDRESS);
    expect(one).to.include({ end: 'large', physical: 0x80403123 });
    const four = walk(TABLE_SHAPES.x86, new Memory().put(0x1804, 0x004020e3n, 4), 0x80523456n);
    expect(four, 'bits 20:13 are 39:32').to.include({ end: 'large', physical: 0x1_00523456 });
  });

  it('says which entry is missing or not valid, and gives no address then', () => {
    const missing = walk(TABLE_SHAPES.x64, x64().put(0x2008, 0x9063n), ADDRESS);
    expect(missing).to.include({ end: 'missing', physical: null });
    expect(missing.entries.at(-1)).to.deep.equal({ name: 'PDE', index: 2, at: 0x9010, value: null });
    const invalid = walk(TABLE_SHAPES.x64, x64().put(0x4018, 0x12345862n), ADDRESS);
    expect(invalid).to.include({ end: 'invalid', physical: null });
    expect(invalid.entries).to.have.length(4);
  });

  it('goes through the tables of PAE and of five levels', () => {
    // Bit 7 of an entry at the top of PAE is no large page.
    const pae = new Memory().put(0x1030, 0x2081n).put(0x2010, 0x3063n).put(0x3018, 0x77777163n);
    const found = walkTables(TABLE_SHAPES.pae, physical(0x1020), virtual(0x80403123n), pae.read);
    expect(found).to.include({ end: 'page', physical: 0x77777123 });
    const five = walk(
      TABLE_SHAPES.x64Five,
      new Memory().put(0x1ff8, 0x5063n).put(0x5f80, 0x2063n).put(0x2008, 0x800000e3n),
      ADDRESS,
    );
    expect(five).to.include({ end: 'large', physical: 0x80403123 });
  });

  it('finds where the tables are mapped by the entry that leads back, and only where one alone does', () => {
    const base = (memory: Memory, shape: TableShape = TABLE_SHAPES.x64, root = 0x1000): bigint | null =>
      pageTableBase(shape, physical(root), memory.read);
    expect(base(x64())).to.equal(null);
    expect(base(x64().put(0x1f68, 0x1063n))).to.equal(0xfffff680_00000000n);
    expect(base(x64().put(0x1f68, 0x1062n)), 'not valid').to.equal(null);
    expect(base(x64().put(0x1f68, 0x1063n).put(0x1f70, 0x1063n)), 'two').to.equal(null);
    expect(base(new Memory()), 'not in the dump').to.equal(null);
    expect(base(new Memory().put(0x1c00, 0x1063n, 4), TABLE_SHAPES.x86)).to.equal(0xc0000000n);
    expect(base(new Memory().put(0x1c04, 0x1063n, 4), TABLE_SHAPES.x86)).to.equal(null);
    expect(base(new Memory().put(0x1038, 0x2001n).put(0x2018, 0x2063n), TABLE_SHAPES.pae, 0x1020)).to.equal(
      0xc0000000n,
    );
    expect(base(new Memory().put(0x1038, 0x2001n).put(0x2018, 0x3063n), TABLE_SHAPES.pae, 0x1020)).to.equal(null);
  });

  it('tells the addresses of entries', () => {
    const places = (shape: TableShape, base: bigint, address: bigint): string[] =>
      entryAddresses(shape, base, virtual(address)).map((at) => at.toString(16));
    // The addresses of Windows before its tables were put at random places.
    expect(places(TABLE_SHAPES.x64, 0xfffff680_00000000n, 0xfffff800_03c5f000n)).to.deep.equal(
      ['fffff6fb7dbedf80', 'fffff6fb7dbf0000', 'fffff6fb7e0000f0', 'fffff6fc0001e2f8']); // prettier-ignore
    expect(places(TABLE_SHAPES.x86, 0xc0000000n, 0x0012f980n)).to.deep.equal(['c0300000', 'c00004bc']);
    expect(places(TABLE_SHAPES.pae, 0xc0000000n, 0x804d7000n)).to.deep.equal(['c0602010', 'c04026b8']);
  });
});
