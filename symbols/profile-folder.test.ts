import { expect } from 'chai';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { makeXz } from '../test-dumps/containers/xz.js';
import { factsOf } from './kernel-facts.js';
import type { KernelIdentity } from './kernel-symbols.js';
import { makeProfile } from './profile-file.js';
import { openProfileFolder, readProfileFile } from './profile-folder.js';

const BOMB = `{${' '.repeat(50_000)}`;
/** BOMB, packed by xz. */
const BOMB_XZ =
  '/Td6WFoAAAFpIt42AgAhARYAAAB0L+Wj4MNQAEldAD2IM//f/1HWr5AcG0yqPXso5Hp0vOWoSmMJU99k33aFQiG3f8mUtkDRBZ/X3uO4eh5eJFr+jHgY1bspudaf9oXeTiI5Tv5JCgAAAAAASodBXQABYdGGAwAAdQkcfj4wDYsCAAAAAAFZWg==';

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

  it('finds the one of the kernel among files of every kind, and says what is wrong with others', async () => {
    put('a.profile.txt', profile('A'));
    put('deep/er/b.profile.txt', profile('B'));
    put(`symbols/windows/ntkrnlmp.pdb/${guid('C')}-1.json`, isf('C'));
    put('d.json.gz', gzipSync(isf('D')));
    put(`symbols/windows/ntkrnlmp.pdb/${guid('9')}-1.json.xz`, makeXz(Buffer.from(isf('9'))));
    put('cut.json.xz', makeXz(Buffer.from(isf('8'))).subarray(0, 100));
    put('broken.profile.txt', profile('E').slice(0, -40));
    put('notes.txt', 'remember the milk');
    put('broken.json.gz', gzipSync(isf('E')).subarray(0, 50));
    put(`${guid('F')}-1.json.bz2`, 'packed');
    put('ignored.bin', 'nothing');
    const profiles = openProfileFolder(folder);
    for (const digit of ['A', 'B', 'C', 'D', '9']) {
      const { found } = await profiles.find(identity(digit));
      expect(found?.facts.rva('PoolTrackTable'), digit).to.equal(parseInt(digit, 16));
    }
    const { found, problems } = await profiles.find(identity('F'));
    expect(found).to.equal(null);
    const messages = Object.fromEntries(problems.map(({ file, message }) => [basename(file), message]));
    expect(Object.keys(messages)).to.have.members([
      'broken.profile.txt',
      'notes.txt',
      'broken.json.gz',
      `${guid('F')}-1.json.bz2`,
      'cut.json.xz',
    ]);
    expect(messages[`${guid('F')}-1.json.bz2`]).to.match(/unpack it first \(bzip2 -dk/);
    expect(messages['cut.json.xz']).to.match(/ends early/);
    expect(messages['notes.txt']).to.match(/neither/);
    expect((await profiles.all()).profiles).to.have.length(5);
  });

  it('does not open tables whose names say that they are of other kernels', async () => {
    put(`${guid('C')}-1.json`, 'not even JSON');
    put(`${guid('C')}-2.json.xz`, 'packed');
    const profiles = openProfileFolder(folder);
    expect((await profiles.find(identity('A'))).problems).to.deep.equal([]);
    expect((await profiles.find(identity('C'))).problems).to.have.length(1);
    expect((await profiles.all()).problems).to.have.length(2);
  });

  it('finds by time stamp and size where the PDB of the kernel is not known', async () => {
    put('a.txt', profile('A', 0x1234));
    put('b.txt', profile('B'));
    const profiles = openProfileFolder(folder);
    expect((await profiles.find(identity(null, 0x1234))).found?.facts.pdb.guid).to.equal(guid('A'));
    expect((await profiles.find(identity(null, 0x9999))).found).to.equal(null);
    expect((await profiles.find(identity(null))).found).to.equal(null);
    expect((await profiles.find(identity('B', 0x1234))).found?.facts.pdb.guid).to.equal(guid('B'));
  });

  it('unpacks no more than a profile can have', async () => {
    put('bomb.json.gz', gzipSync(BOMB));
    put('bomb.json.xz', Buffer.from(BOMB_XZ, 'base64'));
    for (const name of ['bomb.json.gz', 'bomb.json.xz']) {
      const file = join(folder, name);
      expect(await readProfileFile(file, 50_000), name)
        .to.have.property('message')
        .that.matches(/50000 bytes/);
      expect(await readProfileFile(file, 50_001), name)
        .to.have.property('message')
        .that.matches(/not valid JSON/);
    }
  });

  it('may be one file, whatever its name', async () => {
    put('mailed.dat', profile('A'));
    put('other.profile.txt', profile('B'));
    const file = join(folder, 'mailed.dat');
    const { found, problems } = await openProfileFolder(file).find(identity('A'));
    expect([found?.file, problems]).to.deep.equal([file, []]);
    expect((await openProfileFolder(file).find(identity('B'))).found).to.equal(null);
  });

  it('that is not there is a problem and not an error', async () => {
    const { found, problems } = await openProfileFolder(join(folder, 'missing')).find(identity('A'));
    expect(found).to.equal(null);
    expect(problems).to.have.length(1);
    expect(await readProfileFile(join(folder, 'gone.txt')))
      .to.have.property('message')
      .that.matches(/no such file/);
  });

  it('is not looked into without end', async () => {
    put(`${'sub/'.repeat(9)}a.txt`, profile('A'));
    expect((await openProfileFolder(folder).all()).profiles).to.deep.equal([]);
  });
});
