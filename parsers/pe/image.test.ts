/** Headers, debug records, base relocations and the checksum of an image, field by field. */

import { expect } from 'chai';
import { Failure, failed } from '../bytes/failure.js';
import { imageChecksum } from './checksum.js';
import { FLAT_BASE, FlatMemory } from './flat-memory.test.helper.js';
import {
  debugTimeStamp,
  DIRECTORY,
  readCodeView,
  readImageHeaders,
  sectionAt,
  sectionsEnd,
  type ImageHeaders,
} from './image.js';
import { readRelocations, relocatePage } from './relocations.js';

const PE_AT = 0x80;
const OPTIONAL = PE_AT + 0x18;

/** An image with two sections and all directories. */
function image({ wide = true, pages = 6, missing = [] as number[] } = {}): FlatMemory {
  const memory = new FlatMemory(pages, missing);
  const { view } = memory;
  view.setUint16(0, 0x5a4d, true);
  view.setUint32(0x3c, PE_AT, true);
  view.setUint32(PE_AT, 0x4550, true);
  view.setUint16(PE_AT + 4, 0x8664, true);
  view.setUint16(PE_AT + 6, 2, true);
  view.setUint32(PE_AT + 8, 0x5f000001, true);
  const optional = wide ? 0xf0 : 0xe0;
  view.setUint16(PE_AT + 0x14, optional, true);
  view.setUint16(PE_AT + 0x16, 0x22, true);
  view.setUint16(OPTIONAL, wide ? 0x20b : 0x10b, true);
  memory.words(OPTIONAL + 0x10, 0x1040);
  if (wide) view.setBigUint64(OPTIONAL + 0x18, 0x1_4000_0000n, true);
  else memory.words(OPTIONAL + 0x1c, 0x10000);
  memory.words(OPTIONAL + 0x20, 0x1000);
  memory.words(OPTIONAL + 0x38, 0x6000, 0x400, 0x1234);
  view.setUint16(OPTIONAL + 0x44, 1, true);
  const directories = OPTIONAL + (wide ? 0x70 : 0x60);
  memory.words(directories - 4, 16);
  for (let i = 0; i < 16; i++) memory.words(directories + i * 8, 0x2000 + i * 0x40, 0x20 + i);
  const sections = OPTIONAL + optional;
  const section = (at: number, name: string, words: number[]): void => {
    memory.bytes.set(Buffer.from(name), at);
    memory.words(at + 8, ...words);
  };
  section(sections, '.text', [0x800, 0x1000, 0xa00, 0x400, 0, 0, 0, 0x60000020]);
  section(sections + 40, 'INIT', [0, 0x3000, 0x1200, 0xe00, 0, 0, 0, 0xe2000020]);
  return memory;
}

function headersOf(memory: FlatMemory): ImageHeaders {
  const headers = readImageHeaders(memory, FLAT_BASE);
  if (failed(headers)) throw new Error(headers.message);
  return headers;
}

