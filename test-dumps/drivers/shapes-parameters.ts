/** Shapes that give their tag to frameworks: in a structure, through a table of functions, to one of several services. */

import { work, type Shape, type ShapeInput } from './shape.js';

/** The bind information of the driver framework (KMDF), and how a function of its table is called. */
export function framework({ random }: ShapeInput): { define: string; call: (index: number, type: string) => string } {
  const isTable = random.chance(0.4);
  const count = 444;
  const table = isTable ? `PVOID g_Functions[${count}];` : 'PVOID *g_Functions;';
  const minor = isTable ? random.pick([5, 7, 9]) : random.pick([11, 15, 31, 33]);
  return {
    define: `${table}
PVOID g_Globals;
typedef struct { ULONG Size; const unsigned short *Component; ULONG Major, Minor, Build, FuncCount; PVOID FuncTable; PVOID Module; } BIND;
BIND g_Bind = { sizeof(BIND), u"KmdfLibrary", 1, ${minor}, 0, ${count}, ${isTable ? 'g_Functions' : '&g_Functions'}, 0 };
`,
    call: (index, type) => `((${type})g_Functions[${index}])`,
  };
}

const CREATE_MEMORY = 'ULONG (NTAPI *)(PVOID, PVOID, ULONG, ULONG, SIZE_T, PVOID *, PVOID *)';
const CREATE_DRIVER = 'ULONG (NTAPI *)(PVOID, PVOID, PVOID, PVOID, PVOID, PVOID *)';
const CREATE_LIST = 'ULONG (NTAPI *)(PVOID, PVOID, SIZE_T, ULONG, PVOID, ULONG, PVOID *)';

/** A function of the framework that is called with the tag as its fourth argument. */
function memory(input: ShapeInput, index: number): string {
  const { define, call } = framework(input);
  return `${define}${work(`  PVOID memory = 0, buffer = 0;
  Note("bind", &g_Bind);
  ${call(index, CREATE_MEMORY)}(g_Globals, 0, x & 1, ${input.tag}, n + 8, &memory, &buffer);
  return buffer;`)}`;
}

function config(input: ShapeInput, field: 'DriverPoolTag' | 'DriverInitFlags'): string {
  const { define, call } = framework(input);
  return `${define}typedef struct { ULONG Size; PVOID Add; PVOID Unload; ULONG DriverInitFlags; ULONG DriverPoolTag; } CONFIG;
${work(`  volatile CONFIG c;
  PVOID driver = 0;
  c.Size = sizeof(CONFIG);
  c.Add = g_Slots[1];
  c.Unload = 0;
  c.DriverInitFlags = 0;
  c.DriverPoolTag = 0;
  c.${field} = ${input.tag};
  Note("bind", &g_Bind);
  ${call(116, CREATE_DRIVER)}(g_Globals, (PVOID)n, g_Slots[2], 0, (PVOID)&c, &driver);
  return driver;`)}`;
}

/** NET_BUFFER_LIST_POOL_PARAMETERS, on the stack or in data. */
function netBuffers({ tag, others, random }: ShapeInput, field: 'PoolTag' | 'DataSize'): string {
  const define = `typedef struct { UCHAR Type, Revision; USHORT Size; UCHAR ProtocolId, Allocate; USHORT ContextSize; ULONG PoolTag; ULONG DataSize; } PARAMETERS;\n`;
  const own = field === 'PoolTag' ? tag : others[0];
  const size = field === 'PoolTag' ? `${random.int(0, 4096)}` : tag;
  if (random.chance(0.5)) {
    return `${define}PARAMETERS g_Parameters = { 0x80, 1, sizeof(PARAMETERS), 0, 1, 0, ${own}, ${size} };
${work('  return NdisAllocateNetBufferListPool((PVOID)n, &g_Parameters);')}`;
  }
  return `${define}${work(`  PARAMETERS p;
  p.Type = 0x80; p.Revision = 1; p.Size = sizeof(p);
  p.ProtocolId = 0; p.Allocate = x & 1; p.ContextSize = 0;
  p.PoolTag = ${own};
  p.DataSize = ${size};
  return NdisAllocateNetBufferListPool((PVOID)n, &p);`)}`;
}

/** FLT_REGISTRATION with contexts; with `isOwn` the driver allocates those of the tag itself. */
function contexts({ tag, others }: ShapeInput, isOwn: boolean): string {
  return `typedef struct { USHORT Type, Flags; PVOID Cleanup; SIZE_T Size; ULONG Tag; PVOID Allocate, Free, Reserved; } CONTEXT;
typedef struct { USHORT Size, Version; ULONG Flags; const CONTEXT *Contexts; const void *Operations; PVOID Rest[10]; } REGISTRATION;
NOINLINE PVOID NTAPI OwnContext(ULONG pool, SIZE_T n) { return ExAllocatePoolWithTag(pool, n, ${others[1]}); }
const CONTEXT g_Contexts[] = { { 2, 0, 0, 64, ${others[0]} }, { 8, 0, 0, 128, ${tag}, ${isOwn ? 'OwnContext' : '0'} }, { 0xffff } };
const REGISTRATION g_Registration = { sizeof(REGISTRATION), 0x0203, 0, g_Contexts };
${work('  PVOID filter = 0;\n  g_Count = FltRegisterFilter((PVOID)n, (PVOID)&g_Registration, &filter);\n  return x & 1 ? OwnContext(1, n) : filter;')}`;
}

/** StorPortExtendedFunction, directly or through a function of the driver; service 0 allocates. */
function service({ tag, random }: ShapeInput, number: number): string {
  if (random.chance(0.5))
    return work(`  PVOID p = 0;\n  StorPortExtendedFunction(${number}, (PVOID)n, (ULONG)n, ${tag}, &p);\n  return p;`);
  return `static NOINLINE ULONG Service(ULONG code, PVOID device, ULONG n, ULONG a, PVOID *out)
{
  g_Count++;
  return StorPortExtendedFunction(code, device, n, a, out);
}
${work(`  PVOID p = 0;\n  Service(${number}, (PVOID)n, x, ${tag}, &p);\n  return p;`)}`;
}

export const PARAMETER_SHAPES: Readonly<Record<string, Shape>> = {
  'wdf-memory': { allocates: true, source: (input) => memory(input, 192) },
  'wdf-lookaside': {
    allocates: true,
    source: (input) => {
      const { define, call } = framework(input);
      return `${define}${work(`  PVOID list = 0;\n  Note("bind", &g_Bind);\n  ${call(198, CREATE_LIST)}(g_Globals, 0, n + 64, x & 1, 0, ${input.tag}, &list);\n  return list;`)}`;
    },
  },
  'wdf-driver': { allocates: true, source: (input) => config(input, 'DriverPoolTag') },
  parameters: { allocates: true, source: (input) => netBuffers(input, 'PoolTag') },
  contexts: { allocates: true, usesOthers: 2, source: (input) => contexts(input, false) },
  service: { allocates: true, source: (input) => service(input, 0) },

  'wdf-other': { allocates: false, source: (input) => memory(input, input.random.pick([191, 193, 194])) },
  'wdf-flags': { allocates: false, source: (input) => config(input, 'DriverInitFlags') },
  'parameters-size': { allocates: false, usesOthers: 1, source: (input) => netBuffers(input, 'DataSize') },
  'contexts-own': { allocates: false, usesOthers: 2, source: (input) => contexts(input, true) },
  'service-other': { allocates: false, source: (input) => service(input, input.random.pick([1, 2, 7])) },
};
