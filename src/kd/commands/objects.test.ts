import { expect } from 'chai';
import { OBJECT_SCENARIOS } from '../../../test-dumps/objects/scenarios.js';
import { sessionOf, type TestSession } from '../session.test.helper.js';

describe('!object', () => {
  let kd: TestSession;
  before(() => {
    kd = sessionOf(OBJECT_SCENARIOS.zombies(5));
  });

  const addressIn = (text: string): string => /^Object: (\S+) /.exec(text)?.[1] ?? '';

  it('shows a directory by its path, and its entries by their addresses', async () => {
    const device = await kd.print('!object \\Driver');
    const lines = device.split('\n');
    expect(lines[0]).to.match(/^Object: [0-9a-f]{16} {2}Type: \([0-9a-f]{16}\) Directory$/);
    expect(lines[1]).to.match(/^ {4}ObjectHeader: [0-9a-f]{16} \(new version\)$/);
    expect(lines[2]).to.match(/^ {4}HandleCount: \d+ {2}PointerCount: \d+$/);
    expect(lines[3]).to.match(/^ {4}Directory Object: [0-9a-f]{16} {2}Name: Driver$/);
    expect(lines.slice(4, 7)).to.deep.equal([
      '',
      '    Hash Address          Type          Name',
      '    ---- -------          ----          ----',
    ]);
    const row = lines.find((line) => line.endsWith(' volmgr'))!;
    expect(row).to.match(/^ {5}(?:\d\d| {2}) {2}[0-9a-f]{16} Driver {8}volmgr$/);
    const address = /[0-9a-f]{16}/.exec(row)![0];
    const driver = await kd.print(`!object ${address} 29`);
    expect(driver).to.match(
      new RegExp(
        `^Object: ${address}  Type: .* Driver\n.*\n.*\n    Directory Object: ${addressIn(device)}  Name: volmgr\n    Full Name: \\\\Driver\\\\volmgr\n$`,
      ),
    );
    expect(await kd.print('!object \\driver\\VOLMGR 29')).to.equal(driver);
    expect(await kd.print(`r $t1 = ${address} - 10; !object @$t1+10 29`)).to.equal(driver);
    expect(await kd.print(`!object ${address.slice(0, 8)}\`${address.slice(8)} 29`)).to.equal(driver);
  });

  it('shows as much as its flags say', async () => {
    expect((await kd.print('!object \\Device 0')).split('\n')).to.have.length(3);
    expect((await kd.print('!object \\Device 1')).split('\n')).to.have.length(5);
    expect(await kd.print('!object \\Device 10')).to.match(
      /^.*\n.*\nOptional Headers: \n(?: {4}\w+Info\([0-9a-f]{16}\)\n)+$/,
    );
    expect(await kd.print('!object \\Device 20')).to.match(/^.*\n.*\n {4}Full Name: \\Device\n$/);
    expect(await kd.print('!object \\Device 40')).to.equal(
      'of the flags of !object there are 0, 1, 8, 10 and 20: not 40\n',
    );
  });

  it('says of what is none that it is none', async () => {
    const device = addressIn(await kd.print('!object \\Device 0'));
    expect(await kd.print('!object \\Device\\NoSuch')).to.equal('Object \\Device\\NoSuch not found\n');
    const within = (BigInt(`0x${device}`) + 8n).toString(16);
    expect(await kd.print(`!object ${within}`)).to.equal(`${within}: Not a valid object (ObjectType invalid)\n`);
    expect(await kd.print('!object 1000')).to.match(/^0000000000001000: Not a valid object/);
    expect(await kd.print('!object')).to.match(/^!object wants an address or a path/);
  });

  it('of 32-bit systems', async () => {
    const x86 = sessionOf({ ...OBJECT_SCENARIOS.zombies(5), architecture: 'x86', kernel: '7601' } as never);
    const text = await x86.print('!object \\Driver');
    expect(text).to.match(/^Object: [0-9a-f]{8} {2}Type: \([0-9a-f]{8}\) Directory\n/);
    expect(text).to.contain('\n    Hash Address  Type          Name\n');
  });
});
