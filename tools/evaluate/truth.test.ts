/** A small run of `npm run evaluate-truth`: whatever is damaged, nobody but the culprit is accused above low. */

import { expect } from 'chai';
import { tablesOf, tryDamages } from './truth.js';
import { truthCases } from './truth/cases.js';
import { DAMAGES, damagedSource, type Damage } from './truth/damage.js';
import { judgeDump } from './truth/judge.js';
import { Places } from './truth/places.js';
import { buildDump } from '../../test-dumps/build-dump.js';

describe('damaged dumps', function () {
  this.timeout(600_000);

  it('accuse nobody innocent, 300 of them', () => {
    const trials = tryDamages({ runs: 300, seed: 13 });
    const wrong = trials.filter(({ outcome }) => outcome === 'wrong');
    expect(wrong.map(({ machine, what, says }) => `${machine.name}, ${what}: ${says}`)).to.deep.equal([]);
    expect(trials.length).to.be.greaterThan(280);
    expect(new Set(trials.map(({ kind }) => kind)).size).to.be.greaterThan(7);
    expect(tablesOf(trials)).to.match(/\| all \| \d+ \| \d+ \| \d+ \| \d+ \| 0 \|/);
  });

  it('are damaged: each kind changes bytes of the file, or cuts it, and the same number does the same', () => {
    const [machine] = truthCases();
    if (machine === undefined) throw new Error('no machine');
    const kinds = Object.keys(DAMAGES);
    const what = (): string[] =>
      tryDamages({ runs: kinds.length, seed: 5, machines: [machine] }).map((trial) => trial.what);
    expect(what()).to.deep.equal(what());
    expect(new Set(what()).size).to.be.at.least(kinds.length - 2);
  });

  it('are judged: the culprit under another name is wrong', () => {
    const [machine] = truthCases();
    if (machine === undefined) throw new Error('no machine');
    const places = new Places(buildDump(machine.scenario));
    const whole: Damage = { what: '', patches: [], cutTo: null };
    expect(judgeDump(damagedSource(places, whole), machine).outcome).to.equal('right');
    const other = { ...machine, culprit: { tag: 'AcNb', module: 'other.sys' } };
    expect(judgeDump(damagedSource(places, whole), other).outcome).to.equal('wrong');
    expect(judgeDump(damagedSource(places, whole), { ...machine, culprit: null }).outcome).to.equal('wrong');
    expect(judgeDump(damagedSource(places, { ...whole, cutTo: 100 }), machine).outcome).to.equal('refused');
  });
});
