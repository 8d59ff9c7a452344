import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BlockStore } from '../bytes/block-store.js';
import { asInputError } from '../bytes/file-source.js';
import { InputError } from '../bytes/input-error.js';
import { isInside, linksLeftText, pathKey, realPath } from './paths.js';
import { openRegularFile, readRegularFile } from './regular-file.js';
import { removeTemporary } from './remove.js';

const platformError = (code: string): Error => Object.assign(new Error(`${code}: no`), { code });

describe('files of the platform', () => {
  let folder: string;
  beforeEach(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'dumpleak-test-')));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('are read when they are regular, also through links, and up to a length', function () {
    writeFileSync(join(folder, 'a'), 'text');
    expect(readRegularFile(join(folder, 'a')).toString()).to.equal('text');
    expect(() => readRegularFile(join(folder, 'a'), 3)).to.throw(InputError, 'a: 4 bytes; at most 3 are read');
    expect(() => openRegularFile(folder)).to.throw(InputError, 'is a folder');
    if (process.platform === 'win32') this.skip();
    symlinkSync(join(folder, 'a'), join(folder, 'link'));
    expect(readRegularFile(join(folder, 'link')).toString()).to.equal('text');
    spawnSync('mkfifo', [join(folder, 'pipe')]);
    expect(() => openRegularFile(join(folder, 'pipe'))).to.throw(InputError, 'is a pipe');
    expect(() => openRegularFile('/dev/null')).to.throw(InputError, 'is a device');
  });

  it('say in words what the platform says in codes', () => {
    const expected = { ELOOP: ['not-found', /links lead round/], EMFILE: ['io', /ulimit -n/], ENFILE: ['io', /of the system/], EAGAIN: ['io', /read error/], EBUSY: ['in-use', /in use/] } as const; // prettier-ignore
    for (const [code, [kind, says]] of Object.entries(expected)) {
      const error = asInputError(platformError(code), 'x.dmp');
      expect(error, code).to.be.instanceOf(InputError).with.property('code', kind);
      expect((error as InputError).message)
        .to.match(says)
        .and.match(/^x\.dmp/);
    }
  });

  it('are removed again and again while somebody holds them, and cost nothing where he does not let go', () => {
    const asked: unknown[] = [];
    removeTemporary(folder, (path, options) => {
      asked.push(path, options);
      throw platformError('EBUSY');
    });
    expect(asked[1]).to.include({ recursive: true, force: true, maxRetries: 5 });
    mkdirSync(join(folder, 'x/y'), { recursive: true });
    removeTemporary(join(folder, 'x'));
    removeTemporary(join(folder, 'x'));
    expect(readdirSync(folder)).to.deep.equal([]);
  });

  it('a decompressed dump whose folder is gone already can still be closed', () => {
    const store = new BlockStore('x', 0);
    store.append(Buffer.alloc(2_000_000, 1));
    store.finish();
    store.close();
    store.close();
  });

  describe('paths', () => {
    it('are one for Windows in any case, with either separator and with a long prefix', () => {
      const one = ['C:\\Dumps\\A.DMP', 'c:\\dumps\\a.dmp', '\\\\?\\C:\\dumps\\a.dmp', 'C:/Dumps/a.dmp'];
      expect(new Set(one.map((path) => pathKey(path, 'win32')))).to.have.property('size', 1);
      expect(pathKey('\\\\?\\UNC\\fs\\Share\\a', 'win32')).to.equal(pathKey('\\\\FS\\share\\a', 'win32'));
      expect(new Set(one.map((path) => pathKey(path, 'linux')))).to.have.property('size', 4);
    });

    it('are resolved by the system, which knows \\\\?\\, and by Node where the disk cannot tell', () => {
      const native = (path: string): string => path.replace(/^\\\\\?\\/, '');
      const fails = (): never => {
        throw platformError('EISDIR');
      };
      expect(realPath('\\\\?\\C:\\x', native, fails)).to.equal('C:\\x');
      expect(realPath('R:\\x', fails, (path) => `${path}!`)).to.equal('R:\\x!');
      const missing = (): never => {
        throw platformError('ENOENT');
      };
      expect(() => realPath('x', missing, native)).to.throw('ENOENT');
    });

    it('lie in a folder or not', () => {
      for (const [path, inside] of [
        ['', true],
        ['a', true],
        ['..a/b', true],
        ['../x', false],
        ['..', false],
      ] as const) {
        // prettier-ignore
        expect(isInside(join(folder, path), [join(tmpdir(), 'other'), folder]), path).to.equal(inside);
      }
      expect(isInside(`${folder}-more`, [folder])).to.equal(false);
    });

    it('of links that were left are counted, and the first are named', () => {
      expect(linksLeftText([])).to.equal(null);
      expect(linksLeftText(['a'])).to.match(/^a is a link .*--follow-links/);
      expect(linksLeftText(['a', 'b', 'c', 'd'])).to.match(/^4 links .* \(a, b, c, \.\.\.\)$/);
    });
  });
});
