import { expect } from 'chai';
import { afterLoss, MANY_LOST } from './losses.js';
import type { QueuedDump } from './queued-dump.js';

const DUMP: QueuedDump = {
  ...{ place: { path: '/a.dmp', member: null }, sealed: null, fileId: 'f', expected: true, size: 1, mtimeMs: 1 },
  ...{ by: 'here', again: false, machineByFolder: false, deaths: [], lost: 0, unseen: null, ticket: 't' },
};
const HOUR = 3600 * 1000;

/** After losses that follow each other so fast: how each ended. */
function losses(count: number, everyMs: number, from = 0): string[] {
  let dump = DUMP;
  return Array.from({ length: count }, (_, i) => {
    const next = afterLoss(dump, from + i * everyMs);
    ({ dump } = next);
    return next.then.kind === 'again' ? String(next.then.seconds) : next.then.kind;
  });
}

describe('a dump whose workers are lost', () => {
  it('is read again at once for the first times, then with pauses', () => {
    const ends = losses(300, 1000);
    expect(ends.slice(0, MANY_LOST - 1)).to.deep.equal(Array.from({ length: MANY_LOST - 1 }, () => '0'));
    expect(new Set(ends.slice(MANY_LOST - 1))).to.deep.equal(new Set(['60']));
  });

  it('is left alone when that goes on for an hour, whatever the time was when it began', () => {
    for (const from of [0, 1e12]) {
      const ends = losses(70, 60_000, from);
      expect(ends.indexOf('left-alone')).to.equal(60);
      expect(new Set(ends.slice(60))).to.deep.equal(new Set(['left-alone']));
    }
  });

  it('is not left alone for a few losses over a long time', () => {
    expect(losses(MANY_LOST - 1, HOUR)).to.not.include('left-alone');
    expect(losses(MANY_LOST, HOUR).at(-1)).to.equal('left-alone');
  });
});
