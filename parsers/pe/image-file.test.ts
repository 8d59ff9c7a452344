import { expect } from 'chai';
import fc from 'fast-check';
import { existsSync, readFileSync } from 'node:fs';
import { latin1, putU16, putU32 } from '../../test-dumps/bytes.js';
import { peFile, type PeFileSpec } from '../../test-dumps/drivers/pe-file.js';
import { PAGE_SIZE, plus, virtual } from '../addresses.js';
import { failed, type Failure } from '../bytes/failure.js';
import { layOutImage, type ImageFile } from './image-file.js';

const CORPUS = new URL('../../../../shared/corpus/pdb/', import.meta.url);

const fill = (length: number, seed: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 7 + seed) & 0xff);

const SECTIONS = [
  { name: '.text', bytes: fill(0x1830, 1), executable: true },
  { name: '.data', bytes: fill(0x210, 2), virtualSize: 0x3000 },
  { name: 'PACKED', bytes: fill(0x100, 3), virtualSize: 0x2800, executable: true },
];

function laidOut(file: Uint8Array): ImageFile {
  const image = layOutImage(file, 'a.sys');
  if (failed(image)) throw new Error(image.message);
  return image;
}

function messageOf(spec: PeFileSpec, change: (file: Uint8Array) => Uint8Array = (file) => file): string {
  const image = layOutImage(change(peFile(spec)), 'a.sys');
  return failed(image) ? image.message : 'no failure';
}

