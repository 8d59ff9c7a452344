import { expect } from 'chai';
import { OBJECT_SCENARIOS } from '../../../test-dumps/objects/scenarios.js';
import { queueBusy } from '../../kernel/objects/io.js';
import { sessionOf, type TestSession } from '../session.test.helper.js';

describe('the queue of a device', () => {
  for (const [width, at, size, busy] of [
    [8, 0xa0, 0x28, 0x20],
    [4, 0x60, 0x14, 0x10],
  ] as const) {
    it(`is busy or not, or none, with pointers of ${width} bytes`, () => {
      const device = new Uint8Array(width === 8 ? 336 : 184);
      expect(queueBusy(device, width), 'never set up').to.equal(false);
      device[at + busy] = 1;
      expect(queueBusy(device, width), 'busy without a size').to.equal(null);
      device[at + 2] = size;
      expect(queueBusy(device, width)).to.equal(true);
      device[at + busy] = 0;
      expect(queueBusy(device, width)).to.equal(false);
      device[at + busy] = 2;
      expect(queueBusy(device, width), 'no state of a queue').to.equal(null);
      device[at + 2] = size + 1;
      expect(queueBusy(device, width), 'no size of a queue').to.equal(null);
      expect(queueBusy(device.subarray(0, at), width)).to.equal(null);
    });
  }
});

describe('!drvobj and !devobj', () => {
  let kd: TestSession;
  before(() => {
    kd = sessionOf(OBJECT_SCENARIOS.zombies(5));
  });

  it('show a driver by its name, its path and its address', async () => {
    const text = await kd.print('!drvobj volmgr');
    const address = /^Driver object \(([0-9a-f]{16})\) is for:\n \\Driver\\volmgr\n/.exec(text)![1]!;
    expect(text).to.match(
      /\nDriver Extension List: \(id , addr\)\n\nDevice Object list:\n[0-9a-f]{16}(?: {2}[0-9a-f]{16})*\n\n$/,
    );
    for (const how of ['\\driver\\VOLMGR', address, `0x${address} 1`])
      expect(await kd.print(`!drvobj ${how}`)).to.equal(text);
  });

  it('show the routines of a driver by module', async () => {
    const text = await kd.print('!drvobj AFD 2');
    const start = kd.session.symbols.named('afd')!.base;
    const shown = (offset: bigint): string => (start + offset).toString(16);
    expect(text).to.contain(`\nDriverEntry:   ${shown(0x1010n)}\tafd`);
    expect(text).to.contain('\nDriverStartIo: 00000000\n');
    expect(text).to.contain(`\nDriverUnload:  ${shown(0x1100n)}\tafd`);
    expect(text).to.contain(`\nAddDevice:     ${shown(0x1180n)}\tafd`);
    expect(text).to.contain(`\n[00] IRP_MJ_CREATE                      ${shown(0x1200n)}\tafd`);
    expect(text).to.contain(`\n[1b] IRP_MJ_PNP                         ${shown(0x1200n + 27n * 0x20n)}\tafd`);
    expect(await kd.print('!drvobj AFD 7'))
      .to.contain(`Device Object list:`)
      .and.contain('Fast I/O routines: this');
  });

  it('show a device and its driver', async () => {
    const text = await kd.print('!devobj \\Device\\Afd');
    expect(text).to.match(
      /^Device object \([0-9a-f]{16}\) is for:\n Afd \\Driver\\AFD DriverObject [0-9a-f]{16}\nCurrent Irp 00000000 RefCount 1 Type 00000022 Flags 00000000\nDevExt 00000000 \nDevice queue is not busy\.\n$/,
    );
    const address = /\(([0-9a-f]+)\)/.exec(text)![1]!;
    expect(await kd.print(`!devobj ${address}`)).to.equal(text);
    expect(await kd.print('!drvobj afd')).to.contain(`\n${address}`);
  });

  it('say of what is none that it is none', async () => {
    expect(await kd.print('!drvobj nosuch')).to.equal('Driver object nosuch not found\n');
    expect(await kd.end('!drvobj nosuch')).to.deep.include({ failed: 'input' });
    expect(await kd.print('!drvobj nt')).to.match(/^[0-9a-f]{16}: is not a driver object\n$/);
    expect(await kd.print('!devobj nt')).to.match(/^[0-9a-f]{16}: is not a device object\n$/);
    expect(await kd.print('!devobj \\Device\\None')).to.equal('\\Device\\None: is not a device object\n');
    expect(await kd.print('!drvobj afd 8')).to.equal('of the flags of !drvobj there are 1, 2 and 4: not 8\n');
  });

  for (const [kernel, digits] of [
    ['5.1.2600.5512', 8],
    ['6.1.7601.17514', 8],
  ] as const) {
    it(`on 32-bit ${kernel}`, async () => {
      const x86 = sessionOf({
        ...OBJECT_SCENARIOS.zombies(5),
        architecture: 'x86',
        kernel,
        memory: { bytes: 2 ** 31 },
      });
      const text = await x86.print('!drvobj AFD 3');
      expect(text).to.match(new RegExp(`^Driver object \\([0-9a-f]{${digits}}\\) is for:\n \\\\Driver\\\\AFD\n`));
      expect(text).to.match(/\n\[1b\] IRP_MJ_PNP {25}[0-9a-f]{8}\tafd/);
      expect(await x86.print('!devobj \\Device\\Afd')).to.contain(' Afd \\Driver\\AFD DriverObject ');
    });
  }
});
