/** Lines of `lm` beyond its usual row: times, file names, and the block of `lmv`. */

import { printable } from '../../parsers/text-safety.js';
import type { ModuleInfo } from '../result/result.js';
import { clockText } from './print/clock.js';
import { NOT_KNOWN, parseHex } from './print/format.js';

const word = (value: bigint | number | null): string =>
  value === null ? NOT_KNOWN : value.toString(16).toUpperCase().padStart(8, '0');

/** A time stamp of an image; a hash and what cannot be a time are told as that. */
export function timeStampText({ timeDateStamp, timeStampKind }: ModuleInfo): string {
  const stamp = parseHex(timeDateStamp);
  if (stamp === null) return `unavailable (${word(0)})`;
  if (timeStampKind === 'hash') return `${word(stamp)} (This is a reproducible build file hash, not a timestamp)`;
  if (timeStampKind === 'impossible') return `***** Invalid (${word(stamp)})`;
  return `${clockText(new Date(Number(stamp) * 1000))} (${word(stamp)})`;
}

/** The block of `lmv`: four blanks before each line. Rows that the dump has nothing for are left out. */
export function verboseLines(module: ModuleInfo): string[] {
  const { name, path, version, timeStampKind, checkSum, sizeOfImage } = module;
  const lines = [
    `Loaded symbol image file: ${printable(name)}`,
    ...(path === null ? [] : [`Image path: ${printable(path)}`]),
    `Image name: ${printable(name)}`,
    ...(timeStampKind === 'hash' ? ['Image was built with /Brepro flag.'] : []),
    `Timestamp:        ${timeStampText(module)}`,
    `CheckSum:         ${word(parseHex(checkSum))}`,
    `ImageSize:        ${word(sizeOfImage)}`,
    ...(version === null ? UNREADABLE : versionLines(version)),
  ];
  return lines.map((line) => `    ${line}`);
}

/** What the debugger says where the version resource cannot be read: the languages that it tried. */
const UNREADABLE = ['Translations:     0000.04b0 0000.04e4 0409.04b0 0409.04e4', 'Information from resource tables:'];

function versionLines(version: NonNullable<ModuleInfo['version']>): string[] {
  const row = (title: string, value: string | null | undefined, width: number): string[] =>
    value === null || value === undefined ? [] : [`${`${title}:`.padEnd(width)}${printable(value)}`];
  const { fileVersion, productVersion, language } = version;
  const strings: readonly (readonly [string, string | null | undefined])[] = [
    ['CompanyName', version.companyName],
    ['ProductName', version.productName],
    ['OriginalFilename', version.originalFilename],
    ['ProductVersion', productVersion],
    ['FileDescription', version.fileDescription],
  ];
  return [
    ...row('File version', fileVersion, 18),
    ...row('Translations', language?.toLowerCase().replace(/^(.{4})(.{4})$/, '$1.$2'), 18),
    'Information from resource tables:',
    ...strings.flatMap(([title, value]) => row(title, value, 18).map((line) => `    ${line}`)),
  ];
}
