/** `db`, `dd`, `dps`, `da`, `dl` and their like. */

import { plus, type VirtualAddress } from '../../../parsers/addresses.js';
import { failed } from '../../../parsers/bytes/failure.js';
import { printable } from '../../../parsers/text-safety.js';
import { Call } from '../command.js';
import { KdError } from '../kd-error.js';
import { behind, numberAt, physicalReader, virtualReader, type ByteReader } from '../memory/bytes.js';
import { rowText, type RowForm } from '../memory/rows.js';
import type { Range, Session } from '../session.js';

/** Bytes that are shown where no length is given. */
const USUAL_BYTES = 128;
/** Bytes that are read at once. */
const WINDOW = 32 * 1024;
/** Longest range without `L?`. */
const MOST_BYTES = 256 * 2 ** 20;
/** Characters of a text that does not end. */
const LONGEST_TEXT = 64 * 1024;
/** Entries of a list, at most. */
const MOST_ENTRIES = 1_000_000;

/** Where `d` without an address goes on. */
const NEXT = 'd';

/** The range that words ask for; where they ask for none, what follows the one before. Throws KdError. */
async function rangeOf({ session, rest }: Call, size: number, usual: number): Promise<Range> {
  if (rest.trim() === '') return { address: session.next.get(NEXT) ?? session.address(0n), count: usual };
  const range = await session.range(rest, size, usual);
  if (range.rest.trim() !== '') throw new KdError(`Extra character error in '${printable(range.rest.trimStart())}'`);
  if (!range.unlimited && range.count * size > MOST_BYTES) throw new KdError(`Range error in '${printable(rest)}': L? lifts the limit of 256 MB`); // prettier-ignore
  return range;
}

const FORMS: Readonly<Record<string, RowForm>> = {
  b: { size: 1, cells: 16, text: true },
  w: { size: 2, cells: 8, text: false },
  d: { size: 4, cells: 4, text: false },
  q: { size: 8, cells: 2, text: false },
  c: { size: 4, cells: 4, text: true },
};

/** `db`, `!db` and the others of words in rows. */
export async function displayMemory(call: Call): Promise<void> {
  const { session } = call;
  const isPhysical = call.name.startsWith('!');
  const name = call.name.replace(/^!/, '').toLowerCase();
  const kind = name === 'd' ? (session.lastDisplay ?? 'db') : name;
  if (kind === 'df' || kind === 'dD') return displayFloats(new Call(session, kind, call.rest));
  if (!isPhysical) session.lastDisplay = kind;
  if (kind.endsWith('s')) return displaySymbols(call, kind === 'dds' ? 4 : kind === 'dqs' ? 8 : session.pointerSize);
  if (kind.startsWith('dy')) return displayBits(call, kind === 'dyb' ? 1 : 4);
  const letter = kind.slice(1) === 'p' ? (session.wide ? 'q' : 'd') : kind.slice(1);
  const form = FORMS[letter];
  if (form === undefined) throw new KdError(`${kind} is not here`);
  const range = await rangeOf(call, form.size, USUAL_BYTES / form.size);
  await rows(session, range, form, isPhysical);
}

function readerOf(session: Session, isPhysical: boolean, address: bigint): ByteReader {
  return isPhysical ? physicalReader(session) : virtualReader(session.memoryAt(address));
}

async function rows(session: Session, { address, count }: Range, form: RowForm, isPhysical: boolean): Promise<void> {
  const { size, cells } = form;
  const reader = readerOf(session, isPhysical, address);
  const perWindow = Math.floor(WINDOW / (size * cells)) * cells;
  for (let done = 0; done < count; done += perWindow) {
    const here = Math.min(perWindow, count - done);
    const start = behind(session, address, done * size);
    const part = reader.read(start, here * size);
    for (let i = 0; i < here; i += cells) {
      const text = rowText(part, i * size, Math.min(cells, here - i), form);
      const at = start + BigInt(i * size);
      const row = isPhysical
        ? `#${at.toString(16).padStart(9)} ${text.replace('  ', ' ')}`
        : `${session.show(session.address(at))}  ${text}`;
      await session.out.line(row);
    }
  }
  if (!isPhysical) session.next.set(NEXT, behind(session, address, count * size));
}

