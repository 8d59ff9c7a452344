import { expect } from 'chai';
import fc from 'fast-check';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { fileOffset } from '../addresses.js';
import { BlockStore } from './block-store.js';
import { CachedSource } from './cached-source.js';
import { openFile } from './containers/containers.js';
import { FileSource } from './file-source.js';
import { InputError } from './input-error.js';
import { CountingSource, MemorySource, type ByteSource } from './source.js';

/** Reads a range and gives the bytes that came. */
function slice(source: ByteSource, position: number, length: number): Buffer {
  const target = Buffer.alloc(length, 0xee);
  return target.subarray(0, source.read(fileOffset(position), target));
}

/** Pseudo-random bytes with long runs of zeros. */
function patterned(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i++) bytes[i] = Math.floor(i / 100_000) % 3 === 1 ? 0 : (i * 2654435761) >>> 13;
  return bytes;
}

const DATA = patterned(2_500_001);
const range = fc.tuple(fc.integer({ min: 0, max: DATA.length + 10 }), fc.integer({ min: 0, max: 150_000 }));

describe('byte sources', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'dumpleak-test-'));
  });
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('give the same bytes for any range: memory, cache, file, block store in memory and on disk', () => {
    const path = join(folder, 'data.bin');
    writeFileSync(path, DATA);
    const inMemory = new BlockStore('store');
    const onDisk = new BlockStore('store', 0);
    for (let at = 0; at < DATA.length; at += 33_333) {
      inMemory.append(DATA.subarray(at, at + 33_333));
      onDisk.append(DATA.subarray(at, at + 33_333));
    }
    inMemory.finish();
    onDisk.finish();
    const sources = [
      new MemorySource(DATA),
      new CachedSource(new MemorySource(DATA)),
      new FileSource(path),
      inMemory,
      onDisk,
    ];
    try {
      fc.assert(
        fc.property(range, ([position, length]) => {
          const expected = DATA.subarray(position, position + length);
          for (const source of sources) expect(slice(source, position, length).equals(expected)).to.equal(true);
        }),
        { numRuns: 200 },
      );
      for (const source of sources) expect(source.byteLength).to.equal(DATA.length);
    } finally {
      for (const source of sources) source.close();
    }
  });

  it('the cache reads a block once, and stays bounded', () => {
    const counter = new CountingSource(new MemorySource(Buffer.alloc(64 * 1024 * 1024, 1)));
    const cached = new CachedSource(counter);
    for (let i = 0; i < 100; i++) slice(cached, 8192 + i * 8, 8);
    expect(counter.reads).to.equal(1);
    for (let at = 0; at < counter.byteLength; at += 4096) slice(cached, at, 16);
    slice(cached, 8192, 8);
    expect(counter.reads).to.be.greaterThan(16_000);
  });

  it('a block store removes its temporary folder when closed, and leftovers of dead processes', () => {
    const leftover = join(tmpdir(), 'dumpleak-999999999-abandoned');
    const ours = (): string[] => readdirSync(tmpdir()).filter((n) => n.startsWith(`dumpleak-${process.pid}-`));
    const store = new BlockStore('store', 0);
    writeFileSync(join(folder, 'x'), '');
    rmSync(leftover, { recursive: true, force: true });
    mkdtempSync(`${leftover}-`);
    store.append(DATA);
    store.finish();
    expect(ours()).to.have.length(1);
    expect(readdirSync(tmpdir()).some((n) => n.startsWith('dumpleak-999999999-'))).to.equal(false);
    store.close();
    expect(ours()).to.have.length(0);
  });

  it('a block store looks at the free space before it writes to disk, and again as it grows', () => {
    const ours = (): string[] => readdirSync(tmpdir()).filter((n) => n.startsWith(`dumpleak-${process.pid}-`));
    const megabytes = (count: number): Uint8Array => new Uint8Array(count * 2 ** 20).fill(1);
    const full = new BlockStore('store', 0, () => 100 * 2 ** 20);
    expect(() => { full.append(megabytes(1)); }).to.throw(InputError, /nearly full.*TMPDIR/); // prettier-ignore
    expect(ours()).to.deep.equal([]);
    full.close();

    let free = 2 ** 30;
    const filling = new BlockStore('store', 0, () => free);
    filling.append(megabytes(60));
    free = 100 * 2 ** 20;
    expect(() => { filling.append(megabytes(8)); }).to.throw(InputError, /nearly full/); // prettier-ignore
    filling.close();
    expect(ours()).to.deep.equal([]);

    const unknown = new BlockStore('store', 0, () => null);
    unknown.append(DATA);
    unknown.finish();
    expect(unknown.byteLength).to.equal(DATA.length);
    unknown.close();
  });

  it('unpack gzip, whole, cut and damaged', async () => {
    const packed = gzipSync(DATA);
    const path = join(folder, 'data.gz');
    writeFileSync(path, packed);
    const whole = await openFile(path);
    expect([whole.container, whole.damage, whole.source.byteLength, whole.fileBytes]).to.deep.equal([
      'gzip',
      null,
      DATA.length,
      packed.length,
    ]);
    whole.source.close();

    writeFileSync(path, packed.subarray(0, packed.length - 10_000));
    const cut = await openFile(path);
    expect(cut.damage).to.match(/ends early/);
    expect(slice(cut.source, 0, cut.source.byteLength).equals(DATA.subarray(0, cut.source.byteLength))).to.equal(true);
    cut.source.close();

    writeFileSync(path, Buffer.concat([packed.subarray(0, 2), Buffer.alloc(50, 0xff)]));
    let error: unknown;
    await openFile(path).catch((e: unknown) => (error = e));
    expect(error).to.be.instanceOf(InputError);
    expect((error as InputError).code).to.equal('corrupt');
  });

  it('a file that is not there, and a folder, are input errors with one line', () => {
    for (const [path, code] of [
      [join(folder, 'missing.dmp'), 'not-found'],
      [folder, 'is-folder'],
      [join(folder, 'x', 'y'), 'not-found'],
    ] as const) {
      let error: unknown;
      try {
        new FileSource(path).close();
      } catch (e) {
        error = e;
      }
      expect(error, path).to.be.instanceOf(InputError);
      expect((error as InputError).code).to.equal(code);
      expect((error as InputError).message).not.to.include('\n');
    }
    expect(existsSync(folder)).to.equal(true);
  });
});
