import { expect } from 'chai';
import type { FieldLayout, StructLayout } from '../parsers/kernel/layout.js';
import { createKernelSymbols } from './built-in-symbols.js';
import type { FigureSource, KernelSymbols } from './kernel-symbols.js';
import { resolvePath } from './paths.js';
import { kernelEntries } from './profiles/profiles.js';
import { layoutInSet, versionsWithoutProfile } from './profiles/layout-table.js';
import { readStructures } from './profiles/shared-facts.test.helper.js';

const ROOTS: Readonly<Record<string, string>> = {
  MiState: '_MI_SYSTEM_INFORMATION',
  MiSystemPartition: '_MI_PARTITION',
};

/** The layouts of one release: a kernel with a profile, or one that is known by its layouts alone. */
function layoutsOf(version: string): Pick<KernelSymbols, 'layout'> | null {
  const entry = kernelEntries().find((kernel) => kernel.version === version);
  if (entry !== undefined) {
    const pdb = { name: 'ntkrnlmp.pdb', guid: entry.pdbKey.slice(0, 32), age: 1 };
    const identity = { pdb, timeDateStamp: null, sizeOfImage: null, buildNumber: 0 };
    return createKernelSymbols({ identity, kernelBase: null, kdbg: () => null }).symbols;
  }
  if (!versionsWithoutProfile().includes(version)) return null;
  return {
    layout(type) {
      const value = layoutInSet(version, type);
      return value === null ? null : { value, source: 'nearest' };
    },
  };
}

function fake(types: Record<string, Record<string, FieldLayout>>, source: FigureSource): Pick<KernelSymbols, 'layout'> {
  return {
    layout(name) {
      const fields = types[name];
      const value: StructLayout | null = fields === undefined ? null : { name, size: 64, fields };
      return value === null ? null : { value, source: name === '_OLD' ? 'nearest' : source };
    },
  };
}

