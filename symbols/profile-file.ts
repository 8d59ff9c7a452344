/**
 * The profile of one kernel as a text of some 30 KB, to be mailed to a site without symbols: what `profile make` writes.
 *
 * `dumpleak-profile 1`, then words: `pdb NAME GUID AGE`, `machine M`, `version V`, `image TIMESTAMP SIZE`, `tag-tables N`,
 * `symbols N` and N of `Name=rva`, `structs N` and N of `struct NAME SIZE` with fields `name:offset:type`, `end SUM`.
 * `-` is unknown; numbers are hex but for N; `#` begins a comment line. How words are laid out in lines does not matter, and SUM
 * (of the words between single spaces) finds what was changed on the way. Types are spelled as in the built-in tables.
 */

import { createHash } from 'node:crypto';
import { Failure } from '../parsers/bytes/failure.js';
import type { FieldLayout, StructLayout } from '../parsers/kernel/layout.js';
import { factsOf, type FactsTable, type KernelFacts } from './kernel-facts.js';
import { KEPT_FIELDS, KERNEL_SYMBOLS, KERNEL_TYPES } from './kernel-names.js';
import { longType, shortType } from './profile-types.js';

const SIGNATURE = 'dumpleak-profile';
const FORMAT = 1;
const LINE = 76;
/** Characters of the longest text that is read: some hundred times what `makeProfile` writes. */
const LONGEST = 4 * 1024 * 1024;
const ABOUT = [
  '# Where the globals of one Windows kernel stand and how its structures',
  '# are laid out. For dumpleak: put this file into a folder and give that',
  '# folder with --profiles. A field is name:offset:type; u32 is an unsigned',
  '# number of 32 bits, *T a pointer, T[n] an array, T:8:12 bits 8 to 19.',
];

const hex = (value: number): string => value.toString(16);
const orDash = (value: number | null): string => (value === null ? '-' : hex(value));
const sumOf = (words: readonly string[]): string =>
  createHash('sha256').update(words.join(' ')).digest('hex').slice(0, 16);

