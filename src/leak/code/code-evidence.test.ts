import { expect } from 'chai';
import { plus } from '../../../parsers/addresses.js';
import { failed } from '../../../parsers/bytes/failure.js';
import { buildDump } from '../../../test-dumps/build-dump.js';
import { readFixtures } from '../../../test-dumps/drivers/fixtures.js';
import { SCENARIOS } from '../../../test-dumps/scenarios.js';
import type { ModuleSpec } from '../../../test-dumps/scenario.js';
import { analyze } from '../../analysis/analyze.js';
import { openBuilt } from '../../analysis/whole-dumps/truth.test.helper.js';
import { driverFromFile } from '../../kernel/modules/driver-file.js';
import { searchTags } from '../../kernel/modules/tag-search.js';
import { CodeWork } from '../../code/flow/work.js';
import { baseOf, codeModule, slot, TEXT } from '../../code/image/code-image.test.helper.js';
import { hitOf } from '../scenario.test.helper.js';
import { CodeEvidence } from './code-evidence.js';

describe('code evidence', () => {
  /** What the code of a built driver, which gives its tag to an allocator, is judged to do; following at most so much. */
  function strengths(most = Infinity): { strength: string; note: string }[] {
    const { driver, file } = readFixtures().find((one) => one.driver.shape === 'immediate')!;
    const read = driverFromFile(file, 'fixture.sys');
    if (failed(read)) throw new Error(read.message);
    const key = Buffer.from(driver.tag, 'latin1').readUInt32LE();
    const evidence = new CodeEvidence([read.module], null, new CodeWork(most));
    const hits = searchTags([read.module], [key]).hits.get(key) ?? [];
    return hits.map((hit) => evidence.judge(hit, key)).filter(({ kind }) => kind !== 'string');
  }

  it('follows the tag to the allocator', () => {
    expect(strengths()[0]).to.deep.include({ strength: 'high', callsAllocator: true });
  });

  it('writes the instructions for a suspect alone, also where the owner was asked for before', () => {
    for (const { driver, file } of readFixtures()) {
      const read = driverFromFile(file, 'fixture.sys');
      if (failed(read)) throw new Error(read.message);
      const key = Buffer.from(driver.tag, 'latin1').readUInt32LE();
      const hits = searchTags([read.module], [key]).hits.get(key) ?? [];
      const [first, second] = [new CodeEvidence([read.module], null), new CodeEvidence([read.module], null)];
      for (const hit of hits) {
        const suspected = first.judge(hit, key);
        const owned = second.judgeForOwner(hit, key);
        expect([owned.instruction, owned.call?.instruction ?? null]).to.deep.equal([null, null]);
        expect([owned.strength, owned.note, owned.callsAllocator]).to.deep.equal([
          ...[suspected.strength, suspected.note, suspected.callsAllocator],
        ]);
        expect(suspected.instruction === null).to.equal(suspected.function === null);
        expect(second.judge(hit, key)).to.deep.equal(suspected);
        expect(second.judge(hit, key)).to.deep.equal(first.judge(hit, key));
      }
    }
  });

  it('accuses nobody by a place that it does not follow to the end, because the work is limited', () => {
    const [first] = strengths(0);
    const [cut] = strengths(8);
    expect(cut).to.deep.equal(first);
    expect(first?.strength).to.equal('low');
    expect(first?.note).to.match(/; not followed to the end, because that would take too long$/);
  });
});

describe('a tag that ARM64 code loads from among its instructions', () => {
  const KEY = 0x6b61654c;
  const base = baseOf('arm64');
  /** stp x29,x30; mov x29,sp; ldr w2,+20; adrp x8; ldr x8,[x8+slot]; blr x8; ldp x29,x30; ret; the tag. */
  const words = [0xa9bf7bfd, 0x910003fd, 0x180000c2, 0xd0000008, 0xf9400108 | (((slot('arm64', 0) & 0xfff) >> 3) << 10), 0xd63f0100, 0xa8c17bfd, 0xd65f03c0, KEY]; // prettier-ignore
  const module = codeModule({ processor: 'arm64', at: { [TEXT]: words } });
  const judged = (loadedBy: number | null) =>
    new CodeEvidence([module], null).judge(
      hitOf('c0 03 5f d6', "'Leak'", {
        ...{ address: plus(base, TEXT + 32), offset: TEXT + 32 },
        arm64: { pair: null, loadedBy: loadedBy === null ? null : plus(base, loadedBy) },
      }),
      KEY,
    );

  it('is followed from the instruction that loads it', () => {
    const { strength, callsAllocator, instruction } = judged(TEXT + 8);
    expect([strength, callsAllocator]).to.deep.equal(['high', true]);
    expect(instruction).to.match(new RegExp(`^ldr +w2,=0x${plus(base, TEXT + 32).toString(16)}$`, 'i'));
  });

  it('is not where the instruction stands in another function, or none is known', () => {
    for (const other of [TEXT + 0x400, null]) expect(judged(other).callsAllocator, `${other}`).to.not.equal(true);
  });
});

describe('the work of judging a tag', () => {
  it('is none where its limit is used up: garbage in a tag table stands at thousands of places', () => {
    const { driver, file } = readFixtures().find((one) => one.driver.shape === 'immediate')!;
    const read = driverFromFile(file, 'fixture.sys');
    if (failed(read)) throw new Error(read.message);
    const key = Buffer.from(driver.tag, 'latin1').readUInt32LE();
    const work = new CodeWork(8);
    const evidence = new CodeEvidence([read.module], null, work);
    const hit = searchTags([read.module], [key])
      .hits.get(key)
      ?.find(({ executable }) => executable === true);
    evidence.judge(hit!, key);
    expect(work.isSpent()).to.equal(true);
    const before = work.steps;
    for (let i = 0; i < 1000; i++) expect(evidence.judge(hit!, key).strength).to.equal('low');
    expect(work.steps).to.equal(before);
    expect(evidence.cut).to.equal(1001);
  });
});

describe('code that frees, in images without exception data', () => {
  const free = (tags: ModuleSpec['tags']): ModuleSpec['tags'] =>
    tags?.map(({ tag, style }) => ({
      tag,
      style: ['text', 'utf16', 'data', 'tag-table'].includes(style) ? style : 'free',
    }));

  for (const [architecture, name] of [
    ['x64', 'notmyfault'],
    ['x64', 'modernLeak'],
    ['arm64', 'modernLeak'],
    ['x86', 'leak32'],
  ] as const) {
    it(`names nobody: ${architecture}, ${name}`, () => {
      for (let seed = 1; seed <= 4; seed++) {
        const scenario = SCENARIOS[name]();
        const modules = (scenario.modules ?? []).map((module) => ({ ...module, tags: free(module.tags) ?? [] }));
        const opened = openBuilt(buildDump({ ...scenario, architecture, modules, seed }));
        const { suspects } = analyze(opened, { parts: undefined });
        opened.close();
        expect(suspects).not.to.have.length(0);
        const drivers = suspects.flatMap((suspect) => suspect.drivers);
        expect(drivers.filter(({ confidence }) => confidence !== 'low')).to.deep.equal([], `seed ${seed}`);
      }
    });
  }
});