describe('An image laid out from a file', () => {
  const image = laidOut(peFile({ sections: SECTIONS }));
  const read = (rva: number, length: number): Uint8Array | Failure => image.memory.read(plus(image.base, rva), length);

  it('stands at its preferred base with its headers and sections', () => {
    expect(image.base).to.equal(0x140000000n);
    expect(image.memory.pointerSize).to.equal(8);
    expect(image.headers).to.include({ machine: 0x8664, subsystem: 1, sizeOfImage: 0x9000 });
    expect(image.headers.sections.map(({ name, rva, size }) => [name, rva, size])).to.deep.equal([
      ['.text', 0x1000, 0x1830],
      ['.data', 0x3000, 0x3000],
      ['PACKED', 0x6000, 0x2800],
    ]);
    expect(Buffer.from(read(0, 2) as Uint8Array).toString()).to.equal('MZ');
    expect(read(0x1000, 0x1830)).to.deep.equal(SECTIONS[0]!.bytes);
  });

  it('has zeros where a section is longer than its bytes', () => {
    expect(read(0x3000, 0x210)).to.deep.equal(SECTIONS[1]!.bytes);
    expect(read(0x3210, 0x2df0)).to.deep.equal(new Uint8Array(0x2df0));
    expect(read(0x5ffc, 8)).to.deep.equal(Uint8Array.of(0, 0, 0, 0, ...fill(4, 3)));
  });

  it('lacks the code that the file has no bytes for', () => {
    expect(read(0x6000, 0x1000)).to.be.an.instanceOf(Uint8Array);
    expect(read(0x7000, 1)).to.have.property('code', 'not-in-dump');
    expect(read(0x6fff, 2)).to.have.property('code', 'not-in-dump');
    expect(image.memory.countPages(image.base, 0x9000)).to.equal(7);
  });

  it('is refused outside of its borders', () => {
    expect(image.memory.read(plus(image.base, 0x9000), 1)).to.have.property('code', 'bad-address');
    expect(image.memory.read(virtual(0n), 1)).to.have.property('code', 'bad-address');
    expect(image.memory.read(plus(image.base, -1), 1)).to.have.property('code', 'bad-address');
    const beyond = [...image.memory.chunks(plus(image.base, 0x8000), 0x2000)];
    expect(beyond.map(({ bytes }) => failed(bytes))).to.deep.equal([true, true]);
  });

  it('gives in pieces what it gives at once', () => {
    const big = laidOut(
      peFile({ sections: [{ name: '.text', bytes: fill(0x2a345, 9), executable: true }, ...SECTIONS] }),
    );
    const size = big.headers.sizeOfImage;
    fc.assert(
      fc.property(fc.nat(size - 1), fc.nat(size), (from, wanted) => {
        const length = Math.min(wanted, size - from);
        let at = 0;
        for (const { offset, length: count, bytes } of big.memory.chunks(plus(big.base, from), length)) {
          expect(offset).to.equal(at);
          at += count;
          expect(count).to.be.within(1, failed(bytes) ? PAGE_SIZE : 0x10000);
          if (at < length) expect((from + at) % PAGE_SIZE).to.equal(0);
          const same = big.memory.read(plus(big.base, from + offset), count);
          expect(failed(same)).to.equal(failed(bytes));
          if (!failed(bytes) && !failed(same)) expect(Buffer.compare(bytes, same)).to.equal(0);
        }
        expect(at).to.equal(length);
      }),
      { numRuns: 60, seed: 5 },
    );
  });

  it('that is mapped flat and was cut short lacks the pages that it lost', () => {
    const bytes = new Uint8Array(0x4000).fill(0x90);
    const file = peFile({
      ...{ architecture: 'x86', sectionAlignment: 0x200, fileAlignment: 0x200 },
      sections: [{ name: '.text', bytes, executable: true }],
    });
    const whole = laidOut(file);
    const pages = whole.memory.countPages(whole.base, whole.headers.sizeOfImage);
    for (const left of [0x1000, 0x1800, 0x3000]) {
      const cut = laidOut(file.subarray(0, left));
      expect(cut.memory.countPages(cut.base, cut.headers.sizeOfImage), `${left}`).to.equal(Math.floor(left / 0x1000));
    }
    expect(pages).to.equal(Math.ceil(whole.headers.sizeOfImage / 0x1000));
  });

  it('of 32 bits has narrow pointers; with sections inside of pages it is mapped flat', () => {
    const file = peFile({
      architecture: 'x86',
      sectionAlignment: 0x80,
      fileAlignment: 0x80,
      sections: SECTIONS.slice(0, 1),
    });
    const flat = laidOut(file);
    expect(flat.memory.pointerSize).to.equal(4);
    expect(flat.base).to.equal(0x10000n);
    const [text] = flat.headers.sections;
    expect(text?.rva).to.equal(0x200);
    expect(flat.memory.read(plus(flat.base, 0x200), 0x1830)).to.deep.equal(SECTIONS[0]!.bytes);
  });

  it('lacks the pages that a file has lost, and keeps the others', () => {
    const cut = laidOut(peFile({ sections: SECTIONS }).subarray(0, 0x1700));
    const text = cut.memory.read(plus(cut.base, 0x1000), 0x1000);
    expect(text).to.deep.equal(SECTIONS[0]!.bytes.subarray(0, 0x1000));
    expect(cut.memory.read(plus(cut.base, 0x2000), 1)).to.have.property('code', 'short-file');
    expect(cut.memory.read(plus(cut.base, 0x3000), 1)).to.have.property('code', 'short-file');
    expect(cut.memory.read(plus(cut.base, 0x5000), 1)).to.deep.equal(Uint8Array.of(0));
  });

  it('says what is wrong with a file', () => {
    const spec = { sections: SECTIONS };
    const set = (at: number, value: number) => (file: Uint8Array) => (putU32(file, at, value), file);
    expect(messageOf(spec, () => latin1('no image'))).to.match(/does not begin with MZ/);
    expect(messageOf(spec, () => latin1('MZ'))).to.match(/ends within its headers/);
    expect(messageOf(spec, (file) => file.subarray(0, 0x90))).to.match(/ends within its headers/);
    expect(messageOf(spec, (file) => file.subarray(0, 0x190))).to.match(/before its section table/);
    expect(messageOf(spec, set(0x80, 0x454e))).to.match(/no PE header/);
    expect(messageOf(spec, set(0x80 + 0x18 + 0x38, 0x7fffffff))).to.match(/2147483647 bytes is not laid out/);
    expect(messageOf(spec, set(0x80 + 0x18 + 0x38, 0x3000))).to.match(/section .data at 0x3000 ends beyond the image/);
    expect(messageOf({ sections: SECTIONS.map((s) => ({ ...s, rva: 0x2000 })) })).to.match(/overlaps/);
    expect(messageOf({ sections: [{ ...SECTIONS[0]!, rva: 0x1010 }] })).to.match(/not on a page border/);
    expect(messageOf({ sections: [{ ...SECTIONS[0]!, rva: 0x1010 }], sectionAlignment: 0x10 })).to.match(
      /in the file and/,
    );
  });

  it('never takes damage for more than it is', () => {
    const sound = peFile({ sections: SECTIONS, directories: { 6: [0x3000, 0x1c] } });
    const change = fc.tuple(fc.nat(0x300), fc.constantFrom(0, 1, 0x7fff, 0x8000, 0xffff, 0x1000));
    fc.assert(
      fc.property(fc.array(change, { maxLength: 6 }), fc.nat(sound.length), (changes, cut) => {
        const file = sound.slice(0, cut % 3 === 0 ? cut : sound.length);
        for (const [at, value] of changes) if (at + 2 <= file.length) putU16(file, at, value);
        const made = layOutImage(file, 'a.sys');
        if (failed(made)) return;
        const { memory, base, headers } = made;
        const pages = Math.ceil(headers.sizeOfImage / PAGE_SIZE);
        expect(memory.countPages(base, headers.sizeOfImage)).to.be.at.most(pages);
        if (pages > 4096) return;
        let at = 0;
        for (const { length } of memory.chunks(base, headers.sizeOfImage)) at += length;
        expect(at).to.equal(headers.sizeOfImage);
      }),
      { numRuns: 400, seed: 5 },
    );
  });

  it('of the corpus holds what the file does', function () {
    if (!existsSync(CORPUS)) return this.skip();
    for (const name of ['x64-xcpt4.exe', 'x86-xcpt4.exe', 'ARM64-xcpt4.exe']) {
      const file = readFileSync(new URL(name, CORPUS));
      const { memory, base, headers } = laidOut(file);
      expect(headers.sections.length).to.be.above(3);
      for (const { rva, size, fileOffset, fileSize } of headers.sections) {
        const length = Math.min(size, fileSize);
        const expected = file.subarray(fileOffset, fileOffset + length);
        const bytes = memory.read(plus(base, rva), length);
        expect(!failed(bytes) && Buffer.compare(bytes, expected), `${name} ${rva}`).to.equal(0);
      }
    }
  });
});
