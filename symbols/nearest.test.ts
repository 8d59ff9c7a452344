import { expect } from 'chai';
import { scalarSize, type FieldLayout, type StructLayout } from '../parsers/kernel/layout.js';
import { GENERATIONS, releaseFamily } from './generations.js';
import { nearestLayout, nearestTagTablesCapacity } from './nearest.js';
import { layoutInSet, versionsWithoutProfile } from './profiles/layout-table.js';
import { kernelEntries } from './profiles/profiles.js';

const near = (type: string, build: number, version: string | null = null): string | null => {
  const found = nearestLayout(type, build, version, null);
  return found === null ? null : `0x${found.layout.size.toString(16)} of ${found.version}`;
};

describe('nearestLayout', () => {
  it('chooses the pool tracker of the right generation for every build', () => {
    const sizes = [3790, 6000, 6001, 6002, 6003, 7600, 7601, 9200, 9600, 10240, 10586, 14393, 15063, 16299, 17134]
      .concat([
        17763, 18362, 18363, 18885, 19041, 19045, 20279, 20348, 21332, 22000, 22621, 22631, 25398, 26100, 26200, 29999,
      ])
      .map((build) => [build, nearestLayout('_POOL_TRACKER_TABLE', build, null, null)?.layout.size]);
    expect(Object.fromEntries(sizes)).to.deep.equal({
      ...{ 3790: 0x28, 6000: 0x28, 6001: 0x28, 6002: 0x28, 6003: 0x28, 7600: 0x28, 7601: 0x28, 9200: 0x28, 9600: 0x28 },
      ...{ 10240: 0x28, 10586: 0x28, 14393: 0x28, 15063: 0x28 },
      ...{ 16299: 0x38, 17134: 0x38, 17763: 0x38, 18362: 0x38, 18363: 0x38, 18885: 0x38, 19041: 0x38, 19045: 0x38 },
      ...{ 20279: 0x38, 20348: 0x50, 21332: 0x50, 22000: 0x50, 22621: 0x50, 22631: 0x50, 25398: 0x50, 26100: 0x50 },
      ...{ 26200: 0x50, 29999: 0x50 },
    });
    expect(nearestLayout('_POOL_TRACKER_TABLE', 2600, null, null)).to.equal(null);
  });

  it('takes a build that no profile covers from what is known of that very build', () => {
    expect(near('_POOL_TRACKER_TABLE', 17134)).to.equal('0x38 of 10.0.17134.1');
    expect(near('_MI_SYSTEM_INFORMATION', 26100)).to.equal('0xc1c0 of 10.0.26100.0');
    expect(near('_POOL_DESCRIPTOR', 6000)).to.equal('0x1048 of 6.0.6000.16386');
    expect(near('_MM_PAGED_POOL_INFO', 9200)).to.equal('0x60 of 6.2.9200.16384');
    expect(near('_MMPAGING_FILE', 26100)).to.equal('0x100 of 10.0.26100.0');
  });

  it('tells builds apart that differ in bits or names alone', () => {
    const poolType = (build: number): string | undefined =>
      nearestLayout('_POOL_TRACKER_BIG_PAGES', build, null, null)?.layout.fields['PoolType']?.type;
    expect([6000, 9200, 10240, 17134].map(poolType)).to.deep.equal([
      'unsigned long',
      'unsigned long',
      'unsigned long:8:12',
      'unsigned long:8:12',
    ]);
    const pools = nearestLayout('_MI_POOL_STATE', 22621, null, null)?.layout.fields;
    expect(pools?.['AllocatedSecureNonPagedPool']).to.deep.equal({ offset: 0x10, type: 'unsigned long long' });
    expect(pools).to.not.have.property('BadPoolHead');
  });

  it('takes the closest release of the same build, the latest when the release is not known', () => {
    expect(near('_MI_SYSTEM_INFORMATION', 19041, '10.0.19041.300')).to.equal('0x3280 of 10.0.19041.329');
    expect(near('_MI_SYSTEM_INFORMATION', 19041, '10.0.19041.3000')).to.equal('0x32c0 of 10.0.19041.2965');
    expect(near('_MI_SYSTEM_INFORMATION', 19045)).to.equal('0x32c0 of 10.0.19041.3570');
    expect(near('_MI_SYSTEM_INFORMATION', 22621, '10.0.22621.400')).to.equal('0x5040 of 10.0.22621.382');
    expect(near('_MI_SYSTEM_INFORMATION', 22621)).to.equal('0x5140 of 10.0.22631.2428');
  });

  it('passes over the version it was told to', () => {
    const found = nearestLayout('_POOL_TRACKER_TABLE', 7601, '6.1.7601.24540', '6.1.7601.24540');
    expect(found?.version).to.equal('6.1.7601.24000');
  });

  it('takes a build between known ones from the closest of its generation', () => {
    expect(near('_POOL_TRACKER_TABLE', 18885)).to.equal('0x38 of 10.0.19041.264');
    expect(near('_MMPAGING_FILE', 25398)).to.equal('0x120 of 10.0.22631.2428');
    expect(near('_POOL_DESCRIPTOR', 18885)).to.equal('0x100 of 10.0.18362.836');
    expect(near('_POOL_DESCRIPTOR', 19041)).to.equal(null);
    expect(near('_POOL_DESCRIPTOR', 20279)).to.equal(null);
  });

  it('chooses the structures of the right generation for every 32-bit build', () => {
    const sizes = (type: string, builds: readonly number[]): unknown[] =>
      builds.map((build) => nearestLayout(type, build, null, null, 'x86')?.layout.size ?? null);
    const builds = [2195, 2600, 3790, 6000, 6002, 6003, 7601, 9200, 9600, 10240, 14393, 16299, 18363, 19041, 19045];
    expect(sizes('_POOL_TRACKER_TABLE', builds)).to.deep.equal([
      ...[0x1c, 0x1c, 0x1c, 0x1c, 0x1c, 0x1c, 0x1c, 0x1c, 0x1c, 0x1c, 0x1c],
      ...[0x30, 0x30, 0x30, 0x30],
    ]);
    expect(sizes('_POOL_DESCRIPTOR', builds)).to.deep.equal([
      ...[0x420, 0x1028, 0x1030, 0x1034, 0x1034, 0x1034, 0x1140, 0x1140, 0x1140, 0x1140, 0x1140, 0x1140, 0x100],
      ...[null, null],
    ]);
    expect(sizes('_MM_PAGED_POOL_INFO', [2195, 2600, 3790, 6002, 7601, 9200, 9600])).to.deep.equal([
      ...[null, 0x24, 0x20, 0x38, 0x38, 0x34, 0x38],
    ]);
    expect(nearestLayout('_MI_PARTITION', 19041, null, null, 'x86')?.layout.size).to.equal(0x1b40);
    expect(nearestLayout('_MI_PARTITION', 18885, null, null, 'x86')).to.equal(null);
    expect(nearestLayout('_EPROCESS', 19041, null, null, 'x86')).to.equal(null);
  });

  it('does not carry types across builds that change in almost every one', () => {
    expect(near('_EPROCESS', 17763)).to.equal('0x858 of 10.0.17763.5933');
    expect(near('_EPROCESS', 17134)).to.equal(null);
    expect(near('_MI_SYSTEM_INFORMATION', 25398)).to.equal(null);
    expect(near('_NO_SUCH_TYPE', 19041)).to.equal(null);
  });
});

