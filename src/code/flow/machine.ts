/** What processors differ in when code is followed: how arguments are passed, and what a call leaves alone. */

import { ARM64_DECODER, VOLATILE_ARM64 } from '../../../parsers/code/arm64-decoder.js';
import type { CodeDecoder } from '../../../parsers/code/operations.js';
import { VOLATILE_X64, VOLATILE_X86, x86Decoder } from '../../../parsers/code/x86.js';
import type { Allocator } from '../calls/allocators.js';

/** Places of arguments: registers by their number, places on the stack from here on. */
export const STACK_ARGUMENT = 64;
/** Places on the stack that are looked at, at most. */
export const MOST_STACK_ARGUMENTS = 16;

/** One processor and its calling convention. */
export interface Machine {
  readonly name: 'x86' | 'x64' | 'arm64';
  readonly decoder: CodeDecoder;
  readonly pointerSize: 4 | 8;
  readonly stackPointer: number;
  readonly framePointer: number;
  /** Bits of the registers that a call may change. */
  readonly volatile: number;
  /** Bytes that a call pushes. */
  readonly returnAddress: number;
  /** The called function takes its arguments from the stack. */
  readonly calleePops: boolean;
  /** Instructions begin at multiples of it. */
  readonly alignment: 1 | 4;
  /** The register of the target, where a call goes by way of Control Flow Guard. */
  readonly dispatched: number;
  /** Registers of the first arguments, and of what a function returns. */
  readonly arguments: readonly number[];
  readonly result: number;
  /** Vector registers that are followed. */
  readonly vectors: number;
}

const X64: Machine = {
  name: 'x64',
  decoder: x86Decoder(64),
  pointerSize: 8,
  stackPointer: 4,
  framePointer: 5,
  volatile: VOLATILE_X64,
  returnAddress: 8,
  calleePops: false,
  alignment: 1,
  dispatched: 0,
  arguments: [1, 2, 8, 9],
  result: 0,
  vectors: 0,
};

const X86: Machine = {
  ...X64,
  name: 'x86',
  decoder: x86Decoder(32),
  pointerSize: 4,
  volatile: VOLATILE_X86,
  returnAddress: 4,
  calleePops: true,
  arguments: [],
};

const ARM64: Machine = {
  name: 'arm64',
  decoder: ARM64_DECODER,
  pointerSize: 8,
  stackPointer: 31,
  framePointer: 29,
  volatile: VOLATILE_ARM64,
  returnAddress: 0,
  calleePops: false,
  alignment: 4,
  dispatched: 15,
  arguments: [0, 1, 2, 3, 4, 5, 6, 7],
  result: 0,
  vectors: 32,
};

const IMAGE_FILE_MACHINE_I386 = 0x14c;
const IMAGE_FILE_MACHINE_AMD64 = 0x8664;
const IMAGE_FILE_MACHINE_ARM64 = 0xaa64;

/** The processor that an image is made for; null for those whose code is not followed. */
export function machineOf(machine: number): Machine | null {
  if (machine === IMAGE_FILE_MACHINE_AMD64) return X64;
  if (machine === IMAGE_FILE_MACHINE_I386) return X86;
  return machine === IMAGE_FILE_MACHINE_ARM64 ? ARM64 : null;
}

/** Where a documented function takes one of its arguments. */
export function argumentPlace(machine: Machine, { wide = 0 }: Pick<Allocator, 'wide'>, argument: number): number {
  if (machine.name === 'x86') {
    // The arguments of 64 bits all stand first.
    return STACK_ARGUMENT + argument + Math.min(wide, argument);
  }
  const register = machine.arguments[argument];
  if (register !== undefined) return register;
  // x64 keeps room for the first four on the stack.
  return STACK_ARGUMENT + (machine.name === 'x64' ? argument : argument - machine.arguments.length);
}
