/** Shapes that real compilers make and clang seldom does: written with its assembler. */

import { direct, work, type Shape, type ShapeInput } from './shape.js';

const ALLOCATE = 'ExAllocatePoolWithTag';

/** Functions in assembler, with their entries of the exception table. `\\n` between lines. */
const assembler = (lines: readonly string[]): string =>
  `__asm__(\n${lines.map((line) => `"${line}\\n"`).join('\n')}\n);\n`;

/** x64: `Work` in two parts, the second chained to the first; `chained` false: two functions side by side. */
function x64Parts({ tag }: ShapeInput, chained: boolean, far: boolean): string {
  const entry = (from: string, to: string, info: string): string =>
    `.long ${from}@IMGREL, ${to}@IMGREL, ${info}@IMGREL`;
  return `${assembler([
    '.text',
    '.globl Work',
    'Work:',
    'subq $40, %rsp',
    `movl $${tag.replace('u', '')}, %r8d`,
    'movq %rcx, %rdx',
    'xorl %ecx, %ecx',
    ...(chained ? (far ? ['jmp Work_part'] : []) : ['movl %r8d, g_Signature(%rip)', 'addq $40, %rsp', 'ret']),
    'Work_end:',
    ...(far ? ['int3', 'int3', 'Between:', 'xorl %eax, %eax', 'ret', 'int3'] : []),
    'Work_part:',
    ...(chained ? [] : ['subq $40, %rsp']),
    'callq *__imp_ExAllocatePoolWithTag(%rip)',
    'addq $40, %rsp',
    'ret',
    'Part_end:',
    '.section .xdata,\\"dr\\"',
    '.p2align 2',
    'Info:',
    '.byte 1, 4, 1, 0, 4, 0x42, 0, 0',
    'Part_info:',
    ...(chained ? ['.byte 0x21, 0, 0, 0', entry('Work', 'Work_end', 'Info')] : ['.byte 1, 4, 1, 0, 4, 0x42, 0, 0']),
    '.section .pdata,\\"dr\\"',
    entry('Work', 'Work_end', 'Info'),
    entry('Work_part', 'Part_end', 'Part_info'),
    '.text',
  ])}PVOID Work(SIZE_T n, ULONG x);\nPVOID Work_part(SIZE_T a, SIZE_T n, ULONG tag);\n`;
}

