import { expect } from 'chai';
import type { Confidence, Suspect, SuspectDriver } from '../result/result.js';
import { FULL, NO_EVIDENCE } from '../report/golden/samples.js';
import { culpritOf, theDriver } from './culprit.js';

const driver = (module: string, confidence: Confidence, base: string | null = '0x1000'): SuspectDriver => ({
  ...{ module, base, confidence },
  evidence: [{ ...NO_EVIDENCE, kind: 'code-immediate', note: `${module} loads it` }],
});
const suspect = (drivers: SuspectDriver[], more: Partial<Suspect> = {}): Suspect => ({
  ...FULL.suspects[0]!,
  cluster: null,
  ...more,
  drivers,
});

describe('the culprit', () => {
  it('is the one driver that is certain, else the one that is likely, with where its image is', () => {
    expect(culpritOf(true, [suspect([driver('a.sys', 'high'), driver('b.sys', 'medium')])])).to.deep.equal({
      ...{ kind: 'driver', module: 'a.sys', base: '0x1000', process: null, confidence: 'high' },
      because: ['a.sys loads it'],
    });
    const likely = culpritOf(true, [suspect([driver('a.sys', 'medium', null), driver('b.sys', 'low')])]);
    expect(likely).to.include({ kind: 'driver', module: 'a.sys', base: null, confidence: 'medium' });
  });

  it('is nobody of several, none of those that only hold the tag, and never the kernel', () => {
    const several = [driver('a.sys', 'medium'), driver('b.sys', 'medium')];
    expect(theDriver(suspect(several))).to.equal(null);
    expect(culpritOf(true, [suspect(several)]).because.join()).to.equal('a.sys and b.sys may allocate under the tag');
    for (const drivers of [several, [driver('a.sys', 'low')], [driver('ntoskrnl.exe', 'medium')], []]) {
      const found = culpritOf(true, [suspect(drivers)]);
      expect(found).to.include({ kind: 'unknown', module: null, confidence: null });
      expect(found.because).to.have.length(1);
    }
  });

  it('is who tags in lock step lead to, where no driver is likely by itself', () => {
    const maker = { module: 'm.sys', base: '0x2000', confidence: 'medium', because: 'in step' } as const;
    const cluster = { members: [], culprit: maker };
    const found = culpritOf(true, [suspect([driver('a.sys', 'low'), driver('ntoskrnl.exe', 'medium')], { cluster })]);
    expect(found).to.include({ kind: 'driver', module: 'm.sys', base: '0x2000', confidence: 'medium' });
    expect(culpritOf(true, [suspect([driver('a.sys', 'high')], { cluster })])).to.include({ module: 'a.sys' });
    const two = [driver('a.sys', 'medium'), driver('b.sys', 'medium')];
    const low = { members: [], culprit: { ...maker, confidence: 'low' } as const };
    const against = [{ code: 'shared-tag', message: 'Many share it' }];
    for (const one of [suspect(two, { cluster }), suspect([], { cluster: low }), suspect([], { cluster, against })]) {
      expect(culpritOf(true, [one])).to.include({ kind: 'unknown', module: null });
    }
  });

  it('says why the tag names nobody', () => {
    const against = [{ code: 'shared-tag', message: 'Many share it' }];
    expect(culpritOf(true, [suspect([], { against })]).because).to.deep.equal(['Many share it']);
  });

  it('is none where nothing is suspected, and unknown where the dump cannot tell', () => {
    const asked = suspect([driver('a.sys', 'high')], { reasons: [{ code: 'requested', message: '' }] });
    expect(culpritOf(false, [asked])).to.include({ kind: 'none', module: null });
    expect(culpritOf(true, [asked])).to.include({ kind: 'unknown', module: null });
    expect(culpritOf(null, [])).to.include({ kind: 'unknown', module: null });
  });

  it('is the driver that a bug check names, where no tag is suspicious', () => {
    const accused = { driver: 'v.sys', message: 'v.sys left pool' };
    const found = { kind: 'driver', module: 'v.sys', confidence: 'medium' };
    expect(culpritOf(true, [], accused)).to.include(found);
    expect(culpritOf(true, [], { driver: null, message: '' })).to.include({ kind: 'unknown' });
    expect(culpritOf(true, [suspect([driver('a.sys', 'high')])], accused)).to.include({ module: 'a.sys' });
  });
});
