import { expect } from 'chai';
import fc from 'fast-check';
import { Operations } from '../../../parsers/code/operations.js';
import { machineOf, type Machine } from './machine.js';
import { Stretch } from './stretch.js';
import { CodeWork } from './work.js';

const MACHINES = [0x14c, 0x8664, 0xaa64].map((machine) => machineOf(machine)).filter((found) => found !== null);
const FIRST = 0x1000;

/** Code of one machine whose page after `present` bytes is missing. */
function codeOf(machine: Machine, all: Uint8Array, present: number) {
  const bytes = (rva: number, length: number): Uint8Array =>
    all.subarray(rva - FIRST, Math.min(present, rva - FIRST + length));
  return { machine, base: 0x400000, work: new CodeWork(), bytes };
}

const rows = (ops: Operations): number[][] =>
  Array.from({ length: ops.count }, (_, i) => [
    ...[ops.at[i], ops.length[i], ops.kind[i], ops.target[i], ops.source[i], ops.index[i], ops.size[i]],
    ...[ops.immediate[i], ops.value[i], ops.killed[i]],
  ]).map((row) => row.map(Number));

describe('code that is decoded as far as it is looked at', () => {
  it('is the same as if all were decoded at once, wherever it ends, and counts what it takes', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...MACHINES),
        fc.uint8Array({ minLength: 1, maxLength: 700 }),
        fc.nat(700),
        fc.integer({ min: 1, max: 300 }),
        (machine, all, cut, most) => {
          const present = Math.min(all.length, cut);
          const code = codeOf(machine, all, present);
          const whole = new Operations();
          machine.decoder.decode(code.bytes(FIRST, all.length), FIRST, code.base, whole, most);
          const ops = new Operations();
          const stretch = new Stretch(code, ops, FIRST, FIRST + all.length, most);
          let count = 0;
          while (stretch.has(count)) count++;
          expect(rows(ops)).to.deep.equal(rows(whole));
          expect(code.work.steps).to.equal(whole.count);
        },
      ),
    );
  });

  it('is not decoded before it is looked at', () => {
    for (const machine of MACHINES) {
      const code = codeOf(machine, new Uint8Array(4096), 4096);
      const stretch = new Stretch(code, new Operations(), FIRST, FIRST + 4096, 4000);
      expect(stretch.has(0)).to.equal(true);
      expect(code.work.steps).to.be.lessThan(100);
    }
  });
});
