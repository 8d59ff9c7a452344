/**
 * Drivers as large as real ones: hundreds of functions that walk lists, take requests apart and call each other, of which
 * one in sixteen allocates or frees. For measuring how fast drivers are listed; the truth is what `generateDriver` gives.
 */

import { Prng } from '../prng.js';
import { generateDriver, type DriverSpec, type GeneratedDriver } from './source.js';

/** Functions of one driver. */
const FUNCTIONS = 640;
/** One in so many allocates or frees, as in the drivers that Windows ships with. */
const ALLOCATING = 16;

/** What the functions share. */
const STRUCTURES = `typedef struct Node { struct Node *next, *prev; ULONG id, flags, size, state; PVOID data; struct Node *peer; ULONG table[8]; } Node;
Node *volatile g_List;
volatile ULONG g_Statistics[64];
`;

/** Bodies of functions with the parameters \`Node *n, ULONG x, PVOID p\` that return a ULONG. */
const BODIES: readonly ((random: Prng, call: (arguments_: string) => string) => string)[] = [
  (random, call) => `  ULONG sum = 0;
  for (Node *i = n->next; i != n; i = i->next) {
    if ((i->flags & ${1 << random.int(0, 20)}u) == 0) continue;
    sum += i->size;
    if (i->id == x) { i->state = ${random.int(2, 90)}; sum += ${call('i, sum, i->data')}; }
  }
  g_Statistics[${random.int(0, 63)}] += sum;
  return sum;`,
  (random, call) => `  switch (x) {
${Array.from(
  { length: random.int(4, 9) },
  (_, i) =>
    `  case ${i * random.int(1, 2) + i}: n->state = ${random.int(1, 999)}; return ${call(`n, x + ${random.int(1, 50)}, p`)};`,
)
  .filter((line, i, all) => all.findIndex((other) => other.split(':')[0] === line.split(':')[0]) === i)
  .join('\n')}
  default: break;
  }
  return 0xc000000du;`,
  (random, call) => `  if (n == 0 || p == 0) return 0xc000000du;
  if (n->size < ${random.int(16, 200)}) { DbgPrint("short %p %u\\n", n, n->size); return 0xc0000004u; }
  ULONG status = ${call('n->peer, x, p')};
  if ((int)status < 0) { Note("failed", n); return status; }
  n->flags |= ${1 << random.int(0, 24)}u;
  return ${call('n, status, n->data')};`,
  (random) => `  ULONG h = 0x${random.u32().toString(16)}u ^ x;
  for (ULONG i = 0; i < n->size; i++) {
    h ^= ((UCHAR *)p)[i];
    h = h * ${random.int(3, 9999)}u + (h >> ${random.int(1, 30)});
    if ((h & ${random.int(1, 255)}) == 0) n->table[h & 7]++;
  }
  return h;`,
  (random, call) => `  Node local;
  for (int i = 0; i < 8; i++) local.table[i] = n->table[i] + x * ${random.int(1, 40)};
  local.next = n; local.prev = n->prev; local.data = p; local.flags = ${random.int(0, 99999)}; local.size = n->size;
  ULONG a = ${call('&local, x, p')};
  if (a > local.table[${random.int(0, 7)}]) a = ${call('n, a, &local')};
  return a + local.flags;`,
];

const ALLOCATIONS: readonly ((tag: string) => string)[] = [
  (tag) => `  PVOID m = ExAllocatePoolWithTag(1, n->size + x, ${tag});
  if (m == 0) { Note("no memory", n); return 0xc000009au; }
  Fill(m, n->size >> 2); n->data = m; n->state++;
  return 0;`,
  (tag) => `  if (n->data != 0) { ExFreePoolWithTag(n->data, ${tag}); n->data = 0; }
  for (int i = 0; i < 8; i++) n->table[i] = 0;
  return n->flags;`,
  (tag) => `  PVOID m = ExAllocatePool2(0x40, sizeof(Node) + x, ${tag});
  if (m != 0) { ((Node *)m)->peer = n; ((Node *)m)->data = p; g_Slots[x & 15] = m; return 0; }
  return 0xc000009au;`,
];

/** One driver; the same specification always gives the same. */
export function generateLargeDriver(architecture: DriverSpec['architecture']): GeneratedDriver {
  const small = generateDriver({ shape: 'immediate', architecture, optimisation: 'O2', seed: 77 });
  const random = new Prng(77).fork(`large-${architecture}`);
  const tags = Array.from({ length: 12 }, (_, i) => `0x${(0x4c726130 + i * 0x10003).toString(16)}u`);
  const declared: string[] = [];
  const defined: string[] = [];
  for (let i = 0; i < FUNCTIONS; i++) {
    const parameters = `ULONG F${i}(Node *n, ULONG x, PVOID p)`;
    declared.push(`${parameters};`);
    const call = (given: string): string => `F${random.int(0, FUNCTIONS - 1)}(${given})`;
    const body = i % ALLOCATING === 7 ? random.pick(ALLOCATIONS)(random.pick(tags)) : random.pick(BODIES)(random, call);
    defined.push(`NOINLINE ${parameters}\n{\n${body}\n}`);
  }
  const table = `ULONG (*const g_Functions[])(Node *, ULONG, PVOID) = { ${declared.map((_, i) => `F${i}`).join(', ')} };`;
  const more = [STRUCTURES, ...declared, ...defined, table].join('\n');
  const entry = small.source.indexOf('INIT ULONG NTAPI DriverEntry');
  const calls = '  x += g_Functions[x & 511](g_List, x, path);\n  return 0;\n}\n';
  const source = `${small.source.slice(0, entry)}${more}\n${small.source.slice(entry).replace(/ {2}return 0;\n\}\n$/, calls)}`;
  return { ...small, exceptionTable: architecture !== 'x86', shape: 'large', name: `large-${architecture}`, source };
}