describe('headers of an image', () => {
  it('are read from where they stand, for 64 and for 32 bits', () => {
    for (const wide of [true, false]) {
      const headers = headersOf(image({ wide }));
      expect(headers).to.deep.include({
        ...{ machine: 0x8664, timeDateStamp: 0x5f000001, characteristics: 0x22, sizeOfImage: 0x6000, checkSum: 0x1234 },
        ...{ entryPoint: 0x1040, imageBase: wide ? 0x1_4000_0000n : 0x10000n, sectionAlignment: 0x1000 },
        ...{ sizeOfHeaders: 0x400, subsystem: 1 },
      });
      expect(headers.directories).to.have.length(16);
      expect(headers.directories[15]).to.deep.equal({ rva: 0x23c0, size: 0x2f });
      const first = { name: '.text', rva: 0x1000, size: 0x800, executable: true, discardable: false };
      const second = { name: 'INIT', rva: 0x3000, size: 0x1200, executable: true, discardable: true };
      expect(headers.sections).to.deep.equal([
        { ...first, fileOffset: 0x400, fileSize: 0xa00 },
        { ...second, fileOffset: 0xe00, fileSize: 0x1200 },
      ]);
    }
  });

  it('are none where a signature is another, or stands outside', () => {
    const code = (change: (memory: FlatMemory) => void): string => {
      const memory = image();
      change(memory);
      const headers = readImageHeaders(memory, FLAT_BASE);
      return headers instanceof Failure ? headers.code : 'read';
    };
    const at = (offset: number, value: number) => (memory: FlatMemory) => {
      memory.words(offset, value);
    };
    expect(code(() => undefined)).to.equal('read');
    expect(code(at(0, 0x5a4e))).to.equal('corrupt');
    expect(code(at(0x3c, 3))).to.equal('corrupt');
    expect(code(at(0x3c, 0x10001))).to.equal('corrupt');
    expect(code(at(0x3c, 0x10000)), 'a place that may be, and is not there').to.equal('not-mapped');
    expect(code(at(PE_AT, 0x4551))).to.equal('corrupt');
    for (const magic of [0x10a, 0x10c, 0x20a, 0x20c, 0])
      expect(
        code(({ view }) => {
          view.setUint16(OPTIONAL, magic, true);
        }),
      ).to.equal('corrupt');
  });

  it('have as many directories as both counts say, and sections as Windows takes', () => {
    const memory = image();
    memory.words(OPTIONAL + 0x6c, 5);
    expect(headersOf(memory).directories).to.have.length(5);
    memory.words(OPTIONAL + 0x6c, 1000);
    expect(headersOf(memory).directories).to.have.length(16);
    memory.view.setUint16(PE_AT + 0x14, 0x70 + 8 * 7, true);
    expect(headersOf(memory).directories).to.have.length(7);
    memory.view.setUint16(PE_AT + 0x14, 0x60, true);
    expect(headersOf(memory).directories).to.have.length(0);
    memory.view.setUint16(PE_AT + 6, 0xffff, true);
    expect(headersOf(memory).sections).to.have.length(96);
  });

  it('tell the section of an address, to its last byte', () => {
    const headers = headersOf(image());
    const names = [0xfff, 0x1000, 0x17ff, 0x1800, 0x3000, 0x41ff, 0x4200].map((rva) => sectionAt(headers, rva)?.name);
    expect(names).to.deep.equal([undefined, '.text', '.text', undefined, 'INIT', 'INIT', undefined]);
  });

  it('tell where the sections end, on a border that can be one', () => {
    const headers = headersOf(image());
    const end = (sectionAlignment: number): number | null => sectionsEnd({ ...headers, sectionAlignment });
    expect([0x1000, 0x20, 0x1f, 0x1000000, 0x1000001, 0].map(end)).to.deep.equal([
      ...[0x5000, 0x4200, 0x5000, 0x1000000, 0x5000, 0x5000],
    ]);
    expect(sectionsEnd({ ...headers, sections: [] })).to.equal(null);
  });
});

