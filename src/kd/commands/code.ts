/** Code: `u`, `ub`, `uf`. */

import { plus, type VirtualAddress } from '../../../parsers/addresses.js';
import { arm64Text } from '../../../parsers/code/arm64-text.js';
import { failed } from '../../../parsers/bytes/failure.js';
import { u32 } from '../../../parsers/bytes/fields.js';
import { LONGEST_X86, x86Instruction } from '../../../parsers/code/x86-listing.js';
import { MACHINE } from '../../../parsers/dump/open-dump.js';
import { ExceptionTable } from '../../../parsers/pe/exception-table.js';
import { printable } from '../../../parsers/text-safety.js';
import type { Call, Family } from '../command.js';
import { KdError } from '../kd-error.js';
import { virtualReader } from '../memory/bytes.js';
import type { Session } from '../session.js';

const USUAL = 8;
/** Instructions of one listing, at most. */
const MOST = 100_000;
/** Of `ub`. */
const MOST_BACK = 400;
/** Bytes from the start of a function that `ub` decodes. */
const FARTHEST_BACK = 1 << 20;
/** Where `u` without an address goes on. */
const NEXT = 'u';
/** Digits of code bytes that stand before the text. */
const BYTES_WIDTH = 16;

/** One instruction as a row, and its length in bytes; length 0 where it cannot be read. */
async function row(session: Session, at: VirtualAddress): Promise<{ readonly text: string; readonly length: number }> {
  const { bytes, present } = virtualReader(session.memoryAt(at)).read(at, LONGEST_X86);
  const missing = present.indexOf(0);
  const here = missing < 0 ? bytes : bytes.subarray(0, missing);
  const shown = session.show(at);
  if (here.length === 0) return { text: `${shown} ${'??'.padEnd(BYTES_WIDTH)}???`, length: 0 };
  if (isArm64(session)) {
    if (here.length < 4) return { text: `${shown} ${'??'.padEnd(BYTES_WIDTH)}???`, length: 0 };
    const word = u32(here, 0);
    const digits = word.toString(16).padStart(8, '0');
    return { text: `${shown} ${digits.padEnd(BYTES_WIDTH)}${arm64Text(word, at) ?? '???'}`, length: 4 };
  }
  const found = x86Instruction(session.wide ? 64 : 32, here, at);
  if (found === null) return { text: `${shown} ${hexOf(here.subarray(0, 1))}???`, length: 1 };
  const { length, mnemonic, operands, target, data } = found;
  let text = operands;
  if (target !== null) text = await named(session, target);
  else if (data !== null) {
    const place = await named(session, data.address);
    text = operands.replace(data.text, () => `[${place}]`);
  }
  return { text: `${shown} ${hexOf(here.subarray(0, length))}${mnemonic}${text}`, length };
}

const hexOf = (bytes: Uint8Array): string =>
  `${Buffer.from(bytes)
    .toString('hex')
    .padEnd(BYTES_WIDTH - 1)} `;

/** `nt!ExAllocatePoolWithTag (fffff800`1694d030)`, or the address alone. */
async function named(session: Session, target: bigint): Promise<string> {
  const address = session.address(target);
  const name = await session.symbols.nameOf(address);
  return name === null ? session.show(address) : `${printable(name)} (${session.show(address)})`;
}

/** `nt!RtlSubtreePredecessor+0x9:`, where there is a name. */
async function label(session: Session, address: VirtualAddress): Promise<void> {
  const name = await session.symbols.nameOf(address);
  if (name !== null) await session.out.line(`${printable(name)}:`);
}

/** The instruction at an address, under its name: as `r` ends. */
export async function instructionLines(session: Session, address: VirtualAddress): Promise<void> {
  await label(session, address);
  await session.out.line((await row(session, address)).text);
}

