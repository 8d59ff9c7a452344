/** Shapes that keep their tag in a structure: of the driver's own, in a device extension, in a context of a framework. */

import { framework } from './shapes-parameters.js';
import { work, type Shape, type ShapeInput } from './shape.js';

/** A structure with the tag somewhere in it, and the offset is the same in a second one. */
function structures({ random }: ShapeInput): string {
  const before = random.pick(['ULONG Size;', 'ULONG Size; PVOID Link[2];', 'ULONG Size; ULONG Rest[14];', 'ULONG Size; PVOID Link[40];']); // prettier-ignore
  return `typedef struct { ${before} ULONG Tag; PVOID Next; } STATE;
typedef struct { ${before} ULONG Tag; PVOID Other[3]; } SECOND;
STATE *g_State;
SECOND *g_Second;
`;
}

const READ = 'ExAllocatePoolWithTag(1, n + g_State->Size, g_State->Tag)';

const prepare = (tag: string): string =>
  `NOINLINE void Prepare(STATE *s)\n{\n  s->Size = 8;\n  s->Tag = ${tag};\n  g_State = s;\n}\n`;

/** `Work` that prepares the structure, does something else with it, and allocates by it. */
const decoy = (input: ShapeInput, define: string, between: string): string =>
  `${structures(input)}${prepare(input.tag)}${define}${work(`  Prepare((STATE *)n);\n  ${between}\n  return ${READ};`)}`;

/** A tag that only the functions of a caller know: the structure is given, not found in a variable. */
const given = (input: ShapeInput): string => `${structures(input)}
NOINLINE void Fresh(STATE *s)\n{\n  s->Size = 16;\n  s->Next = 0;\n  s->Tag = ${input.tag};\n}
NOINLINE PVOID Take(STATE *s, SIZE_T n)\n{\n  g_Count++;\n  return ExAllocatePoolWithTag(1, n + s->Size, s->Tag);\n}
NOINLINE void Start(PVOID p)\n{\n  g_State = p;\n  Fresh(g_State);\n}
${work('  Start((PVOID)n);\n  Note("given", g_State);\n  return Take(g_State, n);')}`;

const allocated = (input: ShapeInput): string => `${structures(input)}
NOINLINE ULONG Make(void)
{
  STATE *s = ExAllocatePoolWithTag(1, sizeof(STATE), ${input.others[0]});
  if (s == 0) return 0xc000009au;
  s->Next = s;
  s->Size = 4;
  s->Tag = ${input.tag};
  g_State = s;
  return 0;
}
${work(`  if (Make() != 0) return 0;\n  return ${READ};`)}`;

/** _DEVICE_OBJECT, of which only the extension counts, and IoCreateDevice; `other` rewrites the field in another function. */
function device({ tag, architecture, random, others }: ShapeInput, isRewritten: boolean): string {
  const before = architecture === 'x86' ? 0x28 : 0x40;
  const isGlobal = random.chance(0.5);
  const rewrite = isRewritten
    ? `NOINLINE ULONG NTAPI Power(DEVICE *d, PVOID irp)\n{\n  d->Extension->PoolTag = ${others[0]};\n  return 0;\n}\n`
    : '';
  return `typedef struct { PVOID Lower; PVOID Queue[${random.int(1, 30)}]; ULONG Count; ULONG PoolTag; } EXTENSION;
typedef struct { UCHAR Before[${before}]; EXTENSION *Extension; } DEVICE;
DEVICE *g_Device;
NOINLINE ULONG NTAPI Add(PVOID driver, PVOID physical)
{
  DEVICE *d = 0;
  ULONG status = IoCreateDevice(driver, sizeof(EXTENSION), 0, 0x22, 0, 0, ${isGlobal ? '(PVOID *)&g_Device' : '(PVOID *)&d'});
  if ((int)status < 0) return status;
  ${isGlobal ? 'd = g_Device;' : ''}
  d->Extension->Lower = physical;
  d->Extension->PoolTag = ${tag};
  return 0;
}
${rewrite}NOINLINE ULONG NTAPI Dispatch(DEVICE *d, PVOID irp)
{
  EXTENSION *e = ${isGlobal ? 'g_Device' : 'd'}->Extension;
  e->Count++;
  g_Slots[4] = ExAllocatePoolWithTag(1, (SIZE_T)irp & 0xfff, e->PoolTag);
  return 0;
}
${work('  return g_Slots[x & 3];')}`;
}

const deviceEntry = ({ architecture }: Pick<ShapeInput, 'architecture'>, isRewritten: boolean): string =>
  `PVOID *major = (PVOID *)((UCHAR *)driver + ${architecture === 'x86' ? 0x38 : 0x70});
  major[3] = (PVOID)Dispatch;
  ${isRewritten ? 'major[22] = (PVOID)Power;' : ''}
  Add(driver, path);`;

