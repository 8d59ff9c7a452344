import { expect } from 'chai';
import { PAGE_SIZE, plus, virtual } from '../../../parsers/addresses.js';
import { failed, Failure } from '../../../parsers/bytes/failure.js';
import { MemoryBase } from '../../../parsers/paging/memory-base.js';
import { imageChecksum } from '../../../parsers/pe/checksum.js';
import { peFile } from '../../../test-dumps/drivers/pe-file.js';
import { completeFromFile } from './disk-image.js';
import { driverFromFile } from './driver-file.js';
import type { LoadedModule } from './modules.js';
import { searchTags } from './tag-search.js';

const LOADED = virtual(0xfffff80012340000n);
const PREFERRED = 0x140000000n;
const KEY = Buffer.from('Leak').readUInt32LE();

/** Two pages of code with a tag in each, a page of data with an address in it, and its relocation. */
function image(change: (file: Buffer) => void = () => undefined): Buffer {
  const code = Buffer.alloc(2 * PAGE_SIZE, 0x90);
  for (const at of [0x100, 0x1100]) code.write('Leak', at);
  const data = Buffer.alloc(PAGE_SIZE);
  data.writeBigUInt64LE(PREFERRED + 0x1000n, 8);
  const relocations = Buffer.alloc(12);
  relocations.writeUInt32LE(0x3000, 0);
  relocations.writeUInt32LE(12, 4);
  relocations.writeUInt16LE(0xa008, 8);
  const file = Buffer.from(
    peFile({
      imageBase: PREFERRED,
      sections: [
        { name: '.text', bytes: code, executable: true },
        { name: '.data', bytes: data },
        { name: '.reloc', bytes: relocations },
      ],
      directories: { 5: [0x4000, 12] },
    }),
  );
  const field = file.readUInt32LE(0x3c) + 0x58;
  file.writeUInt32LE(imageChecksum(file) ?? 0, field);
  change(file);
  return file;
}

/** What a dump holds of the loaded image: these pages alone. */
class Part extends MemoryBase {
  readonly pointerSize = 8;
  constructor(
    private readonly whole: Uint8Array,
    private readonly pages: readonly number[],
  ) {
    super();
  }
  translate(): Failure {
    return new Failure('not-mapped', 'no tables');
  }
  read(address: bigint, length: number): Uint8Array | Failure {
    const at = Number(address - LOADED);
    for (let page = Math.floor(at / PAGE_SIZE); page * PAGE_SIZE < at + length; page++) {
      if (!this.pages.includes(page)) return new Failure('not-in-dump', 'gone');
    }
    return this.whole.subarray(at, at + length);
  }
}

/** The module as a dump with these pages shows it; null for a module of which nothing can be translated. */
function moduleOf(pages: readonly number[] | null): LoadedModule {
  const file = driverFromFile(image(), 'acme.sys');
  if (failed(file)) throw new Error(file.message);
  const { module } = file;
  const whole = module.memory?.read(module.base, module.sizeOfImage);
  if (whole === undefined || failed(whole)) throw new Error('not laid out');
  const marked = Buffer.from(whole);
  marked.write('Dump', 0x1200);
  const memory = pages === null ? null : new Part(marked, pages);
  return { ...module, base: LOADED, memory, headers: pages?.includes(0) === true ? module.headers : null };
}

function complete(module: LoadedModule, file: Buffer = image()): LoadedModule {
  const filled = completeFromFile(module, file, 'images/acme.sys');
  if (failed(filled)) throw new Error(filled.message);
  return filled;
}