async function unassemble({ session, rest }: Call): Promise<void> {
  const start = rest.trim() === '' ? session.next.get(NEXT) : undefined;
  const range = start === undefined ? await session.range(rest, 1, 0) : { address: start, count: 0, rest: '' };
  if (range.rest.trim() !== '') throw new KdError(`Extra character error in '${printable(range.rest.trim())}'`);
  // A length counts instructions, an end is an address.
  const isLength = /\s[lL]\??/.test(rest) || range.count === 0;
  const most = Math.min(MOST, range.count === 0 ? USUAL : range.count);
  await label(session, range.address);
  let at = range.address;
  const end = isLength ? null : range.address + BigInt(range.count);
  for (let i = 0; i < most && (end === null || at < end); i++) {
    const { text, length } = await row(session, at);
    await session.out.line(text);
    if (length === 0) break;
    at = session.address(at + BigInt(length));
  }
  session.next.set(NEXT, at);
}

/** Instructions before the address: `ub`. */
async function unassembleBefore({ session, rest }: Call): Promise<void> {
  const start = rest.trim() === '' ? session.next.get(NEXT) : undefined;
  const range = start === undefined ? await session.range(rest, 1, 0) : { address: start, count: 0, rest: '' };
  if (range.rest.trim() !== '') throw new KdError(`Extra character error in '${printable(range.rest.trim())}'`);
  const most = Math.min(MOST_BACK, range.count === 0 ? USUAL : range.count);
  const starts = startsBefore(session, range.address, most);
  const [first] = starts;
  if (first === undefined) throw new KdError(`No code found before ${session.show(range.address)}`, 'input');
  await label(session, first);
  for (const at of starts) await session.out.line((await row(session, at)).text);
  session.next.set(NEXT, first);
}

/** Where the last instructions before an address begin, in order; empty where they cannot be told. */
function startsBefore(session: Session, address: VirtualAddress, most: number): VirtualAddress[] {
  if (isArm64(session)) {
    const all = Array.from({ length: most }, (_, i) => session.address(address - BigInt((most - i) * 4)));
    return all.filter((at) => !failed(session.memoryAt(at).read(at, 4)));
  }
  // From where the function begins, each instruction is known; without one, from where most chains of them agree.
  const known = functionAt(session, address)?.start ?? null;
  const from = known !== null && known < address && address - known < BigInt(FARTHEST_BACK) ? [known] : [];
  const farthest = most * LONGEST_X86;
  const guesses = Array.from({ length: farthest }, (_, i) => session.address(address - BigInt(farthest - i)));
  let longest: VirtualAddress[] = [];
  const lengths = new Map<VirtualAddress, number>();
  for (const begin of [...from, ...guesses]) {
    session.out.check();
    const starts: VirtualAddress[] = [];
    let at = begin;
    while (at < address) {
      let length = lengths.get(at);
      if (length === undefined) lengths.set(at, (length = lengthAt(session, at)));
      if (length === 0) break;
      starts.push(at);
      at = session.address(at + BigInt(length));
    }
    if (at === address && (starts.length >= most || begin === known)) return starts.slice(-most);
    if (at === address && starts.length > longest.length) longest = starts;
  }
  return longest;
}

/** Bytes of the instruction at an address; 0 where there is none or it cannot be read. */
function lengthAt(session: Session, at: VirtualAddress): number {
  const { bytes, present } = virtualReader(session.memoryAt(at)).read(at, LONGEST_X86);
  const missing = present.indexOf(0);
  const here = missing < 0 ? bytes : bytes.subarray(0, missing);
  return here.length === 0 ? 0 : (x86Instruction(session.wide ? 64 : 32, here, at)?.length ?? 0);
}

const isArm64 = (session: Session): boolean => session.opened.dump.header.machineImageType === MACHINE.ARM64;

/** The function that holds an address, by the exception table of its image; null where none tells. */
function functionAt(session: Session, address: VirtualAddress): { start: VirtualAddress; end: VirtualAddress } | null {
  const { memory = null, headers = null, base } = session.symbols.at(address) ?? { base: address };
  if (memory === null || headers === null || !session.wide) return null;
  const entry = ExceptionTable.read(memory, base, headers, isArm64(session)).entryAt(Number(address - base));
  return entry === null ? null : { start: plus(base, entry.start), end: plus(base, entry.end) };
}

