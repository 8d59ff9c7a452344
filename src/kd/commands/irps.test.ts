import { expect } from 'chai';
import { existsSync, readFileSync } from 'node:fs';
import { virtual } from '../../../parsers/addresses.js';
import { buildDump, type Scenario } from '../../../test-dumps/build-dump.js';
import { OBJECT_SCENARIOS } from '../../../test-dumps/objects/scenarios.js';
import { canonical } from '../../../test-dumps/bytes.js';
import { openBuilt } from '../../analysis/whole-dumps/truth.test.helper.js';
import type { Irp, IrpLocation } from '../../kernel/objects/irp.js';
import { sessionOf, sessionOver, type TestSession } from '../session.test.helper.js';
import { driverNames, irpLines } from './irps.js';

const TRANSCRIPTS = new URL('../../../../../shared/corpus/transcripts/', import.meta.url);

const EMPTY: IrpLocation = {
  ...{ address: virtual(0n), major: 0, minor: 0, flags: 0, control: 0, parameters: [0n, 0n, 0n, 0n] },
  ...{ device: 0n, file: 0n, completion: 0n, context: 0n },
};
const NONE = { mdl: 0n, system: 0n, isAssociated: false, thread: 0n, pendingReturned: false };

const names = (drivers: Readonly<Record<string, string>>, routines: Readonly<Record<string, string>> = {}) => ({
  driver: (device: bigint): string => drivers[device.toString(16)] ?? '?',
  routine: async (address: bigint) => Promise.resolve(routines[address.toString(16)] ?? null),
});

/** Lines of a published output; the tab before a name reached it as blanks. */
function published(name: string): string[] | null {
  const file = new URL(`${name}.txt`, TRANSCRIPTS);
  return existsSync(file) ? plain(readFileSync(file, 'utf8').split(/\r?\n/).slice(1)) : null;
}
const plain = (lines: readonly string[]): string[] =>
  lines.map((line) => line.trim().replace(/\s+/g, ' ')).filter((line) => line !== '');

