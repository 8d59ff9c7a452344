import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { builtInTagList, builtInTags, parseBuiltInTags } from './built-in.js';
import { KERNEL_OBJECT_TAGS } from './kernel-objects.js';
import { isWindowsBinary } from './windows-binaries.js';

const project = fileURLToPath(new URL('../../../', import.meta.url));

describe('builtInTags', () => {
  it('holds the whole list', () => {
    expect(builtInTagList()).to.have.length(3541 + KERNEL_OBJECT_TAGS.length);
    expect(new Set(builtInTagList().map(({ tag }) => tag)).size).to.equal(builtInTagList().length);
    for (const { tag, binaries } of builtInTagList()) {
      expect(tag).to.match(/^[ -~]{4}$/);
      expect(binaries).to.not.be.empty;
      for (const binary of binaries) expect(binary.trim()).to.equal(binary).and.not.equal('');
    }
  });

  it('answers exact tags, wildcards and unknown tags', () => {
    const binaries = (tag: string): readonly string[] | null => builtInTags().lookup(tag)?.binaries ?? null;
    expect(binaries('8042')).to.deep.equal(['i8042prt.sys']);
    expect(binaries('Thre')).to.deep.equal(['nt!ps']);
    expect(binaries('Irps')).to.deep.equal(['nt!vf', 'nt!io']);
    expect(binaries('Mm  ')).to.deep.equal(['nt!mm']);
    expect(builtInTags().lookup('CM31')?.tag).to.equal('CM??');
    expect(binaries('NvLA')).to.deep.equal(['nvlddmkm.sys']);
    for (const tag of ['File', 'Irp ', 'Mdl ']) expect(binaries(tag), tag).to.deep.equal(['nt!io']);
    for (const tag of ['Even', 'Sema']) expect(binaries(tag), tag).to.deep.equal(['nt!ex']);
    expect(binaries('Key ')).to.deep.equal(['nt!cm']);
    expect(binaries('Leak')).to.equal(null);
    expect(binaries('thre')).to.equal(null);
  });

  it('refuses a damaged list', () => {
    for (const damaged of ['Abc\tx.sys', 'Abcd\t', 'Abcd x.sys', '\tx.sys', 'Abcd\ta.sys|']) {
      expect(() => parseBuiltInTags(`# header\n${damaged}\n`), damaged).to.throw('line 2 is damaged');
    }
  });
});

describe('generate.mjs', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'dumpleak-tags-'));
    mkdirSync(join(folder, 'data'));
    copyFileSync(join(project, 'symbols/tags/generate.mjs'), join(folder, 'generate.mjs'));
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  function generate(tags: Record<string, string[]>): string {
    writeFileSync(join(folder, 'in.json'), JSON.stringify({ tags }));
    execFileSync(process.execPath, [join(folder, 'generate.mjs'), join(folder, 'in.json')], { stdio: 'pipe' });
    return readFileSync(join(folder, 'data/pool-tag-binaries.txt'), 'utf8');
  }

  it('writes what the reader reads, whatever the order of the input', () => {
    const text = generate({ Zyxw: ['b.sys'], 'Io  ': ['nt!io'], Abcd: ['b.sys'], Both: ['nt!x', 'b.sys'] });
    expect(text.split('\n').slice(1)).to.deep.equal(['AbcdZyxw\tb.sys', 'Io  \tnt!io', 'Both\tnt!x|b.sys', '']);
    expect(generate({ Both: ['nt!x', 'b.sys'], Abcd: ['b.sys'], 'Io  ': ['nt!io'], Zyxw: ['b.sys'] })).to.equal(text);
    expect(parseBuiltInTags(text)).to.have.length(4);
  });

  it('gives the shipped file again from the tags that are in it', () => {
    const shipped = readFileSync(join(project, 'symbols/tags/data/pool-tag-binaries.txt'), 'utf8');
    const tags = Object.fromEntries(parseBuiltInTags(shipped).map(({ tag, binaries }) => [tag, [...binaries]]));
    expect(generate(tags)).to.equal(shipped);
  });

  it('refuses tags and names that the format cannot hold', () => {
    for (const bad of [{ Abc: ['x.sys'] }, { Abcd: [] }, { Abcd: ['x|y.sys'] }, { Abcd: ['x\ty'] }]) {
      expect(() => generate(bad)).to.throw('Command failed');
    }
  });
});

describe('isWindowsBinary', () => {
  it('knows the kernel, its drivers and win32k, in any letter case', () => {
    const names = ['nt!mm', 'nt!Alpc', 'nt', 'ntoskrnl.exe', 'hal.dll', 'tcpip.sys', 'NTFS.SYS', 'Ndis.sys', 'afd'];
    for (const name of [...names, 'win32kbase!DirectComposition::CBatch::_allocate', 'dxgkrnl!CAdapter::Create']) {
      expect(isWindowsBinary(name), name).to.equal(true);
    }
    for (const name of ['usbxhci.sys', 'WdFilter.sys', 'storahci.sys'])
      expect(isWindowsBinary(name), name).to.equal(true);
  });

  it('does not count vendors, samples, other products and names that nobody knows', () => {
    const names = [
      'nvlddmkm.sys',
      'WFPSamplerCalloutDriver.sys',
      'vmsrvc.sys',
      '<multiple>',
      '<unknown>',
      'myfault.sys',
    ];
    for (const name of [...names, 'myfault!nt', 'ntx!mm', '', ' ']) expect(isWindowsBinary(name), name).to.equal(false);
  });

  it('wants all of several names', () => {
    expect(isWindowsBinary('nt!store or rdyboost.sys')).to.equal(true);
    expect(isWindowsBinary('netvsc50.sys/netvsc60.sys')).to.equal(true);
    expect(isWindowsBinary('win32kbase!CActivationObjectManager::operator new')).to.equal(true);
    expect(isWindowsBinary('nt!store or myfault.sys')).to.equal(false);
    expect(isWindowsBinary('ndis.sys/myfault.sys')).to.equal(false);
  });

  it('counts most of the list, and exactly the documented exceptions do not', () => {
    const others = new Set(
      builtInTagList().flatMap(({ binaries }) => binaries.filter((name) => !isWindowsBinary(name))),
    );
    expect([...others].sort()).to.deep.equal([
      '<multiple>', 'CCFFilter.sys', 'WFPSamplerCalloutDriver.sys', 'bt3c.sys', 'cbsi.sys', 'devolume.sys', 'fse.sys',
      'hcaport.sys', 'netiobvt.sys', 'newt_ndis6.sys', 'nvlddmkm.sys', 'perm2dll.dll', 'perm3dd.dll', 'pse36.sys',
      'rstorprt.sys', 'scsirdma.sys', 'smbmrx.sys', 'tlnull.sys', 'utils.lib', 'vmm.sys', 'vmsrvc.sys', 'vmusbbus.sys',
      'vmusbhub.sys', 'vmusbstub.sys', 'vuc.sys', 'wibcm.sys', 'wibms.sys', 'wibpm.sys', 'wibwmi.sys', 'writelog.sys',
    ]); // prettier-ignore
  });
});