describe('resolvePath', () => {
  const symbols = fake(
    {
      _A: {
        Inner: { offset: 0x10, type: '_B' },
        Pointer: { offset: 8, type: '*_B' },
        Pair: { offset: 0x30, type: '_B[2]' },
        'u1.Flag': { offset: 6, type: 'unsigned short:0:4' },
        'u1.Deep': { offset: 4, type: '_B' },
        Older: { offset: 0x20, type: '_OLD' },
        Self: { offset: 1, type: '_A' },
      },
      _B: {
        Value: { offset: 4, type: 'unsigned long' },
        Table: { offset: 8, type: '*_C[16]' },
        Bits: { offset: 0, type: 'long:3:2' },
      },
      _OLD: { Value: { offset: 2, type: 'char' } },
    },
    'profile',
  );

  it('sums offsets and keeps the type as it is spelled', () => {
    expect(resolvePath(symbols, '_A', 'Inner.Value')).to.deep.equal({
      offset: 0x14,
      type: 'unsigned long',
      source: 'profile',
    });
    expect(resolvePath(symbols, '_A', 'Inner.Table')).to.deep.equal({
      offset: 0x18,
      type: '*_C[16]',
      source: 'profile',
    });
    expect(resolvePath(symbols, '_A', 'Inner.Bits')?.type).to.equal('long:3:2');
    expect(resolvePath(symbols, '_A', 'Pair')?.offset).to.equal(0x30);
  });

  it('finds fields whose own names hold dots', () => {
    expect(resolvePath(symbols, '_A', 'u1.Flag')?.offset).to.equal(6);
    expect(resolvePath(symbols, '_A', 'u1.Deep.Value')?.offset).to.equal(8);
  });

  it('says nearest when any layout on the way is', () => {
    expect(resolvePath(symbols, '_A', 'Older.Value')).to.deep.equal({ offset: 0x22, type: 'char', source: 'nearest' });
  });

  it('gives null for what is not there, and does not go through pointers or arrays', () => {
    const paths = [
      '',
      '.',
      'Nothing',
      'Inner.Nothing',
      'Inner.Value.More',
      'Pointer.Value',
      'Pair.Value',
      'Inner..Value',
      'toString',
    ];
    for (const path of paths) expect(resolvePath(symbols, '_A', path), path).to.equal(null);
    expect(resolvePath(symbols, '_NONE', 'Value')).to.equal(null);
  });

  it('ends on a type that contains itself', () => {
    expect(resolvePath(symbols, '_A', 'Self.Self.Self.Inner.Value')?.offset).to.equal(3 + 0x14);
  });

  it('puts every memory counter where the published offsets have it, in every known release', function () {
    const { paths } = readStructures(this).vmPaths;
    const releases = new Map<string, FigureSource>();
    let count = 0;
    for (const [path, offsets] of Object.entries(paths)) {
      // _MI_SYSTEM_VA_STATE and _MI_STANDBY_STATE are not among the types of the tables.
      // Through KernelStackPteInfo (from 22621) and PageFileTraces (26100) the list means the first element of an array.
      if (/^MiState\.(SystemVa|Standby)\.|KernelStackPteInfo|PageFileTraces/.test(path)) continue;
      const dot = path.indexOf('.');
      for (const [label, offset] of Object.entries(offsets)) {
        const version = label.replace(/-x64$/, '');
        const layouts = layoutsOf(version);
        if (layouts === null) continue;
        const resolved = resolvePath(layouts, ROOTS[path.slice(0, dot)]!, path.slice(dot + 1));
        expect(resolved?.offset, `${path} in ${version}`).to.equal(offset);
        releases.set(version, resolved!.source);
        count++;
      }
    }
    const bySource = (source: FigureSource): number =>
      [...releases.values()].filter((other) => other === source).length;
    // All kernels with a profile but the 33 before Windows 10, which have no MiState.
    expect(bySource('profile')).to.equal(180);
    expect(bySource('nearest')).to.equal(14);
    expect(count).to.be.above(6000);
  });

  it('puts every memory counter of 32-bit kernels where the published offsets have it', function () {
    const { paths } = readStructures(this).vmPaths;
    const kept = new Set<string>();
    let count = 0;
    for (const [path, offsets] of Object.entries(paths)) {
      const dot = path.indexOf('.');
      for (const [label, offset] of Object.entries(offsets).filter(([name]) => name.endsWith('-x86'))) {
        const version = label.slice(0, -'-x86'.length);
        const layouts: Parameters<typeof resolvePath>[0] = {
          layout: (type) => {
            const value = layoutInSet(version, type, 'x86');
            return value === null ? null : { value, source: 'nearest' };
          },
        };
        const resolved = resolvePath(layouts, ROOTS[path.slice(0, dot)]!, path.slice(dot + 1));
        if (resolved === null) continue;
        expect(resolved.offset, `${path} in ${version}`).to.equal(offset);
        kept.add(path);
        count++;
      }
    }
    expect(count).to.be.above(250);
    // The tables keep what the figures need and nothing else.
    const shown = (root: string, names: string): string[] => names.split(' ').map((name) => `${root}.${name}`);
    expect([...kept]).to.have.members([
      ...shown('MiState.Pools', 'MaximumNonPagedPoolThreshold AllocatedNonPagedPool'),
      ...shown('MiState.Vs', 'PagedPoolInfo.MaximumSize PagedPoolInfo.AllocatedPagedPool MaximumNonPagedPoolInPages'),
      ...shown('MiState.Vs', 'SystemPteInfo.TotalFreeSystemPtes NonPagedPoolCommit SpecialPagesInUse ProcessCommit'),
      ...shown('MiState.Vs', 'SharedCommit DriverCommit'),
      ...shown('MiSystemPartition.PageLists', 'ZeroedPageListHead FreePageListHead StandbyPageListHead'),
      ...shown('MiSystemPartition.PageLists', 'StandbyPageListByPriority'),
      ...shown('MiSystemPartition.Commit', 'PeakCommitment TotalCommitLimitMaximum'),
      ...shown('MiSystemPartition.Vp', 'LowestPhysicalPage HighestPhysicalPage NumberOfPhysicalPages PagingFile'),
      ...shown('MiSystemPartition.Vp', 'NumberOfPagingFiles AvailablePages ResidentAvailablePages TotalCommittedPages'),
      ...shown(
        'MiSystemPartition.Vp',
        'TotalCommitLimit SharedCommit ModifiedPageListHead ModifiedNoWritePageListHead',
      ),
    ]);
  });
});
