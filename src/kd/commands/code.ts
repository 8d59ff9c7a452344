/** Code: `u`, `uf`. */

import { plus, virtual, type VirtualAddress } from '../../../parsers/addresses.js';
import { arm64Text } from '../../../parsers/code/arm64-text.js';
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
  const isArm64 = session.opened.dump.header.machineImageType === MACHINE.ARM64;
  if (isArm64) {
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

/** `uf`: the function by the exception table of its image. */
async function unassembleFunction({ session, rest }: Call): Promise<void> {
  const { address } = await session.addressOf(rest);
  const module = session.symbols.at(address);
  const { memory = null, headers = null, base } = module ?? { base: address };
  if (memory === null || headers === null) throw new KdError(`No code found for ${session.show(address)}, aborting`, 'input'); // prettier-ignore
  const isArm64 = session.opened.dump.header.machineImageType === MACHINE.ARM64;
  const entry = session.wide
    ? ExceptionTable.read(memory, base, headers, isArm64).entryAt(Number(address - base))
    : null;
  if (entry === null) {
    const why = session.wide
      ? 'its image has no entry for it in the exception table'
      : 'images of x86 have no exception table';
    throw new KdError(
      `uf finds no function at ${session.show(address)}: ${why}; u shows code from an address on`,
      'input',
    );
  }
  let at: VirtualAddress = plus(base, entry.start);
  const end = virtual(base + BigInt(entry.end));
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
        'Of ARM64 the instructions that make constants, load, store and branch are spelled out, others are ???. ub is not here. Source lines are not read.',
      run: unassemble,
    },
    {
      names: ['uf'],
      usage: ['uf Address'],
      summary: 'The function that holds an address',
      standing: 'differs',
      differs:
        "The function's bounds are those of the exception table, in order of address; the debugger follows branches. Not for x86, whose images have no such table.",
      run: unassembleFunction,
    },
  ],
};
