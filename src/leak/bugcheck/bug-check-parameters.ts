/**
 * What the four parameters of the common bug checks mean: facts of the public bug check reference in few words. Some
 * depend on the first parameter; values that are codes themselves are spelled out.
 */

import { plainBugCheckCode } from './bug-checks.js';

/** A parameter that was explained. */
export interface ParameterMeaning {
  /** From 1 to 4. */
  parameter: number;
  meaning: string;
}

/** Values that many parameters share, by name. All numbers are hexadecimal. */
const LISTS = `
access: 0 read; 1 write; 2 write; 8 execute; 10 execute
irql: 0 PASSIVE; 1 APC; 2 DISPATCH; ff interrupts were off
exception: 80000003 breakpoint; 80000004 single step; c0000005 access violation; c0000006 page could not be read in;
  c000001d illegal instruction; c0000094 division by zero; c00000fd stack overflow; c0000409 stack buffer overrun;
  c0000420 assertion failed
status: c000000e no such device; c000009a insufficient resources, which means no nonpaged pool; c000009c bad sectors;
  c000009d device not connected; c0000102 damaged file; c000016a disk operation failed; c0000185 input or output error
trap: 0 division by zero; 1 debug trap; 4 overflow; 5 bounds check; 6 invalid opcode; 7 no floating point unit;
  8 double fault, often an overflow of the kernel stack; a invalid task state segment; b segment not present;
  c stack fault; d general protection fault; 11 alignment; 12 machine check
`;

/**
 * A line begins with a code, or a code and a first parameter (`c4/62`); then what the parameters mean, between bars. In
 * braces stand values, or the name of a list of them. Lines that begin with a blank go on with the one before.
 */
const TABLE = `
a: address that was referenced | IRQL {irql} | access {access} | address of the instruction
18: type of the object | object whose reference count is wrong
19: what was found {2 special pool was written past its end; 3 damaged list of free blocks; 20 damaged header of a block;
  21 data after a block that is freed was overwritten; 22 freed block that no list knows; 25 damaged header of a block}
19/3: | block that was looked at | its forward link | its backward link
19/20: | block that should have been found | block after it
19/21: | address that was freed | bytes of the block | value that was overwritten
1a: what was found {403 PTE and page frame do not agree; 411 damaged PTE; 3451 damaged PTEs of a kernel stack;
  5003 damaged list of free working set entries; 8884 pages of one list do not agree; 8888 damaged structures;
  888a damaged structures; 41201 PTE and working set entry do not agree; 41284 damaged PTE or working set list;
  41287 page fault while the working set was locked; 41790 damaged page table page; 41792 damaged PTE;
  61941 damaged page tables}
1a/411: | address of the PTE
1a/41792: | address of the PTE | contents of the PTE
1a/61941: | address whose page tables are damaged
1e: exception code {exception} | address of the instruction | first parameter of the exception | second parameter of it
24: place in the source of the file system | exception record | context record
3b: exception code {exception} | address of the instruction | context record
3f: kind of PTEs {0 system; 1 nonpaged pool} | PTEs asked for | free PTEs | all PTEs
41: bytes asked for | pages of nonpaged pool in use | requests of more than a page | available pages
4d: dirty pages | dirty pages for the page file | nonpaged pool available, in pages | pages stuck in transition
4e: what was found {1 damaged list head; 2 damaged list entry; 7 page unlocked more often than locked;
  99 damaged PTE or page frame}
4e/7: | page frame | its share count
4e/99: | page frame | state of the page
50: address that was referenced | access {access} | address of the instruction
77: status, or what the signature was {status} | status of the input {status} | number of the page file | offset in it
7a: address of the PTE, or kind of lock | status of the input {status} | process, or contents of the PTE |
  address whose page could not be read in
7b: name or object of the boot device | status {status}
7e: exception code {exception} | address of the instruction | exception record | context record
7f: trap {trap}
80:
8e: exception code {exception} | address of the instruction | trap frame
9e: process that did not answer | time that it had, in seconds
9f: what was found {1 device freed with a power request under way; 2 device did not complete a system power request;
  3 device holds a power request too long; 4 power transition waits for plug and play too long}
9f/3: | device object (PDO) | triage data | the request (IRP)
9f/4: | time-out, in seconds | thread that holds the lock | triage data
be: address that was written to | contents of its PTE
c1: address that was freed
c2: what was found {0 allocation of no bytes; 1 damaged pool header; 2 damaged pool header; 4 damaged pool header;
  6 block freed twice; 7 block freed twice; 8 allocation at an IRQL too high; 9 freed at an IRQL too high;
  a freed under a wrong tag; b damaged quota of a block; 40 a user address was freed; 41 freed address is no pool;
  46 freed address is no pool; 99 freed address is no pool; 9b allocation without a tag}
c2/7: | | contents of the pool header | address that was freed
c2/a: | address that was freed | tag of the block | tag that was given
c4: rule of Driver Verifier {10 a wrong address was freed; 11 freed at an IRQL too high; 13 block freed twice;
  60 driver unloaded without freeing its pool; 61 driver allocates pool while it unloads;
  62 driver unloaded without freeing its pool}
c4/60: | bytes of paged pool left | bytes of nonpaged pool left | allocations left
c4/62: | name of the driver | | allocations left
c5: address that was referenced | IRQL {irql} | access {access} | address of the instruction
ca: what was found {1 device object reported twice; 2 object that is no device; 3 identifier that is none;
  4 deleted device object; 5 device object freed in use; 8 no device object in the stack}
ca/1: | device object | device object reported before
cb: who in the driver locked the pages | who called that | MDL of the pages | pages still locked
cc: address that was referenced | access {access} | address of the instruction
cd: address that was referenced | access {access} | address of the instruction
ce: address that was referenced | access {access} | address of the instruction
d0: address that was referenced | IRQL {irql} | access {access} | address of the instruction
d1: address that was referenced | IRQL {irql} | access {access} | address of the instruction
d5: address that was referenced | access {access} | address of the instruction
d6: address that was referenced | access {access} | address of the instruction
d8: name of the driver | PTEs that it used | free PTEs | all PTEs
e2:
ef: process or thread that ended | which {0 process; 1 thread}
f4: what ended {3 process; 6 thread} | the object | name of the process | text that explains it
f7: security cookie on the stack | cookie that should stand there | complement of that cookie
fc: address that was to be executed | contents of its PTE
101: time-out, in clock ticks | | control block (PRCB) of the processor that hangs | its number, where it is given
109: | | | kind of the structure that was changed
10d: rule of the driver frameworks that was broken
116: context of the display driver's recovery | address in the display driver | status {status}
117: context of the display driver's recovery | address in the display driver
124: source {0 machine check; 1 corrected machine check; 3 NMI; 4 PCI Express; 5 other; 7 at boot} |
  error record (WHEA) | high half of the machine check status | low half of the machine check status
133: what was found {0 one DPC or interrupt ran too long; 1 too long at DISPATCH or above in all}
133/0: | time used, in clock ticks | time allowed, in clock ticks | triage data
133/1: | time allowed, in clock ticks | triage data
139: what was found {0 stack buffer overrun; 2 stack cookie overwritten; 3 damaged list entry;
  4 stack pointer out of bounds; 5 invalid argument; a indirect call to a wrong place} | trap frame | exception record
13a: kind of damage | heap | address where it was found
154: store | exception information
161:
1c8:
c000021a: text that explains it | status {exception}
deaddead:
`;

