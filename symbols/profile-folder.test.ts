import { expect } from 'chai';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { factsOf } from './kernel-facts.js';
import type { KernelIdentity } from './kernel-symbols.js';
import { makeProfile } from './profile-file.js';
import { openProfileFolder, readProfileFile } from './profile-folder.js';

const guid = (digit: string): string => digit.repeat(32);

function profile(digit: string, image: number | null = null): string {
  return makeProfile(
    factsOf({
      pdb: { name: 'ntkrnlmp.pdb', guid: guid(digit), age: 1 },
      machine: 0x8664,
      version: null,
      timeDateStamp: image,
      sizeOfImage: image,
      poolTagTablesCapacity: null,
      rvas: new Map([['PoolTrackTable', parseInt(digit, 16)]]),
      layouts: new Map(),
    }),
  );
}

const isf = (digit: string): string =>
  JSON.stringify({
    metadata: { windows: { pdb: { GUID: guid(digit), age: 1, database: 'ntkrnlmp.pdb' } } },
    symbols: { PoolTrackTable: { address: parseInt(digit, 16) } },
    user_types: {},
    base_types: {},
  });

const identity = (digit: string | null, image: number | null = null): KernelIdentity => ({
  pdb: digit === null ? null : { name: 'ntkrnlmp.pdb', guid: guid(digit), age: 1 },
  timeDateStamp: image,
  sizeOfImage: image,
  buildNumber: 22621,
});

describe('a folder of profiles', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'dumpleak-test-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const put = (name: string, content: string | Uint8Array): void => {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), content);
  };

  it('finds the one of the kernel among files of every kind, and says what is wrong with others', () => {
    put('a.profile.txt', profile('A'));
    put('deep/er/b.profile.txt', profile('B'));
    put(`symbols/windows/ntkrnlmp.pdb/${guid('C')}-1.json`, isf('C'));
    put('d.json.gz', gzipSync(isf('D')));
    put('broken.profile.txt', profile('E').slice(0, -40));
    put('notes.txt', 'remember the milk');
    put('broken.json.gz', gzipSync(isf('E')).subarray(0, 50));
    put(`${guid('F')}-1.json.xz`, 'packed');
    put('ignored.bin', 'nothing');
    const profiles = openProfileFolder(folder);
    for (const digit of ['A', 'B', 'C', 'D']) {
      const { found } = profiles.find(identity(digit));
      expect(found?.facts.rva('PoolTrackTable'), digit).to.equal(parseInt(digit, 16));
    }
    const { found, problems } = profiles.find(identity('F'));
    expect(found).to.equal(null);
    const messages = Object.fromEntries(problems.map(({ file, message }) => [basename(file), message]));
    expect(Object.keys(messages)).to.have.members([
      'broken.profile.txt',
      'notes.txt',
      'broken.json.gz',
      `${guid('F')}-1.json.xz`,
    ]);
    expect(messages[`${guid('F')}-1.json.xz`]).to.match(/unpack it first \(xz -dk/);
    expect(messages['notes.txt']).to.match(/neither/);
    expect(profiles.all().profiles).to.have.length(4);
  });

  it('does not open tables whose names say that they are of other kernels', () => {
    put(`${guid('C')}-1.json`, 'not even JSON');
    put(`${guid('C')}-2.json.xz`, 'packed');
    const profiles = openProfileFolder(folder);
    expect(profiles.find(identity('A')).problems).to.deep.equal([]);
    expect(profiles.find(identity('C')).problems).to.have.length(1);
    expect(profiles.all().problems).to.have.length(2);
  });

  it('finds by time stamp and size where the PDB of the kernel is not known', () => {
    put('a.txt', profile('A', 0x1234));
    put('b.txt', profile('B'));
    const profiles = openProfileFolder(folder);
    expect(profiles.find(identity(null, 0x1234)).found?.facts.pdb.guid).to.equal(guid('A'));
    expect(profiles.find(identity(null, 0x9999)).found).to.equal(null);
    expect(profiles.find(identity(null)).found).to.equal(null);
    expect(profiles.find(identity('B', 0x1234)).found?.facts.pdb.guid).to.equal(guid('B'));
  });

  it('that is not there, or a file, is a problem and not an error', () => {
    for (const path of [join(folder, 'missing'), join(folder, 'a.txt')]) {
      put('a.txt', profile('A'));
      const { found, problems } = openProfileFolder(path).find(identity('A'));
      expect(found).to.equal(null);
      expect(problems).to.have.length(1);
    }
    expect(readProfileFile(join(folder, 'gone.txt')))
      .to.have.property('message')
      .that.matches(/ENOENT/);
  });

  it('is not looked into without end', () => {
    put(`${'sub/'.repeat(9)}a.txt`, profile('A'));
    expect(openProfileFolder(folder).all().profiles).to.deep.equal([]);
  });
});
