/** iced-x86, loaded when the first instruction is decoded, and tables by its numbers. */

import { createRequire } from 'node:module';
import { actionsOf, type Iced } from './x86-actions.js';

/** What decoding needs of iced-x86. */
export interface Loaded {
  iced: Iced;
  actions: Uint8Array;
  registers: Int8Array;
  /** Bytes of each register, by iced-x86's number. */
  widths: Uint8Array;
  /** Numbers of registers that memory operands name, and that are none of the general ones. */
  special: { none: number; rip: number; eip: number; fs: number; gs: number };
}

let loaded: Loaded | null = null;

/** Loads iced-x86, once. */
export function load(): Loaded {
  if (loaded !== null) return loaded;
  const iced = createRequire(import.meta.url)('iced-x86') as Iced;
  const { None, RIP, EIP, FS, GS, RAX, R15, EAX, R15D, AL, R15L } = iced.Register;
  const widths = new Uint8Array(256)
    .fill(2)
    .fill(1, AL, R15L + 1)
    .fill(8, RAX, R15 + 1)
    .fill(4, EAX, R15D + 1);
  loaded = {
    ...{ iced, actions: actionsOf(iced), registers: registersOf(iced), widths },
    special: { none: None, rip: RIP, eip: EIP, fs: FS, gs: GS },
  };
  return loaded;
}

/** By iced-x86's number: the register of 64 bits that it is a part of, 0 to 15; -1 for all others. */
function registersOf({ Register }: Iced): Int8Array {
  const numbers = new Int8Array(256).fill(-1);
  const sets = [
    ['RAX', 'RCX', 'RDX', 'RBX', 'RSP', 'RBP', 'RSI', 'RDI'],
    ['EAX', 'ECX', 'EDX', 'EBX', 'ESP', 'EBP', 'ESI', 'EDI'],
    ['AX', 'CX', 'DX', 'BX', 'SP', 'BP', 'SI', 'DI'],
    ['AL', 'CL', 'DL', 'BL', 'SPL', 'BPL', 'SIL', 'DIL'],
    ['AH', 'CH', 'DH', 'BH'],
  ] as const;
  for (const set of sets) set.forEach((name, i) => (numbers[Register[name]] = i));
  for (let i = 8; i < 16; i++) {
    for (const width of ['', 'D', 'W', 'L']) {
      const number = (Register as unknown as Record<string, number>)[`R${i}${width}`];
      if (number !== undefined) numbers[number] = i;
    }
  }
  return numbers;
}
