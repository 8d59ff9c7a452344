/** Every public symbol and every global of a PDB with its name: what lists of symbols and the nearest symbol need. */

import { u16, u32 } from '../bytes/fields.js';
import type { MsfStream } from './msf.js';
import { forEachRecord } from './records.js';
import { NAME_AT, OFFSET_AT, PUBLIC_IS_CODE, S_GDATA32, S_LDATA32, S_PUB32, SEGMENT_AT, textAt } from './symbol-kinds.js'; // prettier-ignore
import { undecorate } from './undecorate.js';

/** A symbol with its name. */
export interface NamedSymbol {
  /** Without the decoration of x86's C names. */
  readonly name: string;
  /** From the image's base. */
  readonly rva: number;
  readonly isFunction: boolean;
}

/** No PDB of Windows has more. */
const MOST_SYMBOLS = 1 << 21;

/** One pass over the symbols. Symbols of removed code have no address and are left out; `damage` says what ended the pass early. */
export function allSymbols(
  stream: MsfStream,
  machine: number,
  rvaOf: (segment: number, offset: number) => number | null,
): { readonly symbols: readonly NamedSymbol[]; readonly damage: string | null } {
  const symbols: NamedSymbol[] = [];
  const damage = forEachRecord(stream, 0, stream.byteLength, (b, words, at, end) => {
    const kind = words[at >>> 1] ?? 0;
    if ((kind !== S_PUB32 && kind !== S_GDATA32 && kind !== S_LDATA32) || at + NAME_AT > end) return true;
    const rva = rvaOf(u16(b, at + SEGMENT_AT), u32(b, at + OFFSET_AT));
    if (rva === null) return true;
    const raw = textAt(b, at + NAME_AT, end);
    symbols.push({
      name: kind === S_PUB32 ? undecorate(raw, machine) : raw,
      rva,
      isFunction: kind === S_PUB32 && (u32(b, at + 2) & PUBLIC_IS_CODE) !== 0,
    });
    return symbols.length < MOST_SYMBOLS;
  });
  return { symbols, damage };
}
