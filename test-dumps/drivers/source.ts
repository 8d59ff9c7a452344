/** Generated drivers: their C sources from a seed, and the truth about each. */

import { Prng } from '../prng.js';
import { SHAPES } from './shapes.js';

export const ARCHITECTURES = ['x86', 'x64', 'arm64'] as const;
export const OPTIMISATIONS = ['O0', 'O1', 'O2', 'Os'] as const;

export interface DriverSpec {
  shape: string;
  architecture: (typeof ARCHITECTURES)[number];
  optimisation: (typeof OPTIMISATIONS)[number];
  seed: number;
}

export interface GeneratedDriver extends DriverSpec {
  /** `wrapper-x64-O2-1`. */
  name: string;
  source: string;
  /** The tag that the shape is about. */
  tag: string;
  /** The driver allocates under `tag`. */
  allocates: boolean;
  /** All tags that it allocates under, and those of which the code tells: a call gets it as it is, or what calls that. */
  allocatedTags: readonly string[];
  definiteTags: readonly string[];
  /** The file has an exception table, as drivers for x64 and ARM64 do unless somebody takes it away. */
  exceptionTable: boolean;
  /** Tags that it only frees, or names in texts. */
  decoyTags: readonly string[];
}

/** Functions of ntoskrnl.exe that the sources use: name, bytes of arguments on x86 (null for __cdecl), declaration. */
export const IMPORTS = [
  ['ExAllocatePoolWithTag', 12, 'PVOID', 'int, SIZE_T, ULONG'],
  ['ExAllocatePoolWithQuotaTag', 12, 'PVOID', 'int, SIZE_T, ULONG'],
  ['ExAllocatePoolWithTagPriority', 16, 'PVOID', 'int, SIZE_T, ULONG, int'],
  ['ExAllocatePool2', 16, 'PVOID', 'ULONG64, SIZE_T, ULONG'],
  ['ExAllocatePool3', 24, 'PVOID', 'ULONG64, SIZE_T, ULONG, PVOID, ULONG'],
  ['ExFreePoolWithTag', 8, 'void', 'PVOID, ULONG'],
  ['ExInitializeNPagedLookasideList', 28, 'void', 'PVOID, PVOID, PVOID, ULONG, SIZE_T, ULONG, USHORT'],
  ['ExInitializePagedLookasideList', 28, 'void', 'PVOID, PVOID, PVOID, ULONG, SIZE_T, ULONG, USHORT'],
  ['NdisAllocateNetBufferListPool', 8, 'PVOID', 'PVOID, PVOID'],
  ['FltRegisterFilter', 12, 'ULONG', 'PVOID, PVOID, PVOID *'],
  ['StorPortExtendedFunction', null, 'ULONG', 'ULONG, PVOID, ULONG, ULONG, PVOID *'],
  ['IoCreateDevice', 28, 'ULONG', 'PVOID, ULONG, PVOID, ULONG, ULONG, UCHAR, PVOID *'],
  ['MmGetSystemRoutineAddress', 4, 'PVOID', 'PVOID'],
  ['RtlFillMemoryUlong', 12, 'void', 'PVOID, SIZE_T, ULONG'],
  ['RtlInitUnicodeString', 8, 'void', 'PVOID, PVOID'],
  ['DbgPrint', null, 'ULONG', 'const char *, ...'],
] as const;

const PRELUDE = `typedef unsigned char UCHAR;
typedef unsigned short USHORT;
typedef unsigned long ULONG;
typedef unsigned long long ULONG64;
typedef void *PVOID;
typedef __SIZE_TYPE__ SIZE_T;
#define NTAPI __stdcall
#define NOINLINE __attribute__((noinline))
#define INIT __attribute__((section("INIT")))
${IMPORTS.map(([name, bytes, type, parameters]) => `__declspec(dllimport) ${type} ${bytes === null ? '' : 'NTAPI '}${name}(${parameters});`).join('\n')}

volatile ULONG g_Count;
volatile ULONG g_Signature;
PVOID volatile g_Slots[16];

NOINLINE void Fill(PVOID p, ULONG n)
{
  for (ULONG i = 0; i < n; i++) ((volatile ULONG *)p)[i] = i * 5;
}
NOINLINE void Note(const char *text, PVOID p)
{
  DbgPrint("%s %p\\n", text, p);
}
`;

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** A tag whose last character keeps the sign bit clear; all different within one driver. */
function tags(random: Prng, count: number): string[] {
  const made = new Set<string>();
  while (made.size < count) {
    made.add(Array.from({ length: 4 }, () => LETTERS[random.int(0, LETTERS.length - 1)] ?? 'A').join(''));
  }
  return [...made];
}

const constant = (tag: string): string => `0x${Buffer.from(tag, 'latin1').readUInt32LE().toString(16)}u`;

