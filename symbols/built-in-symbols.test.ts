import { expect } from 'chai';
import fc from 'fast-check';
import { existsSync, readFileSync } from 'node:fs';
import { virtual, type VirtualAddress } from '../parsers/addresses.js';
import { DebuggerData } from '../parsers/kernel/debugger-data.js';
import { createKernelSymbols } from './built-in-symbols.js';
import { kdbgField } from './kdbg-names.js';
import type { KernelIdentity } from './kernel-symbols.js';
import { findProfile } from './profiles/profiles.js';

const NOTHING = (): null => null;
const REAL: KernelIdentity = {
  pdb: { name: 'ntkrnlmp.pdb', guid: '5278AFF86C341677D7D7835C85B7B844', age: 1 },
  timeDateStamp: 0x0d8333e6,
  sizeOfImage: 0x1046000,
  buildNumber: 19041,
};
const BASE = virtual(0xfffff8047ba00000n);
const REAL_BLOCK: Record<string, bigint> = {
  PsLoadedModuleList: 0xfffff8047c62a390n,
  PoolTrackTable: 0xfffff8047c6168a8n,
  MmPfnDatabase: 0xfffff8047c6fc500n,
  MmPagedPoolCommit: 0xfffff8047c64eda8n,
  NtBuildLab: 0xfffff8047c64c0a0n,
  MmPageSize: 0x1000n,
  PteBase: 0xfffffd8000000000n,
};
const from =
  (block: Record<string, bigint>) =>
  (name: string): VirtualAddress | null =>
    Object.hasOwn(block, name) ? virtual(block[name]!) : null;
const unknown = (buildNumber: number): KernelIdentity => ({
  pdb: null,
  timeDateStamp: null,
  sizeOfImage: null,
  buildNumber,
});

