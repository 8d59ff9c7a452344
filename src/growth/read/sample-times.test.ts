import { expect } from 'chai';
import { parseStamp } from '../../../parsers/text/time-stamp.js';
import { hasNumber, naturalOrder, timeInName } from './file-names.js';
import { assignTimes, type TimedFile } from './sample-times.js';

const T = Date.UTC(2026, 10, 20, 12);
const MINUTE = 60_000;

function file(name: string, fileTime: number, ...samples: (string | number | null)[]): TimedFile {
  return {
    name,
    fileTime,
    samples: (samples.length > 0 ? samples : [null]).map((sample) => {
      return typeof sample === 'number'
        ? { time: sample, stamp: null }
        : { time: null, stamp: sample === null ? null : parseStamp(sample) };
    }),
  };
}

const isoTimes = (files: TimedFile[], options = {}): (string | null)[] =>
  assignTimes(files, options)
    .times.flat()
    .map((time) => (time === null ? null : new Date(time).toISOString().slice(0, 19)));
const codes = (files: TimedFile[]): string[] => assignTimes(files, {}).warnings.map(({ code }) => code);

describe('file names', () => {
  it('are in natural order', () => {
    const names = ['log-10', 'log-2', 'Log-1', 'log-1b', 'log-010', 'a', 'log'];
    expect([...names].sort(naturalOrder)).to.deep.equal(['a', 'log', 'Log-1', 'log-1b', 'log-2', 'log-010', 'log-10']);
    expect(naturalOrder(`log-${'9'.repeat(40)}`, `log-1${'0'.repeat(40)}`)).to.be.below(0);
  });

  it('tell dates and times', () => {
    const iso = (name: string): string | null => {
      const found = timeInName(name);
      return found === null ? null : new Date(found.time).toISOString().slice(0, 19) + (found.utc ? 'Z' : '');
    };
    expect(iso('poolsnap-20261120-1405.log')).to.equal('2026-11-20T14:05:00');
    expect(iso('poolmon-SRV2019-20261120T140512Z.log')).to.equal('2026-11-20T14:05:12Z');
    expect(iso('pool 2026-11-20 14.05.12.txt')).to.equal('2026-11-20T14:05:12');
    expect(iso('20190101-SRV_2026_11_20_14_05.txt')).to.equal('2026-11-20T14:05:00');
    expect(iso('2026-11-20.log')).to.equal('2026-11-20T00:00:00');
    expect(iso('snap-1763647512.log')).to.equal('2025-11-20T14:05:12Z');
    for (const name of ['log-1', 'poolsnap-20261340.log', 'log-123456789012', ''])
      expect(iso(name), name).to.equal(null);
    expect(hasNumber('log-2.log')).to.equal(true);
    expect(hasNumber('before.mp3')).to.equal(false);
  });
});

describe('times of samples', () => {
  it('are what samples tell themselves, else stamps of scripts', () => {
    const files = [file('a', 0, T), file('b', 0, '2026-11-20 13:00:00', '2026-11-20 13:15:00')];
    expect(isoTimes(files)).to.deep.equal(['2026-11-20T12:00:00', '2026-11-20T13:00:00', '2026-11-20T13:15:00']);
    expect(isoTimes(files, { utcOffsetMinutes: 60 })).to.deep.equal([
      '2026-11-20T12:00:00',
      '2026-11-20T12:00:00',
      '2026-11-20T12:15:00',
    ]);
  });

  it('move on when the clock is set back inside a file', () => {
    const files = [file('a', 0, '2026-10-25 02:30', '2026-10-25 02:45', '2026-10-25 02:00', '2026-10-25 02:15')];
    expect(isoTimes(files).map((time) => time?.slice(11, 16))).to.deep.equal(['02:30', '02:45', '03:00', '03:15']);
    expect(codes(files)).to.deep.equal(['clock-set-back']);
  });

  it('of snapshots without a stamp lie between the others', () => {
    const files = [file('a', 0, null, '2026-11-20 12:00', null, '2026-11-20 13:00', null)];
    expect(isoTimes(files).map((time) => time?.slice(11, 16))).to.deep.equal([
      '11:30',
      '12:00',
      '12:30',
      '13:00',
      '13:30',
    ]);
    expect(codes(files)).to.deep.equal(['stamps-missing']);
  });

  it('come from dates in the names', () => {
    const files = [file('p-20261120-1200.log', 5), file('p-20261120-1215.log', 4)];
    expect(isoTimes(files)).to.deep.equal(['2026-11-20T12:00:00', '2026-11-20T12:15:00']);
    expect(isoTimes(files, { utcOffsetMinutes: -60 })).to.deep.equal(['2026-11-20T13:00:00', '2026-11-20T13:15:00']);
  });

  it('come from the names that have a date, whatever the others have', () => {
    const files = [file('log-1', T), file('p-20261120-1000.log', 5), file('log-2', T)];
    expect(isoTimes(files, { intervalMs: 15 * MINUTE })).to.deep.equal([
      '2026-11-20T11:45:00',
      '2026-11-20T10:00:00',
      '2026-11-20T12:00:00',
    ]);
    const twice = [file('p-20261120-a.log', T), file('p-20261120-b.log', T + 15 * MINUTE)];
    expect(isoTimes(twice)).to.deep.equal(['2026-11-20T12:00:00', '2026-11-20T12:15:00']);
  });

  it('come from file times where these follow the numbers', () => {
    const files = [file('log-1', T), file('log-2', T + 15 * MINUTE), file('log-10', T + 30 * MINUTE)];
    expect(isoTimes(files)).to.deep.equal(['2026-11-20T12:00:00', '2026-11-20T12:15:00', '2026-11-20T12:30:00']);
    expect(codes(files)).to.deep.equal(['file-times']);
    const unnumbered = [file('after', T + 15 * MINUTE), file('before', T)];
    expect(isoTimes(unnumbered)).to.deep.equal(['2026-11-20T12:15:00', '2026-11-20T12:00:00']);
  });

  it('are not known where file times contradict the numbers, or are those of a copy', () => {
    const contradiction = [file('log-1', T + 15 * MINUTE), file('log-2', T)];
    const copies = [file('log-1', T), file('log-2', T + 20), file('log-3', T + 45)];
    for (const files of [contradiction, copies]) {
      expect(isoTimes(files).every((time) => time === null)).to.equal(true);
      expect(codes(files)).to.deep.equal(['no-times']);
    }
  });

  it('come from an interval that is given, ending with the newest file', () => {
    const copies = [file('log-1', T), file('log-2', T), file('log-10', T)];
    expect(isoTimes(copies, { intervalMs: 15 * MINUTE })).to.deep.equal([
      '2026-11-20T11:30:00',
      '2026-11-20T11:45:00',
      '2026-11-20T12:00:00',
    ]);
    const one = [file('screen.txt', T, null, null, null)];
    expect(isoTimes(one, { intervalMs: 5000 }).map((time) => time?.slice(11))).to.deep.equal([
      '11:59:50',
      '11:59:55',
      '12:00:00',
    ]);
    expect(codes(one)).to.deep.equal(['no-times']);
  });
});
