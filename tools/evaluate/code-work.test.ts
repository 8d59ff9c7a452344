/** When the count of work fails: told by figures, and for a few built dumps. */

import { expect } from 'chai';
import { MOST_TIMES, REST, stepsOf, workOf } from './code-work.js';

describe('the work of code following, evaluated', () => {
  it('is judged by the whole analysis of the worst seed against the usual one', () => {
    expect(workOf([300, 100, 200])).to.include({ usual: 200, most: 300, at: 0 });
    // Steps beside which the rest of an analysis is nothing count as they are.
    expect(workOf([1e9, 1e8, 1e7]).times).to.be.closeTo(10, 0.1);
    // A machine that follows next to nothing takes the rest all the same.
    expect(workOf([0, 0, REST]).times).to.equal(2);
    expect(workOf([0, 0, REST * MOST_TIMES]).times).to.be.above(MOST_TIMES);
    expect(workOf([0, 0, REST * (MOST_TIMES - 1)]).times).to.equal(MOST_TIMES);
  });

  it('is a function of the seed: a run can be told again', () => {
    const { steps } = stepsOf('pagedLeak', 1);
    expect(steps).to.be.above(0);
    expect(stepsOf('pagedLeak', 1).steps).to.equal(steps);
  });
});