/** Functions that do arithmetic and nothing else. */
function noise(random: Prng): string {
  return Array.from({ length: random.int(2, 6) }, (_, i) => {
    const steps = Array.from({ length: random.int(1, 5) }, () =>
      random.pick([
        `x ^= 0x${random.u32().toString(16)}u;`,
        `x += x >> ${random.int(1, 31)};`,
        'if (x & 64) Note("odd", 0);',
        `x *= ${random.int(3, 99)};`,
        'g_Slots[x & 15] = 0;',
      ]),
    );
    return `NOINLINE ULONG Noise${i}(ULONG x)\n{\n  ${steps.join('\n  ')}\n  return x;\n}\n`;
  }).join('');
}

/** Most have one: without it, functions are found in other ways. */
const hasTable = ({ architecture, shape, optimisation, seed }: DriverSpec): boolean =>
  architecture !== 'x86' && new Prng(seed).fork(`table ${shape} ${architecture} ${optimisation}`).chance(0.7);

/** The source of a driver and the truth about it; the same specification always gives the same. */
export function generateDriver(spec: DriverSpec): GeneratedDriver {
  const { shape, architecture, optimisation, seed } = spec;
  const about = SHAPES[shape];
  if (about === undefined) throw new Error(`no shape ${shape}`);
  const name = `${shape}-${architecture}-${optimisation}-${seed}`;
  const random = new Prng(seed).fork(name);
  const [tag = '', first = '', second = '', freed = '', spoken = ''] = tags(random, 5);
  const others = [constant(first), constant(second)] as const;
  const body = about.source({ tag: constant(tag), text: tag, others, architecture, random });
  const calls = noise(random);
  const own = random.chance(0.5);
  const usesOthers = Math.max(about.usesOthers ?? 0, own ? 2 : 0);
  const source = `${PRELUDE}
${calls}
${body}
${own ? `NOINLINE PVOID Own(SIZE_T n)\n{\n  PVOID p = ExAllocatePoolWithTag(1, n, ${others[0]});\n  g_Slots[1] = p;\n  return ExAllocatePoolWithTag(1, n + 16, ${others[1]});\n}\n` : ''}
NOINLINE void Release(PVOID p)
{
  DbgPrint("${spoken}ing %p\\n", p);
  ExFreePoolWithTag(p, ${constant(freed)});
}

INIT ULONG NTAPI DriverEntry(PVOID driver, PVOID path)
{
  ULONG x = (ULONG)(SIZE_T)driver;
  ${
    calls
      .match(/Noise\d/g)
      ?.map((call) => `x += ${call}(x);`)
      .join('\n  ') ?? ''
  }
  ${about.entry?.({ architecture }) ?? ''}
  g_Slots[0] = Work((SIZE_T)path, x);
  ${own ? 'g_Slots[2] = Own(x);' : ''}
  Release(g_Slots[x & 15]);
  return 0;
}
`;
  const allocated = [...(about.allocates ? [tag] : []), ...[first, second].slice(0, usesOthers)];
  return {
    ...spec, name, source, tag, allocates: about.allocates, exceptionTable: hasTable(spec),
    allocatedTags: allocated,
    definiteTags: about.isIndefinite !== true ? allocated : own ? [first, second] : [],
    decoyTags: [...(about.allocates ? [] : [tag]), freed, spoken],
  }; // prettier-ignore
}

/** Every shape with every processor and optimisation. */
export function allDrivers(seed: number): DriverSpec[] {
  return Object.keys(SHAPES).flatMap((shape, i) =>
    ARCHITECTURES.flatMap((architecture) =>
      OPTIMISATIONS.map((optimisation) => ({ shape, architecture, optimisation, seed: seed + i })),
    ),
  );
}

/** A part of `allDrivers` in which every shape meets every processor; optimisations take turns. */
export function someDrivers(seed: number, count: number): DriverSpec[] {
  const random = new Prng(seed);
  const all = allDrivers(seed).map((spec) => ({ spec, order: random.float() }));
  const sorted = all.sort((a, b) => a.order - b.order).map(({ spec }) => spec);
  const taken: DriverSpec[] = [];
  const seen = new Map<string, number>();
  for (let most = 0; taken.length < count && most < all.length; most++) {
    for (const spec of sorted) {
      if (taken.length >= count || taken.includes(spec)) continue;
      if ((seen.get(spec.shape) ?? 0) > most || (seen.get(spec.architecture) ?? 0) > count / 3) continue;
      seen.set(spec.shape, (seen.get(spec.shape) ?? 0) + 1);
      seen.set(spec.architecture, (seen.get(spec.architecture) ?? 0) + 1);
      taken.push(spec);
    }
  }
  return taken;
}