/**
 * `uf` of x86, whose images tell of no functions: what can be reached from the address by branches, in order of address. Calls are
 * not followed, nor jumps out of the image.
 */
async function unassembleReached(session: Session, address: VirtualAddress): Promise<void> {
  const { base, sizeOfImage } = session.symbols.at(address) ?? { base: address, sizeOfImage: 0 };
  const starts = new Set<VirtualAddress>();
  const open: VirtualAddress[] = [address];
  while (open.length > 0 && starts.size < MOST) {
    session.out.check();
    let at = open.pop() ?? address;
    for (;;) {
      if (starts.has(at) || at < base || at >= base + BigInt(sizeOfImage)) break;
      const { bytes, present } = virtualReader(session.memoryAt(at)).read(at, LONGEST_X86);
      const missing = present.indexOf(0);
      const found = x86Instruction(32, missing < 0 ? bytes : bytes.subarray(0, missing), at);
      if (found === null) break;
      starts.add(at);
      const name = found.mnemonic.trim();
      const target = found.target === null || name === 'call' ? null : session.address(found.target);
      if (target !== null) open.push(target);
      if (/^(?:jmp|ret|retf?|iretd?|hlt|ud2)$/.test(name) || starts.size >= MOST) break;
      at = session.address(at + BigInt(found.length));
    }
  }
  const sorted = [...starts].sort((a, b) => (a < b ? -1 : 1));
  let expected: bigint | null = null;
  for (const at of sorted) {
    if (expected !== null && at !== expected) await session.out.line();
    if (at !== expected) await label(session, at);
    const { text, length } = await row(session, at);
    await session.out.line(text);
    expected = at + BigInt(length);
  }
}

/** `uf`: the function by the exception table of its image. */
async function unassembleFunction({ session, rest }: Call): Promise<void> {
  const { address } = await session.addressOf(rest);
  const module = session.symbols.at(address);
  if ((module?.memory ?? null) === null || (module?.headers ?? null) === null) throw new KdError(`No code found for ${session.show(address)}, aborting`, 'input'); // prettier-ignore
  if (!session.wide) return unassembleReached(session, address);
  const found = functionAt(session, address);
  if (found === null) {
    throw new KdError(
      `uf finds no function at ${session.show(address)}: its image has no entry for it in the exception table; u shows code from an address on`,
      'input',
    );
  }
  let at = found.start;
  const { end } = found;
  await label(session, at);
  for (let i = 0; i < MOST && at < end; i++) {
    const { text, length } = await row(session, at);
    await session.out.line(text);
    if (length === 0) return;
    at = plus(at, length);
  }
}

export const code: Family = {
  title: 'Code',
  commands: [
    {
      names: ['u'],
      usage: ['u [Address [Ln | End]]'],
      summary: 'Instructions, eight or as many as L says',
      flags: [['Ln', 'so many instructions']],
      standing: 'differs',
      differs:
        'Of ARM64 the instructions that make constants, load, store and branch are spelled out, others are ???. Source lines are not read.',
      run: unassemble,
    },
    {
      names: ['ub'],
      usage: ['ub [Address [Ln]]'],
      summary: 'The instructions before an address',
      flags: [['Ln', 'so many instructions']],
      standing: 'differs',
      differs:
        'Where the exception table tells the function, its instructions are counted from its start; else they are guessed from the bytes, as in the debugger.',
      run: unassembleBefore,
    },
    {
      names: ['uf'],
      usage: ['uf Address'],
      summary: 'The function that holds an address',
      standing: 'differs',
      differs:
        "The function's bounds are those of the exception table, in order of address; the debugger follows branches. Of x86, whose images have no such table, it is what branches from the address on reach.",
      run: unassembleFunction,
    },
  ],
};
