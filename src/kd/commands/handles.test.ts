/** `!handle`: its flags, one handle, a process by id and by address. */

import { expect } from 'chai';
import { OBJECT_SCENARIOS } from '../../../test-dumps/objects/scenarios.js';
import { sessionOf, type TestSession } from '../session.test.helper.js';

const X86 = { architecture: 'x86', memory: { bytes: 2 ** 31 } } as const;
const SCENARIOS = {
  'Windows 10': { ...OBJECT_SCENARIOS.zombies(5), kernel: '10.0.19041.804' },
  'Windows 7': { ...OBJECT_SCENARIOS.zombies(6), kernel: '7601' },
  'Windows XP, 32-bit': { ...OBJECT_SCENARIOS.zombies(7), ...X86, kernel: '5.1.2600.5512' },
};

for (const [name, scenario] of Object.entries(SCENARIOS)) {
  describe(`!handle on ${name}`, () => {
    let kd: TestSession;
    let process: { address: string; pid: string };
    before(async () => {
      kd = sessionOf(scenario);
      const found = /^PROCESS (\S+)\s+SessionId: \S+ {2}Cid: (\S+)/m.exec(await kd.print('!process 0 0 explorer.exe'))!;
      process = { address: found[1]!, pid: found[2]! };
    });

    const rowsOf = (text: string): string[] => text.match(/^[0-9a-f]{4,}: .*$/gm) ?? [];
    const numberOf = (row: string): number => parseInt(row, 16);

    it('takes a process by its id and its address', async () => {
      const text = await kd.print(`!handle 0 3 ${process.pid}`);
      expect(text).to.contain(`PROCESS ${process.address}`).and.contain('Image: explorer.exe');
      expect(rowsOf(text)).to.have.length.above(3);
      expect(await kd.print(`!handle 0 3 ${process.address}`)).to.equal(text);
      expect(await kd.print(`!handle 0 3 0n${parseInt(process.pid, 16)}`)).to.equal(text);
      expect(await kd.print(`!handle 0 3 ${process.address}+8`)).to.equal('No such handle was found.\n');
    });

    it('shows objects with flag 2 alone', async () => {
      const bare = await kd.print(`!handle 0 1 ${process.pid}`);
      expect(bare).to.not.contain('ObjectHeader');
      const whole = await kd.print(`!handle 0 2 ${process.pid}`);
      expect(whole.match(/ObjectHeader: /g)).to.have.length(rowsOf(bare).length);
      expect(rowsOf(whole)).to.deep.equal(rowsOf(bare));
      expect(await kd.print(`!handle 0 0 ${process.pid}`)).to.equal(bare);
    });

    it('shows entries that are not in use with flag 4, each once and in order', async () => {
      const used = rowsOf(await kd.print(`!handle 0 1 ${process.pid}`));
      const all = rowsOf(await kd.print(`!handle 0 5 ${process.pid}`));
      const free = all.filter((row) =>
        /^\w+: free handle, Entry address [0-9a-f]+, Next Entry [0-9a-f]{8,}$/.test(row),
      );
      expect(all.filter((row) => !free.includes(row))).to.deep.equal(used);
      const numbers = all.map(numberOf);
      expect(numbers).to.deep.equal(numbers.map((_, i) => i * 4));
      const entries = free.map((row) => BigInt(`0x${/address ([0-9a-f]+)/.exec(row)![1]!}`));
      const size = kd.session.wide ? 16n : 8n;
      // Of one page, an entry stands where its number says.
      const offset = (row: string, at: bigint): bigint => (at - BigInt(numberOf(row) / 4) * size) & 0xfffn;
      expect(free.map((row, i) => offset(row, entries[i]!))).to.deep.equal(free.map(() => 0n));
      expect(free[0]).to.match(/^0000: /);
    });

    it('shows one handle, also one that is free', async () => {
      const all = rowsOf(await kd.print(`!handle 0 5 ${process.pid}`));
      for (const row of [all[1]!, all.find((one) => one.includes('Object: '))!, all.at(-1)!]) {
        const number = numberOf(row).toString(16);
        expect(rowsOf(await kd.print(`!handle ${number} 1 ${process.pid}`))).to.deep.equal([row]);
        expect(rowsOf(await kd.print(`!handle ${(numberOf(row) + 1).toString(16)} 1 ${process.pid}`))).to.deep.equal([
          row,
        ]);
      }
      expect(await kd.print(`!handle 3fffc 3 ${process.pid}`)).to.equal('No such handle was found.\n');
    });

    it("shows the kernel's table with flag 10", async () => {
      const text = await kd.print('!handle 0 13');
      expect(text)
        .to.match(/\nKernel handle table at /)
        .and.contain('Image: System');
      expect(text.match(/^PROCESS /gm)).to.have.length(1);
      expect(await kd.print('!handle 0 3 4')).to.equal(text);
    });

    it('says what it does not know', async () => {
      expect(await kd.print('!handle 0 20')).to.equal('of the flags of !handle there are 1, 2, 4 and 10: not 20\n');
      expect(await kd.print('!handle 0 8')).to.match(/^of the flags of !handle /);
      expect(await kd.print('!handle x')).to.match(/^of !handle there is /);
      expect(await kd.print('!handle 0 3 0 File x')).to.match(/^of !handle there is /);
      expect(await kd.print('!handle')).to.equal(await kd.print('!handle 0 3'));
    });
  });
}
