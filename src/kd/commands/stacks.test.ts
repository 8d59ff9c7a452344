/** `r`, `k` and `~` on built machines, and on real triage dumps of the shared corpus (skipped where it is missing). */

import { expect } from 'chai';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { virtual } from '../../../parsers/addresses.js';
import { parseContext } from '../../../parsers/dump/context.js';
import { FlatMemory } from '../../../parsers/pe/flat-memory.test.helper.js';
import type { Scenario } from '../../../test-dumps/build-dump.js';
import { OpenedDump } from '../../kernel/open/opened-dump.js';
import type { Session } from '../session.js';
import { sessionOf, sessionOver } from '../session.test.helper.js';
import { walkStack } from '../stack/walk.js';

const DUMPS = new URL('../../../../../shared/corpus/dumps/', import.meta.url);
const machine = (more: Partial<Scenario>): Scenario => ({ seed: 4, kernel: '7601', memory: { bytes: 64 * 2 ** 20 }, ...more }); // prettier-ignore
const END = /\nThe stack cannot be followed further: .*\. dps shows what is on it\n$/;

describe('registers and stacks', () => {
  it('r shows the registers of the header, x64', async () => {
    const kd = sessionOf(machine({}));
    const rip = kd.session.register('rip')!;
    expect(await kd.print('r')).to.match(
      /^rax=[0-9a-f]{16} rbx=[0-9a-f]{16} rcx=[0-9a-f]{16}\nrdx=.*\nrip=[0-9a-f]{16} rsp=[0-9a-f]{16} rbp=[0-9a-f]{16}\n r8=.*\nr11=.*\nr14=.*\niopl=0         nv up ei ng nz na pe nc\ncs=0010  ss=0018  ds=[0-9a-f]{4}  es=[0-9a-f]{4}  fs=[0-9a-f]{4}  gs=[0-9a-f]{4}             efl=00000286\nnt[!+].*:\n[0-9a-f]{8}`[0-9a-f]{8} .*\n$/,
    );
    expect(await kd.print('r rip, eip, @$ip')).to.equal(
      [`rip=${rip.toString(16)}`, `eip=${(rip & 0xffffffffn).toString(16).padStart(16, '0')}`, `$ip=${rip.toString(16)}`, ''].join('\n'), // prettier-ignore
    );
    expect(await kd.print('r nosuch')).to.match(/^Bad register error/);
    expect(await kd.print('r rip = 5')).to.match(/^Bad register error/);
    expect(await kd.print('? @rsp - @rsp + rip')).to.contain(rip.toString(16).slice(8));
  });

  it('r of x86 and ARM64', async () => {
    const x86 = sessionOf(machine({ architecture: 'x86' }));
    expect(await x86.print('r')).to.match(/^eax=[0-9a-f]{8} ebx=.* edi=[0-9a-f]{8}\neip=[0-9a-f]{8} esp=[0-9a-f]{8} ebp=[0-9a-f]{8} iopl=\d .*\ncs=/); // prettier-ignore
    const arm = sessionOf(machine({ kernel: '10.0.26100.1', architecture: 'arm64' }));
    expect(await arm.print('r')).to.match(/^ x0=[0-9a-f]{16} {3}x1=[^]*\n pc=[0-9a-f]{16} {2}psr=[0-9a-f]{8}\n/);
    expect(await arm.print('k')).to.match(/^Frame pointers are followed: .*\n # Child-SP .*\n00 /);
    expect(await x86.print('kb')).to.match(/^Frame pointers .*\nChildEBP RetAddr {2}Args to Child\n[0-9a-f]{8} /);
    expect(await x86.print('k')).to.match(/^Frame pointers .*\nChildEBP RetAddr {2}\n/);
    expect(await x86.print('kn')).to.match(/\n # ChildEBP RetAddr {2}\n00 /);
  });

  it('each letter of k', async () => {
    const kd = sessionOf(machine({}));
    for (const line of ['k', 'kp', 'kP', 'kn', 'kL', 'k 5']) {
      expect(await kd.print(line), line).to.match(
        /^ # Child-SP {10}RetAddr {11}Call Site\n00 [0-9a-f]{8}`[0-9a-f]{8} /,
      );
      expect(await kd.print(line), line).to.match(END);
    }
    expect(await kd.print('kb')).to.match(/^ # RetAddr {11}: Args to Child {58} : Call Site\n00 /);
    expect(await kd.print('kv')).to.match(/^ # Child-SP {10}RetAddr {11}: Args to Child {58} : Call Site\n00 /);
    expect(await kd.print('kf')).to.match(/^kf is not here: k takes /);
    expect(await kd.print('k = 1 2 3')).to.match(/^k = is not here/);
    expect(await kd.print('k 0')).to.match(/^k shows 1 to /);
  });

  it('~ says which processor crashed, and that others cannot be looked at where the dump has nothing of them', async () => {
    const kd = sessionOf(machine({}));
    expect(await kd.print('~')).to.match(/^\d+ processors; the one that crashed: (?:\d+|n\/a)\n$/);
    expect(await kd.print('~999s')).to.match(/^Processor 999 cannot be looked at: there are \d+ processors\n$/);
    expect(await kd.print('~*')).to.match(/is not here: ~N/);
  });

  it('follows frame pointers of x86 up to their end, and no circle', () => {
    const memory = new FlatMemory(1, [], 4, virtual(0x80000000n));
    const put = (at: number, ...values: number[]): void => {
      memory.words(at, ...values);
    };
    put(0x10, 0x80000030, 0x90001000, 1, 2, 3);
    put(0x30, 0x80000050, 0x90002000, 4, 5, 6);
    put(0x50, 0, 0x90003000, 7, 8, 9);
    const session = {
      memory,
      out: { check: () => undefined },
      address: (value: bigint) => virtual(value),
      show: (value: bigint) => value.toString(16),
      symbols: { at: (address: bigint) => (address >= 0x90000000n ? {} : null) },
    } as unknown as Session;
    const context = new Map([['eip', 0x90000010n], ['ebp', 0x80000010n], ['esp', 0x80000000n]]); // prettier-ignore
    const { frames, ends } = walkStack(session, 'x86', context, 100);
    expect(frames.map(({ instruction }) => instruction)).to.deep.equal([0x90000010n, 0x90001000n, 0x90002000n, 0x90003000n]); // prettier-ignore
    expect(frames[0]!.args).to.deep.equal([1n, 2n, 3n]);
    expect(ends).to.equal(null);
    put(0x50, 0x80000010);
    expect(walkStack(session, 'x86', context, 100).ends).to.equal('the frame above does not lie above');
    expect(walkStack(session, 'x86', context, 2).frames).to.have.length(2);
  });

  it('a context without control registers, or of nowhere, is none', () => {
    const bytes = new Uint8Array(0x100);
    new DataView(bytes.buffer).setUint32(0x30, 0x10000f, true);
    expect(parseContext('x64', bytes)).to.equal(null);
    new DataView(bytes.buffer).setBigUint64(0xf8, 5n, true);
    expect(parseContext('x64', bytes)?.get('rip')).to.equal(5n);
    new DataView(bytes.buffer).setUint32(0x30, 0x100008, true);
    expect(parseContext('x64', bytes)).to.equal(null);
    expect(parseContext('x64', bytes.subarray(1))).to.equal(null);
  });

  it('real triage dumps: the stack of ARM64 to its end, of x64 up to the missing image', async function () {
    if (!existsSync(DUMPS)) this.skip();
    const over = async (name: string): Promise<string> => {
      const opened = await OpenedDump.open(fileURLToPath(new URL(name, DUMPS)));
      try {
        return await sessionOver(opened).print('k');
      } finally {
        opened.close();
      }
    };
    expect(await over('triage_arm64.dmp')).to.match(/^Frame pointers .*\n.*\n(?:0\d [0-9a-f`]{17} [0-9a-f`]{17} nt\+0x[0-9a-f]+\n){4}04 [0-9a-f`]{17} 00000000`00000000 nt\+0x[0-9a-f]+\n$/); // prettier-ignore
    expect(await over('triage_x64.dmp')).to.match(/\n00 ffff8504`29892120 \S{17} amdppm\+0x334c\nThe stack cannot be followed further: the unwind information of amdppm is not in the dump/); // prettier-ignore
  });
});
