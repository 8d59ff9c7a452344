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

  it('!process with flags: what a process was charged for, its threads, one line where there is no stack', async () => {
    const all = await kd.print('!process 0 0');
    const pid = /Cid: ([0-9a-f]{4}) [^]*?Image: explorer\.exe/.exec(
      all.slice(all.lastIndexOf('PROCESS', all.indexOf('explorer.exe'))),
    )![1]!;
    const address = new RegExp(`PROCESS ([0-9a-f]{16})\\n.*Cid: ${pid} `).exec(all)![1]!;
    const block = (await kd.print(`!process ${pid} 0`)).split('\n');
    expect(block[0]).to.equal(`Searching for Process with Cid == ${pid.replace(/^0+/, '')}`);
    expect(block[1]).to.equal(`PROCESS ${address}`);
    expect(await kd.print(`!process ${address} 0`)).to.equal(block.slice(1).join('\n'));
    const one = await kd.print(`!process ${address} 1`);
    expect(one).to.match(
      /\n {4}Image: explorer\.exe\n {4}Token {29}[0-9a-f]{16}\n {4}ElapsedTime {23}(?:\d+ Days? )?\d\d:\d\d:\d\d\.\d{3}\n {4}QuotaPoolUsage\[PagedPool\] {9}\S+\n {4}QuotaPoolUsage\[NonPagedPool\] {6}\S+\n {4}CommitCharge {22}\S+\n\n/,
    );
    const two = await kd.print(`!process ${address} 2`);
    expect(two).to.match(
      new RegExp(
        `\\n {8}THREAD [0-9a-f]{16} {2}Cid ${pid}\\.[0-9a-f]{4} {2}Teb: \\S+ Win32Thread: n/a (?:WAIT: \\(\\w+\\)|TERMINATED)\\n {8}Owning Process {12}${address} {7}Image: {9}explorer\\.exe\\n`,
      ),
    );
    expect(two).to.not.contain('Token');
    expect(await kd.print(`!process ${address}`))
      .to.contain('Token')
      .and.contain('THREAD');
    expect(await kd.print(`!process ${address} 7`)).to.match(
      /\n {8}Where its stack stands makes no sense: \S+ of \S+\n/,
    );
    expect(await kd.print('!process 0 1 explorer.exe')).to.match(/^PROCESS [^]*\n {4}Token /);
    expect(await kd.print('!process 0 2')).to.match(/^\*{4} NT ACTIVE PROCESS DUMP \*{4}\n[^]*\n {8}THREAD /);
    expect(await kd.print('!process 0 40')).to.match(
      /^of the flags of !process there are 1, 2, 4, 8 and 10: not 40\n$/,
    );
    expect(await kd.print('!process')).to.match(
      /^The thread of processor 0 is not|^Which processor crashed is not known: name one/,
    );
    expect(await kd.print('!process 0')).to.match(/^!process wants /);
    expect(await kd.print('!process 7ffffff0')).to.equal('No process has the Cid 7ffffff0\n');
    expect(await kd.print('!process ffffe0007e6a7780')).to.equal(
      'TYPE mismatch for process object at ffffe0007e6a7780\n',
    );
  });

  it('!thread, !zombies and !objtypes', async () => {
    const listed = await kd.print('!process 0 2');
    const [, line, address] = /\n {8}(THREAD ([0-9a-f]{16}) {2}.*)\n/.exec(listed)!;
    expect(await kd.print(`!thread ${address!} 0`)).to.equal(`${line!}\n`);
    expect(await kd.print(`!thread ${address!}`)).to.match(
      /^THREAD .*\nOwning Process {12}[0-9a-f]{16} {7}Image: {9}\S+\n[^]*\nWhere its stack stands makes no sense: \S+ of \S+\n$/,
    );
    expect(await kd.print('!thread ffffe0007e6a7780')).to.equal('ffffe0007e6a7780 is not a thread\n');
    expect(await kd.print('!thread')).to.match(/^Which processor crashed is not known: name one/);
    expect(await kd.print(`!thread ${address!} 40`)).to.match(
      /^of the flags of !thread there are 0, 2, 4, 8 and 10: not 40\n$/,
    );
    expect(await kd.print('!zombies')).to.match(/ended ones are still there\n/);
    expect(await kd.print('!zombies x')).to.equal('!zombies takes no words\n');
    expect(await kd.print('!objtypes')).to.match(/^ *Objects {2} *Handles/);
    expect(await kd.print('!objtypes Process')).to.match(/of the type Process/);
  });
});
