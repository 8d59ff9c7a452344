import { expect } from 'chai';
import fc from 'fast-check';
import {
  counted,
  timesAsMany,
  debuggerAddress,
  duration,
  elapsed,
  exactInteger,
  humanBytes,
  humanPages,
  parseHex,
  percent,
  ratio,
  thousands,
  utc,
} from './format.js';

describe('numbers for people', () => {
  it('have thousands separators, exact at any size', () => {
    expect([0, 999, 1000, -1234567, '18446744073709551615', null].map(thousands)).to.deep.equal([
      '0',
      '999',
      '1,000',
      '-1,234,567',
      '18,446,744,073,709,551,615',
      'n/a',
    ]);
    fc.assert(
      fc.property(fc.bigInt(), (value) => {
        expect(BigInt(thousands(value).replaceAll(',', ''))).to.equal(value);
        expect(thousands(value)).to.match(/^-?\d{1,3}(,\d{3})*$/);
      }),
    );
  });

  it('have sizes in binary units', () => {
    expect(humanBytes(615424000)).to.equal('586.9 MB');
    expect([0, 1, 1023, 1024, 1048575, 1048576].map(humanBytes)).to.deep.equal([
      '0 bytes',
      '1 byte',
      '1023 bytes',
      '1.0 KB',
      '1.0 MB',
      '1.0 MB',
    ]);
    expect(humanBytes(-3600384)).to.equal('-3.4 MB');
    expect(humanBytes('18446744073709551615')).to.equal('16.0 EB');
    expect(humanBytes('99999999999999999999999')).to.match(/ EB$/);
    expect(humanBytes(null)).to.equal('n/a');
    expect(humanPages(155371)).to.equal('606.9 MB');
    expect(humanPages(null)).to.equal('n/a');
  });

  it('have shares that are never rounded to nothing', () => {
    expect([0, 0.0001, 0.0005, 0.967, 1, 18.93, null, NaN].map(percent)).to.deep.equal([
      '0.0 %',
      '<0.1 %',
      '0.1 %',
      '96.7 %',
      '100.0 %',
      '1893.0 %',
      'n/a',
      'n/a',
    ]);
    expect(ratio(1, 4)).to.equal(0.25);
    expect([ratio(null, 4), ratio(1, null), ratio(1, 0), ratio(1, -5)]).to.deep.equal([null, null, null, null]);
    expect(ratio('9223372036854775808', '18446744073709551616')).to.equal(0.5);
  });

  it('have one and many', () => {
    expect(counted(1, 'page')).to.equal('1 page');
    expect([1, 4, 0.25].map(timesAsMany)).to.deep.equal(['as many', '4 times as many', '0.25 times as many']);
    expect(counted('20590', 'page')).to.equal('20,590 pages');
    expect(counted(0, 'more place', 'more places')).to.equal('0 more places');
  });

  it('cut fractions off', () => {
    expect(exactInteger(1.9)).to.equal(1n);
    expect(exactInteger('-5')).to.equal(-5n);
  });
});

describe('times for people', () => {
  it('are durations', () => {
    expect([0, 59.9, 125, 3600, 86399, 86400, 864001.5].map(duration)).to.deep.equal([
      '0 s',
      '59 s',
      '2 min 5 s',
      '1 h 0 min',
      '23 h 59 min',
      '1 d 0 h 0 min',
      '10 d 0 h 0 min',
    ]);
    expect([null, -1, NaN, Infinity].map(duration)).to.deep.equal(['n/a', 'n/a', 'n/a', 'n/a']);
    expect([elapsed(412.4), elapsed(1250)]).to.deep.equal(['412 ms', '1.3 s']);
  });

  it('are UTC', () => {
    expect(utc('2026-11-19T22:10:05.123Z')).to.equal('2026-11-19 22:10:05 UTC');
    expect(utc('some day')).to.equal('some day');
    expect(utc(null)).to.equal('n/a');
  });
});

describe('addresses', () => {
  it('are printed as the debugger does', () => {
    expect(debuggerAddress(0xfffff880044b63aan, true)).to.equal('fffff880`044b63aa');
    expect(debuggerAddress(0x1000n, true)).to.equal('00000000`00001000');
    expect(debuggerAddress(0x1000n, false)).to.equal('00001000');
    expect(debuggerAddress(-1n, true)).to.equal('ffffffff`ffffffff');
  });

  it('are read only where they are hexadecimal', () => {
    expect(parseHex('0xFFFFF880044b63aa')).to.equal(0xfffff880044b63aan);
    for (const junk of [null, '', '0x', '12', '0x12345678901234567', '0xg', ' 0x1'])
      expect(parseHex(junk)).to.equal(null);
  });
});