describe('createKernelSymbols', () => {
  describe('with a profile', () => {
    it('answers from the profile by PDB identity', () => {
      const { symbols, warnings } = createKernelSymbols({ identity: REAL, kernelBase: BASE, kdbg: NOTHING });
      expect(warnings).to.deep.equal([]);
      expect(symbols.source).to.equal('profile');
      expect(symbols.detail).to.equal('exact match');
      expect(symbols.poolTagTablesCapacity).to.equal(1280);
      expect(symbols.address('PoolTrackTable')).to.deep.equal({ value: 0xfffff8047c6168a8n, source: 'profile' });
      expect(symbols.layout('_POOL_TRACKER_TABLE')?.source).to.equal('profile');
      expect(symbols.layout('_POOL_TRACKER_TABLE')?.value.size).to.equal(0x38);
    });

    it('says null for a type that this kernel does not have, though older ones do', () => {
      const { symbols } = createKernelSymbols({ identity: REAL, kernelBase: BASE, kdbg: NOTHING });
      expect(symbols.layout('_POOL_DESCRIPTOR')).to.equal(null);
      expect(symbols.address('NonPagedPoolDescriptor')).to.equal(null);
    });

    it('takes the debugger block for globals that the profile does not list', () => {
      const kdbg = from({ ...REAL_BLOCK, MmBadPagesDetected: 0xfffff8047c61ca94n });
      const { symbols } = createKernelSymbols({ identity: REAL, kernelBase: BASE, kdbg });
      expect(symbols.address('MmBadPagesDetected')).to.deep.equal({ value: 0xfffff8047c61ca94n, source: 'kdbg' });
    });

    it('takes loader entries of old kernels, whose PDBs lack the type, from what is known of their build', () => {
      const pdb = { name: 'ntkrnlmp.pdb', guid: '339E74133576439CBCDF7E0229DA3773', age: 1 };
      const identity = { ...unknown(7601), pdb };
      const { symbols } = createKernelSymbols({ identity, kernelBase: BASE, kdbg: NOTHING });
      expect(symbols.detail).to.equal('exact match');
      const entry = symbols.layout('_KLDR_DATA_TABLE_ENTRY');
      expect(entry?.source).to.equal('nearest');
      expect(entry?.value.fields['BaseDllName']).to.deep.equal({ offset: 0x58, type: '_UNICODE_STRING' });
      expect(entry?.value.fields['CheckSum']?.offset).to.equal(0x78);
      expect(entry?.value.fields).to.not.have.property('TimeDateStamp');
      expect(symbols.layout('_UNLOADED_DRIVERS')?.value.fields['CurrentTime']?.offset).to.equal(0x20);
    });

    it('rejects a profile that the debugger block contradicts', () => {
      const kdbg = from({ ...REAL_BLOCK, PoolTrackTable: 0xfffff8047c6168b0n });
      const { symbols, warnings } = createKernelSymbols({ identity: REAL, kernelBase: BASE, kdbg });
      expect(warnings.map((warning) => warning.code)).to.deep.equal(['profile-rejected']);
      expect(warnings[0]?.message).to.contain('PoolTrackTable').and.contain('10.0.19041.804');
      expect(symbols.source).to.equal('kdbg');
      expect(symbols.address('PoolTrackTable')).to.deep.equal({ value: 0xfffff8047c6168b0n, source: 'kdbg' });
      expect(symbols.address('PoolTrackTableSize')).to.equal(null);
      expect(symbols.layout('_POOL_TRACKER_TABLE')?.source).to.equal('nearest');
    });

    it('does without addresses while the kernel base is not known', () => {
      const { symbols } = createKernelSymbols({ identity: REAL, kernelBase: null, kdbg: from(REAL_BLOCK) });
      expect(symbols.layout('_POOL_TRACKER_TABLE')?.source).to.equal('profile');
      expect(symbols.address('PoolTrackTable')?.source).to.equal('kdbg');
      expect(symbols.address('PoolTrackTableSize')).to.equal(null);
    });
  });

  describe('with a timestamp alone', () => {
    const identity = { ...REAL, pdb: null };

    it('uses the profile once known addresses confirm it', () => {
      const { symbols, warnings } = createKernelSymbols({ identity, kernelBase: BASE, kdbg: from(REAL_BLOCK) });
      expect(warnings).to.deep.equal([]);
      expect(symbols.source).to.equal('profile');
      expect(symbols.detail).to.equal('10.0.19041.804 by image timestamp and size, confirmed by 3 known addresses');
      expect(symbols.address('PoolTrackTableSize')?.source).to.equal('profile');
    });

    it('does not use it unconfirmed', () => {
      for (const kdbg of [NOTHING, from({ PsLoadedModuleList: 0xfffff8047c62a390n })]) {
        const { symbols, warnings } = createKernelSymbols({ identity, kernelBase: BASE, kdbg });
        expect(warnings.map((warning) => warning.code)).to.deep.equal(['profile-unconfirmed']);
        expect(symbols.address('PoolTrackTableSize')).to.equal(null);
        expect(symbols.detail).to.contain('layouts of 10.0.19041.804');
      }
      const unplaced = createKernelSymbols({ identity, kernelBase: null, kdbg: from(REAL_BLOCK) });
      expect(unplaced.warnings.map((warning) => warning.code)).to.deep.equal(['profile-unconfirmed']);
    });

    it('does not use it when one address stands elsewhere', () => {
      const kdbg = from({ ...REAL_BLOCK, MmPfnDatabase: 0xfffff8047c6fc508n });
      const { symbols, warnings } = createKernelSymbols({ identity, kernelBase: BASE, kdbg });
      expect(warnings.map((warning) => warning.code)).to.deep.equal(['profile-rejected']);
      expect(symbols.source).to.equal('kdbg');
    });
  });

  describe('without a profile', () => {
    it('hides the kernel it was told to hide, and borrows from its neighbour', () => {
      const options = { identity: REAL, kernelBase: BASE, kdbg: from(REAL_BLOCK), hideProfiles: true };
      const { symbols, warnings } = createKernelSymbols(options);
      expect(warnings).to.deep.equal([]);
      expect(symbols.source).to.equal('kdbg');
      expect(symbols.detail).to.equal('layouts of 10.0.19041.746, addresses from the debugger block');
      expect(symbols.address('PoolTrackTable')?.source).to.equal('kdbg');
      expect(symbols.address('ExPoolTagTables')).to.equal(null);
      expect(symbols.poolTagTablesCapacity).to.equal(1280);
      const { profile } = findProfile(REAL)!;
      for (const type of ['_POOL_TRACKER_TABLE', '_EPROCESS', '_MI_SYSTEM_INFORMATION', '_MMPFNLIST']) {
        expect(symbols.layout(type), type).to.deep.equal({ value: profile.layout(type), source: 'nearest' });
      }
    });

    it('says when nothing gives addresses', () => {
      const { symbols } = createKernelSymbols({ identity: unknown(17134), kernelBase: BASE, kdbg: NOTHING });
      expect(symbols.source).to.equal('nearest');
      expect(symbols.detail).to.equal('layouts of 10.0.17134.1, no addresses known');
      expect(symbols.address('PoolTrackTable')).to.equal(null);
    });

    it('says when it knows no layouts either', () => {
      const { symbols } = createKernelSymbols({ identity: unknown(2195), kernelBase: BASE, kdbg: NOTHING });
      expect(symbols.detail).to.equal('no layouts known for build 2195, no addresses known');
      expect(symbols.layout('_POOL_TRACKER_TABLE')).to.equal(null);
      expect(symbols.poolTagTablesCapacity).to.equal(null);
    });

    it('takes a null field for no answer', () => {
      const kdbg = from({ PoolTrackTable: 0n });
      expect(createKernelSymbols({ identity: unknown(9200), kernelBase: BASE, kdbg }).symbols.source).to.equal(
        'nearest',
      );
    });

    it('never throws, and answers only with what the types promise', () => {
      const word = fc.option(fc.oneof(fc.nat(0xffffffff), fc.constant(REAL.timeDateStamp!), fc.double()));
      const pdb = fc.option(
        fc.record({
          name: fc.constantFrom('ntkrnlmp.pdb', 'x', ''),
          guid: fc.oneof(fc.string(), fc.constant(REAL.pdb!.guid)),
          age: fc.nat(3),
        }),
      );
      const buildNumber = fc.oneof(fc.integer(), fc.constantFrom(3790, 7601, 19041, 26100), fc.nat(30000));
      const identity = fc.record({ pdb, timeDateStamp: word, sizeOfImage: word, buildNumber });
      const base = fc.option(fc.bigInt({ min: -1n, max: 1n << 65n }));
      const name = fc.oneof(fc.string(), fc.constantFrom('PoolTrackTable', '_EPROCESS', '__proto__', 'constructor'));
      fc.assert(
        fc.property(identity, base, base, name, fc.boolean(), (id, kernelBase, answer, asked, hideProfiles) => {
          const { symbols } = createKernelSymbols({
            identity: id,
            kernelBase: kernelBase === null ? null : virtual(kernelBase),
            kdbg: () => (answer === null ? null : virtual(answer)),
            hideProfiles,
          });
          expect(symbols.address(asked)?.value ?? 0n).to.be.a('bigint');
          expect(symbols.layout(asked)?.value.name ?? asked).to.equal(asked);
          expect(symbols.detail).to.be.a('string').and.not.equal('');
        }),
      );
    });
  });

  describe('names of the debugger block', () => {
    it('reads what old kernels call otherwise', () => {
      const kdbg = from({ MmPagedPoolInformation: 0x1000n, MmPagedPoolCommit: 0x2000n });
      const { symbols } = createKernelSymbols({ identity: unknown(7601), kernelBase: null, kdbg });
      expect(symbols.address('MmPagedPoolInfo')?.value).to.equal(0x1000n);
      expect(symbols.address('MmPagedPoolCommit')?.value).to.equal(0x2000n);
    });

    it('never answers paged-pool commit where the field is something else', () => {
      for (const build of [9200, 10240, 14393, 19041, 22000, 26100]) {
        const options = { identity: unknown(build), kernelBase: null, kdbg: from(REAL_BLOCK) };
        expect(createKernelSymbols(options).symbols.address('MmPagedPoolCommit'), String(build)).to.equal(null);
      }
    });

    it('takes no value for an address', () => {
      const kdbg = from({ ...REAL_BLOCK, KernBase: BASE, MmPteBase: 1n });
      const { symbols } = createKernelSymbols({ identity: unknown(19041), kernelBase: BASE, kdbg });
      for (const name of ['KernBase', 'PsNtosImageBase', 'PteBase', 'MmPteBase', 'MmPageSize', 'NtBuildLab']) {
        expect(symbols.address(name), name).to.equal(null);
      }
      expect(symbols.address('NtBuildLabEx')?.value).to.equal(0xfffff8047c64c0a0n);
    });

    it('agrees with the symbols of a real dump wherever both know a global', function () {
      const path = new URL('../../../shared/corpus/dumps/triage_x64.dmp', import.meta.url);
      if (!existsSync(path)) {
        if (this.test !== undefined) this.test.title += ' - skipped: no ../shared/corpus';
        this.skip();
      }
      const dump = readFileSync(path);
      const start = dump.readUInt32LE(0x2070);
      const block = new DebuggerData(dump.subarray(start, start + dump.readUInt32LE(0x2074)), null, false);
      const { profile } = findProfile(REAL)!;
      const names = Object.keys(findNames());
      const compared = names.filter((name) => {
        const field = kdbgField(name, 19041);
        const address = field === null ? null : block.pointer(field);
        const rva = profile.rva(name);
        if (address === null || rva === null) return false;
        expect(address - block.value('KernBase')!, name).to.equal(BigInt(rva));
        return true;
      });
      expect(compared).to.have.lengthOf(27);

      function findNames(): Record<string, true> {
        const text = readFileSync(new URL('../../symbols/profiles/data/rva-19041.txt', import.meta.url), 'latin1');
        const symbols = text.split('\n').find((line) => !line.startsWith('#')) ?? '';
        return Object.fromEntries(symbols.split(' ').map((name) => [name, true]));
      }
    });
  });
});
