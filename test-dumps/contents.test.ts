import { expect } from 'chai';
import { buildDump, type PageState, type Scenario } from './build-dump.js';
import { codeFill } from './images/code.js';
import { readBack } from './reader/hand-reader.js';
import { SCENARIOS } from './scenarios.js';

const STATES: PageState[] = ['valid', 'absent', 'transition', 'transition-absent', 'prototype', 'prototype-transition', 'prototype-absent', 'paged-out', 'demand-zero', 'discarded']; // prettier-ignore

describe('test dumps: paging and modules', () => {
  for (const poolPages of ['4k', '2m', '1g'] as const) {
    for (const kernel of ['7601', '19041'] as const) {
      it(`${kernel}, pool in ${poolPages} pages: the truth about every module page holds`, () => {
        const pages = Object.fromEntries(STATES.map((state, i) => [i + 1, state]));
        const scenario: Scenario = {
          kernel,
          paging: { poolPages, pcid: 2 },
          modules: [
            { name: 'a.sys', size: 0x10000, allPages: 'valid', pages },
            { name: 'b.sys', size: 0x40000 },
            { name: 'w.sys', session: true },
          ],
        };
        const dump = buildDump(scenario);
        const h = readBack(dump);
        const session = dump.truth.processes.find((p) => p.session !== null)!;
        for (const module of dump.truth.modules) {
          let present = 0;
          const missing = new Set(module.pagesMissing.map((page) => page.rva));
          for (let rva = 0; rva < module.size; rva += 0x1000) {
            const page = h.page(module.base + BigInt(rva), module.session ? session.directoryTableBase : h.root);
            expect(
              typeof page === 'string',
              `${module.name}+${rva.toString(16)} ${String(page).slice(0, 20)}`,
            ).to.equal(missing.has(rva));
            if (typeof page !== 'string') present++;
          }
          expect(present).to.equal(module.pagesPresent);
          expect(h.page(module.base) === 'not mapped').to.equal(module.session);
        }
        const states = dump.truth.modules[1]!.pagesMissing.map((page) => page.state);
        expect(states).to.deep.equal(
          STATES.filter((s) => !['valid', 'transition', 'prototype', 'prototype-transition'].includes(s)),
        );
      });
    }
  }

  it('can leave out page tables, and break or loop the list', () => {
    const modules = ['a.sys', 'b.sys', 'c.sys', 'd.sys'].map((name) => ({ name, size: 0x8000 }));
    const hidden = buildDump({ modules: modules.map((m) => ({ ...m, pageTableAbsent: m.name === 'b.sys' })) });
    expect(hidden.truth.modules[2]!.pagesMissing[0]!.why).to.equal('page table not in dump');
    expect(readBack(hidden).page(hidden.truth.modules[2]!.base)).to.equal('table not in dump');
    const loop = buildDump({ modules, moduleList: { loopAfter: 3 } });
    const h = readBack(loop);
    expect(h.list(h.u64(0x20))).to.have.lengthOf(1000);
    // A careful reader finds the others along the links of the other direction.
    expect(loop.truth.modules).to.have.lengthOf(5);
    const broken = readBack(buildDump({ modules, moduleList: { breakAfter: 2 } }));
    expect(() => broken.list(broken.u64(0x20))).to.throw('not mapped');
  });

  it('plants tags where it says, and hides those it says it hides', () => {
    const dump = buildDump(SCENARIOS.hiddenDriver());
    expect(dump.truth.tagHits.map((hit) => [hit.genuine, hit.readable, hit.hidden])).to.deep.equal(
      [...dump.truth.tagHits].map((hit) => [true, false, hit.style === 'alloc' ? 'paged out' : 'not in dump']),
    );
    const shown = buildDump({ ...SCENARIOS.modernLeak(), watchTags: ['Pool'] });
    const h = readBack(shown);
    for (const hit of shown.truth.tagHits.filter((hit) => hit.readable)) {
      const text = h.bytes(hit.address, 4);
      if (hit.protectedBit) text[3] = text[3]! & 0x7f;
      expect(text.toString('latin1')).to.equal(hit.tag);
    }
    expect(shown.truth.tagHits.filter((hit) => hit.style === 'accident' && hit.tag === 'Pool').length).above(100);
    const straddling = shown.truth.tagHits.find((hit) => hit.tag === 'AcNb' && hit.straddles)!;
    expect(straddling.rva % 0x1000).to.equal(0xffe);
  });

  it('finds the tag nowhere else: a search of every readable page agrees', () => {
    for (const name of ['notmyfault', 'pagedLeak'] as const) {
      const dump = buildDump(SCENARIOS[name]());
      const h = readBack(dump);
      const tag = name === 'notmyfault' ? 'Leak' : 'QbCx';
      const found: bigint[] = [];
      for (const module of dump.truth.modules.filter((m) => !m.session)) {
        const image = Buffer.alloc(module.size);
        for (let rva = 0; rva < module.size; rva += 0x1000) {
          const page = h.page(module.base + BigInt(rva));
          if (typeof page !== 'string') page.copy(image, rva);
        }
        for (let at = image.indexOf(tag); at >= 0; at = image.indexOf(tag, at + 1))
          found.push(module.base + BigInt(at));
      }
      const told = dump.truth.tagHits.filter((hit) => hit.tag === tag && hit.readable).map((hit) => hit.address);
      expect(found).to.have.members(told);
      expect(told.length).above(3);
    }
  });

  it('fills code with bytes that no tag is made of', () => {
    for (let number = 0; number < 8; number++) {
      const text = Buffer.concat([codeFill(number), codeFill(number + 1)]).toString('latin1');
      expect(/[\x20-\x7e]{3}/.exec(text)?.[0] ?? null).to.equal(null);
    }
  });

  it('notmyfault: the published addresses and bytes', () => {
    const dump = buildDump(SCENARIOS.notmyfault());
    const h = readBack(dump);
    expect(h.bytes(0xfffff880044b63aan, 16).toString('hex')).to.equal('4c65616b3bc10f42c1418d49fd8bd0ff');
    expect(h.bytes(0xfffff880044b6621n, 16).toString('hex')).to.equal('4c65616b3bc10f42c133c98bd0ff15cc');
    // The second call goes through the import table to ExAllocatePoolWithTag of ntoskrnl.exe.
    const target = h.pointer(0xfffff880044b6634n + 0x19ccn);
    expect(target > dump.truth.kernel.base && target < dump.truth.kernel.base + 0x200000n).to.equal(true);
  });
});

