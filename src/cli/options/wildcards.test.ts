import { expect } from 'chai';
import { expandWildcards, type Folders } from './wildcards.js';

/** A disk of these files; separators as written. */
function disk(files: readonly string[]): Folders {
  return {
    list(folder) {
      const inside = files
        .filter((file) => (folder === '.' ? true : file.startsWith(folder)))
        .map((file) => (folder === '.' ? file : file.slice(folder.length)).split(/[\\/]/)[0] ?? '');
      return [...new Set(inside)].filter((name) => name !== '').reverse();
    },
    exists: (path) =>
      files.some((file) => file === path || file.startsWith(`${path}\\`) || file.startsWith(`${path}/`)),
  };
}

describe('expandWildcards', () => {
  const posix = (path: string, ...files: string[]) => expandWildcards(path, 'linux', disk(files));
  const windows = (path: string, ...files: string[]) => expandWildcards(path, 'win32', disk(files));

  it('leaves a path without wildcards as it is, also one that leads nowhere', () => {
    expect(posix('/d/MEMORY.DMP')).to.deep.equal(['/d/MEMORY.DMP']);
    expect(windows('C:\\Windows\\MEMORY.DMP')).to.deep.equal(['C:\\Windows\\MEMORY.DMP']);
  });

  it('finds names in order', () => {
    expect(posix('/d/*.dmp', '/d/b.dmp', '/d/a.dmp', '/d/a.txt', '/e/c.dmp')).to.deep.equal(['/d/a.dmp', '/d/b.dmp']);
    expect(posix('?.dmp', 'a.dmp', 'ab.dmp')).to.deep.equal(['a.dmp']);
    expect(posix('/d/*.zip', '/d/a.dmp')).to.deep.equal([]);
  });

  it('takes all signs but * and ? for themselves', () => {
    expect(posix('/d/a+(1)[x].d*', '/d/a+(1)[x].dmp', '/d/aa1x.dmp')).to.deep.equal(['/d/a+(1)[x].dmp']);
    expect(posix('/d/*.dmp', '/d/xdmp')).to.deep.equal([]);
  });

  it('takes a file whose name has the sign in it', () => {
    expect(posix('/d/*.dmp', '/d/*.dmp', '/d/a.dmp')).to.deep.equal(['/d/*.dmp']);
  });

  it('passes over names that begin with a full stop, unless asked', () => {
    expect(posix('/d/*', '/d/.x', '/d/y')).to.deep.equal(['/d/y']);
    expect(posix('/d/.*', '/d/.x', '/d/y')).to.deep.equal(['/d/.x']);
  });

  it('finds folders too', () => {
    const files = ['/d/one/MEMORY.DMP', '/d/two/MEMORY.DMP', '/d/three/other.txt'];
    expect(posix('/d/*/MEMORY.DMP', ...files)).to.deep.equal(['/d/one/MEMORY.DMP', '/d/two/MEMORY.DMP']);
    expect(posix('/d/t*/*', ...files)).to.deep.equal(['/d/three/other.txt', '/d/two/MEMORY.DMP']);
  });

  it('knows drives, shares, long paths, both separators, and no case on Windows', () => {
    expect(windows('C:\\d\\*.dmp', 'C:\\d\\A.DMP')).to.deep.equal(['C:\\d\\A.DMP']);
    expect(windows('\\\\server\\share\\m*', '\\\\server\\share\\MEMORY.DMP')).to.deep.equal([
      '\\\\server\\share\\MEMORY.DMP',
    ]);
    expect(windows('\\\\?\\C:\\d\\MEMORY.DMP')).to.deep.equal(['\\\\?\\C:\\d\\MEMORY.DMP']);
    expect(windows('\\\\?\\C:\\d\\*.dmp', '\\\\?\\C:\\d\\a.dmp')).to.deep.equal(['\\\\?\\C:\\d\\a.dmp']);
    expect(windows('C:*.dmp', 'C:a.dmp', 'D:b.dmp')).to.deep.equal(['C:a.dmp']);
    expect(windows('d/*.dmp', 'd/a.dmp')).to.deep.equal(['d/a.dmp']);
    expect(posix('/d/*.dmp', '/d/A.DMP')).to.deep.equal([]);
  });

  it('finds nothing in a folder that cannot be read', () => {
    expect(expandWildcards('/no/such/folder/*.dmp', 'linux')).to.deep.equal([]);
  });
});
