import { expect } from 'chai';
import { BlockState, KIND_NAMES, PoolBits } from '../../../../parsers/heap/blocks.js';
import { toVirtual } from '../../../../parsers/heap/memory.js';
import { TagSums } from '../../../../parsers/heap/tag-sums.js';
import { buildDump, type BuiltDump, type Scenario } from '../../../../test-dumps/build-dump.js';
import { canonical } from '../../../../test-dumps/bytes.js';
import { sourceOf } from '../../../analysis/whole-dumps/truth.test.helper.js';
import { openDump } from '../../../../parsers/dump/open-dump.js';
import { openKernel } from '../../open/open-kernel.js';
import { poolBlocksOf } from './pool-blocks.js';

const GENERATIONS: readonly (readonly [string, Scenario])[] = [
  ['classic x64 7601', { kernel: '7601' }],
  ['classic x64 9600', { kernel: '9600' }],
  ['classic x86 7601', { kernel: '7601', architecture: 'x86' }],
  ['classic x86 2600', { kernel: '2600', architecture: 'x86' }],
  ['segment heap 19041', { kernel: '10.0.19041.804' }],
  ['segment heap 20348', { kernel: '20348' }],
  ['segment heap 26100', { kernel: '26100' }],
  ['segment heap x86 19041', { kernel: '19041', architecture: 'x86' }],
  ['segment heap ARM64 26100', { kernel: '26100', architecture: 'arm64' }],
];

/** Live blocks as `address size tag kind paged`, small ones and big ones. */
function walked(
  built: BuiltDump,
  hideProfiles = false,
): { blocks: string[]; sums: TagSums; complete: boolean; unresolved: number; warnings: string[] } {
  const kernel = openKernel(openDump(sourceOf(built)), { hideProfiles });
  const { warnings } = kernel;
  const { blocks, warnings: more } = poolBlocksOf(kernel);
  if (blocks === null) throw new Error('no blocks');
  const found: string[] = [];
  const sums = new TagSums();
  const walk = blocks.walk();
  const sink: Parameters<typeof walk.all>[0] = (block) => {
    sums.add(block);
    if (block.state !== BlockState.Live) return;
    const address = BigInt.asUintN(blocks.memory.pointerSize === 8 ? 64 : 32, toVirtual(block.address));
    found.push(
      `${address.toString(16)} ${block.size} ${block.tag} ${KIND_NAMES[block.kind] ?? ''} ${(block.poolType & PoolBits.Paged) !== 0}`,
    );
  };
  walk.big(sink);
  walk.all(sink);
  return {
    blocks: found.sort(),
    sums,
    complete: walk.coverage.complete,
    unresolved: walk.coverage.unresolved,
    warnings: [...warnings, ...more].map(({ code }) => code),
  };
}

function truth(built: BuiltDump): string[] {
  const wide = built.truth.poolBlocks !== undefined && built.truth.kernel.base > 0xffffffffn;
  return (built.truth.poolBlocks?.blocks ?? [])
    .filter(({ state }) => state === 'live')
    .map(
      ({ va, size, tag, kind, paged }) =>
        `${(wide ? canonical(va) : BigInt(va)).toString(16)} ${size} ${tag} ${kind} ${paged}`,
    )
    .sort();
}

describe('PoolBlocks', () => {
  for (const [name, scenario] of GENERATIONS) {
    for (const seed of [3, 11]) {
      it(`gives every live block of ${name}, and no other (seed ${seed})`, () => {
        const built = buildDump({ ...scenario, seed, poolBlocks: { pages: 200, segments: 2 } });
        const found = walked(built);
        expect(found.blocks).to.deep.equal(truth(built));
        expect(found.complete).to.equal(true);
      });
    }
  }

  for (const [name, scenario] of GENERATIONS) {
    it(`needs no symbols: ${name}`, () => {
      const built = buildDump({ ...scenario, seed: 5, poolBlocks: { pages: 200, segments: 2 } });
      const found = walked(built, true);
      expect(found.blocks).to.deep.equal(truth(built));
    });

    it(`gives sums that equal the tag table: ${name}`, () => {
      const built = buildDump({ ...scenario, seed: 7, poolBlocks: { pages: 120, segments: 1 } });
      const { sums } = walked(built);
      const found = sums.list().filter(({ tag, live }) => tag !== 0 && live > 0);
      const expected = built.truth.pool.rows.flatMap((row) => [
        ...(row.nonPaged.outstanding === 0n
          ? []
          : [`${row.key} false ${row.nonPaged.outstanding} ${row.nonPaged.bytes}`]),
        ...(row.paged.outstanding === 0n ? [] : [`${row.key} true ${row.paged.outstanding} ${row.paged.bytes}`]),
      ]);
      expect(found.map(({ tag, paged, live, liveBytes }) => `${tag} ${paged} ${live} ${liveBytes}`)).to.have.members(
        expected,
      );
    });

    it(`says that pages are missing: ${name}`, () => {
      const built = buildDump({ ...scenario, seed: 9, poolBlocks: { pages: 120, segments: 2, absent: 0.1 } });
      const found = walked(built);
      const all = new Set(truth(built));
      expect(found.complete).to.equal(false);
      // Freed blocks whose list leads through a missing page look as if they were in use: they are counted.
      const wrong = found.blocks.filter((line) => !all.has(line));
      expect(wrong.length, wrong.join('\n')).to.be.at.most(found.unresolved);
      expect(found.blocks.length).to.be.within(all.size * 0.4, all.size);
    });
  }
});
