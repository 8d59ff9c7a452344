import { expect } from 'chai';
import fc from 'fast-check';
import { virtual } from '../../parsers/addresses.js';
import type { KernelIdentity } from '../kernel-symbols.js';
import { findImagePdb, findImageVersion } from './images.js';
import { agrees, findProfile } from './profiles.js';

/** Windows 10 19041.804; the identity and the addresses below were read from a real dump. */
const REAL: KernelIdentity = {
  pdb: { name: 'ntkrnlmp.pdb', guid: '5278AFF86C341677D7D7835C85B7B844', age: 1 },
  timeDateStamp: 0x0d8333e6,
  sizeOfImage: 0x1046000,
  buildNumber: 19041,
};
const BASE = virtual(0xfffff8047ba00000n);
const KNOWN = {
  PsLoadedModuleList: 0xfffff8047c62a390n,
  PoolTrackTable: 0xfffff8047c6168a8n,
  KdDebuggerDataBlock: 0xfffff8047c600b20n,
  MmPfnDatabase: 0xfffff8047c6fc500n,
};

describe('findProfile', () => {
  it('finds a kernel by PDB GUID and age', () => {
    const found = findProfile(REAL);
    expect(found?.exact).to.equal(true);
    expect(found?.how).to.equal('PDB identity');
    expect(found?.profile.version).to.equal('10.0.19041.804');
    expect(found?.profile.buildNumber).to.equal(19041);
    expect(found?.profile.rva('PoolTrackTable')).to.equal(0xc168a8);
    expect(found?.profile.rva('NoSuchSymbol')).to.equal(null);
    expect(found?.profile.layout('_NO_SUCH_TYPE')).to.equal(null);
    expect(found?.profile.layout('_POOL_TRACKER_TABLE')?.size).to.equal(0x38);
    expect(found?.profile.poolTagTablesCapacity).to.equal(1280);
  });

  it('takes the GUID in any case and with dashes, and the PDB name with a folder', () => {
    const guid = '{5278aff8-6c34-1677-d7d7-835c85b7b844}';
    const pdb = { name: 'D:\\obj\\NTKRNLMP.PDB', guid, age: 1 };
    expect(findProfile({ ...REAL, pdb })?.profile.version).to.equal('10.0.19041.804');
  });

  it('finds nothing for another age, another GUID or another PDB', () => {
    const pdb = REAL.pdb!;
    expect(findProfile({ ...REAL, pdb: { ...pdb, age: 2 } })).to.equal(null);
    expect(findProfile({ ...REAL, pdb: { ...pdb, guid: '6' + pdb.guid.slice(1) } })).to.equal(null);
    expect(findProfile({ ...REAL, pdb: { ...pdb, name: 'ntkrla57.pdb' } })).to.equal(null);
  });

  it('offers a candidate by timestamp and size only where the PDB identity is missing', () => {
    const found = findProfile({ ...REAL, pdb: null });
    expect(found?.exact).to.equal(false);
    expect(found?.how).to.equal('image timestamp and size');
    expect(found?.profile.version).to.equal('10.0.19041.804');
    expect(findProfile({ ...REAL, pdb: null, sizeOfImage: 0x1047000 })).to.equal(null);
    expect(findProfile({ ...REAL, pdb: null, timeDateStamp: 0x0d8333e7 })).to.equal(null);
    expect(findProfile({ ...REAL, pdb: null, timeDateStamp: null })).to.equal(null);
  });

  it('matches no image of the kernel with five-level paging', () => {
    // ntkrla57.exe 10.0.20348.524; ntoskrnl.exe of that version has a profile.
    const la57 = { timeDateStamp: 0x9ce0cbd6, sizeOfImage: 0x1042000 };
    expect(findImageVersion(la57.timeDateStamp, la57.sizeOfImage, 'x64')?.file).to.equal('ntkrla57.exe');
    expect(findProfile({ ...la57, pdb: null, buildNumber: 20348 })).to.equal(null);
  });

  it('never throws on any identity', () => {
    const word = fc.oneof(fc.nat(0xffffffff), fc.double(), fc.constant(null), fc.constant(0x0d8333e6));
    const name = fc.oneof(fc.string(), fc.constant('ntkrnlmp.pdb'));
    const guid = fc.oneof(fc.string(), fc.constant(REAL.pdb!.guid), fc.stringMatching(/^[0-9A-Fa-f]{32}$/));
    const pdb = fc.option(fc.record({ name, guid, age: fc.oneof(fc.nat(), fc.double()) }));
    const identity = fc.record({ pdb, timeDateStamp: word, sizeOfImage: word, buildNumber: fc.integer() });
    fc.assert(
      fc.property(identity, (value) => {
        const found = findProfile(value);
        if (found?.exact === true) expect(value.pdb?.guid.toUpperCase()).to.equal(found.profile.pdb.guid);
      }),
    );
  });
});

describe('agrees', () => {
  const { profile } = findProfile(REAL)!;

  it('counts addresses that stand where the profile has them', () => {
    expect(agrees(profile, BASE, KNOWN)).to.deep.equal({ agree: 4, disagree: [] });
  });

  it('names the ones that do not', () => {
    const result = agrees(profile, BASE, { ...KNOWN, PoolTrackTable: KNOWN.PoolTrackTable + 8n });
    expect(result).to.deep.equal({ agree: 3, disagree: ['PoolTrackTable'] });
    expect(agrees(profile, virtual(BASE + 0x1000n), KNOWN).disagree).to.have.lengthOf(4);
  });

  it('leaves out names that the profile does not have', () => {
    expect(agrees(profile, BASE, { KernBase: BASE, toString: 1n })).to.deep.equal({ agree: 0, disagree: [] });
  });
});

describe('images', () => {
  it('names the version of a kernel without a profile', () => {
    expect(findImageVersion(1436498970, 8724480, 'x64')).to.deep.equal({
      version: '10.0.10240.16384',
      file: 'ntoskrnl.exe',
      others: [],
    });
    expect(findImageVersion(1436498970, 8724480, 'arm64')).to.equal(null);
    expect(findImageVersion(1436498970, 8724481, 'x64')).to.equal(null);
    expect(findImageVersion(-1, 0, 'x64')).to.equal(null);
    expect(findImageVersion(NaN, NaN, 'x64')).to.equal(null);
  });

  it('says so when two versions have the same timestamp and size', () => {
    const image = findImageVersion(2053043576, 17068032, 'x64');
    expect(image).to.deep.equal({ version: '10.0.22621.1483', file: 'ntoskrnl.exe', others: ['10.0.22621.1485'] });
  });

  it('knows the PDB of some images', () => {
    const pdb = { name: 'ntkrnlmp.pdb', guid: 'C68EE22FDCF6477895C54A862BE16567', age: 1 };
    expect(findImagePdb(1436498970, 8724480)).to.deep.equal(pdb);
    expect(findImagePdb(1436498970, 8724481)).to.equal(null);
  });
});
