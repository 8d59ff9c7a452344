/** Where processors stood: `r`, `k` and its like, `~N`. */

import { failed } from '../../../parsers/bytes/failure.js';
import type { ContextKind, RegisterSet } from '../../../parsers/dump/context.js';
import { printable } from '../../../parsers/text-safety.js';
import type { Call, Family } from '../command.js';
import { KdError } from '../kd-error.js';
import { contextLines } from '../show/context-lines.js';
import { BY_FRAME_POINTERS, stackRow, stackTitle, type StackLook } from '../show/stack-lines.js';
import type { Session } from '../session.js';
import { contextKind, crashedProcessor, processor } from '../stack/processors.js';
import { MOST_FRAMES, walkStack } from '../stack/walk.js';
import { instructionLines } from './code.js';

/** Frames that are shown where no number is given. */
const USUAL = 0x100;

const NO_REGISTERS = 'This dump holds no registers: its header has no context of a processor';

function current(session: Session): { readonly kind: ContextKind; readonly context: RegisterSet } {
  const kind = contextKind(session.opened);
  const { context } = session.registers;
  if (kind === null || context === null) throw new KdError(NO_REGISTERS, 'input');
  return { kind, context };
}

/** `r`: the registers, and the instruction that they stand at. */
async function allRegisters(session: Session): Promise<void> {
  const { kind, context } = current(session);
  await session.out.text(contextLines(kind, context));
  await instructionLines(session, session.address(session.register('$ip') ?? 0n));
}

/** `r`, `r $t0`, `r rax, rbx`, `r @$t0 = 5`. */
async function registers({ session, rest }: Call): Promise<void> {
  const text = rest.trim();
  const assigned = /^@?(\$?\w+)\s*=(?!=)\s*(.+)$/.exec(text);
  if (assigned !== null) {
    const [, name = '', expression = ''] = assigned;
    if (!session.registers.isOwn(name.toLowerCase()))
      throw new KdError(`Bad register error in '${printable(text)}': $t0 to $t19 can be set`);
    session.registers.set(name.toLowerCase(), await session.evaluate(expression));
    return;
  }
  if (text === '') return allRegisters(session);
  for (const word of text.split(/[\s,]+/)) {
    const name = word.replace(/^@/, '').toLowerCase();
    const value = session.register(name);
    if (value === null) throw new KdError(`Bad register error in 'r ${printable(word)}'`);
    await session.out.line(`${name}=${session.pointer(value)}`);
  }
}

interface Wanted extends StackLook {
  readonly most: number;
}

/** `kb`, `kvn 20`: letters behind `k`, and how many frames. */
async function wantedOf({ session, rest }: Call): Promise<Wanted> {
  const [, letters = '', after = ''] = /^([A-Za-z]*)(.*)$/s.exec(rest) ?? [];
  const unknown = /[^bpPvnL]/.exec(letters)?.[0];
  if (unknown !== undefined || (letters === '' && /^\s*=/.test(after))) {
    throw new KdError(`k${printable(unknown ?? ' =')} is not here: k takes b, p, P, v, n, L and a number of frames`);
  }
  const count = after.trim() === '' ? USUAL : Number(await session.evaluate(after));
  if (count < 1 || count > MOST_FRAMES) throw new KdError(`k shows 1 to ${MOST_FRAMES.toString(16)} (hexadecimal) frames`); // prettier-ignore
  return { args: /[bv]/.test(letters), stack: letters.includes('v'), numbers: letters.includes('n'), most: count };
}

async function stack(call: Call): Promise<void> {
  const { session } = call;
  const wanted = await wantedOf(call);
  const { kind, context } = current(session);
  if (kind !== 'x64') {
    await session.out.line(BY_FRAME_POINTERS);
  }
  const { frames, ends } = walkStack(session, kind, context, wanted.most);
  await session.out.line(stackTitle(kind, wanted));
  for (const [i, frame] of frames.entries()) await session.out.line(await stackRow(session, kind, wanted, frame, i));
  if (ends !== null) await session.out.line(`The stack cannot be followed further: ${ends}. dps shows what is on it`);
}

/** `~`, `~1`, `~1s`. */
async function switchProcessor({ session, rest }: Call): Promise<void> {
  const number = /^(\d+)s?$/.exec(rest.trim())?.[1];
  if (number === undefined) {
    if (rest.trim() !== '') throw new KdError(`~${printable(rest.trim())} is not here: ~N and ~Ns look at processor N`);
    const { numberProcessors } = session.opened.dump.header;
    const crashed = crashedProcessor(session.opened);
    await session.out.line(`${numberProcessors ?? 'n/a'} processors; the one that crashed: ${crashed ?? 'n/a'}`);
    return;
  }
  const found = processor(session.opened, Number(number));
  if (failed(found)) {
    if (crashedProcessor(session.opened) !== Number(number)) throw new KdError(`Processor ${number} cannot be looked at: ${found.message}`, 'input'); // prettier-ignore
    return;
  }
  session.registers.look(found.context, Number(number));
}

export const stacks: Family = {
  title: 'Processors and stacks',
  commands: [
    {
      names: ['r'],
      usage: ['r', 'r Register [, Register ...]', 'r $t0 = Expression'],
      summary: 'Registers of the processor that crashed, or that ~N looks at; sets pseudo-registers',
      standing: 'differs',
      differs:
        'Registers of the target cannot be set: a dump is not changed. Floating-point, vector and control registers are not read. The look on ARM64 has no published output to compare with.',
      run: registers,
    },
    {
      names: ['k'],
      usage: ['k[b | p | P | v][n][L] [Frames]'],
      summary: 'The stack of the processor that crashed, or that ~N looks at',
      flags: [
        ['kb', 'with what stands where the first arguments are kept'],
        ['kp', 'as k: parameters are not read from PDBs'],
        ['kP', 'the same'],
        ['kv', 'as kb, with Child-SP'],
        ['kn', 'with numbers of frames, which x64 and ARM64 have anyway'],
        ['kL', 'without source lines, which are never read'],
        ['Frames', 'so many at most (100, hexadecimal)'],
      ],
      standing: 'differs',
      differs:
        'x64 by the unwind information of the images in the dump: where that is missing, as in most triage dumps, a line says so and the stack ends. x86 and ARM64 along frame pointers, which leaves out functions that set none. Functions of user mode are not followed. Trap frames are passed through and not named; kf and k = are not here.',
      glued: true,
      run: stack,
    },
    {
      names: ['~'],
      usage: ['~', '~N', '~Ns'],
      summary: 'Looks at processor N; alone, which one crashed',
      flags: [['~N', 'r and k of that processor from now on']],
      standing: 'differs',
      differs:
        'Registers of other processors come from their _KPRCB, where the kernel froze them before it wrote the dump.',
      glued: true,
      run: switchProcessor,
    },
  ],
};
