/**
 * CONTEXT: the registers of a processor, as the header of a dump and `_KPRCB.ProcessorState` hold them. Layouts of the public
 * winnt.h, the same on all builds of a processor's architecture.
 */

import { u16, u32, u64 } from '../bytes/fields.js';

/** Registers by name in lower case, flags and segments among them; addresses of x86 are zero-extended. */
export type RegisterSet = ReadonlyMap<string, bigint>;

/** Where CONTEXT stands in the header of a dump. */
export const CONTEXT_IN_HEADER = { x86: 0x320, x64: 0x348, arm64: 0x348 } as const;
/** Bytes of CONTEXT that are read here. */
export const CONTEXT_BYTES = { x86: 0xcc, x64: 0x100, arm64: 0x110 } as const;

export type ContextKind = keyof typeof CONTEXT_BYTES;

const X64_INTEGERS = 'rax rcx rdx rbx rsp rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15 rip'.split(' ');
const X64_SEGMENTS = 'cs ds es fs gs ss'.split(' ');
/** By offset. */
const X86 = { gs: 0x8c, fs: 0x90, es: 0x94, ds: 0x98, edi: 0x9c, esi: 0xa0, ebx: 0xa4, edx: 0xa8, ecx: 0xac, eax: 0xb0, ebp: 0xb4, eip: 0xb8, cs: 0xbc, efl: 0xc0, esp: 0xc4, ss: 0xc8 } as const; // prettier-ignore

/** Of ContextFlags: control registers, which everything else hangs on. */
const CONTROL = 1;
/** Of ContextFlags: whose it is. */
const FAMILY: Readonly<Record<ContextKind, number>> = { x86: 0x10000, x64: 0x100000, arm64: 0x400000 };
const FLAGS_AT: Readonly<Record<ContextKind, number>> = { x86: 0, x64: 0x30, arm64: 0 };

/** The registers of a CONTEXT; null where its flags say that it is none, or the processor stood nowhere. */
export function parseContext(kind: ContextKind, bytes: Uint8Array): RegisterSet | null {
  if (bytes.length < CONTEXT_BYTES[kind]) return null;
  const flags = u32(bytes, FLAGS_AT[kind]);
  if ((flags & FAMILY[kind]) === 0 || (flags & CONTROL) === 0 || flags >>> 24 === 0x50) return null;
  const found = new Map<string, bigint>();
  if (kind === 'x86') {
    for (const [name, at] of Object.entries(X86)) {
      const isSegment = name.length === 2;
      found.set(name, BigInt(isSegment ? u16(bytes, at) : u32(bytes, at)));
    }
  } else if (kind === 'x64') {
    X64_INTEGERS.forEach((name, i) => found.set(name, u64(bytes, 0x78 + i * 8)));
    X64_SEGMENTS.forEach((name, i) => found.set(name, BigInt(u16(bytes, 0x38 + i * 2))));
    found.set('efl', BigInt(u32(bytes, 0x44)));
  } else {
    for (let i = 0; i < 29; i++) found.set(`x${i}`, u64(bytes, 8 + i * 8));
    ['fp', 'lr', 'sp', 'pc'].forEach((name, i) => found.set(name, u64(bytes, 0xf0 + i * 8)));
    found.set('cpsr', BigInt(u32(bytes, 4)));
  }
  return (found.get(INSTRUCTION[kind]) ?? 0n) === 0n ? null : found;
}

/** The names of the registers that say where a processor is. */
export const INSTRUCTION: Readonly<Record<ContextKind, string>> = { x86: 'eip', x64: 'rip', arm64: 'pc' };
export const STACK: Readonly<Record<ContextKind, string>> = { x86: 'esp', x64: 'rsp', arm64: 'sp' };
