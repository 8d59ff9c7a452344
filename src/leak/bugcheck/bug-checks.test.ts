import { expect } from 'chai';
import fc from 'fast-check';
import { nameBugCheck, plainBugCheckCode, readBugCheck } from './bug-checks.js';
import type { BugCheckClass, BugCheckLookup } from './bug-checks.js';

const NAMES = new Map([
  [0xfffffa8003b2a5e0n, 'leaky.sys'],
  [0xfffffa8003b2a5f0n, '\\SystemRoot\\System32\\drivers\\leaky.sys'],
  [0xfffffa8003b2a600n, 'nobody.sys'],
]);

const lookup: BugCheckLookup = {
  readText: (address) => NAMES.get(address) ?? null,
  moduleAt: (address) => (address >= 0xfffff88004400000n && address < 0xfffff88004410000n ? 'myfault.sys' : null),
  moduleNamed: (name) => (name.endsWith('leaky.sys') ? 'leaky.sys' : null),
};

describe('bug check names', () => {
  it('names documented codes at every place of the table', () => {
    expect(nameBugCheck(0x1)).to.equal('APC_INDEX_MISMATCH');
    expect(nameBugCheck(0x19)).to.equal('BAD_POOL_HEADER');
    expect(nameBugCheck(0x4d)).to.equal('NO_PAGES_AVAILABLE');
    expect(nameBugCheck(0x9e)).to.equal('USER_MODE_HEALTH_MONITOR');
    expect(nameBugCheck(0xc4)).to.equal('DRIVER_VERIFIER_DETECTED_VIOLATION');
    expect(nameBugCheck(0xd8)).to.equal('DRIVER_USED_EXCESSIVE_PTES');
    expect(nameBugCheck(0xe2)).to.equal('MANUALLY_INITIATED_CRASH');
    expect(nameBugCheck(0x13a)).to.equal('KERNEL_MODE_HEAP_CORRUPTION');
    expect(nameBugCheck(0x161)).to.equal('LIVE_SYSTEM_DUMP');
    expect(nameBugCheck(0x1c8)).to.equal('MANUALLY_INITIATED_POWER_BUTTON_HOLD');
    expect(nameBugCheck(0xc000021a)).to.equal('WINLOGON_FATAL_ERROR');
  });

  it('drops 0x10000000, but not from codes that are documented with that bit', () => {
    expect(plainBugCheckCode(0x1000007e)).to.equal(0x7e);
    expect(nameBugCheck(0x1000007e)).to.equal('SYSTEM_THREAD_EXCEPTION_NOT_HANDLED');
    expect(nameBugCheck(0xdeaddead)).to.equal('MANUALLY_INITIATED_CRASH1');
    expect(nameBugCheck(0xdeaddead | 0)).to.equal('MANUALLY_INITIATED_CRASH1');
  });

  it('leaves unknown codes unnamed', () => {
    expect(nameBugCheck(0)).to.equal(null);
    expect(nameBugCheck(0x83)).to.equal(null);
    expect(nameBugCheck(0xabcdef)).to.equal(null);
  });
});

describe('bug checks as evidence', () => {
  const cases: [string, number, bigint[], BugCheckClass, string | null][] = [
    ['a keyboard crash', 0xe2, [], 'forced', null],
    ['an NMI', 0x80, [0x4f4454n], 'forced', null],
    ['a live dump', 0x161, [], 'forced', null],
    ['a held power button', 0x1c8, [], 'forced', null],
    ['NotMyFault at high IRQL', 0xd1, [0n, 2n, 0n, 0xfffff880044013aan], 'forced', null],
    ['the same code from elsewhere', 0xd1, [0n, 2n, 0n, 0xfffff80003000000n], 'other', null],
    ['a cluster watchdog', 0x9e, [], 'watchdog', null],
    ['pool left at unload', 0xc4, [0x62n, 0xfffffa8003b2a5e0n, 0n, 7n], 'verifier-driver', 'leaky.sys'],
    ['pool left at unload, name as a path', 0xc4, [0x62n, 0xfffffa8003b2a5f0n, 0n, 7n], 'verifier-driver', 'leaky.sys'],
    ['pool left, by a name that no module has', 0xc4, [0x62n, 0xfffffa8003b2a600n, 0n, 7n], 'verifier-driver', null],
    ['pool left, name not in the dump', 0xc4, [0x62n, 0x1234n, 0n, 7n], 'verifier-driver', null],
    ['another rule of Driver Verifier', 0xc4, [0x91n, 0xfffffa8003b2a5e0n, 0n, 0n], 'other', null],
    ['too many PTEs', 0xd8, [0xfffffa8003b2a5e0n, 900n, 5n, 1000n], 'verifier-driver', 'leaky.sys'],
    ['too many PTEs by nobody', 0xd8, [0n, 0n, 5n, 1000n], 'verifier-driver', null],
    ['a bad pool header', 0x19, [], 'pool-corruption', null],
    ['a bad pool call', 0xc2, [], 'pool-corruption', null],
    ['corrupt pool', 0xc5, [], 'pool-corruption', null],
    ['a corrupt heap', 0x13a, [], 'pool-corruption', null],
    ['no pages', 0x4d, [], 'exhaustion', null],
    ['no PTEs', 0x3f, [], 'exhaustion', null],
    ['a page not read for want of pool', 0x7a, [1n, 0xffffffffc000009an, 0n, 0n], 'exhaustion', null],
    ['a page not read from a bad disk', 0x7a, [1n, 0xffffffffc000009cn, 0n, 0n], 'other', null],
    ['a flagged code', 0x10000019, [], 'pool-corruption', null],
    ['an unknown code', 0xabcdef, [], 'other', null],
  ];
  for (const [title, code, parameters, kind, driver] of cases) {
    it(`reads ${title} as ${kind}`, () => {
      const reading = readBugCheck(code, parameters, lookup);
      expect(reading.class).to.equal(kind);
      expect(reading.driver).to.equal(driver);
    });
  }

  it('says how many allocations were left, and of what a PTE count is', () => {
    expect(readBugCheck(0xc4, [0x62n, 0xfffffa8003b2a5e0n, 0n, 7n], lookup).message).to.contain('7 allocations');
    expect(readBugCheck(0xc4, [0x62n, 0xfffffa8003b2a5e0n, 0n, 1n], lookup).message).to.contain(': 1 allocation was');
    const ptes = readBugCheck(0xd8, [0xfffffa8003b2a5e0n, 900n, 5n, 1000n], lookup);
    expect(ptes.message).to.contain('leaky.sys used 900 system PTEs').and.contain('5 of 1000');
    expect(ptes.resource).to.equal('system-ptes');
  });

  it('names only modules, whatever the header holds', () => {
    fc.assert(
      fc.property(fc.integer(), fc.array(fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n })), (code, parameters) => {
        const reading = readBugCheck(code, parameters, lookup);
        expect(reading.driver).to.be.oneOf([null, 'leaky.sys']);
        expect(reading.code).to.be.at.least(0);
        expect(reading.message).to.match(/^Bug check 0x[0-9A-F]+/);
      }),
    );
  });
});