describe('debug records of an image', () => {
  const DEBUG = 0x2000 + DIRECTORY.debug * 0x40;

  /** Entries of types, the last of which leads to an RSDS record of a name. */
  function withDebug(types: number[], name: string, { size = 0x18 + name.length + 1, rva = 0x4000 } = {}): FlatMemory {
    const memory = image();
    memory.words(OPTIONAL + 0x70 + DIRECTORY.debug * 8, DEBUG, types.length * 28);
    types.forEach((type, i) => {
      memory.words(DEBUG + i * 28, 0, 0x600000 + i, 0, type, size, rva);
    });
    memory.words(0x4000, 0x53445352, 0x01020304, 0x06070005, 0x0b0a0908, 0x0f0e0d0c, 0x1f);
    memory.bytes.set(Buffer.from(`${name}\0`), 0x4018);
    return memory;
  }
  const told = (memory: FlatMemory): unknown => {
    const found = readCodeView(memory, FLAT_BASE, headersOf(memory));
    return found instanceof Failure ? found.message : found;
  };
  const PDB = { name: 'acme.pdb', guid: '01020304000506070809' + '0A0B0C0D0E0F', age: 0x1f };

  it('name the PDB without its path', () => {
    for (const path of ['acme.pdb', 'c:\\obj\\acme.pdb', '/src/obj/acme.pdb'])
      expect(told(withDebug([2], path))).to.deep.equal(PDB);
    expect(told(withDebug([13, 16, 2], 'acme.pdb'))).to.deep.equal(PDB);
  });

  it('name none where there is no record of the kind, or no room for one', () => {
    expect(told(withDebug([13], 'acme.pdb'))).to.equal('the image has no RSDS record');
    expect(told(withDebug([2], 'acme.pdb', { rva: 0 }))).to.equal('the image has no RSDS record');
    expect(told(withDebug([2], 'acme.pdb', { size: 24 }))).to.equal('the image has no RSDS record');
    expect(told(withDebug([2], '', { size: 25 }))).to.deep.include({ name: '', age: 0x1f });
    const other = withDebug([2], 'acme.pdb');
    other.words(0x4000, 0x53445351);
    expect(told(other)).to.equal('the image has no RSDS record');
    const none = withDebug([2], 'acme.pdb');
    none.words(OPTIONAL + 0x70 + DIRECTORY.debug * 8, 0);
    expect(told(none)).to.equal('the image names no PDB');
  });

  it('name no file by more than a name may have', () => {
    expect(told(withDebug([2], 'p'.repeat(255)))).to.deep.include({ name: 'p'.repeat(255) });
    expect(told(withDebug([2], 'p'.repeat(256)))).to.equal('the name of the PDB is no file name');
  });

  it('hold a time stamp of their own', () => {
    const stamp = (change: (memory: FlatMemory) => void = () => undefined): number | null => {
      const memory = withDebug([2], 'acme.pdb');
      change(memory);
      return debugTimeStamp(memory, FLAT_BASE, headersOf(memory));
    };
    const directory = OPTIONAL + 0x70 + DIRECTORY.debug * 8;
    expect(stamp()).to.equal(0x600000);
    expect(
      stamp((memory) => {
        memory.words(DEBUG + 4, 0);
      }),
    ).to.equal(null);
    expect(
      stamp((memory) => {
        memory.words(directory, 0);
      }),
    ).to.equal(null);
    expect(
      stamp((memory) => {
        memory.words(directory + 4, 27);
      }),
    ).to.equal(null);
    expect(
      stamp((memory) => {
        memory.words(directory, 0x100000);
      }),
    ).to.equal(null);
  });
});

