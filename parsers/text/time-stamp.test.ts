import { expect } from 'chai';
import fc from 'fast-check';
import { parseStamp, parseTimeOfDay, resolveStamps, type Stamp } from './time-stamp.js';

const times = (lines: readonly string[], offset = 0): string[] =>
  resolveStamps(
    lines.map((line) => parseStamp(line)).filter((stamp): stamp is Stamp => stamp !== null),
    offset,
  ).map((time) => new Date(time).toISOString());

describe('time stamps in logs', () => {
  it('reads what consoles of many countries print', () => {
    const same = [
      '2026-11-20 14:05:12.34',
      '2026-11-20T14:05:12,340',
      'Fri 11/20/2026 14:05:12.34',
      '20.11.2026 14:05:12,34',
      '20/11/2026 14:05:12.34',
      '20-11-2026  14:05:12.34',
      '20 Nov 2026 14:05:12.34',
      'Friday, November 20, 2026 2:05:12.34 PM',
      'Snapshot taken: 2026/11/20 14:05:12.34 on SERVER01',
      '20260-1 2026-11-20 14:05:12.34',
    ];
    for (const line of same) expect(times([line]), line).to.deep.equal(['2026-11-20T14:05:12.340Z']);
  });

  it('uses the zone that is written, else the one that is given', () => {
    expect(times(['2026-11-20T14:05:12Z'], 120)).to.deep.equal(['2026-11-20T14:05:12.000Z']);
    expect(times(['2026-11-20T14:05:12 +01:00'], 120)).to.deep.equal(['2026-11-20T13:05:12.000Z']);
    expect(times(['2026-11-20 14:05:12'], 120)).to.deep.equal(['2026-11-20T12:05:12.000Z']);
  });

  it('tells month and day apart by all stamps together', () => {
    // By the name of the day.
    expect(times(['Wed 03/04/2026 10:00:00'])).to.deep.equal(['2026-03-04T10:00:00.000Z']);
    expect(times(['Fri 03/04/2026 10:00:00'])).to.deep.equal(['2026-04-03T10:00:00.000Z']);
    // By what runs forwards.
    expect(times(['01/31/2026 10:00', '02/01/2026 10:00'])).to.deep.equal([
      '2026-01-31T10:00:00.000Z',
      '2026-02-01T10:00:00.000Z',
    ]);
    // By the shorter steps: an hour between them, not a month.
    expect(times(['03/04/2026 23:00', '03/05/2026 00:00'])).to.deep.equal([
      '2026-03-04T23:00:00.000Z',
      '2026-03-05T00:00:00.000Z',
    ]);
    // Nothing tells: day first, as the collection scripts of Microsoft's support write it.
    expect(times(['03/04/2026 10:00'])).to.deep.equal(['2026-04-03T10:00:00.000Z']);
  });

  it('takes no date that cannot exist, and no other numbers', () => {
    for (const line of ['31.02.2026 10:00', '2026-13-01', '00/00/2026', ' Memory:  260620K Avail:', '1234567890', '']) {
      expect(parseStamp(line), line).to.equal(null);
    }
    expect(parseStamp('x'.repeat(300) + '2026-11-20')).to.equal(null);
  });

  it('reads a time of day alone', () => {
    expect(parseTimeOfDay('14:05')).to.equal((14 * 60 + 5) * 60_000);
    expect(parseTimeOfDay('02:05 PM')).to.equal((14 * 60 + 5) * 60_000);
    expect(parseTimeOfDay('12:00:00 AM')).to.equal(0);
    for (const line of ['25:00', '13:00 PM', '12:60', 'no time']) expect(parseTimeOfDay(line), line).to.equal(null);
  });

  it('never throws, and gives times that are numbers', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...Array.from('0123456789/.:- TZAPMamp+,jJan')), maxLength: 60 }),
        (line) => {
          const stamp = parseStamp(line);
          if (stamp !== null) expect(resolveStamps([stamp])[0]).to.satisfy(Number.isFinite);
        },
      ),
    );
  });
});
