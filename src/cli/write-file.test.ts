import { expect } from 'chai';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { FileError } from './errors.js';
import { temporaryFolder } from './program.test.helper.js';
import { checkWritable, isSameFile, makeFolder, writeWhole } from './write-file.js';

const isRoot = process.getuid?.() === 0;

describe('writing files', () => {
  const folder = temporaryFolder();

  beforeEach(() => {
    mkdirSync(folder.path('w'), { recursive: true });
  });

  it('writes UTF-8 and leaves nothing else', () => {
    const path = folder.path('w/a.txt');
    checkWritable(path);
    expect(existsSync(path)).to.equal(false);
    writeWhole(path, 'ä…');
    expect(readFileSync(path)).to.deep.equal(Buffer.from('ä…', 'utf8'));
    writeWhole(path, 'new');
    expect(readFileSync(path, 'utf8')).to.equal('new');
    expect(readdirSync(folder.path('w'))).to.deep.equal(['a.txt']);
  });

  it('writes the file behind a link', function () {
    writeFileSync(folder.path('w/real.txt'), 'old');
    try {
      symlinkSync(folder.path('w/real.txt'), folder.path('w/link.txt'));
    } catch {
      this.skip(); // Windows without the right to make links
    }
    writeWhole(folder.path('w/link.txt'), 'new');
    expect(lstatSync(folder.path('w/link.txt')).isSymbolicLink()).to.equal(true);
    expect(readFileSync(folder.path('w/real.txt'), 'utf8')).to.equal('new');
  });

  it('writes into a device instead of replacing it', function () {
    if (!existsSync('/dev/null')) this.skip();
    checkWritable('/dev/null');
    writeWhole('/dev/null', 'x');
    expect(lstatSync('/dev/null').isCharacterDevice()).to.equal(true);
  });

  it('says what is wrong before and while writing', () => {
    const wrong: Record<string, RegExp> = {
      'no/such/a.txt': /a\.txt cannot be written: there is no such folder$/,
      w: /is a folder: give the name of a file$/,
    };
    for (const [name, message] of Object.entries(wrong)) {
      expect(() => { checkWritable(folder.path(name)); }, name).to.throw(FileError, message); // prettier-ignore
      expect(() => { writeWhole(folder.path(name), 'x'); }, name).to.throw(FileError, message); // prettier-ignore
    }
  });

  it('says that a folder is read-only', function () {
    if (isRoot || process.platform === 'win32') this.skip();
    mkdirSync(folder.path('ro'));
    chmodSync(folder.path('ro'), 0o500);
    expect(() => { checkWritable(folder.path('ro/a.txt')); }).to.throw(FileError, /access denied/); // prettier-ignore
  });

  it('makes folders, and says that a file stands there', () => {
    makeFolder(folder.path('w/x/y'));
    makeFolder(folder.path('w/x/y'));
    expect(lstatSync(folder.path('w/x/y')).isDirectory()).to.equal(true);
    writeFileSync(folder.path('w/file'), '');
    expect(() => { makeFolder(folder.path('w/file')); }).to.throw(FileError, /is a file, not a folder$/); // prettier-ignore
    expect(() => { makeFolder(folder.path('w/file/x')); }).to.throw(FileError); // prettier-ignore
  });

  it('knows one file under two names', () => {
    writeFileSync(folder.path('w/one'), 'x');
    writeFileSync(folder.path('w/other'), 'x');
    linkSync(folder.path('w/one'), folder.path('w/same'));
    expect(isSameFile(folder.path('w/one'), folder.path('w/same'))).to.equal(true);
    expect(isSameFile(folder.path('w/one'), folder.path('w/../w/one'))).to.equal(true);
    expect(isSameFile(folder.path('w/one'), folder.path('w/other'))).to.equal(false);
    expect(isSameFile(folder.path('w/one'), folder.path('w/none'))).to.equal(false);
  });
});