/** ARM64: the same with an entry without a prologue. */
function arm64Parts({ tag }: ShapeInput, chained: boolean, far: boolean): string {
  const value = Number.parseInt(tag, 16);
  const entry = (from: string, to: string, flag: number): string[] => [
    `.long ${from}@IMGREL`,
    `.long ((${to} - ${from}) / 4) * 4 + ${flag}`,
  ];
  return `${assembler([
    '.text',
    '.globl Work',
    '.p2align 2',
    'Work:',
    'stp x29, x30, [sp, #-16]!',
    'mov x29, sp',
    `movz w2, #${value & 0xffff}`,
    `movk w2, #${value >>> 16}, lsl #16`,
    'mov x1, x0',
    'mov w0, #0',
    ...(chained
      ? far
        ? ['b Work_part']
        : []
      : ['adrp x8, g_Signature', 'str w2, [x8, :lo12:g_Signature]', 'ldp x29, x30, [sp], #16', 'ret']),
    'Work_end:',
    ...(far ? ['Between:', 'mov w0, #0', 'ret'] : []),
    'Work_part:',
    ...(chained ? [] : ['stp x29, x30, [sp, #-16]!', 'mov x29, sp']),
    'adrp x8, __imp_ExAllocatePoolWithTag',
    'ldr x8, [x8, :lo12:__imp_ExAllocatePoolWithTag]',
    'blr x8',
    'ldp x29, x30, [sp], #16',
    'ret',
    'Part_end:',
    '.section .pdata,\\"dr\\"',
    ...entry('Work', 'Work_end', 1),
    ...entry('Work_part', 'Part_end', chained ? 2 : 1),
    '.text',
  ])}PVOID Work(SIZE_T n, ULONG x);\nPVOID Work_part(SIZE_T a, SIZE_T n, ULONG tag);\n`;
}

function parts(input: ShapeInput, chained: boolean): string {
  const { architecture, tag, others, random } = input;
  const far = chained && random.chance(0.5);
  const use = `NOINLINE PVOID Also(SIZE_T n) { g_Slots[3] = Work_part(0, n, ${others[0]}); return Work(n, 1); }\n`;
  const calls = chained ? '' : use;
  if (architecture === 'x64') return x64Parts(input, chained, far) + calls;
  if (architecture === 'arm64') return arm64Parts(input, chained, far) + calls;
  return chained
    ? direct(`${ALLOCATE}(1, n, ${tag})`)
    : `NOINLINE PVOID Work_part(SIZE_T a, SIZE_T n, ULONG tag) { return ${ALLOCATE}(1, n + a, tag); }\n${use.replace('return Work(n, 1)', 'return 0')}${work(`  g_Signature = ${tag};\n  return 0;`)}`;
}

/** A move as ARM64 compilers write it; on x86 and x64 the address of a register. */
const moved = (architecture: ShapeInput['architecture']): string =>
  architecture === 'arm64'
    ? '__asm__ volatile("add %w0, %w1, #0" : "=r"(moved) : "r"(tag));'
    : `__asm__ volatile("leal 0(%${architecture === 'x64' ? 'q' : ''}1), %0" : "=r"(moved) : "r"((SIZE_T)tag));`;

/** Instructions that do not write the register that the tag is in; `overwritten`: that do. */
function between(architecture: ShapeInput['architecture'], kind: 'string' | 'imul', overwritten: boolean): string {
  if (architecture === 'arm64') {
    return overwritten
      ? '__asm__ volatile("madd %w0, %w0, %w1, %w1" : "+r"(tag) : "r"(x));'
      : '__asm__ volatile("mul %w1, %w1, %w1" : "+r"(tag), "+r"(x));';
  }
  if (kind === 'string') {
    return overwritten
      ? '__asm__ volatile("lodsl" : "+a"(tag), "+S"(from) : : "memory");'
      : '__asm__ volatile("rep stosl" : "+D"(to), "+c"(count), "+S"(tag) : "a"(0) : "memory");\n  __asm__ volatile("repne scasb" : "+D"(to), "+c"(count), "+a"(tag) : : "memory");';
  }
  return overwritten
    ? '__asm__ volatile("imull %1" : "+a"(tag), "+r"(x) : : "edx");'
    : '__asm__ volatile("imull $12, %1, %1" : "+a"(tag), "+r"(x));\n  __asm__ volatile("imull %1, %1" : "+d"(tag), "+r"(x));';
}

const registers = ({ tag, architecture, random }: ShapeInput, kind: 'string' | 'imul', overwritten: boolean): string =>
  work(`  ULONG tag = ${tag};
  PVOID to = (PVOID)&g_Slots[2], from = (PVOID)&g_Slots[8];
  SIZE_T count = ${random.int(1, 5)};
  ${between(architecture, kind, overwritten)}
  g_Count += x + (ULONG)(SIZE_T)to + (ULONG)(SIZE_T)from + (ULONG)count;
  return ${ALLOCATE}(1, n, tag);`);

const spilled = (body: string): string => `static NOINLINE PVOID Allocate(ULONG a, SIZE_T n, ULONG tag)
{
  volatile ULONG kept = tag;
  ${body}
  g_Count += a;
  return ${ALLOCATE}(1, n, kept);
}
`;

export const CODE_SHAPES: Readonly<Record<string, Shape>> = {
  parts: { allocates: true, source: (input) => parts(input, true) },
  move: {
    allocates: true,
    source: ({ tag, architecture }) =>
      work(
        `  ULONG tag = ${tag}, moved;\n  ${moved(architecture)}\n  Note("moved", 0);\n  return ${ALLOCATE}(1, n, moved);`,
      ),
  },
  string: { allocates: true, source: (input) => registers(input, 'string', false) },
  imul: { allocates: true, source: (input) => registers(input, 'imul', false) },
  spilled: {
    allocates: true,
    source: ({ tag }) => spilled('Note("spilled", 0);') + direct(`Allocate(x, n, ${tag})`),
  },

  'parts-beside': { allocates: false, usesOthers: 1, source: (input) => parts(input, false) },
  'move-other': {
    allocates: false,
    usesOthers: 1,
    source: ({ tag, others, architecture }) =>
      work(
        `  ULONG tag = ${tag}, moved;\n  ${moved(architecture)}\n  g_Signature = moved;\n  return ${ALLOCATE}(1, n, ${others[0]});`,
      ),
  },
  'string-load': { allocates: false, source: (input) => registers(input, 'string', true) },
  'imul-wide': { allocates: false, source: (input) => registers(input, 'imul', true) },
  'spilled-over': {
    allocates: false,
    usesOthers: 1,
    source: ({ tag, others }) =>
      spilled(`g_Signature = kept;\n  kept = ${others[0]};`) + direct(`Allocate(x, n, ${tag})`),
  },
};