type Values = ReadonlyMap<bigint, string>;

interface Column {
  phrase: string;
  values: Values;
}

/** Lines of a table, continued ones joined, as name and rest. */
function entriesOf(table: string): [string, string][] {
  const lines = table.trim().replace(/\n +/g, ' ').split('\n');
  return lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]);
}

function valuesOf(list: string): Values {
  return new Map(
    list.split(';').map((item) => {
      const [, code = '', text = ''] = /^\s*([0-9a-f]+) (.*)$/.exec(item) ?? [];
      return [BigInt(`0x${code}`), text];
    }),
  );
}

let table: ReadonlyMap<string, readonly Column[]> | undefined;

function columns(key: string): readonly Column[] | undefined {
  if (table === undefined) {
    const lists = new Map(entriesOf(LISTS).map(([name, list]) => [name, valuesOf(list)]));
    const column = (text: string): Column => {
      const [, phrase = '', inBraces] = /^([^{]*?)\s*(?:\{(.*)\})?\s*$/.exec(text.trim()) ?? [];
      return { phrase, values: inBraces === undefined ? new Map() : (lists.get(inBraces) ?? valuesOf(inBraces)) };
    };
    table = new Map(entriesOf(TABLE).map(([name, rest]) => [name, rest.split('|').map(column)]));
  }
  return table.get(key);
}

/** What the parameters mean, those that mean anything; empty for codes without an entry here. `parameters` unsigned. */
export function explainParameters(code: number, parameters: readonly bigint[]): ParameterMeaning[] {
  const key = plainBugCheckCode(code).toString(16);
  const own = columns(key) ?? [];
  const byFirst = columns(`${key}/${(parameters[0] ?? 0n).toString(16)}`) ?? [];
  const found: ParameterMeaning[] = [];
  for (let i = 0; i < 4; i++) {
    const column = (byFirst[i]?.phrase ?? '') === '' ? own[i] : byFirst[i];
    if (column === undefined || column.phrase === '') continue;
    const value = parameters[i] ?? 0n;
    const says = column.values.get(value) ?? column.values.get(BigInt.asUintN(32, value));
    found.push({ parameter: i + 1, meaning: says === undefined ? column.phrase : `${column.phrase}: ${says}` });
  }
  return found;
}

/** Codes with an entry, also those whose parameters mean nothing to others than who raised them. Ascending. */
export function explainedCodes(): number[] {
  return entriesOf(TABLE)
    .filter(([name]) => !name.includes('/'))
    .map(([name]) => parseInt(name, 16))
    .sort((a, b) => a - b);
}
