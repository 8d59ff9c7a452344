import { expect } from 'chai';
import { FULL } from '../report/golden/samples.js';
import { moduleOfDriver } from './joins.js';

const [myfault, other] = FULL.modules!;
const driver = FULL.suspects[0]!.drivers[0]!;

describe('joins of a result', () => {
  it('take a driver by the base of its image, whatever it is called', () => {
    const twin = { ...other!, name: myfault!.name };
    expect(moduleOfDriver({ ...driver, base: twin.base }, [myfault!, twin])).to.equal(twin);
    expect(moduleOfDriver({ ...driver, base: '0x1' }, [myfault!, twin])).to.equal(null);
    expect(moduleOfDriver(driver, null)).to.equal(null);
  });

  it('take a driver of version 1 by where its evidence stands, else by its name', () => {
    const old = { ...driver, base: null };
    const twin = { ...other!, name: myfault!.name };
    expect(moduleOfDriver(old, [twin, myfault!])).to.equal(myfault);
    expect(moduleOfDriver({ ...old, evidence: [] }, [twin, myfault!])).to.equal(twin);
  });
});
