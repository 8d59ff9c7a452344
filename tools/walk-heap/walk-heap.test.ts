/**
 * Genuine segment-heap memory, made by real allocator code, read block by block against what was allocated. Skipped where
 * the shared corpus is not beside the project.
 */

import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { failed } from '../../parsers/bytes/failure.js';
import { PointerReader, type HeapAddress } from '../../parsers/heap/memory.js';
import { builtHeap, FAMILIES } from '../../parsers/heap/segment/built-heap.test.helper.js';
import { openSegmentHeap, type SegmentHeap } from '../../parsers/heap/segment/open.js';
import { ownRecords } from '../../parsers/heap/segment/own-records.js';
import { proveHeaps } from '../../parsers/heap/segment/prove.js';
import { SegmentHeapWalk } from '../../parsers/heap/segment/walk.js';
import { BlockState } from '../../parsers/heap/blocks.js';
import { concat } from '../../test-dumps/bytes.js';
import { Prng } from '../../test-dumps/prng.js';
import { SavedMemory } from './saved-memory.js';
import { walkFolder, type LiveBlock } from './walk-folder.js';

const CORPUS = resolve('..', 'shared', 'corpus', 'segment-heap');
const NEEDS = '(needs ../shared/corpus/segment-heap)';
const SCRIPT = fileURLToPath(new URL('./walk-heap.js', import.meta.url));
const folders = existsSync(CORPUS)
  ? readdirSync(CORPUS, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
  : [];

interface Truth {
  keys: { heapKey: string; lfhKey: string };
  allocations: { addr: string; requested: number; state: 'allocated' | 'free' }[];
  rtlWalkHeap: [string, number, number, number, number][];
}

const truthOf = (folder: string): Truth =>
  JSON.parse(gunzipSync(readFileSync(join(CORPUS, folder, 'truth.json.gz'))).toString()) as Truth;

/** The kind of a block by what the allocator's own walk says of it: flags 8001 LFH, 4001 large; other blocks two kinds. */
const KINDS: Record<number, readonly string[]> = { 0x8001: ['lfh'], 0x4001: ['large'], 1: ['vs', 'segment'] };

function heapsOf(memory: SavedMemory): SegmentHeap[] {
  const reader = new PointerReader(memory);
  return [...memory.pages()].flatMap((page) => openSegmentHeap(reader, page) ?? []);
}

describe('walk-heap', () => {
  if (folders.length === 0) it(`reads genuine memory ${NEEDS}`);

  for (const folder of folders) {
    it(`finds every live block of ${folder}, its size and kind, and no other ${NEEDS}`, () => {
      const truth = truthOf(folder);
      const found = new Map<string, LiveBlock>();
      const heaps = walkFolder(SavedMemory.read(join(CORPUS, folder)), (block) => found.set(block.address, block));
      const live = truth.allocations.filter(({ state }) => state === 'allocated');
      expect(
        live.filter(({ addr }) => !found.has(addr)),
        'live, not found',
      ).to.deep.equal([]);
      const freed = truth.allocations.filter(({ state, addr }) => state === 'free' && found.has(addr));
      const again = new Set(live.map(({ addr }) => addr));
      expect(
        freed.filter(({ addr }) => !again.has(addr)),
        'freed, called live',
      ).to.deep.equal([]);
      expect(
        [...found.keys()].filter((address) => !again.has(address)),
        'nobody allocated',
      ).to.deep.equal([]);
      for (const { addr, requested } of live) expect(found.get(addr)?.size, addr).to.equal(requested);
      for (const [address, , , , flags] of truth.rtlWalkHeap) {
        const block = found.get(address);
        if (block !== undefined) expect(KINDS[flags], `${address}: ${block.kind}`).to.include(block.kind);
      }
      for (const { counts } of heaps) {
        expect(counts).to.deep.include({
          segmentsMissing: 0,
          segmentsCorrupt: 0,
          listsBroken: 0,
          descriptorsCorrupt: 0,
          subsegmentsMissing: 0,
          subsegmentsCorrupt: 0,
          chunksCorrupt: 0,
          bytesLost: 0,
          delayFreeUnresolved: 0,
          largeCorrupt: 0,
        });
        expect(counts.largePages).to.equal(counts.largeCommittedPages);
      }
    });

    it(`derives the keys of ${folder} by vote alone ${NEEDS}`, () => {
      const { keys } = truthOf(folder);
      const memory = SavedMemory.read(join(CORPUS, folder));
      const proof = proveHeaps(memory, heapsOf(memory));
      if (failed(proof)) throw new Error(proof.message);
      const word = (value: bigint): number => Number(BigInt.asUintN(32, value));
      expect(proof.lfhKeyFrom).to.equal('vote');
      expect(proof.keys).to.deep.equal({
        heapKeyLow: word(BigInt(keys.heapKey)),
        heapKeyHigh: word(BigInt(keys.heapKey) >> 32n),
        lfhKeyLow: word(BigInt(keys.lfhKey)),
      });
      for (const { good, of } of [proof.segments, proof.vs, proof.lfh]) expect(good).to.equal(of);
    });

    it(`walks ${folder} with damage, and calls no freed chunk live ${NEEDS}`, () => {
      const saved = SavedMemory.read(join(CORPUS, folder));
      const heaps = heapsOf(saved);
      const proof = proveHeaps(saved, heaps);
      if (failed(proof)) throw new Error(proof.message);
      const free = new Set<string>();
      const again = new Set<string>();
      for (const { addr, state } of truthOf(folder).allocations) (state === 'free' ? free : again).add(addr);
      for (let seed = 1; seed <= 12; seed++) {
        const prng = new Prng(seed);
        // One byte in some sixteenth of the pages is changed whenever such a page is read.
        const changed = new Map<HeapAddress, [number, number]>();
        const memory = {
          pointerSize: saved.pointerSize,
          readPages(address: HeapAddress, pages: number, into: Uint8Array, present: Uint8Array): number {
            const count = saved.readPages(address, pages, into, present);
            for (let i = 0; i < pages; i++) {
              const page = address + i * 4096;
              let change = changed.get(page);
              if (change === undefined) {
                change = prng.chance(1 / 16) ? [prng.int(0, 4095), prng.int(1, 255)] : [0, 0];
                changed.set(page, change);
              }
              into[i * 4096 + change[0]]! ^= change[1];
            }
            return count;
          },
        };
        const own = ownRecords(new PointerReader(memory), heaps, proof.layout);
        for (const heap of heaps) {
          const walk = new SegmentHeapWalk(memory, heap, proof, { own });
          walk.walk((block) => {
            if (block.state !== BlockState.Live || block.kind !== 1) return;
            const address = `0x${BigInt(block.address).toString(16)}`;
            const change = changed.get(block.address - (block.address % 4096));
            const near = change !== undefined && change[1] !== 0;
            // A byte of a list of freed chunks, or of the chunk's own header, may be the one that was changed.
            if (!near && walk.counts.delayFreeUnresolved === 0 && !again.has(address)) {
              expect(free.has(address), address).to.equal(false);
            }
          });
        }
      }
    });
  }

  for (const family of FAMILIES) {
    it(`walks a folder with a built heap of ${family}`, () => {
      const { image, blocks } = builtHeap(family, 31, { plain: true });
      const folder = mkdtempSync(join(tmpdir(), 'walk-heap-'));
      try {
        const pages = image.addresses();
        writeFileSync(join(folder, 'mem.bin'), concat(pages.map((va) => image.page(va)!)));
        const regions = pages.map((va, i) => ({
          base: `0x${image.spell(va).toString(16)}`,
          size: 4096,
          fileOffset: i * 4096,
        }));
        writeFileSync(join(folder, 'index.json'), JSON.stringify({ file: 'mem.bin', pageSize: 4096, regions }));
        const found: LiveBlock[] = [];
        walkFolder(SavedMemory.read(folder), (block) => found.push(block));
        const truth = blocks
          .filter(({ state }) => state === 'live')
          .map(({ va, requested, kind }) => ({ address: `0x${image.spell(va).toString(16)}`, size: requested, kind }));
        const order = (list: { address: string }[]): unknown[] =>
          [...list].sort((a, b) => (a.address < b.address ? -1 : 1));
        expect(order(found)).to.deep.equal(order(truth));
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
  }

  it(`prints a JSON object a line ${NEEDS}`, function () {
    const folder = folders[0];
    if (folder === undefined) return this.skip();
    const { status, stdout, stderr } = spawnSync(process.execPath, [SCRIPT, join(CORPUS, folder)], {
      encoding: 'utf8',
    });
    expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' });
    const lines = stdout.trimEnd().split('\n');
    expect(lines.length).to.equal(truthOf(folder).allocations.filter(({ state }) => state === 'allocated').length);
    for (const line of lines) {
      const block = JSON.parse(line) as LiveBlock;
      expect(Object.keys(block)).to.deep.equal(['address', 'size', 'kind']);
      expect(block.address).to.match(/^0x[0-9a-f]+$/);
      expect(block.kind).to.be.oneOf(['lfh', 'vs', 'segment', 'large']);
    }
  }).timeout(60000);

  describe('a bad folder', () => {
    let folder = '';
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'walk-heap-'));
    });
    afterEach(() => {
      rmSync(folder, { recursive: true });
    });
    const run = (...args: string[]): { status: number | null; stdout: string; stderr: string } =>
      spawnSync(process.execPath, [SCRIPT, ...args], { encoding: 'utf8' });

    const cases: [string, Record<string, string>, RegExp][] = [
      ['nothing in it', {}, /index\.json cannot be read/],
      ['an index that is no JSON', { 'index.json': '{' }, /index\.json cannot be read/],
      ['no regions', { 'index.json': '{"file":"mem.bin"}' }, /no list "regions"/],
      ['no memory', { 'index.json': '{"file":"mem.bin","regions":[]}' }, /mem\.bin is not there/],
      ['a file elsewhere', { 'index.json': '{"file":"../mem.bin","regions":[]}' }, /outside the folder/],
      ['other pages', { 'index.json': '{"pageSize":16384,"regions":[]}' }, /pages of 16384 bytes/],
      [
        'a region without a base',
        { 'index.json': '{"regions":[{"base":"0x1001","size":4096,"fileOffset":0}]}', 'mem.bin': '' },
        /region 0 has no page-aligned "base"/,
      ],
      [
        'a region behind the end',
        { 'index.json': '{"regions":[{"base":"0x1000","size":4096,"fileOffset":0}]}', 'mem.bin': 'short' },
        /ends at byte 4096 of mem\.bin, which has 5/,
      ],
      [
        'memory that does not unpack',
        { 'index.json': '{"regions":[]}', 'mem.bin.gz': 'no gzip' },
        /mem\.bin\.gz cannot be unpacked/,
      ],
      [
        'memory without a heap',
        { 'index.json': '{"regions":[{"base":"0x1000","size":4096,"fileOffset":0}]}', 'mem.bin': ' '.repeat(4096) },
        /no _SEGMENT_HEAP was found/,
      ],
    ];
    for (const [name, files, message] of cases) {
      it(`with ${name} is refused in one sentence`, () => {
        for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
        const { status, stdout, stderr } = run(folder);
        expect({ status, stdout }).to.deep.equal({ status: 2, stdout: '' });
        expect(stderr).to.match(message);
        expect(stderr.trimEnd().split('\n').length).to.equal(1);
      });
    }

    it('that is not named, or named twice, is wrong usage', () => {
      for (const args of [[], [folder, folder], ['--what', folder]]) {
        const { status, stderr } = run(...args);
        expect(status).to.equal(64);
        expect(stderr).to.match(/Usage: /);
      }
    });
  });
});