/** Names that can stand in a profile as one word of their kind. */
const isWord = (name: string): boolean => /^[\x21-\x7e]+$/.test(name) && !/[:=#]/.test(name);

function structWords(layout: StructLayout): string[] {
  const kept = KEPT_FIELDS.get(layout.name);
  const words = ['struct', layout.name, hex(layout.size)];
  for (const [name, { offset, type }] of Object.entries(layout.fields)) {
    if (isWord(name) && (kept?.has(name) ?? true)) words.push(`${name}:${hex(offset)}:${shortType(type)}`);
  }
  return words;
}

/** Lines of at most LINE characters, as mail programs leave them alone; `struct` and `end` begin one. */
function wrap(words: readonly string[]): string {
  let text = '';
  let line = '';
  for (const word of words) {
    const breaks = /^(?:struct|structs|end|pdb|machine|version|image|tag-tables|symbols)$/.test(word);
    if (line !== '' && (breaks || line.length + 1 + word.length > LINE)) {
      text += `${line}\n`;
      line = breaks ? '' : ' ';
    }
    line += line.trim() === '' ? word : ` ${word}`;
  }
  return `${text}${line}\n`;
}

/** The profile of a kernel as text: all of KERNEL_SYMBOLS and KERNEL_TYPES that the facts have. The same facts give the same text. */
export function makeProfile(facts: KernelFacts): string {
  const symbols = KERNEL_SYMBOLS.flatMap((name) => {
    const value = facts.rva(name);
    return value === null ? [] : [`${name}=${hex(value)}`];
  });
  const layouts = KERNEL_TYPES.flatMap((type) => facts.layout(type) ?? []);
  const name = facts.pdb.name.split(/[\\/]/).at(-1) ?? '';
  const words = [
    ...['pdb', isWord(name) ? name : '-', facts.pdb.guid, hex(facts.pdb.age)],
    ...['machine', orDash(facts.machine)],
    ...['version', facts.version ?? '-'],
    ...['image', orDash(facts.timeDateStamp), orDash(facts.sizeOfImage)],
    ...['tag-tables', facts.poolTagTablesCapacity?.toString() ?? '-'],
    ...['symbols', symbols.length.toString(), ...symbols],
    ...['structs', layouts.length.toString(), ...layouts.flatMap(structWords)],
  ];
  return `${SIGNATURE} ${FORMAT}\n${ABOUT.join('\n')}\n${wrap([...words, 'end', sumOf(words)])}`;
}

/** The name that `profile make` gives a profile: it sorts by PDB, and no two kernels share it. */
export function profileFileName(facts: KernelFacts): string {
  const name = (facts.pdb.name.split(/[\\/]/).at(-1) ?? '').replace(/\.pdb$/i, '').replace(/[^\w.-]/g, '_');
  return `${name}-${facts.pdb.guid}${facts.pdb.age.toString(16).toUpperCase()}.profile.txt`;
}

/** True for a text that says it is a profile. */
export function looksLikeProfile(text: string): boolean {
  return text.replace(/^\ufeff/, '').startsWith(`${SIGNATURE} `);
}

/** Takes the words of a profile in order; the first one that does not fit is remembered and ends the reading. */
class Words {
  private at = 0;
  problem: string | null = null;

  constructor(private readonly words: readonly string[]) {}

  get done(): boolean {
    return this.at >= this.words.length;
  }

  fail(what: string): void {
    this.problem ??= what;
    this.at = this.words.length;
  }

  peek(): string {
    return this.words[this.at] ?? '';
  }

  next(): string {
    return this.words[this.at++] ?? '';
  }

  keyword(word: string): void {
    if (this.peek() === word) this.at++;
    else this.fail(`"${word}" is missing`);
  }

  /** A number up to `most`; `null` for `-` where that may stand. */
  number(what: string, radix: 10 | 16, most: number): number {
    return parse(this.next(), radix, most) ?? (this.fail(`${what} is no number`), 0);
  }

  numberOrNull(what: string, radix: 10 | 16, most: number): number | null {
    if (this.peek() !== '-') return this.number(what, radix, most);
    this.at++;
    return null;
  }
}

function parse(text: string, radix: 10 | 16, most: number): number | null {
  if (!(radix === 16 ? /^[0-9a-f]{1,8}$/i : /^\d{1,9}$/).test(text)) return null;
  const value = parseInt(text, radix);
  return value <= most ? value : null;
}

const U32 = 0xffffffff;
const LARGEST_STRUCT = 2 ** 31;

function readSymbols(words: Words): Map<string, number> {
  const rvas = new Map<string, number>();
  for (let left = words.number('the count of symbols', 10, U32); left > 0 && !words.done; left--) {
    const [name = '', value = '', more] = words.next().split('=');
    const rva = parse(value, 16, U32);
    if (name === '' || rva === null || more !== undefined || rvas.has(name))
      words.fail(`symbol "${name}" is not valid`);
    else rvas.set(name, rva);
  }
  return rvas;
}

function readStruct(words: Words): StructLayout {
  words.keyword('struct');
  const name = words.next();
  const size = words.number(`the size of ${name}`, 16, LARGEST_STRUCT);
  const fields = new Map<string, FieldLayout>();
  while (words.peek().includes(':')) {
    const word = words.next();
    const [field = '', start = ''] = word.split(':', 2);
    const type = longType(word.slice(field.length + start.length + 2));
    const offset = parse(start, 16, size);
    if (field === '' || offset === null || type === null || fields.has(field))
      words.fail(`a field of ${name} is not valid`);
    else fields.set(field, { offset, type });
  }
  return { name, size, fields: Object.fromEntries(fields) };
}

function readTable(words: Words): FactsTable {
  words.keyword('pdb');
  const name = words.next();
  const guid = words.next().toUpperCase();
  if (!/^[0-9A-F]{32}$/.test(guid)) words.fail('the GUID of the PDB is not valid');
  const age = words.number('the age of the PDB', 16, U32);
  words.keyword('machine');
  const machine = words.numberOrNull('the machine', 16, 0xffff);
  words.keyword('version');
  const version = words.next();
  if (!/^(?:-|\d{1,5}(?:\.\d{1,5}){3})$/.test(version)) words.fail('the version is not valid');
  words.keyword('image');
  const timeDateStamp = words.numberOrNull('the time stamp of the image', 16, U32);
  const sizeOfImage = words.numberOrNull('the size of the image', 16, U32);
  words.keyword('tag-tables');
  const poolTagTablesCapacity = words.numberOrNull('the capacity of ExPoolTagTables', 10, 0x10000);
  words.keyword('symbols');
  const rvas = readSymbols(words);
  words.keyword('structs');
  const layouts = new Map<string, StructLayout>();
  for (let left = words.number('the count of structures', 10, U32); left > 0 && words.problem === null; left--) {
    const layout = readStruct(words);
    if (layouts.has(layout.name)) words.fail(`${layout.name} is there twice`);
    layouts.set(layout.name, layout);
  }
  if (!words.done) words.fail(`"${words.peek().slice(0, 40)}" is not expected`);
  return {
    pdb: { name, guid, age },
    machine,
    version: version === '-' ? null : version,
    timeDateStamp,
    sizeOfImage,
    poolTagTablesCapacity,
    rvas,
    layouts,
  };
}

/** Reads what `makeProfile` wrote. Every word is checked; line ends, indentation and wrapping may have changed on the way. */
export function readProfile(text: string): KernelFacts | Failure {
  if (!looksLikeProfile(text)) return new Failure('other-format', `it does not begin with "${SIGNATURE}"`);
  if (text.length > LONGEST) return new Failure('too-large', `${text.length} characters are too many for a profile`);
  const words = text
    .split(/\r\n|\n|\r/)
    .filter((line) => !line.trimStart().startsWith('#'))
    .join(' ')
    .split(/\s+/)
    .filter((word) => word !== '');
  const format = words[1] ?? '';
  if (format !== FORMAT.toString()) {
    return new Failure(
      'not-supported',
      `its format is ${format.slice(0, 20)}, and this version reads format ${FORMAT}`,
    );
  }
  const end = words.length - 2;
  if (words[end] !== 'end') return new Failure('short-file', 'its end is missing: the file was cut short');
  const content = words.slice(2, end);
  if (words[end + 1] !== sumOf(content)) return new Failure('corrupt', 'its checksum is wrong: the text was changed');
  const reader = new Words(content);
  const table = readTable(reader);
  return reader.problem === null ? factsOf(table) : new Failure('corrupt', reader.problem);
}
