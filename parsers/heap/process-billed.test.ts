import { expect } from 'chai';
import { encodeBilled } from '../../test-dumps/pool-blocks/headers.js';
import { Prng } from '../../test-dumps/prng.js';
import { heapAddress, toVirtual } from './memory.js';
import { billedProcess, voteCookie, type BilledBlock } from './process-billed.js';

const word = (value: bigint): number => Number(BigInt.asUintN(32, value));

function billed(prng: Prng, processes: readonly bigint[], cookie: bigint, count: number): BilledBlock[] {
  return Array.from({ length: count }, () => {
    const header = 0xffff_9c8a_0000_0000n + BigInt(prng.u32() & ~15);
    const stored = encodeBilled(prng.pick(processes), header, cookie);
    return { header: heapAddress(header, 8), low: word(stored), high: word(stored >> 32n) };
  });
}

describe('process billed', () => {
  const cookie = 0x8f31_77aa_0455_c0dfn;
  // As pools give them out: close together, at even distances.
  const processes = Array.from({ length: 60 }, (_, i) => 0xffff_9c8b_4000_0080n + BigInt(i) * 0xb80n);
  const known = processes.map((process) => heapAddress(process, 8));

  it('finds the cookie by which blocks name processes', () => {
    for (let seed = 1; seed <= 10; seed++) {
      const prng = new Prng(seed);
      const blocks = billed(prng, processes, cookie, 400);
      const vote = voteCookie(blocks, known);
      expect(vote?.cookie).to.deep.equal({ low: word(cookie), high: word(cookie >> 32n) });
      for (const block of blocks) {
        const process = toVirtual(billedProcess(block.low, block.high, block.header, vote!.cookie));
        expect(processes).to.include(process);
      }
    }
  });

  it('takes plain pointers for what they are', () => {
    const blocks = billed(new Prng(3), processes, 0n, 50);
    const vote = voteCookie(blocks, known);
    expect(vote?.cookie).to.deep.equal({ low: 0, high: 0 });
    const [first] = blocks;
    expect(processes).to.include(toVirtual(billedProcess(first!.low, first!.high, first!.header, vote!.cookie)));
    expect(billedProcess(0, 0, first!.header, { low: 1, high: 1 })).to.equal(0);
  });

  it('finds none where one process was billed, or none is known', () => {
    const prng = new Prng(4);
    expect(voteCookie(billed(prng, processes.slice(0, 1), cookie, 100), known)).to.equal(null);
    expect(voteCookie(billed(prng, processes, cookie, 100), [])).to.equal(null);
    expect(voteCookie(billed(prng, processes, cookie, 100), [heapAddress(0xffff_8000_1234_0080n, 8)])).to.equal(null);
    expect(voteCookie([], known)).to.equal(null);
  });
});
