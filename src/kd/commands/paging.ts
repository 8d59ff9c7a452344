/** Page table entries: `!pte`, `!vtop`. */

import { physical, type PhysicalAddress, type VirtualAddress } from '../../../parsers/addresses.js';
import { failed } from '../../../parsers/bytes/failure.js';
import type { TranslatedMemory } from '../../../parsers/paging/translated-memory.js';
import {
  entryAddresses,
  pageTableBase,
  TABLE_SHAPES,
  walkTables,
  type PhysicalReader,
  type TableShape,
  type TableWalk,
} from '../../../parsers/paging/walk.js';
import { X64Memory } from '../../../parsers/paging/x64.js';
import { X86Memory } from '../../../parsers/paging/x86.js';
import { printable } from '../../../parsers/text-safety.js';
import { unquoted } from '../../views/words.js';
import type { Call, Family } from '../command.js';
import { KdError } from '../kd-error.js';
import type { Session } from '../session.js';

/** Letters of an entry of 32-bit systems without PAE: the one for code that can run came with Windows 7. */
const BUILD_WITH_E = 7600;
const COLUMN = 27;

/** The tables of the current address space. */
interface Tables {
  readonly memory: TranslatedMemory;
  readonly shape: TableShape;
  readonly read: PhysicalReader;
}

/** Throws KdError for a dump without page tables, and for a processor whose tables are not shown. */
function tablesOf(session: Session): Tables {
  const { memory } = session;
  const read: PhysicalReader = (address, length) => session.readPhysical(BigInt(address), length);
  if (memory instanceof X64Memory)
    return { memory, shape: memory.levels === 5 ? TABLE_SHAPES.x64Five : TABLE_SHAPES.x64, read };
  if (memory instanceof X86Memory)
    return { memory, shape: memory.options.pae ? TABLE_SHAPES.pae : TABLE_SHAPES.x86, read };
  throw new KdError('Page tables are shown of x64 and x86 dumps that hold them: of this dump they are not', 'input');
}

/** `---DA--KWEV`, from copy-on-write to valid; `short`: without the letter for code that can run. */
function letters(value: bigint, short: boolean): string {
  const has = (bit: bigint): boolean => ((value >> bit) & 1n) === 1n;
  const flag = (bit: bigint, letter: string): string => (has(bit) ? letter : '-');
  return [
    ...[flag(9n, 'C'), flag(8n, 'G'), flag(7n, 'L'), flag(6n, 'D'), flag(5n, 'A'), flag(4n, 'N'), flag(3n, 'T')],
    ...[has(2n) ? 'U' : 'K', has(1n) ? 'W' : 'R', short ? '' : has(63n) ? '-' : 'E', flag(0n, 'V')],
  ].join('');
}

/** The frame's number in a valid entry: bits 51:12. */
const frameNumber = (value: bigint): string => ((value & 0xf_ffff_ffff_f000n) >> 12n).toString(16);

