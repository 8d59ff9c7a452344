/** Stacks of threads in `!process` and `!thread`, and which thread and process are current, against the truth of built machines. */

import { expect } from 'chai';
import { buildDump, type BuiltDump, type Scenario } from '../../../test-dumps/build-dump.js';
import { OBJECT_SCENARIOS } from '../../../test-dumps/objects/scenarios.js';
import { openBuilt } from '../../analysis/whole-dumps/truth.test.helper.js';
import { sessionOver, type TestSession } from '../session.test.helper.js';

const SWITCH = ['SwapContext', 'KiSwapContext', 'KiSwapThread', 'PspSystemThreadStartup', 'KiStartSystemThread', 'KiThreadStartup']; // prettier-ignore
const X86 = { architecture: 'x86', memory: { bytes: 2 ** 31 } } as const;
const MACHINES: Readonly<Record<string, Partial<Scenario>>> = {
  'Windows 7': { kernel: '7601' },
  'Windows 8.1': { kernel: '9600' },
  'Windows 10': { kernel: '10.0.19041.804' },
  'Windows 11 24H2': { kernel: '10.0.26100.1' },
  'Windows XP, 32-bit': { ...X86, kernel: '5.1.2600.5512' },
  'Windows 7, 32-bit': { ...X86, kernel: '7601' },
  'Windows 10, 32-bit': { ...X86, kernel: '10.0.19041.928' },
};

const SEEDS: Readonly<Record<string, readonly number[]>> = { 'Windows 10': [4, 71, 903], 'Windows 7, 32-bit': [5, 6] };

function machine(more: Partial<Scenario>, seed: number): { kd: TestSession; dump: BuiltDump } {
  const plain = OBJECT_SCENARIOS.zombies(3);
  const stacks = { pagedOut: [3], broken: [6], absent: [8] };
  const dump = buildDump({ ...plain, ...more, seed, kernelExports: SWITCH, objects: { ...plain.objects, stacks } });
  return { dump, kd: sessionOver(openBuilt(dump)) };
}

/** `fffff801`5ad4b62b`, `8288a729`: as stacks show addresses. */
const shown = (address: bigint, wide: boolean): string =>
  wide
    ? address.toString(16).padStart(16, '0').replace(/^.{8}/, '$&`')
    : BigInt.asUintN(32, address).toString(16).padStart(8, '0');
const pointer = (address: bigint, wide: boolean): string => shown(address, wide).replace('`', '');

/** What one line of a stack says: where the stack stood, and where the caller goes on. */
const frameOf = (line: string): string[] => line.trim().split(' ').slice(0, 2);