/** `dps`: a pointer a line, and where it leads. */
async function displaySymbols(call: Call, size: 4 | 8): Promise<void> {
  const { session } = call;
  const { address, count } = await rangeOf(call, size, USUAL_BYTES / size);
  const reader = readerOf(session, false, address);
  for (let i = 0; i < count; i++) {
    const at = behind(session, address, i * size);
    const value = numberAt(reader.read(at, size), 0, size);
    const shown = value === null ? rowText(reader.read(at, size), 0, 1, { size, cells: 1, text: false }) : size === 8 ? session.show(value) : value.toString(16).padStart(8, '0'); // prettier-ignore
    const name = value === null ? null : await session.symbols.nameOf(session.address(value));
    await session.out.line(`${session.show(at)}  ${shown}${name === null ? '' : ` ${printable(name)}`}`);
  }
  session.next.set(NEXT, behind(session, address, count * size));
}

/** `dyb`, `dyd`: bits, four bytes or one double word a line, under a ruler. */
async function displayBits(call: Call, size: 1 | 4): Promise<void> {
  const { session } = call;
  const cells = size === 1 ? 4 : 1;
  const { address, count } = await rangeOf(call, size, 32 / size);
  const reader = readerOf(session, false, address);
  const indent = ' '.repeat(session.show(0n).length + 2);
  const ruler = size === 1 ? Array<string>(4).fill('76543210').join(' ') : '3 2 2 2 2 2 2 2 2 2 2 1 1 1 1 1 1 1 1 1 1 0 0 0 0 0 0 0 0 0 0'; // prettier-ignore
  if (size === 1) {
    await session.out.line(`${indent}${ruler}`);
    await session.out.line(`${indent}${Array<string>(4).fill('--------').join(' ')}`);
  } else {
    await session.out.line(`${indent} 3          2          1          0`);
    await session.out.line(`${indent}10987654 32109876 54321098 76543210`);
    await session.out.line(`${indent}-------- -------- -------- --------`);
  }
  for (let i = 0; i < count; i += cells) {
    const here = Math.min(cells, count - i);
    const at = behind(session, address, i * size);
    const part = reader.read(at, here * size);
    const values = Array.from({ length: here }, (_, k) => numberAt(part, k * size, size));
    const bits = values.map((value) => (value === null ? '?'.repeat(size * 8) : value.toString(2).padStart(size * 8, '0'))); // prettier-ignore
    const shown = bits.join('').replace(/.{8}(?=.)/g, '$& ').padEnd(35); // prettier-ignore
    const numbers = values.map((value) => (value === null ? '?'.repeat(size * 2) : value.toString(16).padStart(size * 2, '0'))); // prettier-ignore
    await session.out.line(`${session.show(at)}  ${shown}  ${numbers.join(' ')}`);
  }
  session.next.set(NEXT, behind(session, address, count * size));
}

/** Digits of a number that are told apart: of 4 bytes and of 8. */
const DIGITS = { 4: 8, 8: 16 } as const;
const FLOAT_CELL = { 4: 16, 8: 24 } as const;

/** `df`, `dD`: IEEE numbers of 4 and of 8 bytes, as many as rows of `dd` and `dq` hold. */
export async function displayFloats(call: Call): Promise<void> {
  const { session } = call;
  const size = call.name === 'dD' ? 8 : 4;
  session.lastDisplay = call.name;
  const cells = 16 / size;
  const { address, count } = await rangeOf(call, size, USUAL_BYTES / size);
  const reader = readerOf(session, false, address);
  for (let i = 0; i < count; i += cells) {
    const at = behind(session, address, i * size);
    const here = Math.min(cells, count - i);
    const part = reader.read(at, here * size);
    const view = new DataView(part.bytes.buffer, part.bytes.byteOffset, part.bytes.length);
    const numbers = Array.from({ length: here }, (_, k) => {
      if (numberAt(part, k * size, size) === null) return '?';
      const value = size === 4 ? view.getFloat32(k * size, true) : view.getFloat64(k * size, true);
      return Number.isFinite(value) ? String(Number(value.toPrecision(DIGITS[size]))) : String(value);
    });
    await session.out.line(`${session.show(at)}  ${numbers.map((one) => one.padStart(FLOAT_CELL[size])).join(' ')}`);
  }
  session.next.set(NEXT, behind(session, address, count * size));
}

