/** `s`: the words of a search, and its hits in rows. */

import { printable } from '../../../parsers/text-safety.js';
import { renderHits } from '../../views/search.js';
import type { Call } from '../command.js';
import { KdError } from '../kd-error.js';
import { virtualReader } from '../memory/bytes.js';
import { rowText, type RowForm } from '../memory/rows.js';
import { searchMemory } from '../memory/search.js';
import type { Session } from '../session.js';

/** Longest range without `L?`. */
const MOST_BYTES = 256 * 2 ** 20;

/** What a letter looks for: bytes of a unit, and how hits are shown; null for the rows of `s -a`. */
interface SearchType {
  readonly size: 1 | 2 | 4 | 8;
  readonly isText: boolean;
  readonly form: RowForm | null;
}

const TYPES: Readonly<Record<string, SearchType>> = {
  b: { size: 1, isText: false, form: null },
  w: { size: 2, isText: false, form: { size: 2, cells: 8, text: true } },
  d: { size: 4, isText: false, form: { size: 4, cells: 4, text: true } },
  q: { size: 8, isText: false, form: { size: 8, cells: 2, text: false } },
  a: { size: 1, isText: true, form: null },
  u: { size: 2, isText: true, form: { size: 2, cells: 8, text: true } },
};

export async function searchCommand({ session, rest }: Call): Promise<void> {
  const option = /^\s*-(?:\[([^\]]*)\])?\s*([a-z]*)(?=\s|$)/i.exec(rest);
  const letter = option === null || option[2] === '' ? 'b' : (option[2] ?? '').toLowerCase();
  const flags = option?.[1] ?? '';
  const type = TYPES[letter];
  if (type === undefined) throw new KdError(`s -${printable(letter)} is not here: s has -b, -w, -d, -q, -a and -u`);
  if (!/^1?$/.test(flags.trim()))
    throw new KdError(`s -[${printable(flags)}] is not here: s has -[1], which shows only addresses`);
  const words = rest.slice(option?.[0].length ?? 0);
  // A length counts bytes where text is looked for.
  const unit = type.isText ? 1 : type.size;
  const range = await session.range(words, unit, null);
  const length = range.count * unit;
  if (!range.unlimited && length > MOST_BYTES) {
    throw new KdError(`Range error in '${printable(words.trim())}': L? lifts the limit of 256 MB`);
  }
  const bytes = await patternOf(session, range.rest, type);
  const memory = session.memoryAt(range.address);
  const look = (): void => {
    session.out.check();
  };
  for (const address of searchMemory(
    memory,
    range.address,
    length,
    { bytes, step: type.isText && type.size === 1 ? 1 : type.size },
    look,
  )) {
    // prettier-ignore
    if (flags.trim() === '1') await session.out.line(session.show(address));
    else await session.out.text(hitText(session, address, type.form));
  }
}

function hitText(session: Session, address: bigint, form: RowForm | null): string {
  const part = virtualReader(session.memoryAt(address)).read(address, 16);
  if (form !== null) return `${session.show(address)}  ${rowText(part, 0, form.cells, form)}\n`;
  const missing = part.present.indexOf(0);
  const bytes = missing < 0 ? part.bytes : part.bytes.subarray(0, missing);
  return renderHits([{ address, bytes }], { wide: session.wide });
}

/** A text in quotes, or values of the unit's size. Throws KdError. */
async function patternOf(session: Session, text: string, { size, isText }: SearchType): Promise<Uint8Array> {
  if (isText) {
    const quoted = /^\s*"(.*)"\s*$/s.exec(text)?.[1];
    if (quoted === undefined || quoted === '')
      throw new KdError(`s wants a text in quotes behind the range, not '${printable(text.trim())}'`);
    return Buffer.from(quoted, size === 1 ? 'latin1' : 'utf16le');
  }
  const bytes: number[] = [];
  for (let rest = text; rest.trim() !== '';) {
    const quoted = /^\s*"([^"]*)"/.exec(rest);
    if (quoted !== null) {
      for (const one of Buffer.from(quoted[1] ?? '', 'latin1')) bytes.push(one, ...Array<number>(size - 1).fill(0));
      rest = rest.slice(quoted[0].length);
      continue;
    }
    const { value, rest: more } = await session.value(rest);
    if (value >= 1n << BigInt(size * 8))
      throw new KdError(`Overflow error at '${printable(rest.trim())}': each value has ${size} bytes`);
    for (let i = 0; i < size; i++) bytes.push(Number((value >> BigInt(8 * i)) & 0xffn));
    rest = more;
  }
  if (bytes.length === 0) throw new KdError('s wants a pattern behind the range');
  return Uint8Array.from(bytes);
}