/** Contexts of the driver framework (KMDF); the reader asks for one of type `read`. */
function contexts(input: ShapeInput, read: 'A' | 'B'): string {
  const { define, call } = framework(input);
  const get = (type: string): string =>
    `${call(202, 'PVOID (NTAPI *)(PVOID, PVOID, PVOID)')}(g_Globals, object, (PVOID)&g_Type${type})`;
  return `${define}typedef struct { ULONG Size; const char *Name; SIZE_T ContextSize; } TYPE;
typedef struct { PVOID Queue; ULONG Count[${input.random.int(1, 20)}]; ULONG Tag; } CONTEXT;
const TYPE g_TypeA = { sizeof(TYPE), "A", sizeof(CONTEXT) }, g_TypeB = { sizeof(TYPE), "B", sizeof(CONTEXT) };
NOINLINE void Begin(PVOID object)
{
  CONTEXT *c = ${get('A')};
  c->Queue = object;
  c->Tag = ${input.tag};
}
NOINLINE void Second(PVOID object)
{
  CONTEXT *c = ${get('B')};
  c->Queue = 0;
  c->Tag = ${input.others[0]};
}
${work(`  PVOID object = (PVOID)n;
  Note("bind", &g_Bind);
  Begin(object);
  Second(object);
  CONTEXT *c = ${get(read)};
  return ExAllocatePoolWithTag(1, x, c->Tag);`)}`;
}

const SETTER = 'NOINLINE void Set(STATE *s, ULONG tag)\n{\n  s->Tag = tag;\n  g_Count++;\n}\n';
const BY_ADDRESS = 'NOINLINE void Set(ULONG *field, ULONG tag)\n{\n  *field = tag;\n  g_Count++;\n}\n';
const COPIED = (tag: string): string =>
  `NOINLINE void Copy(void)\n{\n  SMALL local = { 1, ${tag}, { 7, 9 } };\n  *g_Small = local;\n}\n`;

export const FIELD_SHAPES: Readonly<Record<string, Shape>> = {
  field: {
    allocates: true,
    isIndefinite: true,
    source: (input) =>
      `${structures(input)}${prepare(input.tag)}${work(`  Prepare((STATE *)n);\n  return ${READ};`)}`,
  },
  'field-given': { allocates: true, isIndefinite: true, source: given },
  'field-allocated': { allocates: true, isIndefinite: true, usesOthers: 1, source: allocated },
  'field-device': {
    allocates: true,
    isIndefinite: true,
    source: (input) => device(input, false),
    entry: (input) => deviceEntry(input, false),
  },
  'field-context': { allocates: true, source: (input) => contexts(input, 'A') },

  'field-second': {
    allocates: false,
    isIndefinite: true,
    usesOthers: 1,
    source: (input) =>
      `${structures(input)}
NOINLINE void Prepare(STATE *s, SECOND *second)\n{\n  s->Size = 8;\n  s->Tag = ${input.others[0]};\n  g_State = s;\n  second->Tag = ${input.tag};\n  g_Second = second;\n}
${work(`  Prepare((STATE *)n, g_Slots[5]);\n  return ${READ};`)}`,
  },
  'field-unrelated': {
    allocates: false,
    isIndefinite: true,
    usesOthers: 1,
    source: (input) =>
      `${structures(input)}
NOINLINE void Sign(SECOND *s)\n{\n  s->Tag = ${input.tag};\n}
${prepare(input.others[0])}${work(`  Prepare((STATE *)n);\n  Sign(g_Slots[6]);\n  return ${READ};`)}`,
  },
  'field-rewritten': {
    allocates: false,
    isIndefinite: true,
    usesOthers: 1,
    source: (input) =>
      decoy(input, `NOINLINE void Again(void)\n{\n  g_State->Tag = ${input.others[0]};\n}\n`, 'Again();'),
  },
  'field-set': { allocates: false, isIndefinite: true, usesOthers: 1, source: (input) => decoy(input, SETTER, `Set(g_State, ${input.others[0]});`) },
  'field-address': {
    allocates: false,
    isIndefinite: true,
    usesOthers: 1,
    source: (input) => decoy(input, BY_ADDRESS, `Set(&g_State->Tag, ${input.others[0]});`),
  },
  'field-wide': {
    allocates: false,
    isIndefinite: true,
    usesOthers: 1,
    source: ({ tag, others }) => `typedef struct { ULONG64 First; union { ULONG Tag; ULONG64 Whole; USHORT Half[2]; }; } WIDE;
WIDE *g_Wide;
NOINLINE void Prepare(WIDE *w)\n{\n  w->First = 1;\n  w->Tag = ${tag};\n  g_Wide = w;\n}
NOINLINE void Whole(ULONG64 high)\n{\n  g_Wide->Whole = (high << 32) | ${others[0]};\n}
${work('  Prepare((WIDE *)n);\n  Whole(x);\n  return ExAllocatePoolWithTag(1, n, g_Wide->Tag);')}`,
  },
  'field-copied': {
    allocates: false,
    isIndefinite: true,
    usesOthers: 1,
    source: ({ tag, others }) => `typedef struct { ULONG Size; ULONG Tag; ULONG Rest[2]; } SMALL;
SMALL *g_Small;
NOINLINE void Prepare(SMALL *s)\n{\n  s->Size = 8;\n  s->Tag = ${tag};\n  g_Small = s;\n}
${COPIED(others[0])}${work('  Prepare((SMALL *)n);\n  Copy();\n  return ExAllocatePoolWithTag(1, n, g_Small->Tag);')}`,
  },
  'field-device-rewritten': {
    allocates: false,
    isIndefinite: true,
    usesOthers: 1,
    source: (input) => device(input, true),
    entry: (input) => deviceEntry(input, true),
  },
  'field-context-other': { allocates: false, usesOthers: 1, source: (input) => contexts(input, 'B') },
}; // prettier-ignore
