import { expect } from 'chai';
import { buildDump, type Scenario } from '../../test-dumps/build-dump.js';
import { tagRows } from '../../test-dumps/tag-rows.js';
import { openBuilt } from './whole-dumps/truth.test.helper.js';
import type { Suspect } from '../result/result.js';
import { analyze } from './analyze.js';

const DRIVER = 'acmeflt.sys';
const OTHER = 'rivaldrv.sys';
/** No module holds the tag: only what stands in its blocks names the driver. */
const TAG = 'Zq9x';

function leak(more: Partial<Scenario>, contents: Partial<NonNullable<Scenario['poolBlocks']>> = {}): Scenario {
  return {
    seed: 21,
    memory: { bytes: 64 * 2 ** 20 },
    // So many tags that the size of the table shows.
    pool: { rows: tagRows({ seed: 2, count: 300, nonPagedBytes: 2 ** 21, pagedBytes: 2 ** 21 }) },
    modules: [
      { name: 'hal.dll' },
      { name: 'ndis.sys' },
      { name: DRIVER, version: { fileVersion: '1.0.0.0', companyName: 'Acme' } },
      { name: OTHER, version: { fileVersion: '1.0.0.0', companyName: 'Rival' } },
    ],
    ...more,
    poolBlocks: {
      ...{ tags: [TAG, TAG, TAG, TAG, TAG, TAG, TAG, 'File', 'Thre', 'NtFs'], pages: 4000, segments: 10, big: 8 },
      contents: [
        {
          tag: TAG,
          pointers: [{ offset: 0x18, module: DRIVER, rva: 0x1f40 }],
          text: { offset: 0x20, text: 'AcmeContext' },
          list: 0,
        },
      ],
      ...contents,
    },
  };
}

const MACHINES: readonly (readonly [string, Partial<Scenario>])[] = [
  ['classic x64 7601', { kernel: '7601' }],
  ['classic x64 9600', { kernel: '9600' }],
  ['classic x86 7601', { kernel: '7601', architecture: 'x86' }],
  ['segment heap 19041', { kernel: '10.0.19041.804' }],
  ['segment heap 26100', { kernel: '26100' }],
];

function suspectOf(scenario: Scenario, deep = false): { suspect: Suspect; warnings: string[] } {
  const result = analyze(openBuilt(buildDump(scenario)), { tag: TAG, pool: 'nonpaged', deep });
  const suspect = result.suspects.find(({ tag }) => tag === TAG);
  if (suspect === undefined)
    throw new Error(`no suspect: ${JSON.stringify(result.warnings)} ${String(result.poolTags?.rows.length)}`);
  return { suspect, warnings: result.warnings.map(({ code }) => code) };
}