describe('!irp', () => {
  it('prints what the debugger printed of the same packet of Windows 8 (skipped where it is missing)', async function () {
    const expected = published('irp--win8-x64');
    if (expected === null) this.skip();
    const power = {
      ...{ ...EMPTY, major: 0x16, minor: 2, control: 0xe1, device: 0xfffffa800783f060n },
      parameters: [0x16600n, 1n, 4n, 6n],
    };
    const irp: Irp = {
      ...{ ...NONE, address: virtual(0xfffffa800ab61bd0n), current: 6, stack: 7 },
      locations: [...Array.from({ length: 5 }, () => EMPTY), power, { ...EMPTY, context: 0xfffffa800ad00170n }],
    };
    const lines = await irpLines(irp, 8, names({ fffffa800783f060: '\\Driver\\HidUsb' }));
    expect(plain(lines)).to.deep.equal(expected);
    expect(lines[23]).to.equal(`>[IRP_MJ_POWER(16), IRP_MN_SET_POWER(2)]`);
    expect(lines[24]).to.equal(`${' '.repeat(12)}0 e1 fffffa800783f060 00000000 00000000-00000000    pending`);
  });

  it('prints what the debugger printed of a packet of 32-bit Windows 7 (skipped where it is missing)', async function () {
    const expected = published('irp--win7-x86-names');
    if (expected === null) this.skip();
    const control = { ...EMPTY, major: 0xd, flags: 1, file: 0xac598d40n, parameters: [0n, 0n, 0x110008n, 0n] };
    const first = {
      ...{ ...control, control: 0xe1, device: 0x8a6434d8n, completion: 0x853220cbn, context: 0xa89682d8n },
    };
    const irp: Irp = {
      ...{ ...NONE, address: virtual(0xac598dc8n), current: 1, stack: 2, thread: 0x8d1c7bc0n },
      locations: [first, { ...control, device: 0x8a799710n }],
    };
    const text = await irpLines(
      irp,
      4,
      names(
        { '8a6434d8': '\\FileSystem\\Npfs', '8a799710': '\\FileSystem\\FltMgr' },
        { '853220cb': 'fltmgr!FltpPassThroughCompletion' },
      ),
    );
    // The publication lost the 0x of the first control code.
    expect(plain(text).map((line) => line.replace('0x00110008', '00110008'))).to.deep.equal(
      expected.map((line) => line.replace('0x00110008', '00110008')),
    );
  });

  it('tells a packet that is complete, its buffers, and what is not in the dump', async () => {
    const irp: Irp = {
      ...{ ...NONE, address: virtual(0xffff800000001000n), current: 3, stack: 2, pendingReturned: true },
      ...{ mdl: 0xffff800000002000n, system: 0xffff800000003000n },
      locations: [null, { ...EMPTY, major: 0x30, minor: 9, device: 1n }],
    };
    expect(await irpLines(irp, 8, names({ 1: '\\Driver\\x' }))).to.deep.equal([
      'Irp is complete (CurrentLocation 3 > StackCount 2)',
      ' Mdl=ffff800000002000: System buffer=ffff800000003000: Thread 00000000:  Irp stack trace.  Pending has been returned',
      '     cmd  flg cl Device   File     Completion-Context',
      ' [stack location 1 is not in the dump]',
      ' [N/A(30), N/A(9)]',
      '            0  0 0000000000000001 00000000 00000000-00000000    ',
      '\t       \\Driver\\x',
      '\t\t\tArgs: 00000000 00000000 00000000 00000000',
    ]);
    const head = async (change: Partial<Irp>): Promise<string> =>
      (await irpLines({ ...irp, ...change }, 8, names({})))[1]!;
    expect(await head({ isAssociated: true })).to.contain(': Associated Irp=ffff800000003000: Thread');
    expect(await head({ system: 2n })).to.contain(': IrpCount=2: Thread');
    expect(await head({ system: 0n })).to.contain(': No System Buffer: Thread');
  });

  it('names the driver of a device, and none where the device or its driver is something else', async () => {
    const kd = sessionOf(OBJECT_SCENARIOS.zombies(5));
    const name = driverNames(kd.session);
    const [, device] = /^Device object \(([0-9a-f]+)\)/.exec(await kd.print('!devobj \\Device\\Afd')) ?? [];
    const [, driver] = /^Driver object \(([0-9a-f]+)\)/.exec(await kd.print('!drvobj AFD')) ?? [];
    expect(name(BigInt(`0x${device!}`))).to.equal('\\Driver\\AFD');
    expect(name(BigInt(`0x${driver!}`))).to.equal('(driver not known)');
    expect(name(0x10n)).to.equal('(driver not known)');
  });

  for (const machine of [
    { kernel: '7601' },
    { kernel: '7601', architecture: 'x86' },
    { kernel: '10.0.19041.804' },
  ] as const satisfies readonly Scenario[]) {
    const architecture = 'architecture' in machine ? machine.architecture : 'x64';
    describe(`of ${machine.kernel} ${architecture}`, () => {
      let kd: TestSession;
      let packets: readonly string[];
      before(() => {
        const built = buildDump({
          ...{
            ...machine,
            seed: 31,
            memory: { bytes: 2 ** 26 },
            modules: [{ name: 'hal.dll' }, { name: 'fabsec.sys' }],
          },
          poolBlocks: {
            ...{ tags: ['Irp ', 'Even'], pages: 64, segments: 1, big: 4 },
            contents: [{ tag: 'Irp ', thing: { is: 'irp', module: 'fabsec.sys', rva: 0x1100 } }],
          },
        });
        kd = sessionOver(openBuilt(built));
        const wide = architecture === 'x64';
        packets = [...(built.truth.poolBlocks?.things ?? [])].map((va) =>
          (wide ? canonical(va) : BigInt(va)).toString(16),
        );
      });

      it('reads every packet that was written', async () => {
        expect(packets.length).to.be.greaterThan(3);
        for (const at of packets.slice(0, 20)) {
          const text = await kd.print(`!irp ${at}`);
          const [, stacks, current, place] =
            /^Irp is active with (\d) stacks (\d) is current \(= 0x([0-9a-f]+)\)\n No Mdl: No System Buffer: Thread [0-9a-f]+: {2}Irp stack trace. {2}\n/.exec(text) ?? []; // prettier-ignore
          expect(current, text).to.be.a('string').and.equal(stacks);
          const [head, size] = architecture === 'x64' ? [0xd0, 0x48] : [0x70, 0x24];
          expect(BigInt(`0x${place!}`)).to.equal(BigInt(`0x${at}`) + BigInt(head + (Number(current) - 1) * size));
          expect(text.match(/^>/gm)).to.have.length(1);
          expect(text).to.match(
            /\n>\[IRP_MJ_CREATE\(0\), N\/A\(0\)\]\n {12}0 {2}0 [0-9a-f]+ 00000000 [0-9a-f]+-00000000 {4}\n\t {7}\S.*\tfabsec.*\n\t\t\tArgs: 0{8} 0{8} 0{8} 0{8}\n$/,
          );
        }
      });

      it('says of what is none that it is none, and of what cannot be read why', async () => {
        expect(await kd.print('!irp nt')).to.match(/^[0-9a-f]+: is not an I\/O request packet\n$/);
        expect(await kd.print('!irp 0')).to.match(/^0+: cannot be read: /);
        expect(await kd.end('!irp 0')).to.deep.include({ failed: 'input' });
        expect(await kd.print(`!irp ${packets[0]!} 1`)).to.contain('its flags are not');
        expect(await kd.print('!irp')).to.contain('!irp wants the address');
      });
    });
  }
});
