/** The lines of `dt`: fields of a structure, with values where an address is given. */

import { plus, type VirtualAddress } from '../../../parsers/addresses.js';
import { failed } from '../../../parsers/bytes/failure.js';
import type { StructLayout } from '../../../parsers/kernel/layout.js';
import { scalarSize } from '../../../parsers/kernel/layout.js';
import { readUnicodeString } from '../../../parsers/kernel/structures.js';
import { printable } from '../../../parsers/text-safety.js';
import { debuggerAddress } from '../../views/print/format.js';
import { numberAt, virtualReader } from '../memory/bytes.js';
import type { Session } from '../session.js';

/** Elements of an array that are shown as text. */
const LONGEST_TEXT = 256;

const SCALARS: Readonly<Record<string, string>> = {
  char: 'Char',
  'unsigned char': 'UChar',
  short: 'Int2B',
  'unsigned short': 'Uint2B',
  wchar: 'Wchar',
  int: 'Int4B',
  'unsigned int': 'Uint4B',
  long: 'Int4B',
  'unsigned long': 'Uint4B',
  'long long': 'Int8B',
  'unsigned long long': 'Uint8B',
};

/** A field's type taken apart: `*_EPROCESS`, `_LIST_ENTRY[2]`, `unsigned long:8:12`. */
interface FieldType {
  readonly base: string;
  readonly pointer: boolean;
  readonly counts: readonly number[];
  readonly bits: { readonly from: number; readonly count: number } | null;
}

function takeApart(type: string): FieldType {
  const [head = '', from, count] = type.split(':');
  const counts = [...head.matchAll(/\[(\d+)\]/g)].map(([, digits]) => Number(digits));
  const base = head.replace(/(?:\[\d+\])+$/, '');
  const bits = from === undefined || count === undefined ? null : { from: Number(from), count: Number(count) };
  return { base: base.replace(/^\*+/, ''), pointer: base.startsWith('*'), counts, bits };
}

/** `Ptr64 _VPB`, `[15] UChar`, `Pos 3, 1 Bit`, `_LIST_ENTRY`. */
function typeText(type: string, wide: boolean): string {
  const { base, pointer, counts, bits } = takeApart(type);
  if (bits !== null) return `Pos ${bits.from}, ${bits.count} Bit${bits.count === 1 ? '' : 's'}`;
  const name = printable(SCALARS[base] ?? (base === 'void' ? 'Void' : base));
  return `${counts.map((count) => `[${count}] `).join('')}${pointer ? `Ptr${wide ? 64 : 32} ` : ''}${name}`;
}

/** The value of a field; `null` where its form shows none (structures). Unreadable values are `??`. */
function valueText(session: Session, type: string, at: VirtualAddress): string {
  const { base, pointer, counts, bits } = takeApart(type);
  const memory = session.memoryAt(at);
  const reader = virtualReader(memory);
  const { pointerSize, wide } = session;
  if (pointer && counts.length === 0) {
    const value = numberAt(reader.read(at, pointerSize), 0, pointerSize);
    if (value === null) return '???? ';
    return value === 0n
      ? '(null) '
      : `0x${debuggerAddress(value, wide)} ${printable(base === 'void' ? 'Void' : (SCALARS[base] ?? base))}`;
  }
  const size = scalarSize(base, pointerSize);
  const [count] = counts;
  if (counts.length > 0) {
    if (counts.length > 1 || size !== 1 || count === undefined) return typeText(type, wide);
    const part = reader.read(at, Math.min(count, LONGEST_TEXT));
    if (part.present[0] !== 1) return `[${count}]  "???"`;
    const end = part.bytes.indexOf(0);
    return `[${count}]  "${printable(Buffer.from(part.bytes.subarray(0, end < 0 ? undefined : end)).toString('latin1'))}"`;
  }
  if (size === null) return structureText(session, base, at);
  const value = numberAt(reader.read(at, size), 0, size);
  if (value === null) return '??';
  if (bits !== null) {
    const part = (value >> BigInt(bits.from)) & ((1n << BigInt(bits.count)) - 1n);
    return `0y${part.toString(2).padStart(bits.count, '0')}`;
  }
  if (base === 'char' || base === 'unsigned char') return `0x${value.toString(16)} '${value >= 0x20n && value <= 0x7en ? String.fromCharCode(Number(value)) : ''}'`; // prettier-ignore
  const isSigned = !base.startsWith('unsigned') && base !== 'wchar';
  if (isSigned) return `0n${BigInt.asIntN(size * 8, value)}`;
  if (size === 8) return value > 0xffff_ffffn ? `0x${debuggerAddress(value, true)}` : `0x${value.toString(16)}`;
  return `0x${value.toString(16)}`;
}

function structureText(session: Session, name: string, at: VirtualAddress): string {
  const memory = session.memoryAt(at);
  if (name === '_UNICODE_STRING') {
    const bytes = memory.read(at, session.wide ? 16 : 8);
    const text = failed(bytes) ? bytes : readUnicodeString(memory, bytes, 0);
    return failed(text) ? '_UNICODE_STRING' : `_UNICODE_STRING "${printable(text)}"`;
  }
  if (name === '_LIST_ENTRY') {
    const [first, last] = [memory.readPointer(at), memory.readPointer(plus(at, session.pointerSize))];
    if (failed(first) || failed(last)) return '_LIST_ENTRY';
    return `_LIST_ENTRY [ 0x${session.show(first)} - 0x${session.show(last)} ]`;
  }
  if (name === '_LARGE_INTEGER' || name === '_ULARGE_INTEGER') {
    const value = memory.readU64(at);
    if (failed(value)) return name;
    return `${name} 0x${value > 0xffff_ffffn ? debuggerAddress(value, true) : value.toString(16)}`;
  }
  return printable(name);
}

/**
 * Rows of a structure's fields, by offset.
 *
 * @param at where one stands; null for the types alone.
 * @param wanted names of fields; all where there are none. `*` at the end stands for any rest.
 */
export function typeLines(
  session: Session,
  layout: StructLayout,
  at: VirtualAddress | null,
  wanted: readonly string[],
): string[] {
  // prettier-ignore
  const fits = (name: string): boolean =>
    wanted.length === 0 ||
    wanted.some((one) => (one.endsWith('*') ? name.startsWith(one.slice(0, -1)) : name.toLowerCase() === one.toLowerCase()));
  return Object.entries(layout.fields)
    .filter(([name]) => fits(name))
    .sort(([, a], [, b]) => a.offset - b.offset)
    .map(([name, { offset, type }]) => {
      const shown = at === null ? typeText(type, session.wide) : valueText(session, type, plus(at, offset));
      return `   +0x${offset.toString(16).padStart(3, '0')} ${printable(name).padEnd(16)} : ${shown}`;
    });
}
