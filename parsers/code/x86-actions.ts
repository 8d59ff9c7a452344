/** Which instructions of x86 and x64 matter for following constants, and what the others overwrite. */

import type * as IcedModule from 'iced-x86';

export type Iced = typeof IcedModule;

/** What to do with an instruction, by its mnemonic. */
export const ACTION = {
  /** Its first operand is written. */
  write: 0,
  nothing: 1,
  move: 2,
  address: 3,
  add: 4,
  subtract: 5,
  or: 6,
  xor: 7,
  compare: 8,
  conditionalMove: 9,
  push: 10,
  pop: 11,
  leave: 12,
  call: 13,
  jump: 14,
  branch: 15,
  return: 16,
  stop: 17,
  /** Reads its operands and writes none. */
  readOnly: 18,
  /** Writes both operands. */
  exchange: 19,
  /** Writes rax and rdx besides its first operand. */
  accumulators: 20,
  /** Moves rsi or rdi on; with a prefix that repeats it, counts rcx down. */
  string: 21,
  /** Writes rax, rbx, rcx, rdx. */
  identify: 22,
  /** Writes rax besides its first operand. */
  accumulator: 23,
  /** Writes rdx. */
  high: 24,
  /** One operand: as `accumulators`; two or three: writes the first. */
  multiply: 25,
  /** As `string`, and writes memory. */
  fill: 26,
} as const;

const BY_NAME: Readonly<Record<string, number>> = {
  ...all(ACTION.nothing, 'Nop Fnop Pause Lfence Mfence Sfence Endbr64 Endbr32 Cld Std Cli Sti Clc Stc Cmc Sahf Wait Prefetchnta Prefetcht0 Prefetcht1 Prefetcht2 Prefetchw Swapgs Clac Stac Wbinvd'),
  ...all(ACTION.readOnly, 'Bt Out Int Clflush Clflushopt Invlpg Lgdt Lidt Ltr Fxrstor Fxrstor64 Wrmsr Ptest Comiss Comisd Ucomiss Ucomisd'),
  ...all(ACTION.move, 'Mov Movabs Movnti'),
  ...all(ACTION.address, 'Lea'),
  ...all(ACTION.add, 'Add'),
  ...all(ACTION.subtract, 'Sub'),
  ...all(ACTION.or, 'Or'),
  ...all(ACTION.xor, 'Xor'),
  ...all(ACTION.compare, 'Cmp Test'),
  ...all(ACTION.conditionalMove, 'Cmova Cmovae Cmovb Cmovbe Cmove Cmovg Cmovge Cmovl Cmovle Cmovne Cmovno Cmovnp Cmovns Cmovo Cmovp Cmovs'),
  ...all(ACTION.push, 'Push Pushf Pushfd Pushfq'),
  ...all(ACTION.pop, 'Pop Popf Popfd Popfq'),
  ...all(ACTION.leave, 'Leave'),
  ...all(ACTION.call, 'Call'),
  ...all(ACTION.jump, 'Jmp'),
  ...all(ACTION.branch, 'Ja Jae Jb Jbe Jcxz Je Jecxz Jg Jge Jl Jle Jne Jno Jnp Jns Jo Jp Jrcxz Js Loop Loope Loopne'),
  ...all(ACTION.return, 'Ret Retf Iret Iretd Iretq Sysret Sysretq Sysexit Sysexitq'),
  ...all(ACTION.stop, 'INVALID Int3 Ud0 Ud1 Ud2 Hlt'),
  ...all(ACTION.exchange, 'Xchg Xadd Mulx'),
  ...all(ACTION.accumulators, 'Mul Div Idiv Cmpxchg8b Cmpxchg16b Rdmsr Rdtsc Rdpmc Xgetbv Syscall Sysenter'),
  ...all(ACTION.accumulator, 'Cmpxchg Cbw Cwde Cdqe In Lahf Xlatb'),
  ...all(ACTION.high, 'Cwd Cdq Cqo'),
  ...all(ACTION.multiply, 'Imul'),
  ...all(ACTION.fill, 'Movsb Movsw Movsd Movsq Stosb Stosw Stosd Stosq Insb Insw Insd'),
  ...all(ACTION.string, 'Lodsb Lodsw Lodsd Lodsq Scasb Scasw Scasd Scasq Cmpsb Cmpsw Cmpsd Cmpsq Outsb Outsw Outsd'),
  ...all(ACTION.identify, 'Cpuid Rdtscp Rdpru Vmcall Vmmcall Getsec Pushad Popad Pusha Popa'),
}; // prettier-ignore

function all(action: number, names: string): Record<string, number> {
  return Object.fromEntries(names.split(' ').map((name) => [name, action]));
}

/** `ACTION` by the number that iced-x86 gives a mnemonic. */
export function actionsOf({ Mnemonic }: Iced): Uint8Array {
  const numbers = Mnemonic as unknown as Record<string, number>;
  const actions = new Uint8Array(4096);
  for (const [name, action] of Object.entries(BY_NAME)) {
    const number = numbers[name];
    if (number !== undefined) actions[number] = action;
  }
  return actions;
}