for (const [name, more] of Object.entries(MACHINES)) {
  for (const seed of SEEDS[name] ?? [71]) {
    describe(`stacks of threads on ${name}, seed ${seed}`, function () {
      this.timeout(60_000);
      const wide = more.architecture !== 'x86';
      const isXp = more.kernel === '5.1.2600.5512';
      let built: ReturnType<typeof machine>;
      before(() => {
        built = machine(more, seed);
      });

      it('of threads that wait are those that were written, and nothing is made of others', async () => {
        const { kd, dump } = built;
        const { stacks } = dump.truth.objects!;
        expect(new Set(stacks!.map(({ state }) => state))).to.include.keys('whole', 'paged-out', 'absent', 'broken');
        for (const [i, { thread, kernelStack, state, frames }] of stacks!.entries()) {
          if (state === 'whole' && i % 19 !== seed % 19) continue;
          const text = await kd.print(`!thread ${thread.toString(16)}`);
          expect(text).to.contain(` Current ${pointer(kernelStack, wide)}\n`);
          if (state !== 'whole') {
            expect(text).to.match({ 'paged-out': /\nKernel stack not resident\.\n$/, absent: /\nIts kernel stack is not in the dump: .*\n$/, broken: /\nNo switch of threads stands where its stack does: .*\n$/ }[state]); // prettier-ignore
            continue;
          }
          const lines = text
            .slice(text.search(/^Child/m))
            .trimEnd()
            .split('\n')
            .slice(1);
          if (wide) {
            const truth = frames.map(({ stack, returns }) => [shown(stack, true), shown(returns, true)]);
            expect(lines.map(frameOf)).to.deep.equal(truth);
            expect(lines.map((line) => line.split(' : ')[2]!.replace(/\+0x\w+$/, ''))).to.deep.equal(['nt!KiSwapContext', 'nt!KiSwapThread', 'nt!KeWaitForSingleObject', 'nt!PspSystemThreadStartup', 'nt!KiStartSystemThread']); // prettier-ignore
            continue;
          }
          // Along frame pointers: the switch itself, then the two functions that keep one.
          expect(frameOf(lines[0]!)).to.deep.equal([
            shown(kernelStack + 0x18n, false),
            shown(frames[0]!.returns, false),
          ]);
          const returns = lines.map((line) => frameOf(line)[1]);
          expect(returns).to.deep.equal([0, 2, 3, 4].map((i) => shown(frames[i]!.returns, false)));
          expect(lines[0]).to.match(/ nt!KiSwapContext\+0x17$/);
        }
      });

      it('!process with 4 shows the stack of each thread, with 8 without arguments', async () => {
        const { kd, dump } = built;
        const { stacks, running } = dump.truth.objects!;
        const text = await kd.print('!process 0 17');
        const head = wide ? /^ {8}Child-SP {10}RetAddr {11}: Args to Child {59}: Call Site$/gm : /^ {8}ChildEBP RetAddr {2}Args to Child$/gm; // prettier-ignore
        // Of threads that run on Windows XP the registers of the processor that crashed alone are known.
        const walked = stacks!.filter(({ state }) => state === 'whole').length + (isXp ? 1 : running!.length);
        expect(text.match(head)).to.have.length(walked);
        expect(text.match(/^ {8}Kernel stack not resident\.$/gm)).to.have.length(1);
        expect((text.match(/Frame pointers are followed/g) ?? []).length).to.equal(wide ? 0 : 1);
        const bare = await kd.print('!process 0 1f');
        expect(bare.match(wide ? /^ {8}Child-SP {10}RetAddr {11}Call Site$/gm : /^ {8}ChildEBP RetAddr {2}$/gm)).to.have.length(walked); // prettier-ignore
        expect(await kd.print('!process 0 7')).to.equal(text);
        expect(await kd.print('!process 0 3')).to.not.match(head);
      });

      it('the current thread and process are those of the processor that crashed, or of ~N', async () => {
        const { kd, dump } = built;
        const { running } = dump.truth.objects!;
        expect(running).to.have.length.above(1);
        for (const [number, { thread, process }] of running!.entries()) {
          // The debugger block of Windows XP does not say where registers are kept.
          if (number > 0 && isXp) continue;
          await kd.print(`~${number}`);
          const [at, of] = [pointer(thread, wide), pointer(process, wide)];
          expect(await kd.print('!thread')).to.match(new RegExp(`^THREAD ${at} .* RUNNING on processor ${number}\\n[^]*\\nChild`)); // prettier-ignore
          expect(await kd.print('!thread -1 0')).to.match(new RegExp(`^THREAD ${at} .*\\n$`));
          expect(await kd.print('!process -1 0')).to.equal(await kd.print(`!process ${of} 0`)).and.match(new RegExp(`^PROCESS ${of}`)); // prettier-ignore
          expect(await kd.print('!process')).to.equal(await kd.print(`!process ${of}`));
          expect(await kd.print('!process -1 7')).to.equal(await kd.print(`!process ${of} 7`));
          expect(await kd.print('!token')).to.equal(await kd.print(`!token ${of}`));
          expect(await kd.print('!handle 0 3 -1')).to.equal(await kd.print(`!handle 0 3 ${of}`)).and.contain(`PROCESS ${of}`); // prettier-ignore
          expect(await kd.print('!handle')).to.equal(await kd.print(`!handle 0 3 ${of}`));
          expect(await kd.print('!handle 0 3 0')).to.not.equal(await kd.print('!handle'));
        }
      });
    });
  }
}

describe('stacks of threads on ARM64', () => {
  it('of those that wait are not guessed', async () => {
    const { kd } = machine({ architecture: 'arm64', kernel: '10.0.26100.1' }, 4);
    const text = await kd.print('!process 0 7');
    expect(text).to.contain('Where a switch of threads leaves registers on ARM64 is not published');
    expect(text).to.not.contain('KiSwapContext');
  });
});