describe('a module and its image on disk', () => {
  it('the dump comes first, the file gives what it lacks', () => {
    const filled = complete(moduleOf([0, 1]));
    expect([...(filled.disk?.pages ?? [])]).to.deep.equal([2, 3, 4]);
    const text = filled.memory?.read(plus(LOADED, 0x1200), 4);
    expect(Buffer.from(text as Uint8Array).toString()).to.equal('Dump');
    expect(filled.memory?.countPages(LOADED, filled.sizeOfImage)).to.equal(5);
  });

  it('addresses are those of the base in use', () => {
    for (const pages of [[0], null]) {
      expect(complete(moduleOf(pages)).memory?.readU64(plus(LOADED, 0x3008))).to.equal(LOADED + 0x1000n);
    }
  });

  it('a search sees both, and tells them apart', () => {
    for (const [pages, fromDisk] of [
      [
        [0, 1],
        [undefined, true],
      ],
      [null, [true, true]],
    ] as const) {
      const { hits, searched } = searchTags([complete(moduleOf(pages))], [KEY]);
      expect(hits.get(KEY)?.map(({ offset }) => offset)).to.deep.equal([0x1100, 0x2100]);
      expect(hits.get(KEY)?.map((hit) => hit.fromDisk)).to.deep.equal(fromDisk);
      expect(searched).to.deep.equal({
        modules: 1,
        notTranslatable: 0,
        pagesPresent: 5,
        pagesMissing: 0,
        pagesFromDisk: pages === null ? 5 : 3,
      });
    }
    expect(searchTags([moduleOf([0, 1])], [KEY]).searched).to.not.have.property('pagesFromDisk');
  });

  it('reads across pages of both', () => {
    const { memory } = complete(moduleOf([0, 1, 3]));
    expect((memory?.read(plus(LOADED, 0x1f00), 0x1200) as Uint8Array).length).to.equal(0x1200);
    expect(memory?.read(plus(LOADED, 0x4f00), 0x1200)).to.be.instanceOf(Failure);
    expect([...(memory?.chunks(LOADED, 5 * PAGE_SIZE) ?? [])].every(({ bytes }) => !failed(bytes))).to.equal(true);
  });

  it('a file of another build is refused, with what differs', () => {
    const why = (module: LoadedModule, file = image()): string => {
      const filled = completeFromFile(module, file, 'acme.sys');
      return failed(filled) ? `${filled.code}: ${filled.message}` : 'used';
    };
    const module = moduleOf([0]);
    expect(why({ ...module, timeDateStamp: 5 })).to.match(
      /^mismatch: acme\.sys: another build: time stamp 0x5f000000 instead of 0x5$/,
    );
    expect(why({ ...module, sizeOfImage: 0x9000 })).to.match(/^mismatch: .*size 0x5000 instead of 0x9000$/);
    expect(why({ ...module, checkSum: 7 })).to.match(/^mismatch: .*checksum 0x[0-9a-f]+ instead of 0x7$/);
    expect(why({ ...module, timeDateStamp: null })).to.match(/^unknown: /);
    expect(why({ ...module, checkSum: null })).to.equal('used');
    expect(
      why(
        module,
        image((file) => file.write('X', 0x500)),
      ),
    ).to.match(/^corrupt: .*it was changed or is damaged$/);
    expect(why(module, image().subarray(0, 100))).to.match(/^corrupt: /);
  });

  it('its headers, and whether it is signed, come from the file', () => {
    const filled = complete(moduleOf([1]));
    expect(filled.headers?.sections.map(({ name }) => name)).to.deep.equal(['.text', '.data', '.reloc']);
    expect(filled.disk?.signer).to.equal(null);
  });
});

describe('the checksum of an image', () => {
  it('counts everything but its own field', () => {
    const file = image();
    expect(imageChecksum(file)).to.equal(file.readUInt32LE(file.readUInt32LE(0x3c) + 0x58));
    const other = image((bytes) => bytes.writeUInt32LE(1, bytes.readUInt32LE(0x3c) + 0x58));
    expect(imageChecksum(other)).to.equal(imageChecksum(file));
    expect(imageChecksum(Buffer.concat([file, Buffer.from([1])]))).to.equal((imageChecksum(file) ?? 0) + 2);
    expect(imageChecksum(Buffer.alloc(10))).to.equal(null);
  });
});