async function pte({ session, words }: Call): Promise<void> {
  const [word, ...more] = words;
  if (word === undefined || more.length > 0) throw new KdError('!pte wants an address: !pte nt');
  const address = session.address(await session.evaluate(unquoted(word)));
  const { memory, shape, read } = tablesOf(session);
  if (!canonical(shape, address)) throw new KdError(`${session.pointer(address)} is not a canonical address`, 'input');
  const walk = walkTables(shape, memory.directoryTableBase, address, read);
  const base = pageTableBase(shape, memory.directoryTableBase, read);
  const narrow = shape.size === 4;
  // The four entries at the top of PAE have no column; where one ends the way, that is said below.
  const hidden = shape.bits[0] === 2 ? 1 : 0;
  const names = shape.names.slice(hidden);
  const entries = walk.entries.slice(hidden);
  const places = base === null ? null : entryAddresses(shape, base, address);
  const hex = (value: bigint): string =>
    value
      .toString(16)
      .toUpperCase()
      .padStart(shape.size * 2, '0');
  const virtualHex = (value: bigint): string =>
    value
      .toString(16)
      .toUpperCase()
      .padStart(session.pointerSize * 2, '0');
  const short = narrow && (session.opened.dump.header.minorVersion ?? 0) < BUILD_WITH_E;
  const heads: string[] = [];
  const contents: string[] = [];
  const frames: string[] = [];
  for (const [i, name] of names.entries()) {
    const place = places?.[i];
    heads.push(`${name} at ${narrow && i === 0 ? '  ' : ''}${place === undefined ? 'n/a' : virtualHex(place)}`);
    const entry = entries[i];
    const before = entries[i - 1];
    if (entry === undefined) {
      if (walk.end !== 'large' || before === undefined) continue;
      contents.push(`contains ${hex(0n)}`);
      frames.push(`LARGE PAGE pfn ${hexOf(Math.floor((walk.physical ?? 0) / 4096))} `);
      break;
    }
    if (entry.value === null) {
      contents.push('not in dump');
      continue;
    }
    contents.push(`contains ${hex(entry.value)}`);
    const isValid = (entry.value & 1n) !== 0n;
    if (!isValid) frames.push('not valid');
    else if (narrow) frames.push(`pfn ${frameNumber(entry.value)} ${letters(entry.value, short)}`);
    else frames.push(`pfn ${frameNumber(entry.value).padEnd(10)}${letters(entry.value, false)}`);
  }
  const row = (cells: readonly string[], gap: number): string =>
    (narrow ? cells.join(' '.repeat(gap)) : cells.map((cell) => cell.padEnd(COLUMN)).join('')).trimEnd();
  const margin = narrow ? 15 : session.wide ? 43 : 20;
  const lines = [
    `${' '.repeat(margin)}VA ${session.pointer(address)}`,
    row(heads, 8),
    row(contents, 6),
    row(frames, 4),
    ...ending(session, { memory, shape, read }, walk, address),
  ];
  await session.out.text(`${lines.filter((line) => line !== '').join('\n')}\n\n`);
}

/** What is said behind a way that did not end at a page: which level is missing, or where the page is. */
function ending(session: Session, { memory }: Tables, walk: TableWalk, address: VirtualAddress): string[] {
  const last = walk.entries.at(-1);
  if (last === undefined || walk.physical !== null) return [];
  if (walk.end === 'missing')
    return [`the table with the ${last.name} is not in the dump (physical ${hexOf(last.at)})`];
  if (last.name !== 'PTE') return [`the ${last.name} is not valid: nothing is mapped there`];
  const found = memory.translate(address);
  if (failed(found)) return [printable(found.message.replace(/^0x[0-9a-f]+: /i, ''))];
  return [`the page is still in memory: pfn ${Math.floor(found / 4096).toString(16)}`];
}

const hexOf = (value: number): string => value.toString(16);

/** Whether the tables can hold it: the bits above theirs are copies of the highest. */
function canonical(shape: TableShape, address: bigint): boolean {
  if (shape.size === 4 || shape.bits[0] === 2) return address < 2n ** 32n;
  const bits = 12 + 9 * shape.names.length;
  return BigInt.asUintN(64, BigInt.asIntN(bits, address)) === address;
}

async function vtop({ session, words }: Call): Promise<void> {
  const [first, second, ...more] = words;
  if (first === undefined || second === undefined || more.length > 0)
    throw new KdError('!vtop wants a directory base (0: the current one) and an address: !vtop 0 fffff80000000000');
  const tables = tablesOf(session);
  const base = await session.evaluate(unquoted(first));
  const address = session.address(await session.evaluate(unquoted(second)));
  const { shape, read } = tables;
  const root = base === 0n ? tables.memory.directoryTableBase : rootOf(tables, base);
  const shown = session.pointer(address);
  if (!canonical(shape, address)) throw new KdError(`${shown} is not a canonical address`, 'input');
  const memory = base === 0n ? tables.memory : tables.memory.rootedAt(root);
  const walk = walkTables(shape, root, address, read);
  const last = walk.entries.at(-1);
  let result = walk.physical;
  let why: string | null = null;
  if (walk.end === 'missing') why = `the table with the ${processorName(last?.name ?? '')} is not in the dump`;
  else if (result === null) {
    const found = memory.translate(address);
    if (failed(found)) why = printable(found.message.replace(/^0x[0-9a-f]+: /i, ''));
    else result = found;
  }
  const isSoft = walk.physical === null && result !== null;
  const lines = shape.size === 4 ? narrowLines(walk, result, shown) : wideLines(session, walk, { root, address, result, isSoft }); // prettier-ignore
  if (why !== null) lines.push(`Virtual address ${shown} translation fails: ${why}`);
  else if (shape.size === 8)
    lines.push(`Virtual address ${shown} translates to physical address ${hexOf(result ?? 0)}.`);
  else if (isSoft) lines.push('The entry is not valid; the page is still in memory.');
  await session.out.text(`${lines.join('\n')}\n`);
}

