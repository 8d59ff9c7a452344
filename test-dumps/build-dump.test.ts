import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import { buildDump, type Scenario } from './build-dump.js';
import { codeView, popCount, readBack } from './reader/hand-reader.js';
import { kernelVersions } from './kernel-facts.js';
import { SCENARIOS } from './scenarios.js';

function hash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

const SMALL: Scenario = { memory: { bytes: 96 * 1024 * 1024 } };

describe('test dumps: the file', () => {
  it('is the same for the same scenario and differs for another seed', () => {
    const first = hash(buildDump({ seed: 5 }).toBytes());
    expect(hash(buildDump({ seed: 5 }).toBytes())).to.equal(first);
    expect(hash(buildDump({ seed: 6 }).toBytes())).not.to.equal(first);
  });

  it('reads the same in pieces, whole, from a sparse file and from a gzip file', async () => {
    const dump = buildDump({ ...SMALL, kind: 'full' });
    const whole = dump.toBytes();
    expect(whole.length).to.equal(dump.byteLength);
    for (const [position, length] of [
      [0, 100],
      [0x1ff0, 0x2011],
      [0x4fff, 3],
      [whole.length - 5, 50],
      [whole.length, 4],
    ] as const) {
      const target = new Uint8Array(length).fill(0xee);
      const got = dump.read(position, target);
      expect(got).to.equal(Math.max(0, Math.min(length, whole.length - position)));
      expect(Buffer.from(target.subarray(0, got)).equals(whole.subarray(position, position + got))).to.equal(true);
    }
    const folder = mkdtempSync(join(tmpdir(), 'test-dumps-'));
    try {
      dump.writeTo(join(folder, 'a.dmp'));
      expect(hash(readFileSync(join(folder, 'a.dmp')))).to.equal(hash(whole));
      await dump.writeGzip(join(folder, 'a.dmp.gz'));
      const zipped = readFileSync(join(folder, 'a.dmp.gz'));
      expect(hash(gunzipSync(zipped))).to.equal(hash(whole));
      expect(zipped.subarray(3, 10).toString('hex')).to.equal('000000000002ff');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('writes a 64 GB file that takes little room', () => {
    const dump = buildDump({ kind: 'bitmap-full', memory: { bytes: 64 * 2 ** 30 } });
    expect(() => dump.toBytes()).to.throw('too many');
    const folder = mkdtempSync(join(tmpdir(), 'test-dumps-'));
    try {
      dump.writeTo(join(folder, 'big.dmp'));
      const stat = statSync(join(folder, 'big.dmp'));
      expect(stat.size)
        .to.equal(dump.byteLength)
        .and.above(64 * 2 ** 30);
      // Not every file system can leave holes.
      if (process.platform === 'linux') expect(stat.blocks * 512).below(128 * 2 ** 20);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('can be cut short', () => {
    const dump = buildDump({ ...SMALL, truncateTo: 1_000_001 });
    expect(dump.toBytes()).to.have.lengthOf(1_000_001);
    expect(dump.truth.fileBytes).to.equal(1_000_001);
  });
});

describe('test dumps: header and body', () => {
  it('fills the header at the reference offsets and leaves the rest PAGE', () => {
    const dump = buildDump({
      processors: 640,
      paging: { pcid: 2 },
      header: {
        bugCheckCode: 0x1000007e, bugCheckParameters: [1n, 2n, 3n, 0xffff_ffff_ffff_fff4n], systemTime: 130_000_000_000_000_007n,
        upTime: 99n, productType: 3, suiteMask: 0x112, comment: 'made', attributes: 0x14, bootId: 77,
      },
    }); // prettier-ignore
    const h = readBack(dump);
    expect([0, 4, 8, 0xc].map((at) => h.u32(at))).to.deep.equal([0x45474150, 0x34365544, 0xf, 19041]);
    expect(h.u64(0x10) & 0xfffn).to.equal(2n);
    expect(h.u32(0x30)).to.equal(0x8664);
    expect(h.u32(0x34)).to.equal(640);
    expect(h.u32(0x38)).to.equal(0x1000007e);
    expect([0x40, 0x48, 0x50, 0x58].map((at) => h.u64(at))).to.deep.equal([1n, 2n, 3n, 0xffff_ffff_ffff_fff4n]);
    expect(h.header.toString('latin1', 0x60, 0x80)).to.equal('PAGE'.repeat(8));
    expect(h.u32(0xf98)).to.equal(6);
    expect(h.u64(0xfa0)).to.equal(BigInt(dump.byteLength));
    expect(h.u64(0xfa8)).to.equal(130_000_000_000_000_007n);
    expect(h.header.toString('latin1', 0xfb0, 0xfb5)).to.equal('made\0');
    expect(h.u64(0x1030)).to.equal(99n);
    expect([0x1040, 0x1044, 0x1048, 0x1050, 0x1054].map((at) => h.u32(at))).to.deep.equal([3, 0x112, 0, 0x14, 77]);
    expect(h.header.toString('latin1', 0x1fe0, 0x2000)).to.equal('PAGE'.repeat(8));
    expect(h.u64(0x20)).to.equal(dump.truth.header.psLoadedModuleList);
    const runs = h.runs();
    expect(runs).to.deep.equal(dump.truth.header.runs);
    expect(h.u64(0x90)).to.equal(BigInt(8 * 2 ** 18));
    expect(runs.reduce((sum, run) => sum + run.pageCount, 0)).to.equal(8 * 2 ** 18);
  });

  for (const [kind, type] of [
    ['full', 1],
    ['kernel', 2],
    ['bitmap-full', 5],
    ['bitmap-kernel', 6],
    ['automatic', 7],
  ] as const) {
    it(`${kind}: type ${type}, as many pages as it says, and the module list can be walked`, () => {
      const dump = buildDump({ ...SMALL, kernel: kind === 'kernel' ? '7601' : '19041', kind });
      const h = readBack(dump);
      const bytes = dump.toBytes();
      const start = Buffer.from(bytes.subarray(0x2000, 0x2038));
      expect(h.u32(0xf98)).to.equal(type);
      if (kind === 'full') {
        expect(bytes.length).to.equal(0x2000 + dump.truth.physicalPages * 0x1000);
      } else {
        const old = kind === 'kernel';
        expect(start.toString('latin1', 0, 8)).to.equal(kind === 'bitmap-full' ? 'FDMPDUMP' : 'SDMPDUMP');
        const first = old ? start.readUInt32LE(0xc) : Number(start.readBigUInt64LE(0x20));
        const pages = old ? start.readUInt32LE(0x14) : Number(start.readBigUInt64LE(0x28));
        const bits = old ? start.readUInt32LE(0x10) : Number(start.readBigUInt64LE(0x30));
        const at = old ? 0x2028 : 0x2038;
        expect(popCount(Buffer.from(bytes.subarray(at, at + Math.ceil(bits / 8))))).to.equal(pages);
        expect(first + pages * 0x1000).to.equal(bytes.length);
        expect(pages).to.equal(dump.truth.pagesPresent);
      }
      const entries = h.list(h.u64(0x20));
      expect(entries.map((e) => h.text(e + 0x58n))).to.deep.equal(dump.truth.modules.map((m) => m.name));
    });
  }

  it('keeps the body and the type apart', () => {
    const h = readBack(buildDump({ ...SMALL, kind: 'bitmap-kernel', dumpType: 1 }));
    expect(h.u32(0xf98)).to.equal(1);
    expect(h.list(h.u64(0x28))).to.have.lengthOf(11);
  });

  it('reaches page frames past 2^32', () => {
    const far = 0x1_8000_0000;
    const memory = {
      runs: [
        { basePage: 1, pageCount: 16 },
        { basePage: far, pageCount: 0x8000 },
      ],
    };
    for (const kind of ['full', 'bitmap-kernel'] as const) {
      const dump = buildDump({ kind, memory });
      expect(dump.truth.header.directoryTableBase > 0x1_0000_0000_000n).to.equal(true);
      const last = dump.truth.modules[3]!;
      expect(dump.readVirtual(last.base, 2)).to.deep.equal(Uint8Array.of(0x4d, 0x5a));
      if (kind === 'full') expect(readBack(dump).bytes(last.base, 2).toString()).to.equal('MZ');
    }
  });

  it('header: nothing else', () => {
    expect(buildDump({ ...SMALL, kind: 'header' }).byteLength).to.equal(0x2000);
  });
});

describe('test dumps: kernels', () => {
  for (const kernel of kernelVersions()) {
    it(`${kernel}: identity in the image, debugger block, version text`, () => {
      const dump = buildDump({ kernel });
      const h = readBack(dump);
      const { base, pdb, timeDateStamp, sizeOfImage, build, buildLab } = dump.truth.kernel;
      expect(codeView(h, base)).to.deep.equal({ guid: pdb.guid, age: pdb.age, name: 'ntkrnlmp.pdb' });
      const nt = base + BigInt(h.u32At(base + 0x3cn));
      expect(h.u32At(nt + 8n)).to.equal(timeDateStamp);
      expect(h.u32At(nt + 0x18n + 0x38n)).to.equal(sizeOfImage);
      const kdbg = h.bytes(h.u64(0x80), 0x400);
      expect(kdbg.toString('latin1', 0x10, 0x14)).to.equal('KDBG');
      const sizes: Record<number, number> = { 7601: 0x340, 9600: 0x360, 14393: 0x368 };
      expect(kdbg.readUInt32LE(0x14)).to.equal(sizes[build] ?? 0x380);
      expect(kdbg.readBigUInt64LE(0x18)).to.equal(base);
      expect(kdbg.readBigUInt64LE(0x48)).to.equal(h.u64(0x20));
      expect(kdbg.readBigUInt64LE(0x50)).to.equal(h.u64(0x28));
      expect(kdbg.readBigUInt64LE(0x138)).to.equal(0x1000n);
      expect(h.pointer(kdbg.readBigUInt64LE(0x1b8))).to.equal(dump.truth.pool.tableAddress);
      const lab = h.bytes(kdbg.readBigUInt64LE(0x208), 80);
      expect(lab.toString('latin1', 0, lab.indexOf(0))).to.equal(buildLab);
      // From Windows 10 on the memory manager's pointers are null.
      expect(kdbg.readBigUInt64LE(0x1a8) === 0n).to.equal(build >= 10240);
    });
  }

  it('19041.804: the addresses that a real dump of it has', () => {
    const h = readBack(buildDump({ kernel: '10.0.19041.804' }));
    const kdbg = h.u64(0x80);
    const base = h.pointer(kdbg + 0x18n);
    expect(kdbg - base).to.equal(0xc00b20n);
    expect(h.u64(0x20) - base).to.equal(0xc2a390n);
    expect(h.pointer(kdbg + 0x1b8n) - base).to.equal(0xc168a8n);
    expect(h.pointer(kdbg + 0x140n) - base).to.equal(0xcfc7e8n);
    const nt = base + BigInt(h.u32At(base + 0x3cn));
    expect([h.u32At(nt + 8n), h.u32At(nt + 0x50n)]).to.deep.equal([0x0d8333e6, 0x1046000]);
    // Where MmPagedPoolCommit misleads: MiState + 0x2668.
    expect(h.pointer(kdbg + 0x170n) - base).to.equal(0xc4c740n + 0x2668n);
  });

  it('encodes the debugger block so that the documented steps decode it', () => {
    const dump = buildDump({ kdbg: { encoded: true } });
    const plain = buildDump({});
    const h = readBack(dump);
    const address = h.u64(0x80);
    const block = h.bytes(address, 0x380);
    expect(block.toString('latin1', 0x10, 0x14)).not.to.equal('KDBG');
    const { base } = dump.truth.kernel;
    const flag = base + 12913568n;
    const never = h.pointer(base + 13617144n);
    const always = h.pointer(base + 13617656n);
    expect(h.bytes(flag, 1)[0]).to.equal(1);
    const clear = Buffer.alloc(0x380);
    for (let at = 0; at < block.length; at += 8) {
      let q = block.readBigUInt64LE(at) ^ never;
      const n = (never & 0xffn) % 64n;
      q = BigInt.asUintN(64, (q << n) | (q >> (64n - n)));
      const swapped = Buffer.alloc(8);
      swapped.writeBigUInt64LE(q ^ flag);
      clear.writeBigUInt64LE(swapped.readBigUInt64BE(0) ^ always, at);
    }
    expect(clear.equals(readBack(plain).bytes(address, 0x380))).to.equal(true);
  });

  it('hides identities and debugger blocks on request', () => {
    const missing = buildDump({ hideIdentity: 'codeview-page-missing' });
    expect(missing.truth.modules[0]).to.include({ headersReadable: true, codeViewReadable: false });
    expect(() => codeView(readBack(missing), missing.truth.kernel.base)).to.throw('not in dump');
    const unknown = buildDump({ hideIdentity: 'unknown-all' });
    expect(codeView(readBack(unknown), unknown.truth.kernel.base).guid).to.equal('0123456789ABCDEF0123456789ABCDEF');
    expect(unknown.truth.kernel.genuine).to.equal(false);
    expect(readBack(buildDump({ header: { kdbgPointer: 'null' } })).u64(0x80)).to.equal(0n);
    const wrong = readBack(buildDump({ header: { kdbgPointer: 'wrong' } }));
    expect(wrong.bytes(wrong.u64(0x80), 0x14).toString('latin1', 0x10)).not.to.equal('KDBG');
  });
});

describe('test dumps: ready scenarios', () => {
  for (const [name, make] of Object.entries(SCENARIOS)) {
    it(`${name} is a believable machine`, () => {
      const { truth } = buildDump(make());
      expect(truth.scenario).to.equal(name);
      expect(truth.modules.length).within(30, 150);
      expect(truth.pool.rows.length).within(300, 900);
      expect(truth.pool.negativeCounters).above(50);
      expect(truth.processes.length).above(8);
      const used = truth.memory.nonPagedPoolUsage!;
      expect(truth.memory.nonPagedPoolNxUsage ?? 0).most(used);
      if (name !== 'impossibleCounter') {
        expect(used * 4096).least(Number(truth.pool.totals.nonPagedBytes));
        expect(truth.memory.pagedPoolUsage! * 4096).least(Number(truth.pool.totals.pagedBytes));
        expect(truth.memory.committedPages).most(truth.memory.commitLimit!);
      }
    });
  }
});