describe('test dumps: lists of the system', () => {
  it('processes, sessions and unloaded drivers', () => {
    const dump = buildDump(SCENARIOS.notmyfault());
    const h = readBack(dump);
    const { base } = dump.truth.kernel;
    const processes = h.list(h.u64(0x28)).map((link) => link - 0x188n);
    expect(processes).to.deep.equal(dump.truth.processes.map((p) => p.address));
    const names = processes.map((at) =>
      h
        .bytes(at + 0x2e0n, 15)
        .toString('latin1')
        .replace(/\0.*/s, ''),
    );
    expect(names.slice(0, 3)).to.deep.equal(['System', 'smss.exe', 'csrss.exe']);
    expect(processes.map((at) => h.pointer(at + 0x28n))).to.deep.equal(
      dump.truth.processes.map((p) => p.directoryTableBase),
    );
    const sessions = new Set(processes.map((at) => h.pointer(at + 0x2d8n)).filter((at) => at !== 0n));
    expect(
      [...sessions].map((at) => ({ id: h.u32At(at + 8n), address: at, committedPages: Number(h.pointer(at + 0x38n)) })),
    ).to.have.deep.members(dump.truth.sessions);
    const ring = h.pointer(base + 2740720n);
    expect(h.u32At(base + 2333832n)).to.equal(5);
    expect(h.text(ring + 4n * 0x28n)).to.equal('myfault.sys');
    expect(h.pointer(ring + 4n * 0x28n + 0x10n)).to.equal(dump.truth.unloadedDrivers[4]!.start);
  });

  it('only the last 50 unloaded drivers', () => {
    const unloaded = Array.from({ length: 70 }, (_, i) => ({ name: `u${i}.sys` }));
    const dump = buildDump({ kernel: '7601', unloaded });
    expect(dump.truth.unloadedDrivers.map((d) => d.name)).to.deep.equal(unloaded.slice(20).map((d) => d.name));
    const h = readBack(dump);
    const ring = h.pointer(dump.truth.kernel.base + 2740720n);
    expect(h.text(ring)).to.equal('u50.sys');
    expect(h.text(ring + 49n * 0x28n)).to.equal('u49.sys');
  });

  it('names with any characters', () => {
    const names = ['\u001b[31mred.sys', 'naïve-ドライバ.sys', 'a\u0000b.sys', '\ud800.sys', ''];
    const h = readBack(buildDump({ modules: names.map((name) => ({ name, size: 0x8000 })) }));
    expect(
      h
        .list(h.u64(0x20))
        .slice(1)
        .map((e) => h.text(e + 0x58n)),
    ).to.deep.equal(names);
  });

  it('verifier level and special pool tag', () => {
    const dump = buildDump(SCENARIOS.verifierOn());
    const h = readBack(dump);
    const kdbg = h.u64(0x80);
    expect(h.u32At(h.pointer(kdbg + 0x248n))).to.equal(0x209bb);
    expect(h.bytes(h.pointer(kdbg + 0x238n), 4).toString()).to.equal('VntM');
    expect([h.u32(0x38), h.u64(0x40)]).to.deep.equal([0xc4, 0x62n]);
    expect(h.text(h.u64(0x48))).to.equal('vantagemon.sys');
  });
});

