/** Registers as `r` prints them. */

import type { ContextKind, RegisterSet } from '../../../parsers/dump/context.js';

const ROWS: Readonly<Record<ContextKind, readonly string[]>> = {
  x64: ['rax rbx rcx', 'rdx rsi rdi', 'rip rsp rbp', 'r8 r9 r10', 'r11 r12 r13', 'r14 r15'],
  x86: ['eax ebx ecx edx esi edi', 'eip esp ebp'],
  arm64: ['x0 x1 x2 x3', 'x4 x5 x6 x7', 'x8 x9 x10 x11', 'x12 x13 x14 x15', 'x16 x17 x18 x19', 'x20 x21 x22 x23', 'x24 x25 x26 x27', 'x28 fp lr sp'], // prettier-ignore
};

/** Flags by bit: what is printed where it is off, and where it is on. */
const FLAGS: readonly (readonly [bit: number, off: string, on: string])[] = [
  [11, 'nv', 'ov'],
  [10, 'up', 'dn'],
  [9, 'di', 'ei'],
  [7, 'pl', 'ng'],
  [6, 'nz', 'zr'],
  [4, 'na', 'ac'],
  [2, 'po', 'pe'],
  [0, 'nc', 'cy'],
];

/** Ended by a line feed. */
export function contextLines(kind: ContextKind, context: RegisterSet): string {
  const digits = (name: string, width: number): string => (context.get(name) ?? 0n).toString(16).padStart(width, '0');
  const width = kind === 'x86' ? 8 : 16;
  const gap = kind === 'arm64' ? '  ' : ' ';
  const rows = ROWS[kind].map((row) =>
    row
      .split(' ')
      .map((name) => `${name.padStart(kind === 'x86' || (kind === 'arm64' && name.length === 2 && !/\d/.test(name)) ? 0 : 3)}=${digits(name, width)}`)
      .join(gap),
  ); // prettier-ignore
  if (kind === 'arm64') return `${[...rows, ` pc=${digits('pc', 16)}  psr=${digits('cpsr', 8)}`].join('\n')}\n`;
  const efl = Number(context.get('efl') ?? 0n);
  const flags = FLAGS.map(([bit, off, on]) => (((efl >>> bit) & 1) === 1 ? on : off)).join(' ');
  const status = `iopl=${(efl >>> 12) & 3}         ${flags}`;
  const segments = `${'cs ss ds es fs gs'
    .split(' ')
    .map((name) => `${name}=${digits(name, 4)}`)
    .join('  ')}             efl=${digits('efl', 8)}`;
  const last = rows.length - 1;
  if (kind === 'x86') rows[last] = `${rows[last] ?? ''} ${status}`;
  return `${[...rows, ...(kind === 'x86' ? [] : [status]), segments].join('\n')}\n`;
}