describe('base relocations', () => {
  const AT = 0x4000;
  function relocated(words: number[], size = words.length * 4, change?: (memory: FlatMemory) => void): unknown {
    const memory = image();
    memory.words(OPTIONAL + 0x70 + DIRECTORY.relocation * 8, AT, size);
    memory.words(AT, ...words);
    change?.(memory);
    const found = readRelocations(memory, FLAT_BASE, headersOf(memory));
    return found instanceof Failure ? found.code : [...found];
  }
  const pair = (first: number, second: number): number => first | (second << 16);

  it('are those of both widths, by page; padding is none', () => {
    expect(relocated([0x1000, 12, pair(0xa010, 0x3ffe), 0x2000, 12, pair(0xa000, 0)])).to.deep.equal([
      [1, [[0x10, 8], [0xffe, 4]]],
      [2, [[0, 8]]],
    ]); // prettier-ignore
    expect(relocated([0x1000, 12, pair(0x1010, 0x4020)]), 'halves are not addresses').to.deep.equal([]);
    expect(relocated([0x1800, 12, pair(0xa900, 0)]), 'past the page that a block begins in').to.deep.equal([
      [2, [[0x100, 8]]],
    ]);
  });

  it('end with the directory, and where a block is too short or too long', () => {
    const block = [0x1000, 12, pair(0xa010, 0)];
    expect(relocated([...block, 0x2000, 7, pair(0xa000, 0)])).to.deep.equal([[1, [[0x10, 8]]]]);
    expect(relocated([...block, 0x2000, 13, pair(0xa000, 0)])).to.deep.equal([[1, [[0x10, 8]]]]);
    expect(relocated([...block, 0x2000, 12, pair(0xa000, 0)], 12 + 7)).to.deep.equal([[1, [[0x10, 8]]]]);
    expect(relocated([0x1000, 10, pair(0xa010, 0xa020)], 10)).to.deep.equal([[1, [[0x10, 8]]]]);
    expect(relocated([0x1000, 8])).to.deep.equal([]);
  });

  it('are none without a directory, and a failure where its page is missing', () => {
    const directory = OPTIONAL + 0x70 + DIRECTORY.relocation * 8;
    expect(
      relocated([0x1000, 12, pair(0xa010, 0)], 12, (memory) => {
        memory.words(directory, 0);
      }),
    ).to.deep.equal([]);
    expect(
      relocated([], 12, (memory) => {
        memory.words(directory, 0x100000);
      }),
    ).to.equal('not-mapped');
  });

  it('move addresses as the loader does, round the end, and leave what goes on in the next page', () => {
    const page = (...at: [number, 4 | 8][]): Buffer => {
      const bytes = Buffer.alloc(0x1000, 0xff);
      relocatePage(bytes, 3, new Map([[3, at], [4, [[0, 8]]]]), 0x10n); // prettier-ignore
      return bytes;
    };
    expect(page([8, 8]).readBigUInt64LE(8)).to.equal(0xfn);
    expect(page([8, 4]).readBigUInt64LE(8)).to.equal(0xffffffff0000000fn);
    expect(page([0xff8, 8]).readBigUInt64LE(0xff8)).to.equal(0xfn);
    expect(page([0xff9, 8], [0xffd, 4]).equals(Buffer.alloc(0x1000, 0xff))).to.equal(true);
    expect(page().equals(Buffer.alloc(0x1000, 0xff)), 'of another page').to.equal(true);
  });
});

describe('the checksum of an image', () => {
  const file = (length: number, pe = 0x40): Buffer => {
    const bytes = Buffer.alloc(length, 0x11);
    if (length >= 0x40) bytes.writeUInt32LE(pe, 0x3c);
    return bytes;
  };
  /** Word by word with a sum that has room for all carries, folded at the end. */
  function slowly(bytes: Buffer): number {
    const copy = Buffer.concat([bytes, Buffer.alloc(bytes.length % 2)]);
    copy.writeUInt32LE(0, copy.readUInt32LE(0x3c) + 0x58);
    let sum = 0;
    for (let i = 0; i < copy.length; i += 2) sum += copy.readUInt16LE(i);
    while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
    return sum + bytes.length;
  }

  it('is the folded sum of all words but its own, and the length', () => {
    for (const length of [0x9c, 0x9d, 0x200, 0x201, 0x4001]) {
      const bytes = file(length);
      bytes.fill(0xfe, 0x9c);
      expect(imageChecksum(bytes), String(length)).to.equal(slowly(bytes));
      bytes.writeUInt32LE(0xdeadbeef, 0x98);
      expect(imageChecksum(bytes), 'its own field').to.equal(slowly(bytes));
    }
  });

  it('is not known without room for it', () => {
    expect([0x3f, 0x9b].map((length) => imageChecksum(file(length)))).to.deep.equal([null, null]);
    expect(imageChecksum(file(0x100, 0x41))).to.equal(null);
    expect(imageChecksum(file(0x100, 0xffffff00))).to.equal(null);
  });
});
