/** A driver file with one more section of code behind the others: as large as real drivers, with the imports of its own. */

import { alignUp, getU32, latin1, putU16, putU32 } from '../bytes.js';
import { CODE } from '../images/pe-image.js';

const SECTION_HEADER = 40;

/** Throws where the headers have no room for another section. */
export function withMoreCode(file: Uint8Array, code: Uint8Array): Uint8Array {
  const pe = getU32(file, 0x3c);
  const optional = pe + 24;
  const count = getU32(file, pe + 4) >>> 16;
  const table = optional + (getU32(file, pe + 20) & 0xffff);
  const [sectionAlignment, fileAlignment] = [getU32(file, optional + 32), getU32(file, optional + 36)];
  const imageSize = getU32(file, optional + 56);
  const header = table + count * SECTION_HEADER;
  if (header + SECTION_HEADER > getU32(file, optional + 60)) throw new Error('no room for another section');
  const at = alignUp(file.length, fileAlignment);
  const rawSize = alignUp(code.length, fileAlignment);
  const out = new Uint8Array(at + rawSize);
  out.set(file);
  out.set(code, at);
  putU16(out, pe + 6, count + 1);
  putU32(out, optional + 56, alignUp(imageSize + code.length, sectionAlignment));
  out.set(latin1('.more'), header);
  for (const [i, value] of [code.length, imageSize, rawSize, at].entries()) putU32(out, header + 8 + i * 4, value);
  putU32(out, header + 36, CODE);
  return out;
}