describe('test dumps: triage', () => {
  it('has its parts where the offsets say', () => {
    const dump = buildDump({ ...SCENARIOS.notmyfault(), kind: 'triage' });
    const file = Buffer.from(dump.toBytes());
    const u32 = (at: number): number => file.readUInt32LE(at);
    expect(file.readUInt32LE(0xf98)).to.equal(4);
    expect(file.toString('latin1', 0x88, 0x8c)).to.equal('PAGE');
    expect(u32(0x2004)).to.equal(file.length);
    expect(file.toString('latin1', u32(0x2008), u32(0x2008) + 4)).to.equal('TRGD');
    expect([u32(0x200c), u32(0x2010), u32(0x2014)]).to.deep.equal([0x348, 0xf00, 0x2080]);
    const count = u32(0x2034);
    const list = u32(0x2030);
    expect(count).to.equal(dump.truth.modules.length);
    expect((u32(0x2038) - list) / count).to.equal(0x90);
    dump.truth.modules.forEach((module, i) => {
      const at = list + i * 0x90;
      const name = u32(at);
      const path = file.toString('utf16le', name + 4, name + 4 + u32(name) * 2);
      expect(path).to.equal(module.path);
      expect(name % 8).to.equal(0);
      expect(file.readBigUInt64LE(at + 0x38)).to.equal(module.base);
      expect([u32(at + 0x48), u32(at + 0x80), u32(at + 0x88)]).to.deep.equal([
        module.size,
        module.checkSum,
        module.timeDateStamp,
      ]);
    });
    const unloaded = u32(0x2018);
    expect(u32(unloaded)).to.equal(5);
    expect(file.toString('utf16le', unloaded + 8 + 4 * 0x38 + 0x10, unloaded + 8 + 4 * 0x38 + 0x10 + 22)).to.equal(
      'myfault.sys',
    );
    expect(file.toString('latin1', u32(0x2070) + 0x10, u32(0x2070) + 0x14)).to.equal('KDBG');
    const blocks = u32(0x2078);
    const block = Array.from({ length: u32(0x207c) }, (_, i) => ({
      address: file.readBigUInt64LE(blocks + i * 16),
      at: u32(blocks + i * 16 + 8),
      size: u32(blocks + i * 16 + 12),
    }));
    const headers = block.find((b) => b.address === dump.truth.kernel.base)!;
    expect(file.toString('latin1', headers.at, headers.at + 2)).to.equal('MZ');
    expect(Number(file.readBigUInt64LE(0x2080 + 0x20))).to.equal(155371);
  });
});