/** `Pdi 0 Pti 12f` and `0012f980 09de9000 pfn(09de9)`: the tables of two levels. */
function narrowLines(walk: TableWalk, result: PhysicalAddress | null, shown: string): string[] {
  const [pdi, pti] = walk.entries;
  const head = `Pdi ${hexOf(pdi?.index ?? 0)}${pti === undefined ? '' : ` Pti ${hexOf(pti.index)}`}`;
  if (result === null) return [head];
  const frame = Math.floor(result / 4096);
  return [head, `${shown} ${hexOf(frame * 4096).padStart(8, '0')} pfn(${hexOf(frame).padStart(5, '0')})`];
}

interface Translation {
  readonly root: PhysicalAddress;
  readonly address: VirtualAddress;
  readonly result: PhysicalAddress | null;
  /** Found behind an entry that is not valid. */
  readonly isSoft: boolean;
}

function wideLines(session: Session, walk: TableWalk, { root, address, result, isSoft }: Translation): string[] {
  const title = session.wide ? 'Amd64VtoP: ' : 'X86VtoP: ';
  const part = session.wide ? title : `${title}PAE `;
  const lines = [`${title}Virt ${session.show(address)}, pagedir ${hexOf(root)}`];
  for (const { name, at, value } of walk.entries)
    lines.push(`${part}${processorName(name)} ${hexOf(at)}${value === null ? ': not in dump' : ''}`);
  if (isSoft) lines.push(`${part}PTE is not valid, the page is still in memory`);
  if (result !== null)
    lines.push(`${part}${walk.end === 'large' ? 'Large page mapped' : 'Mapped'} phys ${hexOf(result)}`);
  return lines;
}

/** `!vtop` names the levels as the processor's manuals do. */
const processorName = (name: string): string => ({ PXE: 'PML4E', PPE: 'PDPE' })[name] ?? name;

/**
 * What the first number of `!vtop` is: the address of a top table, or the number of its page. That of the two whose table leads
 * back to itself, else by its alignment.
 */
function rootOf({ shape, read }: Tables, base: bigint): PhysicalAddress {
  const unit = shape.bits[0] === 2 ? 32n : 4096n;
  const most = 2n ** 52n;
  const whole = base % unit === 0n && base < most ? physical(Number(base)) : null;
  const page = base << 12n < most ? physical(Number(base << 12n)) : null;
  if (whole !== null && (page === null || pageTableBase(shape, whole, read) !== null)) return whole;
  if (page !== null && pageTableBase(shape, page, read) !== null) return page;
  const chosen = whole ?? page;
  if (chosen === null) throw new KdError(`${base.toString(16)} is neither a directory base nor a page's number`);
  return chosen;
}

export const paging: Family = {
  title: 'Page tables',
  commands: [
    {
      names: ['!pte'],
      usage: ['!pte Address'],
      summary: 'The page table entries on the way to an address',
      standing: 'differs',
      differs:
        'Of x64 and x86. Where the tables are mapped is read from the top table: n/a where it does not tell. Entries that are not in the dump say so, and where the page of an entry that is not valid is stands in words.',
      run: pte,
    },
    {
      names: ['!vtop'],
      usage: ['!vtop 0 Address', '!vtop DirBase|PFN Address'],
      summary: 'The physical address behind a virtual one, and the way to it; 0 is the current address space',
      standing: 'differs',
      differs:
        'Of x64 and x86. What cannot be translated says why, in words; pages that an entry which is not valid keeps in memory are found too.',
      run: vtop,
    },
  ],
};
