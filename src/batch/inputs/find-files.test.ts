import { expect } from 'chai';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { linkOrSkip } from '../../../test-dumps/links.test.helper.js';
import { findFiles } from './find-files.js';

describe('batch: finding files', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'dumpleak-test-'));
    const files = { 'MEMORY10.DMP': 'x', 'MEMORY2.DMP': 'x', 'sub/deep/a.dmp.gz': 'x', 'sub/live.kdmp': 'x', 'sub/core': 'PAGEDU64...', 'sub/notes.txt': 'PAGE', 'sub/empty': '', '.hidden.dmp': 'x', 'logs.zip': 'x', 'out/history/x.dmp': 'x' }; // prettier-ignore
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(join(folder, name, '..'), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const below = (path: string): string => path.slice(folder.length + 1).replaceAll('\\', '/');
  const found = (...paths: string[]) =>
    findFiles(paths, [join(folder, 'out/history')]).files.map(
      ({ path, expected }) => `${below(path)}${expected ? '' : '?'}`,
    );

  it('takes dumps and archives of a folder and those below, as people count', () => {
    expect(found(folder)).to.deep.equal([
      'logs.zip?',
      'MEMORY2.DMP',
      'MEMORY10.DMP',
      'sub/core',
      'sub/deep/a.dmp.gz',
      'sub/live.kdmp',
    ]);
  });

  it('takes what is named, whatever it is, and each file once', () => {
    const path = join(folder, 'sub/notes.txt');
    expect(found(path, join(folder, 'nothing'), path, join(folder, 'sub'))).to.deep.equal([
      'nothing',
      'sub/core',
      'sub/deep/a.dmp.gz',
      'sub/live.kdmp',
      'sub/notes.txt',
    ]);
  });

  it('goes into a folder once, though links lead round', function () {
    linkOrSkip(this, folder, join(folder, 'sub/round'));
    linkOrSkip(this, join(folder, 'MEMORY2.DMP'), join(folder, 'sub/link.dmp'));
    linkOrSkip(this, join(folder, 'gone.dmp'), join(folder, 'sub/broken.dmp'));
    expect(found(folder)).to.include.members(['sub/link.dmp', 'sub/broken.dmp']).and.have.length(8);
  });

  describe('links', () => {
    let other: string;
    beforeEach(function () {
      other = mkdtempSync(join(tmpdir(), 'dumpleak-test-'));
      mkdirSync(join(other, 'far'));
      for (const name of ['secret.dmp', 'far/away.dmp', 'notes.txt']) writeFileSync(join(other, name), 'x');
      linkOrSkip(this, join(other, 'secret.dmp'), join(folder, 'sub/a.dmp'));
      linkOrSkip(this, join(other, 'notes.txt'), join(folder, 'sub/n.txt'));
      linkOrSkip(this, join(other, 'far'), join(folder, 'sub/far'));
    });
    afterEach(() => {
      rmSync(other, { recursive: true, force: true });
    });
    const far = ['sub/a.dmp', 'sub/far/away.dmp'];

    it('that lead out are left, and told', () => {
      const { files, linksLeft } = findFiles([folder], []);
      expect(files.filter(({ path }) => far.includes(below(path)))).to.deep.equal([]);
      expect(linksLeft.map(below).sort()).to.deep.equal(['sub/a.dmp', 'sub/far']);
    });

    it('that lead out are followed when asked, or into another folder that was named, or when named', () => {
      const all = findFiles([folder], [], true);
      expect(all.files.map(({ path }) => below(path))).to.include.members(far);
      expect(all.linksLeft).to.deep.equal([]);
      expect(findFiles([folder, other], []).linksLeft).to.deep.equal([]);
      const named = findFiles([join(folder, 'sub/a.dmp'), join(folder, 'sub/far')], []);
      expect(named.files.map(({ path }) => below(path))).to.deep.equal(far);
    });
  });
});
