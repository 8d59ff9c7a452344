import { expect } from 'chai';
import { buildDump, type Scenario } from '../../../../test-dumps/build-dump.js';
import { va48 } from '../../../../test-dumps/bytes.js';
import { openDump } from '../../../../parsers/dump/open-dump.js';
import { hex } from '../../../../parsers/bytes/failure.js';
import { toVirtual } from '../../../../parsers/heap/memory.js';
import { tagOfText } from '../../../../parsers/kernel/tag.js';
import { sourceOf } from '../../../analysis/whole-dumps/truth.test.helper.js';
import { addressNames } from '../../../analysis/sample-blocks.js';
import { readModules } from '../../modules/modules.js';
import { openKernel } from '../../open/open-kernel.js';
import { poolBlocksOf } from '../blocks/pool-blocks.js';
import { sampleBlocks } from '../blocks/sample.js';
import { decodersOf } from './decode.js';
import { ContentWorld } from './world.js';

type ThingSpec = NonNullable<NonNullable<NonNullable<Scenario['poolBlocks']>['contents']>[number]['thing']>;

const DRIVER = 'fabsec.sys';
const MODULES: NonNullable<Scenario['modules']> = [
  { name: 'hal.dll' },
  { name: 'wdf01000.sys' },
  { name: DRIVER, version: { fileVersion: '1.0.0.0', companyName: 'Fab' } },
];
const MACHINES: readonly (readonly [string, Scenario])[] = [
  ['x64 7601', { kernel: '7601' }],
  ['x86 7601', { kernel: '7601', architecture: 'x86' }],
  ['x64 9600', { kernel: '9600' }],
  ['x64 19041', { kernel: '10.0.19041.804' }],
  ['x64 26100', { kernel: '26100' }],
  ['ARM64 26100', { kernel: '26100', architecture: 'arm64' }],
  ['x86 19041', { kernel: '19041', architecture: 'x86' }],
];
/** What each thing is called, and what it leads to. */
const THINGS: readonly (readonly [ThingSpec, string, readonly string[]])[] = [
  [{ is: 'irp', module: DRIVER, rva: 0x1100 }, 'Irp', [`sent to ${DRIVER}`, `completed by ${DRIVER}+0x1100`]],
  [{ is: 'mdl', module: DRIVER }, 'Mdl', []],
  [{ is: 'file', module: DRIVER }, 'File', [`on a device of ${DRIVER}`]],
  [{ is: 'token', module: DRIVER, account: 'FABRIKAM\\svc' }, 'Token', ['of FABRIKAM\\svc']],
  [{ is: 'logon-session', module: DRIVER, account: 'FABRIKAM\\svc' }, 'logon session', ['of FABRIKAM\\svc']],
  [{ is: 'filter-context', module: DRIVER }, 'filter context', [`of the filter ${DRIVER}`]],
  [{ is: 'work-item', module: DRIVER, rva: 0x1f40 }, 'work item', [`run ${DRIVER}+0x1f40`]],
  [{ is: 'wdf-object', module: DRIVER }, 'WDF object', [`of the driver ${DRIVER}`]],
  [{ is: 'net-buffer-list', module: DRIVER }, 'net buffer list', []],
];

function scenarioOf(machine: Scenario, things: readonly (readonly [tag: string, ThingSpec])[], seed: number): Scenario {
  return {
    ...machine,
    ...{ seed, modules: MODULES, memory: { bytes: 64 * 2 ** 20 } },
    poolBlocks: {
      ...{ tags: [...things.map(([tag]) => tag), 'FMfl', 'Even'], pages: 160, segments: 2, big: 4 },
      contents: things.map(([tag, thing]) => ({ tag, thing })),
    },
  };
}

/** A block that was recognized, or that a thing was written into. */
interface Seen {
  readonly address: string;
  readonly kind: string;
  readonly leads: readonly string[];
}

/** All blocks of each tag that were recognized, and those that things were written into. */
function decoded(scenario: Scenario, tags: readonly string[]): { found: Seen[]; written: string[] }[] {
  const built = buildDump(scenario);
  const kernel = openKernel(openDump(sourceOf(built)));
  const { blocks } = poolBlocksOf(kernel);
  const { memory } = kernel;
  if (blocks === null || memory === null) throw new Error('no blocks');
  const wanted = tags.flatMap((tag) =>
    (['nonpaged', 'paged'] as const).map((pool) => ({ key: tagOfText(tag) ?? 0, pool })),
  );
  const names = addressNames(readModules(kernel).modules, memory.pointerSize);
  const decoders = decodersOf(new ContentWorld(kernel, memory, names, blocks.header));
  const sample = sampleBlocks(blocks, memory, wanted, { deep: true });
  const things = built.truth.poolBlocks?.things ?? new Set();
  return tags.map((tag) => {
    const kept = sample.tags.filter(({ wanted: { key } }) => key === tagOfText(tag)).flatMap((one) => one.kept);
    const found = kept.flatMap((block): Seen[] => {
      for (const decoder of decoders) {
        const seen = decoder.read(block);
        if (seen === null) continue;
        const leads = seen.leads.map(({ how, name }) => `${how} ${name}`);
        return [{ address: hex(toVirtual(block.address)), kind: decoder.kind, leads }];
      }
      return [];
    });
    const written = kept.filter(({ address }) => things.has(va48(toVirtual(address))));
    return { found, written: written.map(({ address }) => hex(toVirtual(address))) };
  });
}

const tagOf = (i: number): string => `Zq${i}x`;
const TAGS = THINGS.map((_, i) => tagOf(i));

describe('what the blocks of a tag are', () => {
  for (const [name, machine] of MACHINES) {
    it(`is told of every kind and of each block: ${name}`, () => {
      const things = THINGS.map(([thing], i) => [tagOf(i), thing] as const);
      for (const [i, { found, written }] of decoded(scenarioOf(machine, things, 31), TAGS).entries()) {
        const [{ is } = { is: '' }, kind, leads] = THINGS[i] ?? [];
        expect(written.length, is).to.be.greaterThan(3);
        expect(
          found.map(({ address }) => address),
          is,
        ).to.have.members(written);
        for (const one of found) {
          expect(one.kind, is).to.equal(kind);
          expect(one.leads, is).to.include.members([...(leads ?? [])]);
        }
      }
    });

    it(`is not told of what only looks so: ${name}`, () => {
      const decoys = THINGS.map(([thing], i) => [tagOf(i), { ...thing, decoy: true }] as const);
      for (const [i, { found }] of decoded(scenarioOf(machine, decoys, 32), TAGS).entries()) {
        expect(found, THINGS[i]?.[0].is ?? '').to.deep.equal([]);
      }
    });
  }
});
