import { expect } from 'chai';
import { spawn } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { holdFile } from '../../../test-dumps/held-file.test.helper.js';
import { linkOrSkip } from '../../../test-dumps/links.test.helper.js';
import { FileError } from '../errors.js';
import { temporaryFolder } from '../program.test.helper.js';
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
    linkOrSkip(this, folder.path('w/real.txt'), folder.path('w/link.txt'));
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

  const held = (code: string) => (): never => {
    throw Object.assign(new Error(`${code}: operation not permitted`), { code });
  };

  it('waits for who holds the old file; where he does not let go, the new one stays beside it', () => {
    const path = folder.path('w/held.txt');
    writeFileSync(path, 'old');
    let calls = 0;
    const later = (from: string, to: string): void => {
      if (++calls < 3) held('EBUSY')();
      renameSync(from, to);
    };
    writeWhole(path, 'new', { rename: later, delays: [1, 1, 1] });
    expect(readFileSync(path, 'utf8')).to.equal('new');
    for (const code of ['EPERM', 'EACCES', 'EBUSY']) {
      expect(() => { writeWhole(path, code, { rename: held(code), delays: [1] }); }, code).to.throw(FileError, /^[^\n]*held\.txt is open in another program .* is in [^\n]*held\.txt\.new$/); // prettier-ignore
      expect(readFileSync(path, 'utf8')).to.equal('new');
      expect(readFileSync(`${path}.new`, 'utf8')).to.equal(code);
      rmSync(`${path}.new`);
    }
    rmSync(path);
    expect(() => { writeWhole(path, 'x', { rename: held('EBUSY'), delays: [1] }); }).to.throw(FileError, /held\.txt cannot be written: in use by another program/); // prettier-ignore
    expect(readdirSync(folder.path('w')).filter((name) => name.includes('held') || name.startsWith('.'))).to.deep.equal([]); // prettier-ignore
  });

  it('finds out before that a file that is there cannot be opened for writing', function () {
    if (process.platform === 'win32') this.skip(); // the next test is Windows' own
    const path = folder.path('w/program');
    copyFileSync('/bin/sleep', path);
    chmodSync(path, 0o755);
    // Nobody may write to a program that runs: what stands in for a file that is open elsewhere.
    const running = spawn(path, ['60']);
    try {
      expect(() => { checkWritable(path); }).to.throw(FileError, /program cannot be written: it is a program that runs/); // prettier-ignore
    } finally {
      running.kill();
    }
    expect(readdirSync(folder.path('w')).filter((name) => name.startsWith('.'))).to.deep.equal([]);
  });

  it('finds out before, on Windows, that a file is open in another program, and keeps what was written beside it', function () {
    if (process.platform !== 'win32') this.skip();
    const path = folder.path('w/open.csv');
    writeFileSync(path, 'old');
    const letGo = holdFile(path);
    try {
      expect(() => { checkWritable(path); }).to.throw(FileError, /open\.csv cannot be written: in use by another program/); // prettier-ignore
      expect(() => { writeWhole(path, 'new', { delays: [1] }); }).to.throw(FileError, /^[^\n]*open\.csv is open in another program .*open\.csv\.new$/); // prettier-ignore
    } finally {
      letGo();
    }
    expect(readFileSync(path, 'utf8')).to.equal('old');
    expect(readFileSync(`${path}.new`, 'utf8')).to.equal('new');
    // Who reads it and lets others in: nothing is in the way but the name.
    const reader = openSync(path, 'r');
    checkWritable(path);
    closeSync(reader);
    writeWhole(path, 'newer');
    expect(readFileSync(path, 'utf8')).to.equal('newer');
  });

  it('a loop of links is no file to write', function () {
    if (process.platform === 'win32') this.skip();
    symlinkSync(folder.path('w/loop'), folder.path('w/loop'));
    expect(() => { checkWritable(folder.path('w/loop')); }).to.throw(FileError, /links lead round in a circle/); // prettier-ignore
  });

  it('says of a name that Windows does not allow that it is the name', () => {
    expect(() => { checkWritable(folder.path('w/none/a|b.txt'), 'win32'); }).to.throw(FileError, /no name on Windows has one of/); // prettier-ignore
    expect(() => { checkWritable(folder.path('w/none/a.txt'), 'win32'); }).to.throw(FileError, /there is no such folder/); // prettier-ignore
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
