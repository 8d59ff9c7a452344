/** `.printf`: a format and values, as C prints them, with letters of the debugger for what stands in the target. */

import { plus } from '../../../parsers/addresses.js';
import { failed } from '../../../parsers/bytes/failure.js';
import { printable } from '../../../parsers/text-safety.js';
import type { Call } from '../command.js';
import { KdError } from '../kd-error.js';
import { numberAt, virtualReader } from '../memory/bytes.js';
import type { Session } from '../session.js';

/** Characters of a text in the target. */
const LONGEST_TEXT = 16 * 1024;
/** Values of one command. */
const MOST_VALUES = 256;
/** A field's width or precision; wider ones are refused. */
const WIDEST = 4096;

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '', a: '', b: '', '"': '"', '\\': '\\' };
const DIRECTIVE = /%(?:%|([-+ #0]*)(\d{0,5})(?:\.(\d{0,5}))?(I64|I32|ll|l|h)?(ms[au]|m[au]|[a-zA-Z]))/g;

/** `.printf "format", value, ...`. */
export async function printFormatted({ session, rest }: Call): Promise<void> {
  const quoted = /^(?:\/o[dem]+\s+)*"((?:\\.|[^"\\])*)"/s.exec(rest.trimStart());
  if (quoted === null)
    throw new KdError(`.printf wants "Format", Expression, ..., not ${printable(rest.slice(0, 60))}`);
  let after = rest.trimStart().slice(quoted[0].length);
  const values: bigint[] = [];
  while (after.trim() !== '') {
    if (!after.trimStart().startsWith(',')) throw new KdError(`Extra character error in '${printable(after.trim())}'`);
    if (values.length >= MOST_VALUES) throw new KdError(`.printf prints at most ${MOST_VALUES} values`);
    const found = await session.value(after.trimStart().slice(1));
    values.push(found.value);
    after = found.rest;
  }
  const format = (quoted[1] ?? '').replace(/\\(.)/gs, (both, letter: string) => ESCAPES[letter] ?? both);
  let text = '';
  let last = 0;
  for (const found of format.matchAll(DIRECTIVE)) {
    text += format.slice(last, found.index);
    last = found.index + found[0].length;
    if (found[0] === '%%') text += '%';
    else {
      const value = values.shift();
      if (value === undefined) throw new KdError(`.printf: there is no value for ${found[0]}`);
      text += await shown(session, value, found);
    }
  }
  const wrong = /%/.exec(format.slice(last));
  if (wrong !== null) throw new KdError(`.printf: '${printable(format.slice(last + wrong.index))}' is no format`);
  await session.out.text(text + format.slice(last));
}

async function shown(session: Session, value: bigint, found: RegExpMatchArray): Promise<string> {
  const [typed, flags = '', widthText = '', precisionText, size = '', letter = ''] = found;
  const [width, precision] = [Number(widthText), precisionText === undefined ? null : Number(precisionText)];
  if (width > WIDEST || (precision ?? 0) > WIDEST) throw new KdError(`.printf: ${typed} is wider than ${WIDEST}`);
  const padded = (text: string, zeros = false): string => {
    if (flags.includes('-')) return text.padEnd(width);
    if (!zeros || !flags.includes('0') || precision !== null) return text.padStart(width);
    const sign = /^(?:[-+ ]|0[xX])?/.exec(text)?.[0] ?? '';
    return sign + text.slice(sign.length).padStart(width - sign.length, '0');
  };
  const bits = size === 'I64' || size === 'll' ? 64 : size === 'h' ? 16 : 32;
  const unsigned = BigInt.asUintN(bits, value);
  const digits = (text: string): string => text.padStart(precision ?? 1, '0');
  switch (letter) {
    case 'd':
    case 'i': {
      const signed = BigInt.asIntN(bits, value);
      const sign = signed < 0n ? '-' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '';
      return padded(sign + digits((signed < 0n ? -signed : signed).toString()), true);
    }
    case 'u':
      return padded(digits(unsigned.toString()), true);
    case 'o':
      return padded((flags.includes('#') ? '0' : '') + digits(unsigned.toString(8)), true);
    case 'x':
    case 'X': {
      const text = (flags.includes('#') && unsigned !== 0n ? '0x' : '') + digits(unsigned.toString(16));
      return padded(letter === 'X' ? text.toUpperCase() : text, true);
    }
    case 'p':
    case 'N':
      return padded(session.pointer(session.address(value)));
    case 'c':
    case 'C':
      return padded(printable(String.fromCharCode(Number(value & (letter === 'c' ? 0xffn : 0xffffn)))));
    case 'f':
    case 'e':
    case 'g':
    case 'E':
    case 'G':
      return padded(floatText(value, letter, precision ?? 6), true);
    case 'y': {
      const address = session.address(value);
      const name = await session.symbols.nameOf(address);
      return padded(name === null ? session.show(address) : `${printable(name)} (${session.show(address)})`);
    }
    case 'ma':
    case 'mu':
      return padded(textAt(session, value, letter === 'mu' ? 2 : 1, precision));
    case 'msa':
    case 'msu':
      return padded(countedText(session, value, letter === 'msu' ? 2 : 1));
    default:
      throw new KdError(`.printf: ${typed} is not here: %d %u %x %p %y %ma %mu and their like are`);
  }
}

function floatText(value: bigint, letter: string, precision: number): string {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, BigInt.asUintN(64, value));
  const number = view.getFloat64(0);
  const places = Math.min(precision, 100);
  const exponent = (text: string): string => text.replace(/e([-+])(\d)$/, 'e$10$2');
  if (letter === 'f') return Math.abs(number) < 1e21 ? number.toFixed(places) : BigInt(number).toString();
  if (letter === 'e' || letter === 'E') return exponent(number.toExponential(places));
  const short = Number(number.toPrecision(Math.max(1, places)));
  return exponent(Math.abs(short) >= 1e-4 && Math.abs(short) < 10 ** places ? String(short) : short.toExponential());
}

/** Text up to a zero, at most `most` characters. Throws KdError where it cannot be read. */
function textAt(session: Session, place: bigint, size: 1 | 2, most: number | null): string {
  const address = session.address(place);
  const limit = Math.min(most ?? LONGEST_TEXT, LONGEST_TEXT);
  const part = virtualReader(session.memoryAt(address)).read(address, limit * size);
  let text = '';
  for (let i = 0; i < limit; i++) {
    const unit = numberAt(part, i * size, size);
    if (unit === null && i === 0) throw new KdError(`Memory access error at ${session.show(address)}`, 'input');
    if (unit === null || unit === 0n) break;
    text += String.fromCharCode(Number(unit));
  }
  return printable(text);
}

/** ANSI_STRING and UNICODE_STRING: {u16 length in bytes, u16 maximum, pointer}. */
function countedText(session: Session, place: bigint, size: 1 | 2): string {
  const address = session.address(place);
  const memory = session.memoryAt(address);
  const length = memory.readU16(address);
  const buffer = memory.readPointer(plus(address, session.pointerSize));
  if (failed(length) || failed(buffer)) throw new KdError(`Memory access error at ${session.show(address)}`, 'input');
  return length < size ? '' : textAt(session, buffer, size, Math.floor(length / size));
}
