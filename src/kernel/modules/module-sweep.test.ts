import { expect } from 'chai';
import type { ByteSource } from '../../../parsers/bytes/source.js';
import { MemoryBase } from '../../../parsers/paging/memory-base.js';
import type { VirtualMemory } from '../../../parsers/paging/virtual-memory.js';
import { openBuilt, sourceOf } from '../../analysis/whole-dumps/truth.test.helper.js';
import { OpenedDump } from '../open/opened-dump.js';
import { buildDump } from '../../../test-dumps/build-dump.js';
import type { Scenario } from '../../../test-dumps/scenario.js';
import { SCENARIOS } from '../../../test-dumps/scenarios.js';
import { readModules, type LoadedModule } from './modules.js';
import { searchTags } from './tag-search.js';

const keyOf = (tag: string): number => Buffer.from(tag, 'latin1').readUInt32LE() & 0x7fffffff;
const FEW = ['AcNb', 'Leak'].map(keyOf);
/** With three bytes that stand in many places, and on page borders. */
const MANY = ['AcNb', 'Leak', 'Driv', 'File', 'Even', 'This', 'ntos', 'kern', 'Proc', 'Thre', 'Mona', 'QbCx'].map(
  keyOf,
);

/** A memory that gives its pages in no order of a file. */
class Plain extends MemoryBase {
  readonly pointerSize: 4 | 8;

  constructor(private readonly memory: VirtualMemory) {
    super();
    this.pointerSize = memory.pointerSize;
  }

  translate = (...given: Parameters<VirtualMemory['translate']>) => this.memory.translate(...given);
  read = (...given: Parameters<VirtualMemory['read']>) => this.memory.read(...given);
}

const plain = (module: LoadedModule): LoadedModule => ({
  ...module,
  memory: module.memory === null ? null : new Plain(module.memory),
});

describe('The tag search in the order of the file', () => {
  const scenarios: readonly Scenario[] = [
    SCENARIOS.modernLeak(),
    { ...SCENARIOS.modernLeak(), architecture: 'arm64', name: 'arm64' },
    SCENARIOS.leak32(),
    SCENARIOS.terminalServer(),
  ];
  scenarios.forEach((scenario, i) => {
    it(`finds what a search by modules finds: ${scenario.name ?? ''}`, () => {
      const paging = { ...scenario.paging, modulePages: i === 1 ? 1 : 8, absent: 0.1 };
      const { kernel } = openBuilt(buildDump({ ...scenario, seed: i + 1, paging }));
      const { modules } = readModules(kernel);
      for (const [keys, exact] of [
        [FEW, true],
        [MANY, false],
      ] as const) {
        const swept = searchTags(modules, keys, { exact });
        expect(swept).to.deep.equal(searchTags(modules.map(plain), keys, { exact }));
        if (keys === MANY) expect([...swept.hits.values()].flat().length).to.be.above(20);
      }
    });
  });

  it('finds what stands in more places than are kept', () => {
    const { kernel } = openBuilt(buildDump(SCENARIOS.modernLeak()));
    const { modules } = readModules(kernel);
    const first = modules[0]?.memory?.readU32(modules[0].base) as number;
    // `00 00 00 00` stands nearly everywhere.
    for (const key of [0, first]) {
      const found = searchTags(modules, [key], { exact: true });
      expect(found).to.deep.equal(searchTags(modules.map(plain), [key], { exact: true }));
    }
  });

  it('reads the file in order, and near pages at once', () => {
    const built = buildDump({ ...SCENARIOS.modernLeak(), kind: 'bitmap-kernel' });
    const inner = sourceOf(built);
    const reads: { position: number; length: number }[] = [];
    const source: ByteSource = {
      ...inner,
      read: (position, target) => {
        reads.push({ position, length: target.length });
        return inner.read(position, target);
      },
    };
    const opened = OpenedDump.over('built.dmp', { source, fileBytes: built.byteLength, container: null, damage: null });
    const all = readModules(opened.kernel).modules;
    // Modules of sessions have another address space, which is searched on its own.
    const modules = all.filter(({ memory }) => memory === all[0]?.memory);
    searchTags(modules, [keyOf('Zzzz')]);
    // Page tables are known by now.
    reads.length = 0;
    const { searched } = searchTags(modules, [keyOf('Zzzz')]);
    expect(searched.pagesPresent).to.be.above(1000);
    expect(reads.length).to.be.below(searched.pagesPresent / 50);
    const positions = reads.map(({ position }) => position);
    expect(positions).to.deep.equal([...positions].sort((a, b) => a - b));
    expect(Math.max(...reads.map(({ length }) => length))).to.be.at.most(1 << 20);
  });
});
