import { expect } from 'chai';
import { dumpEntry } from '../inputs/entries.test.helper.js';
import type { DriverFact } from '../inputs/entries.js';
import { noteOf } from './summary.js';

describe('batch: summary of a dump', () => {
  /** The version that is told of the named driver, whose base is as given. */
  function version(base: string | null | undefined, drivers: DriverFact[]): string | null | undefined {
    const entry = dumpEntry('a.dmp', { driver: 'acme.sys' });
    const [named] = entry.result.suspects[0]!.drivers;
    if (base !== undefined) Object.assign(named!, { base });
    return noteOf({ ...entry, drivers }).summary.suspects[0]?.version;
  }
  const fact = (base: string | undefined, of: string): DriverFact => ({
    ...{ name: 'acme.sys', version: of, company: null, timeDateStamp: null },
    ...(base === undefined ? {} : { base }),
  });

  it('has the facts of the image with the base of the driver, not of another that is called so', () => {
    const drivers = [fact('0x1000', '1.0'), fact('0x2000', '2.0')];
    expect(version('0x2000', drivers)).to.equal('2.0');
    expect(version('0x3000', drivers)).to.equal(null);
    expect(version(null, drivers)).to.equal(null);
  });

  it('has those of its name where an earlier version told no base', () => {
    expect(version('0x2000', [fact(undefined, '1.0')])).to.equal('1.0');
    expect(version(undefined, [fact('0x1000', '1.0')])).to.equal('1.0');
  });
});
