/** `.process`: memory is that of the process from then on. */

import { expect } from 'chai';
import type { Scenario } from '../../../test-dumps/build-dump.js';
import { sessionOf } from '../session.test.helper.js';

const MACHINES: Readonly<Record<string, Scenario>> = {
  x64: { seed: 4, kernel: '10.0.19041.804', kind: 'full', memory: { bytes: 64 * 2 ** 20 }, machineName: 'HOST-7' },
  x86: {
    seed: 6,
    kernel: '7601',
    architecture: 'x86',
    kind: 'full',
    memory: { bytes: 2 ** 28 },
    machineName: 'HOST-7',
  },
};

for (const [name, scenario] of Object.entries(MACHINES)) {
  describe(`.process on ${name}`, () => {
    it('has user memory read through the page tables of a process, and goes back', async () => {
      const kd = sessionOf(scenario);
      const listed = [
        ...(await kd.print('!process 0 0')).matchAll(/^PROCESS (\S+)\s+SessionId: \S+ +Cid: (\S+) +Peb: (\S+)/gm),
      ];
      const [, address = '', , peb = ''] = listed.find((one) => BigInt(`0x${one[3]!}`) !== 0n)!;
      const shown = address.replace(/^(.{8})(.{8})$/, '$1`$2');
      expect(await kd.print(`db ${peb} L1`)).to.match(/ \?\?/);
      expect(await kd.print('? $proc')).to.not.contain(shown);
      for (const line of ['.process', '.process /p', '.process /r /p', '.process /P']) {
        expect(await kd.print(`${line} ${address}`), line).to.equal(`Implicit process is now ${shown}\n`);
      }
      expect(await kd.print(`db ${peb} L1`)).to.match(/ {2}[0-9a-f]{2} /);
      expect(await kd.print('? $proc')).to.contain(shown);
      expect(await kd.print('.process')).to.equal(`Implicit process is now ${shown}\n`);
      expect(await kd.print('!process -1 0')).to.equal(await kd.print(`!process ${address} 0`));
      await kd.print('.process 0');
      expect(await kd.print(`db ${peb} L1`)).to.match(/ \?\?/);
    });

    it('says of what is no process that it is none', async () => {
      const kd = sessionOf(scenario);
      expect(await kd.print('.process nt')).to.match(
        /^Process \S+ is no process of the list whose page tables are in the dump\n$/,
      );
      expect(await kd.print('.process 1000')).to.match(/^Process \S+ is not in the dump\n$/);
      expect(await kd.print('.process /i 1000')).to.match(/^\.process \/i is not here/);
    });
  });
}
