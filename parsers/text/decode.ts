/**
 * Text files as people have them: UTF-8 or UTF-16 with or without a mark, or the code page of an old console or editor.
 *
 * In order: a byte order mark decides; NULs at every second byte mean UTF-16 without one; what is valid UTF-8 is UTF-8 (so is
 * plain ASCII); the rest is in a code page: the one that the caller names, else a guess between cp850 and cp1252.
 */

import { isUtf8 } from 'node:buffer';
import { createRequire } from 'node:module';
import type * as Iconv from 'iconv-lite';
import { Failure } from '../bytes/failure.js';

/** Code pages that a text tool on Windows may have written: OEM (a console's) and ANSI (an editor's). */
export const CODE_PAGES = [
  'cp437', 'cp850', 'cp852', 'cp866', 'cp932', 'cp936', 'cp949', 'cp950',
  'cp1250', 'cp1251', 'cp1252', 'cp1253', 'cp1254', 'cp1257',
] as const; // prettier-ignore
export type CodePage = (typeof CODE_PAGES)[number];

/** The longest file that is decoded, in bytes. Parsers set narrower limits of their own. */
export const MAXIMUM_TEXT_BYTES = 256 * 2 ** 20;

/** How much of a file is looked at to recognise its encoding, in bytes. */
const SAMPLE_BYTES = 64 * 1024;

const DOS_END_OF_FILE = 0x1a;

/** Loaded when a text needs it: most are UTF-8, and every start of the program would pay for its tables. */
const iconv = (): typeof Iconv => createRequire(import.meta.url)('iconv-lite') as typeof Iconv;

/**
 * Decodes a text file. The mark at the front and end-of-file characters (0x1A, as DOS tools and `copy` append) are left
 * out; line ends stay as they are. Sequences that the encoding cannot hold become U+FFFD.
 *
 * @param codePage used only where the bytes are neither UTF-16 nor UTF-8. Without it: cp850 (the console of Western
 * European systems; cp437 differs in few letters) when more bytes are letters of words in cp850 alone than in
 * cp1252 alone, else cp1252.
 * @returns a failure only for more than MAXIMUM_TEXT_BYTES.
 */
export function decodeText(bytes: Uint8Array, codePage?: CodePage): string | Failure {
  if (bytes.length > MAXIMUM_TEXT_BYTES) {
    return new Failure('corrupt', `a text of ${bytes.length} bytes; at most ${MAXIMUM_TEXT_BYTES} are read`);
  }
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return withoutEndOfFile(decode(buffer, codePage));
}

function decode(bytes: Buffer, codePage: CodePage | undefined): string {
  const [b0, b1, b2] = bytes;
  if (b0 === 0xef && b1 === 0xbb && b2 === 0xbf) return bytes.toString('utf8', 3);
  if (b0 === 0xff && b1 === 0xfe) return bytes.toString('utf16le', 2);
  if (b0 === 0xfe && b1 === 0xff) return iconv().decode(bytes.subarray(2), 'utf16-be', { stripBOM: false });
  const wide = unmarkedUtf16(bytes);
  if (wide === 'le') return bytes.toString('utf16le');
  if (wide === 'be') return iconv().decode(bytes, 'utf16-be', { stripBOM: false });
  if (isUtf8(bytes)) return bytes.toString('utf8');
  return iconv().decode(bytes, codePage ?? guessCodePage(bytes));
}

/**
 * In UTF-16 the blanks, line ends and ASCII letters of a text have a NUL in the same half of their unit, whatever the
 * language; an 8-bit text has no NULs. At least a tenth of the units must have one, and nearly all on one side.
 */
function unmarkedUtf16(bytes: Buffer): 'le' | 'be' | null {
  const end = Math.min(bytes.length, SAMPLE_BYTES) & ~1;
  let first = 0;
  let second = 0;
  for (let i = 0; i < end; i += 2) {
    if (bytes[i] === 0) first++;
    if (bytes[i + 1] === 0) second++;
  }
  const needed = Math.max(1, end / 20);
  if (second >= needed && first * 8 < second) return 'le';
  if (first >= needed && second * 8 < first) return 'be';
  return null;
}

/**
 * Counts bytes that can be letters of words in only one of the two. From 0xC0 on, cp1252 has letters and cp850 mostly
 * frames; 0xE1 is a common letter in both. From 0x81 to 0xA5 cp850 has letters and cp1252 signs: most of them never
 * follow a letter, and some (closing quotes, dashes) never stand between two. 0x92 is the apostrophe of cp1252.
 */
function guessCodePage(bytes: Buffer): CodePage {
  const end = Math.min(bytes.length, SAMPLE_BYTES);
  let oem = 0;
  let ansi = 0;
  for (let i = 0; i < end; i++) {
    const byte = bytes[i] ?? 0;
    if (byte >= 0xc0 && byte !== 0xe1) ansi++;
    else if (byte > 0x80 && byte <= 0xa5 && byte !== 0x92 && isLetter(bytes[i - 1])) {
      if (!MAY_FOLLOW_LETTER.has(byte) || isLetter(bytes[i + 1])) oem++;
    }
  }
  return oem > ansi ? 'cp850' : 'cp1252';
}

/** In cp1252: ellipsis, quotes, bullet, dashes, trade mark sign and the blank that does not break. */
const MAY_FOLLOW_LETTER: ReadonlySet<number> = new Set([0x85, 0x91, 0x93, 0x94, 0x95, 0x96, 0x97, 0x99, 0xa0]);

function isLetter(byte = 0): boolean {
  const lower = byte | 0x20;
  return byte >= 0xc0 || (lower >= 0x61 && lower <= 0x7a);
}

function withoutEndOfFile(text: string): string {
  let end = text.length;
  while (end > 0 && text.charCodeAt(end - 1) === DOS_END_OF_FILE) end--;
  return text.slice(0, end);
}
