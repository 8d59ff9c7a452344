import { expect } from 'chai';
import { existsSync, readFileSync } from 'node:fs';
import type { PageState, Scenario } from '../../../test-dumps/build-dump.js';
import { sessionOf, type TestSession } from '../session.test.helper.js';

const TRANSCRIPTS = new URL('../../../../../shared/corpus/transcripts/', import.meta.url);

/** Pages of acme.sys after the first, in this order. */
const STATES: readonly PageState[] = ['valid', 'absent', 'transition', 'prototype', 'paged-out', 'demand-zero'];
const pages = Object.fromEntries(STATES.map((state, i) => [i + 1, state]));
const machine = (more: Scenario): TestSession =>
  sessionOf({ seed: 4, memory: { bytes: 2 ** 26 }, modules: [{ name: 'acme.sys', size: 2 ** 16, pages }], ...more });

const X64 = { kernel: '10.0.19041.804' };
const X86 = { architecture: 'x86', kernel: '6.1.7601.17514' } as const;

describe('!pte', () => {
  it('shows the four levels of x64, where each is mapped, and a large page', async () => {
    const kd = machine(X64);
    const [at, frame] = [kd.session.symbols.named('nt')!.base, '[0-9a-f]+ +'];
    const text = await kd.print('!pte nt');
    const places = /^ {43}VA [0-9a-f]{16}\nPXE at ([0-9A-F]{16}) {4}PPE at ([0-9A-F]{16}) {4}PDE at ([0-9A-F]{16}) {4}PTE at [0-9A-F]{16}\n/.exec(text); // prettier-ignore
    expect(places, text).to.not.equal(null);
    expect(text).to.contain(` VA ${at.toString(16)}\n`);
    expect(text).to.match(/\ncontains (?:[0-9A-F]{16} {2}contains ){3}0{16}\n/);
    expect(text).to.match(new RegExp(`\npfn ${frame}---DA--KWEV {2}pfn ${frame}---DA--KWEV {2}pfn ${frame}-GLDA--KWEV {2}LARGE PAGE pfn [0-9a-f]+\n`)); // prettier-ignore
    // The entries are read at the places that are printed, through the tables themselves.
    const contents = [...text.matchAll(/contains ([0-9A-F]{16})/g)].map(([, value]) => value);
    for (const [i, place] of places!.slice(1).entries())
      expect((await kd.print(`? poi(${place})`)).toUpperCase()).to.contain(contents[i]!.replace(/^(.{8})/, '$1`'));
  });

  it('shows where the page of an entry is that is not valid, as it is read', async () => {
    for (const more of [X64, X86, { ...X86, paging: { pae: false } }]) {
      const kd = machine(more);
      const shown = async (state: PageState): Promise<string> =>
        kd.print(`!pte acme+${((STATES.indexOf(state) + 1) * 4096).toString(16)}`);
      for (const state of ['valid', 'absent'] as const) expect(await shown(state)).to.match(/(?:pfn .*){2,4}\n\n$/);
      expect(await shown('transition')).to.match(/not valid\nthe page is still in memory: pfn [0-9a-f]+\n\n$/);
      expect(await shown('paged-out')).to.match(/not valid\nthe page is in a page file \(PTE 0x[0-9a-f]+\)\n\n$/);
      expect(await shown('demand-zero')).to.match(/not valid\ndemand-zero PTE|not valid\nthe PTE is zero/);
    }
  });

  it('says n/a where nothing tells where the tables are mapped', async () => {
    const kd = machine({ ...X64, paging: { selfMap: false } });
    expect(await kd.print('!pte nt')).to.match(
      /\nPXE at n\/a {17}PPE at n\/a {17}PDE at n\/a {17}PTE at n\/a\ncontains /,
    );
  });

  it('names the table that is not in the dump', async () => {
    const kd = machine({ ...X64, modules: [{ name: 'acme.sys', pageTableAbsent: true }] });
    const at = kd.session.symbols.named('acme')!.base.toString(16);
    const text = await kd.print(`!pte ${at}`);
    expect(text).to.match(
      / not in dump\npfn .*\nthe table with the PTE is not in the dump \(physical [0-9a-f]+\)\n\n$/,
    );
    expect(await kd.print(`!vtop 0 ${at}`)).to.match(
      /Amd64VtoP: PTE [0-9a-f]+: not in dump\nVirtual address [0-9a-f]{16} translation fails: the table with the PTE is not in the dump\n$/,
    );
  });

  it('has the look of x86, with PAE and without', async () => {
    const pae = /^ {20}VA [0-9a-f]{8}\nPDE at C060[0-9A-F]{4} {12}PTE at C0[0-9A-F]{6}\ncontains [0-9A-F]{16} {2}contains [0-9A-F]{16}\npfn [0-9a-f]+ +---DA--KWEV {2}pfn [0-9a-f]+ +-G-DA--KW[E-]V\n\n$/; // prettier-ignore
    expect(await machine(X86).print('!pte nt')).to.match(pae);
    const kd = machine({ ...X86, kernel: '5.1.2600.5512', paging: { pae: false } });
    expect(await kd.print('!pte nt')).to.match(
      /^ {15}VA [0-9a-f]{8}\nPDE at {3}C0300[0-9A-F]{3} {8}PTE at C0[0-9A-F]{6}\ncontains [0-9A-F]{8} {6}contains [0-9A-F]{8}\npfn [0-9a-f]+ ---DA--KWV {4}pfn [0-9a-f]+ -G-DA--KWV\n\n$/,
    );
  });

  it('has the columns of the published output (skipped where it is missing)', async function () {
    const file = new URL('pte--xp-x86-user.txt', TRANSCRIPTS);
    if (!existsSync(file)) this.skip();
    const form = (text: string): string[] =>
      text
        .split(/\r?\n/)
        .filter((line) => line.trim() !== '' && !line.startsWith('kd>'))
        .map((line) =>
          line
            .replace(/pfn [0-9a-f]+ [-A-Z]{10}/g, 'pfn')
            .replace(/[0-9A-Fa-f]{8}/g, 'H')
            .trimEnd(),
        );
    const kd = machine({ ...X86, kernel: '5.1.2600.5512', paging: { pae: false } });
    expect(form(await kd.print('!pte nt'))).to.deep.equal(form(readFileSync(file, 'utf8')));
  });

  it('refuses what is no address of such tables', async () => {
    expect(await machine(X64).end('!pte 8000000000000000')).to.include({ failed: 'input' });
    expect(await machine({ ...X64, architecture: 'arm64' }).print('!pte nt')).to.contain('of this dump they are not');
    expect(await machine(X64).print('!pte')).to.contain('!pte wants an address');
  });
});

