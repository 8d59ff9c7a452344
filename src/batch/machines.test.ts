import { expect } from 'chai';
import fc from 'fast-check';
import type { MachineFacts } from './inputs/entries.js';
import { UNKNOWN_MACHINE } from './inputs/entries.test.helper.js';
import { assignMachines } from './machines.js';

const of = (...facts: Partial<MachineFacts>[]) => {
  const machines = assignMachines(facts.map((some, i) => ({ id: `d${i}`, facts: { ...UNKNOWN_MACHINE, ...some } })));
  const ids = [...new Set(machines.values())];
  return facts.map((_, i) => ids.indexOf(machines.get(`d${i}`) ?? ''));
};
const boot = { bootTime: 1_000_000_000_000, bootImage: 'image', hardware: 'hw' };

describe('batch: machines', () => {
  it('that nothing tells apart are not merged', () => {
    expect(of({}, {}, { hardware: 'hw' }, { hardware: 'hw' })).to.deep.equal([0, 1, 2, 3]);
    expect(of({ ...boot, bootTime: null }, { ...boot, bootTime: null })).to.deep.equal([0, 1]);
    expect(of({ ...boot, bootImage: null }, { ...boot, bootImage: null })).to.deep.equal([0, 1]);
  });

  it('are known by their boot, though clocks are set', () => {
    expect(of(boot, { ...boot, bootTime: boot.bootTime + 90_000 })).to.deep.equal([0, 0]);
    expect(of(boot, { ...boot, bootTime: boot.bootTime + 900_000 })).to.deep.equal([0, 1]);
    expect(of(boot, { ...boot, bootImage: 'other' })).to.deep.equal([0, 1]);
  });

  it('are known by the folder that the user says is theirs', () => {
    const name = { nameFrom: 'folder' as const };
    expect(of({ ...name, name: 'FS01' }, { ...name, name: 'fs01', hardware: 'x' }, { ...name, name: 'FS02' })).to.deep.equal([0, 0, 1]); // prettier-ignore
  });

  it('are not merged by a name that cloned images share, nor against their names', () => {
    const name = { nameFrom: 'dump' as const, name: 'IMAGE' };
    expect(of({ ...name, hardware: 'a' }, { ...name, hardware: 'b' }, { ...name, hardware: 'a' })).to.deep.equal([0, 1, 0]); // prettier-ignore
    expect(of({ ...boot, ...name }, { ...boot, ...name, name: 'OTHER' })).to.deep.equal([0, 1]);
    expect(of({ ...boot, ...name }, boot)).to.deep.equal([0, 0]);
  });

  it('are the same in whatever order dumps come', () => {
    const facts = fc.record({
      name: fc.constantFrom(null, 'A', 'B'),
      nameFrom: fc.constantFrom('dump' as const, 'folder' as const),
      bootTime: fc.constantFrom(null, 0, 100_000, 200_000, 900_000),
      bootImage: fc.constantFrom(null, 'x', 'y'),
      hardware: fc.constantFrom(null, 'p', 'q'),
    });
    fc.assert(
      fc.property(fc.array(facts, { maxLength: 12 }), fc.infiniteStream(fc.nat()), (list, numbers) => {
        const dumps = list.map((one, i) => ({ id: `d${i}`, facts: one }));
        const keys = [...numbers.take(dumps.length)];
        const shuffled = dumps
          .map((dump, i) => ({ dump, key: keys[i] ?? 0 }))
          .sort((a, b) => a.key - b.key)
          .map(({ dump }) => dump);
        const sorted = (machines: Map<string, string>) => [...machines].sort();
        expect(sorted(assignMachines(shuffled))).to.deep.equal(sorted(assignMachines(dumps)));
      }),
      { seed: 1 },
    );
  });
});