/** `da`, `du`, `ds`, `dS`. */
export async function displayStrings(call: Call): Promise<void> {
  const { session, name } = call;
  if (name === 'ds' || name === 'dS') return displayCounted(call, name === 'dS');
  const size = name.toLowerCase() === 'du' ? 2 : 1;
  const asked = await rangeOf(call, size, 0);
  const isBounded = asked.count > 0;
  const perRow = size === 2 ? 32 : 48;
  const most = isBounded ? asked.count : LONGEST_TEXT;
  const reader = readerOf(session, false, asked.address);
  let done = 0;
  for (let ended = false; !ended && done < most;) {
    const at = behind(session, asked.address, done * size);
    const here = Math.min(perRow, most - done);
    const part = reader.read(at, here * size);
    let text = '';
    let taken = 0;
    for (; taken < here; taken++) {
      const unit = numberAt(part, taken * size, size);
      if (unit === 0n && !isBounded) {
        ended = true;
        break;
      }
      text += unit === null ? '?' : character(Number(unit), size);
    }
    if (taken > 0 || done === 0) await session.out.line(`${session.show(at)}  "${printable(text)}"`);
    // What cannot be read has no end: a row of it is enough.
    if (!isBounded && taken > 0 && numberAt(part, (taken - 1) * size, size) === null) ended = true;
    done += taken;
    if (ended) done++;
  }
  session.next.set(NEXT, behind(session, asked.address, done * size));
}

const character = (unit: number, size: number): string =>
  size === 1 ? (unit >= 0x20 && unit <= 0x7e ? String.fromCharCode(unit) : '.') : unit < 0x20 ? '.' : String.fromCharCode(unit); // prettier-ignore

/** STRING and UNICODE_STRING: {u16 length, u16 maximum, pointer}; lengths are bytes. */
async function displayCounted({ session, rest }: Call, isUnicode: boolean): Promise<void> {
  const { address } = await session.addressOf(rest);
  const memory = session.memoryAt(address);
  const length = memory.readU16(address);
  const buffer = memory.readPointer(plus(address, session.pointerSize));
  if (failed(length) || failed(buffer)) throw new KdError(`Unable to read string structure at ${session.show(address)}`, 'input'); // prettier-ignore
  const size = isUnicode ? 2 : 1;
  const part = virtualReader(session.memoryAt(buffer)).read(buffer, length);
  let text = '';
  for (let at = 0; at + size <= length; at += size) {
    const unit = numberAt(part, at, size);
    text += unit === null ? '?' : character(Number(unit), size);
  }
  await session.out.line(`${session.show(buffer)}  "${printable(text)}"`);
}

/** `dl Address [Most [Size]]`. */
export async function displayList({ session, name, rest }: Call): Promise<void> {
  const { address, rest: behindAddress } = await session.addressOf(rest);
  const most = behindAddress.trim() === '' ? null : await session.value(behindAddress);
  const size = most === null || most.rest.trim() === '' ? 2 : Number(await session.evaluate(most.rest));
  const limit = Math.min(MOST_ENTRIES, Number(most?.value ?? 0x20n));
  if (size < 1 || size > 64) throw new KdError(`${name} shows 1 to 40 (hexadecimal) pointers of an entry`);
  const memory = session.memoryAt(address);
  const form: RowForm = { size: session.pointerSize, cells: size, text: false };
  const width = session.wide ? 2 : 4;
  let at: VirtualAddress = address;
  for (let i = 0; i < limit; i++) {
    const part = virtualReader(memory).read(at, size * session.pointerSize);
    for (let cell = 0; cell < size; cell += width) {
      const text = rowText(part, cell * session.pointerSize, Math.min(width, size - cell), form);
      await session.out.line(`${session.show(behind(session, at, cell * session.pointerSize))}  ${text}`);
    }
    const next = memory.readPointer(name.endsWith('b') ? plus(at, session.pointerSize) : at);
    if (failed(next) || next === 0n || next === address) return;
    at = next;
  }
}
