import { expect } from 'chai';
import { nearest } from './nearest.js';

const KNOWN = ['json', 'csv', 'top', 'pool', 'pooltag', 'fail-on-leak', 'o', 'output'];

describe('nearest', () => {
  it('forgives a few letters', () => {
    const meant = {
      jsno: 'json',
      jsn: 'json',
      JSON: 'json',
      pooltags: 'pooltag',
      'fail-on-leek': 'fail-on-leak',
      ouput: 'output',
    };
    for (const [typed, name] of Object.entries(meant)) expect(nearest(typed, KNOWN), typed).to.equal(name);
  });

  it('takes the nearest', () => {
    expect(nearest('pool', KNOWN)).to.equal('pool');
    expect(nearest('poolta', KNOWN)).to.equal('pooltag');
  });

  it('does not guess wildly', () => {
    for (const typed of ['', 'x', 'on', 'verbose', 'tip-of-the-day'])
      expect(nearest(typed, KNOWN), typed).to.equal(null);
  });
});
