/** ARM64 kernels take no layout of x64 that could differ, and no x64 profile whatever their identity says. */

import { expect } from 'chai';
import { createKernelSymbols } from './built-in-symbols.js';
import type { KernelIdentity, KernelSymbols } from './kernel-symbols.js';
import { resolvePath } from './paths.js';
import { kernelEntries } from './profiles/profiles.js';

const BASE = 0xfffff80193800000n;

function symbolsOf(identity: Partial<KernelIdentity>): KernelSymbols {
  const known: KernelIdentity = { pdb: null, timeDateStamp: null, sizeOfImage: null, buildNumber: 22000, ...identity };
  return createKernelSymbols({ identity: known, kernelBase: BASE as never, kdbg: () => null }).symbols;
}

describe('symbols of ARM64 kernels', () => {
  it('have the structures that are the same on both processors', () => {
    for (const [buildNumber, size] of [
      [16299, 0x38],
      [19041, 0x38],
      [22000, 0x50],
      [26100, 0x50],
    ] as const) {
      const symbols = symbolsOf({ buildNumber, architecture: 'arm64' });
      expect(symbols.layout('_POOL_TRACKER_TABLE')?.value.size, String(buildNumber)).to.equal(size);
      expect(symbols.layout('_KLDR_DATA_TABLE_ENTRY')).not.to.equal(null);
      expect(symbols.detail).to.match(/the same on x64 and ARM64/);
    }
  });

  it('have none of the memory manager, the processes or the pool descriptors of x64', () => {
    const types = ['_MI_SYSTEM_INFORMATION', '_MI_PARTITION', '_EPROCESS', '_POOL_DESCRIPTOR', '_EX_POOL_HEAP_MANAGER_STATE', '_MM_SESSION_SPACE']; // prettier-ignore
    for (const buildNumber of [16299, 17763, 19041, 22000, 22621]) {
      const symbols = symbolsOf({ buildNumber, architecture: 'arm64' });
      for (const type of types) expect(symbols.layout(type), `${type} of ${buildNumber}`).to.equal(null);
      expect(symbols.poolTagTablesCapacity).to.equal(null);
    }
    expect(symbolsOf({ buildNumber: 19041 }).layout('_MI_PARTITION')).not.to.equal(null);
  });

  it('take no profile, although PDB, timestamp and size are those of an x64 kernel', () => {
    const entry = kernelEntries().find(({ timeDateStamp }) => timeDateStamp !== null)!;
    const { timeDateStamp, sizeOfImage, pdbKey } = entry;
    const pdb = { name: 'ntkrnlmp.pdb', guid: pdbKey.slice(0, 32), age: parseInt(pdbKey.slice(32), 16) };
    const identity = { pdb, timeDateStamp, sizeOfImage, buildNumber: Number(entry.version.split('.')[2]) };
    expect(symbolsOf(identity).source).to.equal('profile');
    expect(symbolsOf({ ...identity, architecture: 'arm64' }).source).to.equal('nearest');
  });

  it('of 24H2 know where the memory figures stand, at their own offsets', () => {
    for (const buildNumber of [26100, 26200]) {
      const arm = symbolsOf({ buildNumber, architecture: 'arm64' });
      const x64 = symbolsOf({ buildNumber });
      const at = (symbols: KernelSymbols, type: string, path: string): number | undefined =>
        resolvePath(symbols, type, path)?.offset;
      expect(at(arm, '_MI_PARTITION', 'Vp.TotalCommittedPages')).to.equal(0x4e80);
      expect(at(x64, '_MI_PARTITION', 'Vp.TotalCommittedPages')).to.equal(0x4b40);
      expect(at(arm, '_MI_SYSTEM_INFORMATION', 'Vs.PagedPoolInfo.AllocatedPagedPool')).to.equal(0xb810);
      expect(at(arm, '_MI_SYSTEM_INFORMATION', 'Pools.AllocatedNonPagedPool')).to.equal(0x8);
      expect(at(arm, '_MI_SYSTEM_INFORMATION', 'Vs.SpecialPagesInUse')).to.equal(undefined);
    }
  });
});
