/** ARM64, five levels of paging, RDMP and secondary data, read back by the second reader. */

import { expect } from 'chai';
import { buildDump, type BuiltDump, type Scenario } from './build-dump.js';
import { codeView, readBack, type HandReader } from './reader/hand-reader.js';
import { SCENARIOS } from './scenarios.js';

const SMALL: Scenario = { memory: { bytes: 96 * 1024 * 1024 } };

/** Compares modules, their identities and where each of their pages can be read. */
function expectModules(dump: BuiltDump, h: HandReader): void {
  const names = h.list(h.u64(0x20)).map((entry) => h.text(entry + 0x58n));
  expect(names).to.deep.equal(dump.truth.modules.map((m) => m.name));
  for (const module of dump.truth.modules.filter((m) => !m.session)) {
    const missing = new Set(module.pagesMissing.map((page) => page.rva));
    for (let rva = 0; rva < module.size; rva += 0x1000) {
      const isMissing = typeof h.page(module.base + BigInt(rva)) === 'string';
      expect(isMissing, `${module.name}+${rva.toString(16)}`).to.equal(missing.has(rva));
    }
    if (module.codeViewReadable) expect(codeView(h, module.base)).to.deep.equal(module.pdb);
  }
}

describe('test dumps: processors and bodies', function () {
  this.timeout(20_000);

  it('ARM64: header, page tables with blocks, images, debugger block', () => {
    for (const paging of [{}, { poolPages: '2m' }, { poolPages: '1g', largeKernel: false }] as const) {
      const dump = buildDump({ ...SCENARIOS.modernLeak(), architecture: 'arm64', kernel: '22000', paging });
      const h = readBack(dump);
      h.invalidPteMask = 0n;
      expect(h.u32(0x30)).to.equal(0xaa64);
      expect(h.u32(0x348)).to.equal(0x400007);
      expect(h.u64(0x348 + 0x108)).to.equal(dump.truth.kernel.base + 0x14a40n);
      expectModules(dump, h);
      const nt = dump.truth.kernel.base;
      expect(h.u32At(nt + 0xe8n + 4n) & 0xffff).to.equal(0xaa64);
      expect((h.u32At(dump.truth.kdbg.address + 0x34n) >>> 16) & 0x3c).to.equal(0x10);
      expect(dump.truth.kernel.genuine).to.equal(false);
    }
  });

  it('ARM64: tags stand in code in two halves only, as the instructions say', () => {
    const tags = [
      { tag: 'Half', style: 'alloc' as const, between: 3 },
      { tag: 'Half', style: 'free' as const, order: 'high-first' as const },
      { tag: 'Half', style: 'alloc' as const, straddle: 1 as const },
      { tag: 'Half', style: 'literal' as const },
    ];
    const dump = buildDump({ ...SMALL, architecture: 'arm64', modules: [{ name: 'a.sys', size: 0x20000, tags }] });
    const h = readBack(dump);
    const hits = dump.truth.tagHits;
    expect(hits).to.have.length(4);
    for (const hit of hits) {
      const word = h.u32At(hit.address);
      if (hit.second === undefined) {
        expect(word).to.equal(0x666c6148);
        // LDR W2 stands three words before and points here.
        expect(h.u32At(hit.address - 12n)).to.equal(0x18000062);
        continue;
      }
      const other = h.u32At(hit.second);
      expect([word & 0x1f, word & 0xff800000, other & 0xff800000]).to.deep.equal([
        other & 0x1f,
        0x52800000,
        0x72800000,
      ]);
      const half = (w: number): number => ((w >>> 5) & 0xffff) * ((w & 0x200000) === 0 ? 1 : 0x10000);
      expect(half(word) + half(other)).to.equal(0x666c6148);
      expect(hit.straddles).to.equal(hit.address >> 12n !== hit.second >> 12n);
    }
    expect(hits.some((hit) => hit.straddles)).to.equal(true);
    expect(hits.map((hit) => Number((hit.second ?? hit.address) - hit.address) / 4)).to.include(4);
  });

  it('five levels: one table more, another kernel', () => {
    const dump = buildDump({ ...SCENARIOS.terminalServer(), kernel: '22000', paging: { levels: 5, pcid: 3 } });
    const h = readBack(dump);
    h.shifts = [48n, ...h.shifts];
    expectModules(dump, h);
    expect(codeView(h, dump.truth.kernel.base).name).to.equal('ntkrla57.pdb');
    expect((h.u32At(dump.truth.kdbg.address + 0x34n) >>> 16) & 0x3c).to.equal(0x14);
    const four = readBack(dump);
    expect(four.page(dump.truth.kernel.base)).to.be.a('string');
  });

  for (const kind of ['rdmp-kernel', 'rdmp-kernel-user', 'rdmp-full'] as const) {
    it(`${kind}: records and pages`, () => {
      const dump = buildDump({ ...SMALL, kind });
      const h = readBack(dump);
      expect(h.u32(0xf98)).to.equal({ 'rdmp-kernel': 8, 'rdmp-kernel-user': 9, 'rdmp-full': 10 }[kind]);
      expectModules(dump, h);
    });
  }

  it('secondary data ends the file', () => {
    const secondaryData = [{ guid: '00112233-4455-6677-8899-aabbccddeeff', hex: 'c0ffee' }];
    for (const kind of ['triage', 'bitmap-kernel', 'full'] as const) {
      const plain = buildDump({ ...SMALL, kind });
      const dump = buildDump({ ...SMALL, kind, secondaryData });
      const bytes = dump.toBytes();
      expect(Buffer.from(bytes.subarray(0, plain.byteLength)).equals(plain.toBytes())).to.equal(true);
      const tail = Buffer.from(bytes.subarray(plain.byteLength));
      expect(tail.toString('latin1', 0, 8)).to.equal('DumpBlob');
      expect([tail.readUInt32LE(8), tail.readUInt32LE(12)]).to.deep.equal([16, 0xf0000000 + 19041]);
      expect(tail.toString('hex', 0x14, 0x24)).to.equal('33221100554477668899aabbccddeeff');
      const [size, before, after] = [0x24, 0x28, 0x2c].map((at) => tail.readUInt32LE(at));
      expect(tail.toString('hex', 0x30 + before!, 0x30 + before! + size!)).to.equal('c0ffee');
      expect(0x30 + before! + size! + after!).to.equal(tail.length);
    }
  });

  it('a wrong table base leads to a page that is no table; the start-up block holds the right one', () => {
    const right = buildDump(SMALL).truth.header.directoryTableBase;
    const dump = buildDump({ ...SMALL, header: { directoryTableBase: 'wrong' }, startBlock: true });
    const h = readBack(dump);
    expect(h.root).not.to.equal(right);
    expect(h.page(dump.truth.kernel.base)).to.be.a('string');
    const block = h.frame(0x13)!;
    expect([block[0], block.readUInt32LE(4), block.readBigUInt64LE(0xa0)]).to.deep.equal([0xe9, 1, right]);
    expect(typeof h.page(dump.truth.kernel.base, right)).not.to.equal('string');
  });
});
