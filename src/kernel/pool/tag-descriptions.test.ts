import { expect } from 'chai';
import iconv from 'iconv-lite';
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { linkOrSkip } from '../../../test-dumps/links.test.helper.js';
import { failed } from '../../../parsers/bytes/failure.js';
import { TagDescriptions, findPoolTagFile, readTagFile, type TagFile } from './tag-descriptions.js';

describe('tag descriptions', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'dumpleak-pooltag-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  function write(path: string, text: string | Uint8Array): string {
    const whole = join(folder, path);
    mkdirSync(dirname(whole), { recursive: true });
    writeFileSync(whole, text);
    return whole;
  }

  function read(path: string): TagFile {
    const file = readTagFile(path);
    if (failed(file)) throw new Error(file.message);
    return file;
  }

  const reason = (path: string): string => {
    const file = readTagFile(path);
    return failed(file) ? file.message : 'read';
  };

  describe('readTagFile', () => {
    it('reads any usual encoding and names the kind of list', () => {
      const text = 'Leak - my.sys - Größe\r\n\u001a';
      for (const encoding of ['utf8', 'utf16-le', 'cp850', 'cp1252']) {
        const file = read(write('pooltag.txt', iconv.encode(text, encoding, { addBOM: encoding === 'utf16-le' })));
        expect(file.index.lookup('Leak')?.description, encoding).to.equal('Größe');
        expect(file.tagSource).to.equal('pooltag.txt');
      }
      expect(read(write('LocalTag.txt', text)).tagSource).to.equal('localtag.txt');
      expect(read(write('my own list.txt', text)).tagSource).to.equal('pooltag.txt');
    });

    it('says with the path what is wrong with a file', () => {
      expect(reason(join(folder, 'absent.txt'))).to.equal(`${join(folder, 'absent.txt')}: no such file`);
      expect(reason(folder)).to.equal(`${folder} is a folder, not a file`);
      expect(reason(write('empty.txt', ''))).to.match(/empty\.txt: holds no line of the form/);
      expect(reason(write('prose.txt', 'nothing to see here\n'))).to.match(/holds no line of the form/);
      expect(reason(write('binary.txt', Uint8Array.of(0x4d, 0x5a, 0x90, 0, 3, 0, 0, 0, 4, 0)))).to.match(
        /not a text file/,
      );
      const huge = write('huge.txt', '');
      truncateSync(huge, 2 ** 40);
      expect(reason(huge)).to.match(/1099511627776 bytes; at most 33554432 are read/);
    });
  });

  describe('TagDescriptions', () => {
    it('answers from the built-in list without a file', () => {
      const tags = new TagDescriptions();
      expect(tags.describe('Thre')).to.deep.equal({ description: null, binary: 'nt!ps', tagSource: 'built-in' });
      expect(tags.describe('Irps').binary).to.equal('nt!vf or nt!io');
      expect(tags.describe('Leak')).to.deep.equal({ description: null, binary: null, tagSource: null });
    });

    it('prefers the files, in their order, exact lines before wildcards', () => {
      const first = read(write('a/localtag.txt', 'Afd? - local.sys\nBoth - first.sys - One\n'));
      const second = read(
        write('b/pooltag.txt', 'AfdB - afd.sys - Buffer\nBoth - second.sys - Two\nThre - <unknown> - Threads\n'),
      );
      const tags = new TagDescriptions([first, second]);
      expect(tags.describe('Both')).to.deep.equal({
        description: 'One',
        binary: 'first.sys',
        tagSource: 'localtag.txt',
      });
      expect(tags.describe('AfdB')).to.deep.equal({
        description: 'Buffer',
        binary: 'afd.sys',
        tagSource: 'pooltag.txt',
      });
      expect(tags.describe('AfdX')).to.deep.equal({
        description: null,
        binary: 'local.sys',
        tagSource: 'localtag.txt',
      });
      expect(tags.describe('Thre')).to.deep.equal({ description: 'Threads', binary: null, tagSource: 'pooltag.txt' });
      expect(tags.describe('Ntf0').tagSource).to.equal('built-in');
    });

    it('says whether Windows is documented to use a tag', () => {
      const file = read(
        write(
          'pooltag.txt',
          'Thre - <unknown> - Threads\nMine - my.sys - Mine\nAfdB - my.sys - Not afd\nZzz1 - <unknown> - Z\n',
        ),
      );
      const tags = new TagDescriptions([file]);
      expect(tags.usedByWindows('Thre')).to.equal(true);
      expect(tags.usedByWindows('Ntf0')).to.equal(true);
      expect(tags.usedByWindows('Mine')).to.equal(false);
      expect(tags.usedByWindows('AfdB')).to.equal(false);
      expect(tags.usedByWindows('NvLA')).to.equal(false);
      expect(tags.usedByWindows('Zzz1')).to.equal(null);
      expect(tags.usedByWindows('Leak')).to.equal(null);
    });
  });

  describe('findPoolTagFile', () => {
    it('finds nothing where nothing is', () => {
      expect(findPoolTagFile({})).to.equal(null);
      expect(findPoolTagFile({ 'ProgramFiles(x86)': folder, ProgramFiles: folder })).to.equal(null);
    });

    it('looks in the kits, newest first, then in the older folders', () => {
      const environment = { 'PROGRAMFILES(X86)': join(folder, 'x86'), programfiles: join(folder, 'x64') };
      const old = write('x64/Debugging Tools for Windows (x64)/triage/pooltag.txt', '');
      expect(findPoolTagFile(environment)).to.equal(old);
      const kit81 = write('x86/Windows Kits/8.1/Debuggers/x64/triage/pooltag.txt', '');
      expect(findPoolTagFile(environment)).to.equal(kit81);
      const arm = write('x86/Windows Kits/10/Debuggers/arm64/triage/pooltag.txt', '');
      expect(findPoolTagFile(environment)).to.equal(arm);
      const x64 = write('x86/Windows Kits/10/Debuggers/x64/triage/pooltag.txt', '');
      expect(findPoolTagFile(environment)).to.equal(x64);
    });

    it('looks in the folders of the extension path first, and beside them', () => {
      write('pf/Windows Kits/10/Debuggers/x64/triage/pooltag.txt', '');
      const beside = write('debuggers/triage/pooltag.txt', '');
      const environment = {
        ProgramFiles: join(folder, 'pf'),
        _NT_DEBUGGER_EXTENSION_PATH: `${join(folder, 'absent')}; "${join(folder, 'debuggers', 'winext')}";`,
      };
      mkdirSync(join(folder, 'debuggers', 'winext'));
      expect(findPoolTagFile(environment)).to.equal(beside);
      const inside = write('debuggers/winext/pooltag.txt', '');
      expect(findPoolTagFile(environment)).to.equal(inside);
    });

    it('never looks in the current folder or in relative ones, and takes only files', () => {
      write('pooltag.txt', 'Leak - my.sys - x\n');
      write('triage/pooltag.txt', 'Leak - my.sys - x\n');
      mkdirSync(join(folder, 'pf/Windows Kits/10/Debuggers/x64/triage/pooltag.txt'), { recursive: true });
      const here = process.cwd();
      process.chdir(folder);
      try {
        const environment = { _NT_DEBUGGER_EXTENSION_PATH: ';.;triage;"', ProgramFiles: '' };
        expect(findPoolTagFile(environment)).to.equal(null);
        expect(findPoolTagFile({ ProgramFiles: join(folder, 'pf') })).to.equal(null);
      } finally {
        process.chdir(here);
      }
    });

    it('passes over links that lead nowhere', function () {
      const path = write('pf/Windows Kits/10/Debuggers/x86/triage/pooltag.txt', '');
      const broken = join(folder, 'pf/Windows Kits/10/Debuggers/x64/triage/pooltag.txt');
      mkdirSync(dirname(broken), { recursive: true });
      linkOrSkip(this, join(folder, 'nowhere'), broken);
      expect(findPoolTagFile({ ProgramFiles: join(folder, 'pf') })).to.equal(path);
    });
  });
});
