import { expect } from 'chai';
import { chanceOf, chanceTable } from './lock-step.js';

describe('lock step by chance', () => {
  it('is found where counts are the same, and hardly where they are spread', () => {
    const same = chanceOf({ name: 'same', kept: 1, counts: () => Array.from({ length: 5 }, () => 200_000) }, 2);
    expect(same).to.deep.equal({ name: 'same', steppers: 5, partnered: 1, clustered: 1 });
    const apart = chanceOf({ name: 'apart', kept: 1, counts: () => [200_000, 260_000, 330_000, 710_000] }, 1);
    expect(apart).to.deep.include({ steppers: 4, partnered: 0, clustered: 0 });
    expect(chanceTable([same])).to.contain('| same | 5.0 | 100.00 % | 100.00 % |');
  });
});