/** Whether a reader of one finds the other: the same place, bits and width, as far as the width is known. */
function alike(a: FieldLayout, b: FieldLayout): boolean {
  const bits = ({ type }: FieldLayout): string => /:\d+:\d+$/.exec(type)?.[0] ?? '';
  const [width, other] = [scalarSize(a.type), scalarSize(b.type)];
  return a.offset === b.offset && bits(a) === bits(b) && (width ?? other) === (other ?? width);
}

const ARCHITECTURES = ['x64', 'x86'] as const;

describe('generations', () => {
  const cases = ARCHITECTURES.flatMap((architecture) => {
    const profiles = architecture === 'x64' ? kernelEntries() : [];
    const versions = [
      ...profiles.map(({ version, layoutSet }) => ({ version, set: layoutSet })),
      ...versionsWithoutProfile(architecture).map((version) => ({ version, set: version })),
    ].map((row) => ({ ...row, build: Number(row.version.split('.')[2]) }));
    return [...GENERATIONS[architecture]].map(([type, { since, until }]) => ({
      ...{ architecture, versions, type, since, until },
    }));
  });

  for (const { architecture, versions, type, since, until } of cases) {
    it(`of ${architecture} ${type} fit every known layout`, () => {
      const models = new Map<number, { version: string; layout: StructLayout }>();
      for (const { version, set, build } of versions) {
        const layout = layoutInSet(set, type, architecture);
        if (layout === null) continue;
        const start = since.findLast((from) => from <= build);
        expect(start, version).to.be.a('number');
        expect(build, version).to.be.below(until ?? Infinity);
        const model = models.get(start!) ?? { version, layout };
        models.set(start!, model);
        expect(layout.size, `size, ${version} against ${model.version}`).to.equal(model.layout.size);
        for (const [name, field] of Object.entries(layout.fields)) {
          const fits = name.startsWith('Spare') || alike(model.layout.fields[name] ?? field, field);
          expect(fits, `${name}, ${version} against ${model.version}`).to.equal(true);
        }
      }
      const ordered = [...models].sort(([a], [b]) => a - b);
      expect(ordered.map(([start]) => start)).to.deep.equal(since);
      // Every break is one: what comes after it differs.
      ordered.slice(1).forEach(([start, { layout }], i) => {
        expect(layout, `the generation from ${start}`).to.not.deep.equal(ordered[i]![1].layout);
      });
    });
  }

  it('know releases that ship the binaries of an earlier build', () => {
    expect([6003, 18363, 19042, 19045, 22631, 26200].map(releaseFamily)).to.deep.equal([
      6002, 18362, 19041, 19041, 22621, 26100,
    ]);
    expect([6002, 18362, 19041, 20348, 26100].map(releaseFamily)).to.deep.equal([6002, 18362, 19041, 20348, 26100]);
  });
});

describe('nearestTagTablesCapacity', () => {
  it('takes the capacity of the build, or of neighbours that agree', () => {
    const builds = [
      6001, 7601, 9200, 9600, 10586, 14393, 15063, 17763, 18363, 18885, 19045, 20348, 21332, 22000, 22621, 26100,
    ];
    const capacities = builds.map((build) => [build, nearestTagTablesCapacity(build)]);
    expect(Object.fromEntries(capacities)).to.deep.equal({
      ...{
        6001: null,
        7601: 256,
        9200: null,
        9600: 640,
        10586: 640,
        14393: 640,
        15063: null,
        17763: 1280,
        18363: 1280,
      },
      ...{ 18885: 1280, 19045: 1280, 20348: 2048, 21332: 2048, 22000: 2048, 22621: null, 26100: null },
    });
  });
});
