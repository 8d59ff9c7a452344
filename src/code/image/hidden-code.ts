/** Images whose code cannot be followed from their file: made for another processor, packed, or virtualised. */

import { plus } from '../../../parsers/addresses.js';
import { failed } from '../../../parsers/bytes/failure.js';
import { readImports } from '../../../parsers/pe/imports.js';
import { printable } from '../../../parsers/text-safety.js';
import type { CodeModule } from './code-module.js';
import { machineOf } from '../flow/machine.js';

/** Why code is not seen: as the code of a warning, and in words that go on after the file's name. */
export interface HiddenCode {
  readonly code: 'processor-not-supported' | 'code-packed';
  readonly why: string;
}

/** IMAGE_FILE_MACHINE_* of processors that Windows drivers were made for. */
const PROCESSORS: ReadonlyMap<number, string> = new Map([
  [0x1c0, 'ARM'],
  [0x1c2, 'ARM (Thumb)'],
  [0x1c4, 'ARM (32-bit)'],
  [0x200, 'Itanium'],
  [0x184, 'Alpha'],
  [0x284, 'Alpha (64-bit)'],
  [0x166, 'MIPS'],
  [0x1f0, 'PowerPC'],
]);
/** Sections that packers and virtualisers are known by. */
const PACKERS: readonly (readonly [RegExp, string])[] = [
  [/^UPX\d/i, 'UPX'],
  [/^\.?vmp\d?/i, 'VMProtect'],
  [/^\.?(?:themida|winlice)/i, 'Themida'],
  [/^\.(?:aspack|adata)/i, 'ASPack'],
  [/^\.MPRESS/i, 'MPRESS'],
  [/^\.enigma/i, 'Enigma'],
  [/^\.(?:petite|nsp\d|perplex|packed)/i, 'a packer'],
];
/** Code of fewer bytes is not measured. */
const SMALLEST_MEASURED = 0x4000;
const MOST_MEASURED = 0x100000;
/** Bits a byte: machine code has up to about 6.8, packed and enciphered bytes nearly 8. */
const MOST_ENTROPY = 7.4;
/** So much code that imports so few functions finds others by itself. */
const MUCH_CODE = 0x8000;
const FEW_IMPORTS = 2;

/** What hides the code of an image; null where nothing is known to. */
export function hiddenCode(module: CodeModule): HiddenCode | null {
  const { headers, memory, base } = module;
  if (headers === null || memory === null) return null;
  if (machineOf(headers.machine) === null) {
    const name = PROCESSORS.get(headers.machine) ?? `machine type 0x${headers.machine.toString(16)}`;
    return { code: 'processor-not-supported', why: `made for ${name}, a processor whose code is not followed` };
  }
  const packed = (how: string): HiddenCode => ({
    code: 'code-packed',
    why: `packed or virtualised (${how}): what its code allocates cannot be seen, or only in part`,
  });
  for (const { name } of headers.sections) {
    const packer = PACKERS.find(([pattern]) => pattern.test(name));
    if (packer !== undefined) return packed(`section ${printable(name)}, as of ${packer[1]}`);
  }
  let size = 0;
  for (const section of headers.sections) {
    if (!section.executable) continue;
    size += section.size;
    if (section.size < SMALLEST_MEASURED) continue;
    const bits = entropyOf(module, section.rva, Math.min(section.size, MOST_MEASURED));
    if (bits > MOST_ENTROPY) return packed(`section ${printable(section.name)} has ${bits.toFixed(1)} bits a byte`);
  }
  if (size < MUCH_CODE) return null;
  const { names, complete } = readImports(memory, base, headers, memory.pointerSize);
  const count = names.size;
  return complete && count > 0 && count <= FEW_IMPORTS
    ? packed(`${size} bytes of code import ${count} functions`)
    : null;
}

/** Bits a byte of what can be read from an RVA on; 0 where there is too little. */
function entropyOf({ memory, base }: CodeModule, rva: number, size: number): number {
  const counts = new Float64Array(256);
  let total = 0;
  for (const { bytes } of memory?.chunks(plus(base, rva), size) ?? []) {
    if (failed(bytes)) continue;
    for (const byte of bytes) counts[byte] = (counts[byte] ?? 0) + 1;
    total += bytes.length;
  }
  if (total < SMALLEST_MEASURED) return 0;
  return counts.reduce((bits, count) => (count === 0 ? bits : bits - (count / total) * Math.log2(count / total)), 0);
}
