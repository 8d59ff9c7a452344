/**
 * What a generated driver does with its tag, as C. Shapes that allocate differ in how the tag reaches the allocator; decoys hold
 * the tag's bytes or its value, and allocate nothing under it.
 */

import type { Prng } from '../prng.js';
import { direct, work, type Shape, type ShapeInput } from './shape.js';
import { CODE_SHAPES } from './shapes-code.js';
import { FIELD_SHAPES } from './shapes-fields.js';
import { PARAMETER_SHAPES } from './shapes-parameters.js';

const poolType = (random: Prng): number => random.pick([0, 1, 512]);

/** A local function that allocates, with its parameters in an order of its own, and how it is called. */
function wrapper(random: Prng, type: number): { define: string; call: (size: string, tag: string) => string } {
  const [before, after] = [random.int(0, 3), random.int(0, 2)];
  const filler = (count: number, start: number): string[] =>
    Array.from({ length: count }, (_, i) => `ULONG a${start + i}`);
  const parameters = [...filler(before, 0), 'ULONG tag', ...filler(after, before), 'SIZE_T n'];
  const names = Array.from({ length: before + after }, (_, i) => `a${i}`);
  const sum = names.length === 0 ? '0' : names.join(' + ');
  return {
    define: `static NOINLINE PVOID Allocate(${parameters.join(', ')})
{
  PVOID p = ExAllocatePoolWithTag(${type}, n, tag);
  g_Count += ${sum};
  if (p) Fill(p, 4);
  return p;
}
`,
    call: (size, tag) => {
      const values = [
        ...Array.from({ length: before }, () => 'x'),
        tag,
        ...Array.from({ length: after }, () => 'x + 1'),
        size,
      ];
      return `Allocate(${values.join(', ')})`;
    },
  };
}

/** ARM64: both halves with other work between them. Elsewhere: a register long before the call, and calls between. */
function split({ tag, architecture, random }: ShapeInput): string {
  const value = Number.parseInt(tag, 16);
  const halves = [`movz %w0, #${value & 0xffff}`, `movk %w0, #${value >>> 16}, lsl #16`];
  if (random.chance(0.3)) halves.splice(0, 2, `movz %w0, #${value >>> 16}, lsl #16`, `movk %w0, #${value & 0xffff}`);
  const between = Array.from({ length: random.int(1, 6) }, (_, i) => `add %w1, %w1, #${i + 3}`);
  const make =
    architecture === 'arm64'
      ? `__asm__ volatile("${[halves[0], ...between, halves[1]].join('\\n\\t')}" : "=&r"(tag), "+r"(x));`
      : `tag = ${tag};\n  __asm__ volatile("" : "+r"(tag));`;
  return work(`  ULONG tag;
  PVOID p = 0;
  ${make}
  for (ULONG i = 0; i < (x & 3) + 1; i++) {
    g_Count += x ^ i;
    Note("pass", (PVOID)(SIZE_T)i);
    p = ExAllocatePoolWithTag(${poolType(random)}, n + i, tag);
    g_Slots[i & 15] = p;
  }
  return p;`);
}