describe('blocks of a suspect', () => {
  for (const [name, machine] of MACHINES) {
    it(`name the driver that no tag names: ${name}`, () => {
      const { suspect } = suspectOf(leak(machine));
      const { contents } = suspect;
      expect(contents?.sampled).to.equal(512);
      expect(contents?.sizes.length).to.be.greaterThan(2);
      const [pointer] = contents?.pointers ?? [];
      expect(pointer).to.include({ offset: 0x18, module: DRIVER, moduleOffset: '0x1f40' });
      expect(contents?.strings.map(({ text }) => text)).to.include('AcmeContext');
      expect(contents?.kinds.map(({ kind }) => kind)).to.include('list entry');
      // Lists are followed for a part of the sample: their counts are of that part.
      for (const { looked, detail } of contents?.kinds.filter(({ kind }) => kind !== 'Irp') ?? []) {
        expect(looked).to.be.lessThan(512);
        expect(detail).to.not.include('looked');
      }
      const [first] = suspect.drivers;
      expect([first?.module, first?.confidence, first?.evidence[0]?.kind]).to.deep.equal([
        DRIVER,
        'medium',
        'allocation-content',
      ]);
      expect(first?.evidence[0]?.note).to.match(
        /^\d+ of 512 blocks hold a pointer into acmeflt\.sys\+0x1f40 at offset 0x18$/,
      );
    });
  }

  for (const [name, machine] of [MACHINES[0], MACHINES[2], MACHINES[4]].filter((one) => one !== undefined)) {
    for (const [is, words] of [
      ['work-item', `are work items that run ${DRIVER}+0x1f40`],
      ['filter-context', `are contexts of the filter ${DRIVER}`],
    ] as const) {
      it(`name the driver by what they are: ${is}, ${name}`, () => {
        const contents = [{ tag: TAG, thing: { is, module: DRIVER, rva: 0x1f40 } }];
        const { suspect } = suspectOf(
          leak(machine, { least: { [TAG]: 0x80 }, tags: [...Array<string>(8).fill(TAG), 'FMfl', 'File'], contents }),
        );
        const [driver] = suspect.drivers;
        const [evidence] = driver?.evidence ?? [];
        expect([driver?.module, driver?.confidence, evidence?.kind]).to.deep.equal([
          DRIVER,
          'medium',
          'allocation-content',
        ]);
        expect(evidence?.note)
          .to.match(/^\d+ of 512 blocks /)
          .and.to.include(words);
        const [kind] = suspect.contents?.kinds ?? [];
        expect(kind?.leads?.[0]?.name).to.match(/^acmeflt\.sys/);
      });
    }
  }

  it('name nobody by work items that run a part of Windows', () => {
    const contents = [{ tag: TAG, thing: { is: 'work-item' as const, module: 'ndis.sys', rva: 0x1f40 } }];
    const { suspect } = suspectOf(leak({ kernel: '9600' }, { least: { [TAG]: 0x80 }, contents }));
    expect(suspect.contents?.kinds[0]?.kind).to.equal('work item');
    expect(suspect.drivers).to.deep.equal([]);
  });

  it('accuse nobody by pointers into parts of Windows', () => {
    const pointers = ['ntoskrnl.exe', 'ndis.sys', 'hal.dll'].map((module, i) => ({
      offset: 0x10 + i * 8,
      module,
      rva: 0x1000,
    }));
    const { suspect } = suspectOf(leak({ kernel: '7601' }, { contents: [{ tag: TAG, pointers }] }));
    expect(suspect.contents?.pointers.map(({ module }) => module)).to.include.members(['ntoskrnl.exe', 'ndis.sys']);
    expect(suspect.drivers).to.deep.equal([]);
  });

  it('accuse nobody much where two drivers stand in them', () => {
    const pointers = [DRIVER, OTHER].map((module, i) => ({ offset: 0x10 + i * 8, module, rva: 0x1000 }));
    const { suspect } = suspectOf(leak({ kernel: '7601' }, { contents: [{ tag: TAG, pointers }] }));
    expect(suspect.drivers.map(({ confidence }) => confidence)).to.deep.equal(['low', 'low']);
  });

  it('are weaker than code: a driver that they point into is not preferred to the one that allocates', () => {
    const modules = [
      { name: DRIVER, version: { fileVersion: '1.0.0.0', companyName: 'Acme' } },
      {
        name: OTHER,
        version: { fileVersion: '1.0.0.0', companyName: 'Rival' },
        tags: [{ tag: TAG, style: 'alloc' as const }],
      },
    ];
    const { suspect } = suspectOf(leak({ kernel: '7601', modules }));
    expect(suspect.drivers.map(({ module, confidence }) => [module, confidence])).to.deep.equal([
      [OTHER, 'high'],
      [DRIVER, 'low'],
    ]);
  });

  it('are not looked at where half of them point elsewhere', () => {
    const pointers = [{ offset: 0x18, module: DRIVER, rva: 0x1f40, share: 0.3 }];
    const { suspect } = suspectOf(leak({ kernel: '9600' }, { contents: [{ tag: TAG, pointers }] }));
    expect(suspect.drivers).to.deep.equal([]);
  });

  // No layout of processes is known for the built 26100 kernel, whose identity no table has.
  for (const [name, machine] of MACHINES.filter(([, { kernel }]) => kernel !== '26100')) {
    it(`tell whom they were billed to: ${name}`, () => {
      const { suspect } = suspectOf(leak(machine), true);
      expect(suspect.billed?.length ?? 0).to.be.greaterThan(4);
      const blocks = suspect.billed?.reduce((sum, row) => sum + Number(row.blocks), 0) ?? 0;
      expect(blocks / Number(suspect.outstanding)).to.be.within(0.05, 0.3);
    });
  }
});
