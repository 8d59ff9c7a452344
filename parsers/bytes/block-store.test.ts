import { expect } from 'chai';
import fc from 'fast-check';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { makeXz } from '../../test-dumps/containers/xz.js';
import { zstdOf } from '../../test-dumps/containers/zstd.js';
import { fileOffset } from '../addresses.js';
import { BlockStore } from './block-store.js';
import { openFile } from './containers/containers.js';
import type { ByteSource } from './source.js';

const PAGE = 4096;
const MB = 2 ** 20;

/** Bytes of the temporary files that this process has now. */
function onDisk(): number {
  const folders = readdirSync(tmpdir()).filter((name) => name.startsWith(`dumpleak-${process.pid}-`));
  return folders.reduce((sum, name) => sum + statSync(join(tmpdir(), name, 'decompressed')).size, 0);
}

/** Noise that differs from byte to byte, with the one byte of a page that is not zero at its end in every third. */
function pagesOf(isKept: readonly boolean[], seed: number): Buffer {
  const bytes = Buffer.alloc(isKept.length * PAGE);
  let state = seed | 1;
  for (const [page, kept] of isKept.entries()) {
    if (!kept) continue;
    for (let at = page * PAGE + (page % 3 === 0 ? PAGE - 4 : 0); at < (page + 1) * PAGE; at += 4) {
      state = Math.imul(state, 1664525) + 1013904223;
      bytes.writeInt32LE(state | 0x01000000, at);
    }
  }
  return bytes;
}

const slice = (source: ByteSource, position: number, length: number): Buffer => {
  const bytes = Buffer.alloc(length, 0xee);
  return bytes.subarray(0, source.read(fileOffset(position), bytes));
};

const layouts = fc.record({
  runs: fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 300 })), { minLength: 1, maxLength: 12 }),
  seed: fc.integer(),
  chunk: fc.integer({ min: 900, max: 700_000 }),
  cut: fc.integer({ min: 0, max: PAGE - 1 }),
  inMemory: fc.integer({ min: 0, max: 2 }),
  ranges: fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 1, max: 300_000 })), { maxLength: 8 }),
}); // prettier-ignore

describe('the block store', () => {
  it('gives any bytes back, and has no more on disk than the pages that are not zero', () => {
    fc.assert(
      fc.property(layouts, ({ runs, seed, chunk, cut, inMemory, ranges }) => {
        const isKept = runs.flatMap(([kept, count]) => Array<boolean>(count).fill(kept));
        const pages = pagesOf(isKept, seed);
        const bytes = pages.subarray(0, pages.length - cut);
        const store = new BlockStore('store', inMemory);
        try {
          for (let at = 0; at < bytes.length; at += chunk) store.append(bytes.subarray(at, at + chunk));
          store.finish();
          expect(store.byteLength).to.equal(bytes.length);
          const kept = isKept.filter(Boolean).length * PAGE;
          expect(onDisk()).to.be.at.most(Math.max(0, kept - inMemory * MB));
          expect(onDisk()).to.be.greaterThan(kept - (inMemory + 1) * MB - PAGE);
          expect(slice(store, 0, bytes.length + 10).equals(bytes)).to.equal(true);
          for (const [share, length] of ranges) {
            const from = Math.floor(share * bytes.length);
            expect(slice(store, from, length).equals(bytes.subarray(from, from + length))).to.equal(true);
          }
        } finally {
          store.close();
        }
      }),
      { numRuns: 60 },
    );
    expect(onDisk()).to.equal(0);
  });

  it('keeps nothing of zeros: gigabytes of them take no file and hardly any memory', () => {
    const store = new BlockStore('zeros', 0);
    const zeros = Buffer.alloc(16 * MB);
    const before = process.memoryUsage.rss();
    for (let i = 0; i < 128; i++) store.append(zeros);
    store.append(Buffer.from('end'));
    store.finish();
    expect(store.byteLength).to.equal(2 ** 31 + 3);
    expect(onDisk()).to.equal(0);
    expect(process.memoryUsage.rss() - before).to.be.lessThan(8 * MB);
    expect(slice(store, 2 ** 31 - 2, 10).toString()).to.equal('\0\0end');
    store.close();
  });

  it('holds of gzip, zstd and xz the pages that are not zero, most of them on disk', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'dumpleak-test-'));
    try {
      const isKept = Array.from({ length: 6000 }, (_, i) => i % 7 < 3 || i % 1000 < 400);
      const bytes = pagesOf(isKept, 5);
      bytes.write('PAGEDU64');
      const kept = isKept.filter(Boolean).length * PAGE;
      const blocks = Array.from({ length: 200 }, (_, i) => bytes.subarray(i * 30 * PAGE, (i + 1) * 30 * PAGE));
      for (const [name, packed] of [
        ['gz', gzipSync(bytes, { level: 1 })],
        ['zst', zstdOf(blocks)],
        ['xz', makeXz(bytes)],
      ] as const) {
        const path = join(folder, name);
        writeFileSync(path, packed);
        const { source } = await openFile(path);
        expect(onDisk(), name).to.be.greaterThan(0.2 * kept).and.at.most(kept); // prettier-ignore
        expect(slice(source, 0, bytes.length).equals(bytes), name).to.equal(true);
        source.close();
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
