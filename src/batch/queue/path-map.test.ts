import { expect } from 'chai';
import { localPath, readMapping, sharedPath, type Mapping } from './path-map.js';

const map = (...texts: string[]): Mapping[] => texts.map((text) => readMapping(text) ?? { from: '?', to: '?' });

describe('paths of the queue on this host', () => {
  it('change their prefix and their separators, both ways', () => {
    const windows = map('/mnt/a=\\\\server\\share');
    expect(localPath('/mnt/a/m1/x.dmp', windows)).to.equal('\\\\server\\share\\m1\\x.dmp');
    expect(sharedPath('\\\\SERVER\\share\\m1\\x.dmp', windows)).to.equal('/mnt/a/m1/x.dmp');
    const linux = map('\\\\server\\share=/mnt/a/');
    expect(localPath('\\\\Server\\Share\\m1\\x.dmp', linux)).to.equal('/mnt/a/m1/x.dmp');
    expect(localPath('//server/share/m1/x.dmp', linux)).to.equal('/mnt/a/m1/x.dmp');
    expect(sharedPath('/mnt/a/m1/x.dmp', linux)).to.equal('\\\\server\\share\\m1\\x.dmp');
    expect(localPath('d:\\dumps\\x.dmp', map('D:=/mnt/d'))).to.equal('/mnt/d/dumps/x.dmp');
    expect(localPath('/mnt/d/x.dmp', map('/mnt/d=D:'))).to.equal('D:\\x.dmp');
  });

  it('stay as they are where no prefix fits, and the longest counts', () => {
    const mappings = map('/mnt/a=/x', '/mnt/a/b=/y');
    expect(localPath('/mnt/a/b/c.dmp', mappings)).to.equal('/y/c.dmp');
    expect(localPath('/mnt/a/c.dmp', mappings)).to.equal('/x/c.dmp');
    expect(localPath('/mnt/ab/c.dmp', mappings)).to.equal('/mnt/ab/c.dmp');
    expect(localPath('/MNT/a/c.dmp', mappings)).to.equal('/MNT/a/c.dmp');
    // A backslash is part of a name where paths have slashes.
    expect(localPath('/mnt/a\\c.dmp', mappings)).to.equal('/mnt/a\\c.dmp');
    expect(localPath('/mnt/a', mappings)).to.equal('/x');
    expect(localPath('/a/x', map('/=/root'))).to.equal('/root/a/x');
  });

  it('are refused without two prefixes', () => {
    for (const text of ['', '/a', '=', '/a=', '=/b']) expect(readMapping(text), text).to.equal(null);
  });
});