describe('!vtop', () => {
  it('shows the way and the physical address that memory is read from', async () => {
    const kd = machine(X64);
    const text = await kd.print('!vtop 0 acme+1123');
    const found = /^Amd64VtoP: Virt [0-9a-f]{8}`[0-9a-f]{8}, pagedir ([0-9a-f]+)\nAmd64VtoP: PML4E [0-9a-f]+\nAmd64VtoP: PDPE [0-9a-f]+\nAmd64VtoP: PDE [0-9a-f]+\nAmd64VtoP: PTE [0-9a-f]+\nAmd64VtoP: Mapped phys ([0-9a-f]+123)\nVirtual address [0-9a-f]{16} translates to physical address \2\.\n$/.exec(text); // prettier-ignore
    expect(found, text).to.not.equal(null);
    const at = kd.session.symbols.named('acme')!.base;
    expect(kd.session.memory.translate(kd.session.address(at + 0x1123n))).to.equal(parseInt(found![2]!, 16));
    const base = found![1]!;
    expect(await kd.print(`!vtop ${base} acme+1123`), 'a directory base').to.equal(text);
    expect(await kd.print(`!vtop ${base.slice(0, -3)} acme+1123`), 'its page').to.equal(text);
  });

  it('finds pages that an invalid entry keeps, and says why others are not found', async () => {
    const kd = machine(X64);
    expect(await kd.print('!vtop 0 acme+3000')).to.match(
      /PTE is not valid, the page is still in memory\nAmd64VtoP: Mapped phys ([0-9a-f]+)\n.* physical address \1\.\n$/,
    );
    const text = await kd.print('!vtop 0 acme+5000');
    expect(text).to.match(/PTE [0-9a-f]+\nVirtual address [0-9a-f]{16} translation fails: the page is in a page file/);
    expect(text).to.not.contain('phys ');
  });

  it('has the looks of x86', async () => {
    expect(await machine(X86).print('!vtop 0 acme+1000')).to.match(
      /^X86VtoP: Virt [0-9a-f]{8}, pagedir [0-9a-f]+\nX86VtoP: PAE PDPE [0-9a-f]+\nX86VtoP: PAE PDE [0-9a-f]+\nX86VtoP: PAE PTE [0-9a-f]+\nX86VtoP: PAE Mapped phys ([0-9a-f]+)\nVirtual address [0-9a-f]{8} translates to physical address \1\.\n$/,
    );
    const kd = machine({ ...X86, paging: { pae: false } });
    const text = await kd.print('!vtop 0 acme+1980');
    expect(text).to.match(/^Pdi [0-9a-f]+ Pti [0-9a-f]+\n[0-9a-f]{5}980 ([0-9a-f]{5})000 pfn\(\1\)\n$/);
    const root = (kd.session.memory as unknown as { directoryTableBase: number }).directoryTableBase;
    for (const typed of [root, root / 4096])
      expect(await kd.print(`!vtop ${typed.toString(16)} acme+1980`)).to.equal(text);
  });

  it('reads nothing of a directory that is not in the dump', async () => {
    expect(await machine(X64).print('!vtop 98fd 12f980')).to.match(
      /pagedir 98fd000\nAmd64VtoP: PML4E 98fd000: not in dump\nVirtual address 000000000012f980 translation fails: the table with the PML4E is not in the dump\n$/,
    );
    expect(await machine(X64).print('!vtop 0')).to.contain('!vtop wants a directory base');
  });
});
