/** x86 and x64 instructions one by one with their length and where they lead: what a listing of code needs. */

import type { Formatter, Instruction } from 'iced-x86';
import type { Iced } from './x86-actions.js';
import { load } from './x86-iced.js';

/** No instruction is longer, in bytes. */
export const LONGEST_X86 = 15;
const MNEMONIC = 8;

/** An instruction of a listing. */
export interface ListedInstruction {
  /** Bytes. */
  readonly length: number;
  /** `mov     `, padded. */
  readonly mnemonic: string;
  /** The operands as WinDbg writes them: hexadecimal with `h`, sizes before memory. */
  readonly operands: string;
  /** The virtual address that a branch or call goes to; null for others. */
  readonly target: bigint | null;
  /** The virtual address of a memory operand that is told from the instruction pointer, and the text of its brackets; null without one. */
  readonly data: { readonly address: bigint; readonly text: string } | null;
}

let formatter: Formatter | null = null;

/** The instruction at the start of `bytes`, which stands at a virtual address; null where they are none. */
export function x86Instruction(bits: 32 | 64, bytes: Uint8Array, address: bigint): ListedInstruction | null {
  const { iced } = load();
  const instruction = new iced.Instruction();
  const decoder = new iced.Decoder(bits, bytes.subarray(0, LONGEST_X86), iced.DecoderOptions.None);
  decoder.ip = address;
  decoder.decodeOut(instruction);
  decoder.free();
  try {
    return instruction.isInvalid ? null : listed(iced, instruction);
  } finally {
    instruction.free();
  }
}

function listed(iced: Iced, instruction: Instruction): ListedInstruction {
  if (formatter === null) {
    formatter = new iced.Formatter(iced.FormatterSyntax.Masm);
    formatter.uppercaseHex = true;
    formatter.memorySizeOptions = iced.MemorySizeOptions.Always;
    formatter.ripRelativeAddresses = false;
    formatter.firstOperandCharIndex = MNEMONIC;
  }
  const text = formatter.format(instruction);
  const { FlowControl: flow } = iced;
  const isNear = [flow.UnconditionalBranch, flow.ConditionalBranch, flow.Call, flow.XbeginXabortXend].includes(instruction.flowControl); // prettier-ignore
  const gap = text.indexOf(' ');
  const mnemonic = gap < 0 ? text : text.slice(0, Math.max(gap, MNEMONIC)).trimEnd();
  const operands = gap < 0 ? '' : text.slice(mnemonic.length).trimStart();
  const brackets = instruction.isIpRelMemoryOperand ? /\[[^\]]*\]/.exec(operands)?.[0] : undefined;
  return {
    length: instruction.length,
    mnemonic: operands === '' ? mnemonic : mnemonic.padEnd(MNEMONIC),
    operands,
    target: isNear ? instruction.nearBranchTarget : null,
    data: brackets === undefined ? null : { address: instruction.ipRelMemoryAddress, text: brackets },
  };
}