const PLAIN_SHAPES: Readonly<Record<string, Shape>> = {
  immediate: {
    allocates: true,
    source: ({ tag, random }) =>
      direct(`ExAllocatePoolWithTag(${poolType(random)}, n + ${random.int(8, 999)}, ${tag})`),
  },
  wrapper: {
    allocates: true,
    source: ({ tag, random }) => {
      const { define, call } = wrapper(random, poolType(random));
      return define + direct(call(`n * 2 + ${random.int(8, 99)}`, tag));
    },
  },
  'wrapper-deep': {
    allocates: true,
    source: ({ tag, random }) => {
      const { define, call } = wrapper(random, poolType(random));
      const outer = `static NOINLINE PVOID Outer(ULONG tag, SIZE_T n, ULONG x)\n{\n  Note("outer", 0);\n  return ${call('n + 8', 'tag')};\n}\n`;
      return `${define}${outer}${direct(`Outer(${tag}, n, x)`)}`;
    },
  },
  global: {
    allocates: true,
    source: ({ tag, random }) =>
      `ULONG g_Tag = ${tag};\n${direct(`ExAllocatePoolWithTag(${poolType(random)}, n, g_Tag)`)}`,
  },
  table: {
    allocates: true,
    isIndefinite: true,
    usesOthers: 2,
    source: ({ tag, others, random }) => {
      const rows = [tag, ...others].map((value) => `{ ${random.int(16, 4096)}, ${value} }`);
      return `typedef struct { ULONG Size; ULONG Tag; } ROW;
const ROW g_Rows[] = { ${rows.join(', ')} };
${direct(`ExAllocatePoolWithTag(1, n + g_Rows[x % 3].Size, g_Rows[x % 3].Tag)`)}`;
    },
  },
  split: { allocates: true, source: split },
  'tail-call': {
    allocates: true,
    source: ({ tag, random }) => {
      const type = poolType(random);
      if (random.chance(0.5)) return work(`  return ExAllocatePoolWithTag(${type}, n + x, ${tag});`);
      return `static NOINLINE PVOID Pass(SIZE_T n, ULONG tag)\n{\n  return ExAllocatePoolWithTag(${type}, n, tag);\n}\n${work(`  return Pass(n + x, ${tag});`)}`;
    },
  },
  lookaside: {
    allocates: true,
    source: ({ tag, random }) => {
      const kind = random.pick(['NPaged', 'Paged']);
      return `UCHAR g_Lookaside[256] __attribute__((aligned(64)));\n${work(`  ExInitialize${kind}LookasideList(g_Lookaside, 0, 0, 0, n + x, ${tag}, 0);\n  return g_Lookaside;`)}`;
    },
  },
  quota: {
    allocates: true,
    source: ({ tag, random }) => direct(`ExAllocatePoolWithQuotaTag(${poolType(random) | 8}, n, ${tag})`),
  },
  priority: {
    allocates: true,
    source: ({ tag, random }) => direct(`ExAllocatePoolWithTagPriority(${poolType(random)}, n, ${tag}, 16)`),
  },
  pool2: {
    allocates: true,
    source: ({ tag, random }) =>
      direct(`ExAllocatePool2(${random.pick(['0x40ull', '0x100ull', '0x42ull'])}, n, ${tag})`),
  },
  pool3: { allocates: true, source: ({ tag }) => direct(`ExAllocatePool3(0x100ull, n, ${tag}, 0, 0)`) },
  select: {
    allocates: true,
    usesOthers: 1,
    source: ({ tag, others }) => direct(`ExAllocatePoolWithTag(1, n, (x & 4) ? ${tag} : ${others[0]})`),
  },
  dynamic: {
    allocates: true,
    isIndefinite: true,
    source: ({ tag }) => `typedef PVOID (NTAPI *ALLOCATE2)(ULONG64, SIZE_T, ULONG);
ALLOCATE2 volatile g_Allocate2;
${work(`  if (!g_Allocate2) g_Allocate2 = (ALLOCATE2)MmGetSystemRoutineAddress((PVOID)n);\n  return g_Allocate2 ? g_Allocate2(0x40, n, ${tag}) : 0;`)}`,
  },

  text: {
    allocates: false,
    source: ({ text }) => work(`  DbgPrint("${text}ed %p after %u\\n", (PVOID)n, x);\n  return 0;`),
  },
  'wide-text': {
    allocates: false,
    source: ({ text }) => `const unsigned short g_Wide[] = u"${text}ed memory of ${text}";
${work(`  RtlInitUnicodeString(g_Slots, (PVOID)g_Wide);\n  return (PVOID)&g_Wide[x & 7];`)}`,
  },
  compare: {
    allocates: false,
    source: ({ tag, others }) =>
      work(
        `  ULONG *p = (ULONG *)n;\n  if (p[x & 3] == ${tag}) Note("found", p);\n  return ExAllocatePoolWithTag(1, n, ${others[0]});`,
      ),
    usesOthers: 1,
  },
  store: {
    allocates: false,
    source: ({ tag, others }) =>
      work(
        `  ULONG *p = ExAllocatePoolWithTag(1, n, ${others[0]});\n  if (p) {\n    p[0] = ${tag};\n    p[x & 3] = ${tag};\n  }\n  return p;`,
      ),
    usesOthers: 1,
  },
  return: {
    allocates: false,
    source: ({ tag }) =>
      `NOINLINE ULONG Signature(ULONG x)\n{\n  return (x & 1) ? ${tag} : 0;\n}\n${work(`  g_Count = Signature(x);\n  return 0;`)}`,
  },
  displacement: {
    allocates: false,
    source: ({ tag, others }) =>
      work(
        `  g_Count = *(volatile ULONG *)((UCHAR *)n + ${tag});\n  return ExAllocatePoolWithTag(1, x, ${others[0]});`,
      ),
    usesOthers: 1,
  },
  'other-tag': {
    allocates: false,
    source: ({ tag, others }) =>
      work(
        `  ULONG *p;\n  g_Signature = ${tag};\n  p = ExAllocatePoolWithTag(1, n, ${others[0]});\n  if (p) *p = ${tag};\n  return p;`,
      ),
    usesOthers: 1,
  },
  'free-only': {
    allocates: false,
    source: ({ tag }) => work(`  if (x & 1) ExFreePoolWithTag((PVOID)n, ${tag});\n  return 0;`),
  },
  relocation: {
    allocates: false,
    source: () =>
      `extern UCHAR __ImageBase[];\nUCHAR *volatile g_Pointer = &__ImageBase[AREA_OFFSET];\n${work(`  RtlFillMemoryUlong(g_Pointer, n, (SIZE_T)&__ImageBase[AREA_OFFSET]);\n  return g_Pointer;`)}`,
  },
  pattern: {
    allocates: false,
    source: ({ tag }) => work(`  RtlFillMemoryUlong((PVOID)n, x, ${tag});\n  return 0;`),
  },
  size: {
    allocates: false,
    source: ({ tag, others }) => direct(`ExAllocatePoolWithTag(1, (x & 1) ? ${tag} : n, ${others[0]})`),
    usesOthers: 1,
  },
};

/** All shapes by name. */
export const SHAPES: Readonly<Record<string, Shape>> = {
  ...PLAIN_SHAPES,
  ...PARAMETER_SHAPES,
  ...CODE_SHAPES,
  ...FIELD_SHAPES,
};
