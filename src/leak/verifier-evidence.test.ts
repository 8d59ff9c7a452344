/** What Driver Verifier's allocations say of drivers: how many of the tag's, and made where. */

import { expect } from 'chai';
import type { VerifierState } from '../kernel/state.js';
import { keyOf, modulesOf } from './scenario.test.helper.js';
import { verifierTraces } from './verifier-evidence.js';

const MODULES = modulesOf('ntoskrnl.exe', 'First.sys', 'second.sys');
const KEY = keyOf('Leak');
type Row = NonNullable<VerifierState['outstanding']>[number];

const row = (more: Partial<Row> = {}): Row => ({
  ...{ driver: 'first.SYS', tag: KEY, allocations: 50, bytes: 2 ** 20, callers: [] },
  ...more,
});
const traces = (rows: Row[], outstanding = 100): ReturnType<typeof verifierTraces> =>
  verifierTraces({ level: 8, drivers: [], specialPoolTag: null, outstanding: rows }, KEY, outstanding, MODULES);

describe('what Driver Verifier tracks', () => {
  it('is high from half of the allocations of the tag on, medium from a tenth, else low', () => {
    const strength = (allocations: number, outstanding = 100): string | undefined =>
      traces([row({ allocations })], outstanding)[0]?.strength;
    expect([50, 49, 10, 9].map((count) => strength(count))).to.deep.equal(['high', 'medium', 'medium', 'low']);
    expect(strength(1, 0), 'more than the tables know of').to.equal('high');
  });

  it('is of the tag, of modules on the list, by names in any case, each with its own', () => {
    expect(traces([row({ tag: KEY + 1 }), row({ driver: 'absent.sys' })])).to.deep.equal([]);
    expect(traces([row(), row({ driver: 'second.sys', allocations: 20 })]).map(({ module }) => module)).to.deep.equal([1, 2]);
    expect(verifierTraces(null, KEY, 1, MODULES)).to.deep.equal([]);
  });

  it('tells the two first places that allocate, in a module or not', () => {
    const at = (place: bigint, count: number) => ({ address: place, count });
    const base = BigInt(MODULES[1]!.base);
    const end = BigInt(MODULES[2]!.end);
    const callers = [at(base, 30), at(end, 20), at(base + 1n, 10)] as unknown as Row['callers'];
    expect(traces([row({ callers })])[0]?.note).to.equal(
      `Driver Verifier tracks 50 of 100 outstanding allocations under this tag (1.0 MB) for first.SYS, made at First+0x0 (30 times), 0x${end.toString(16)} (20 times)`,
    );
  });
}); // prettier-ignore
