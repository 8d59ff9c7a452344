import { expect } from 'chai';
import fc from 'fast-check';
import type { VirtualMemory } from '../paging/virtual-memory.js';
import { BASE, readerOf, SIZE } from './export-image.test.helper.js';
import { ExceptionTable } from './exception-table.js';
import type { ImageHeaders } from './image.js';
import { readImports, type Imports } from './imports.js';

interface Given {
  pointer?: 4 | 8;
  missing?: number;
  directories?: Readonly<Record<number, { rva: number; size: number }>>;
}

function memoryOf(bytes: Uint8Array, missing: number): VirtualMemory {
  const read = readerOf(bytes, missing);
  function* chunks(address: bigint, length: number): Iterable<object> {
    yield { offset: 0, length, bytes: read(address, length) };
  }
  return { read, chunks } as unknown as VirtualMemory;
}

function headersOf({ directories = {} }: Given): ImageHeaders {
  const list = Array.from({ length: 16 }, (_, i) => directories[i] ?? { rva: 0, size: 0 });
  return { sizeOfImage: SIZE, directories: list, sections: [] } as unknown as ImageHeaders;
}

function imports(fill: (view: DataView, text: (at: number, name: string) => void) => void, given: Given = {}): Imports {
  const bytes = new Uint8Array(SIZE);
  fill(new DataView(bytes.buffer), (at, name) => {
    bytes.set(Buffer.from(`\0\0${name}\0`), at);
  });
  const directories = given.directories ?? { 1: { rva: 0x1000, size: 40 } };
  return readImports(
    memoryOf(bytes, given.missing ?? -1),
    BASE,
    headersOf({ ...given, directories }),
    given.pointer ?? 8,
  );
}

/** One descriptor at 0x1000: names from 0x1100, slots from 0x2000. */
const descriptor = (view: DataView, names = 0x1100): void => {
  [names, 0, 0, 0x1800, 0x2000].forEach((value, i) => {
    view.setUint32(0x1000 + i * 4, value, true);
  });
};

describe('import tables', () => {
  it('name the slots; functions imported by number have no name', () => {
    const found = imports((view, text) => {
      descriptor(view);
      view.setUint32(0x1100, 0x1400, true);
      view.setBigUint64(0x1108, 0x8000000000000005n, true);
      view.setUint32(0x1110, 0x1440, true);
      text(0x1400, 'ExAllocatePool2');
      text(0x1440, 'DbgPrint');
    });
    expect([...found.names]).to.deep.equal([[0x2000, 'ExAllocatePool2'], [0x2010, 'DbgPrint']]); // prettier-ignore
    expect(found.complete).to.equal(true);
  });

  it('are read with slots of four bytes, and without a table of names', () => {
    const found = imports(
      (view, text) => {
        descriptor(view, 0);
        view.setUint32(0x2000, 0x1400, true);
        view.setUint32(0x2004, 0x80000005, true);
        text(0x1400, 'ExFreePool');
      },
      { pointer: 4 },
    );
    expect([...found.names]).to.deep.equal([[0x2000, 'ExFreePool']]);
  });

  it('include delay-loaded functions', () => {
    const found = imports(
      (view, text) => {
        [1, 0x1800, 0, 0x2100, 0x1100, 0, 0, 0].forEach((value, i) => {
          view.setUint32(0x1200 + i * 4, value, true);
        });
        view.setUint32(0x1100, 0x1400, true);
        text(0x1400, 'FltAllocatePoolAlignedWithTag');
      },
      { directories: { 13: { rva: 0x1200, size: 64 } } },
    );
    expect([...found.names]).to.deep.equal([[0x2100, 'FltAllocatePoolAlignedWithTag']]);
  });

  it('are incomplete where pages are missing', () => {
    const fill = (view: DataView, text: (at: number, name: string) => void): void => {
      descriptor(view);
      view.setUint32(0x1100, 0x3400, true);
      text(0x3400, 'Abc');
    };
    expect(imports(fill, { missing: 0x1000 })).to.deep.equal({ names: new Map(), complete: false });
    expect(imports(fill, { missing: 0x3000 })).to.deep.equal({ names: new Map(), complete: false });
  });

  it('end on any bytes', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 64, maxLength: 4096 }),
        fc.constantFrom(4 as const, 8 as const),
        (bytes, pointer) => {
          const image = new Uint8Array(SIZE);
          for (let at = 0; at < SIZE; at += bytes.length) image.set(bytes.subarray(0, SIZE - at), at);
          const directories = {
            1: { rva: 0x10, size: 100 },
            3: { rva: 0x20, size: 0x2000 },
            13: { rva: 0x18, size: 64 },
          };
          const headers = headersOf({ directories });
          const memory = memoryOf(image, -1);
          for (const slot of readImports(memory, BASE, headers, pointer).names.keys()) expect(slot).to.be.below(SIZE);
          for (const isArm64 of [false, true]) {
            const table = ExceptionTable.read(memory, BASE, headers, isArm64);
            for (let rva = 0; rva < SIZE; rva += 0x101) {
              const entry = table.entryAt(rva);
              if (entry !== null) expect(table.primaryOf(entry).start).to.be.within(0, SIZE);
              expect(table.gapAt(rva).end).to.be.above(0);
            }
          }
        },
      ),
      { numRuns: 100 },
    );
  });
});
