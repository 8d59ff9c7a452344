/** The version resource of an image in memory: who made it and which version it is. */

import { plus, type VirtualAddress } from '../addresses.js';
import { failed, Failure } from '../bytes/failure.js';
import { u16, u32, utf16 } from '../bytes/fields.js';
import type { VirtualMemory } from '../paging/virtual-memory.js';
import { DIRECTORY, type ImageHeaders } from './image.js';

const RT_VERSION = 16;
const FIXED_SIGNATURE = 0xfeef04bd;
const MOST_ENTRIES = 4096;
const LONGEST = 0x10000;
const DEEPEST = 4;
/** Characters that are kept of a string: descriptions are a line. */
const LONGEST_STRING = 512;

/** Strings of VS_VERSION_INFO; null where the resource has none. */
export interface ImageVersion {
  /** `4.0.0.0`, from the binary version, which no translation changes. */
  readonly fileVersion: string | null;
  readonly productName: string | null;
  readonly companyName: string | null;
  readonly fileDescription: string | null;
  readonly productVersion: string | null;
  /** What the file was called when it was built. */
  readonly originalFilename: string | null;
  /** Language and code page of the strings, eight hexadecimal digits: `040904b0` is US English in Unicode. */
  readonly language: string | null;
}

/** LANGIDs by preference: US English, no language, other English. */
const PREFERRED = [0x409, 0, 0x809];

/** Reads the version resource of the image, of several languages the English one, or says why it cannot. */
export function readVersion(
  memory: VirtualMemory,
  base: VirtualAddress,
  headers: ImageHeaders,
): ImageVersion | Failure {
  const directory = headers.directories[DIRECTORY.resource];
  if (directory === undefined || directory.rva === 0) return new Failure('corrupt', 'the image has no resources');
  const root = plus(base, directory.rva);
  const type = childOf(memory, root, 0, RT_VERSION);
  if (failed(type)) return type;
  const name = childOf(memory, root, type & 0x7fffffff, null);
  if (failed(name)) return name;
  const leaf = languageOf(memory, root, name & 0x7fffffff);
  if (failed(leaf)) return leaf;
  const entry = memory.read(plus(root, leaf & 0x7fffffff), 16);
  if (failed(entry)) return entry;
  const size = u32(entry, 4);
  if (size > LONGEST || u32(entry, 0) >= headers.sizeOfImage) {
    return new Failure('corrupt', 'the version resource lies outside of the image');
  }
  const bytes = memory.read(plus(base, u32(entry, 0)), size);
  return failed(bytes) ? bytes : parseVersionInfo(bytes);
}

/** The offset word of a resource directory's entry: the one with `id`, or the first. */
function childOf(memory: VirtualMemory, root: VirtualAddress, offset: number, id: number | null): number | Failure {
  const head = memory.read(plus(root, offset), 16);
  if (failed(head)) return head;
  const count = Math.min(MOST_ENTRIES, u16(head, 12) + u16(head, 14));
  const entries = memory.read(plus(root, offset + 16), count * 8);
  if (failed(entries)) return entries;
  for (let at = 0; at < entries.length; at += 8) {
    if (id === null || u32(entries, at) === id) return u32(entries, at + 4);
  }
  return new Failure('corrupt', 'the image has no version resource');
}

/** The offset word of the language's entry that is preferred, else of the first. */
function languageOf(memory: VirtualMemory, root: VirtualAddress, offset: number): number | Failure {
  for (const language of PREFERRED) {
    const leaf = childOf(memory, root, offset, language);
    if (!failed(leaf)) return leaf;
  }
  return childOf(memory, root, offset, null);
}

/** The strings of one language, in the order in which they stand. */
type Tables = Map<string, Map<string, string>>;

/** Parses VS_VERSION_INFO: nested blocks of length, value length, type, key, padding, value, children. */
export function parseVersionInfo(bytes: Uint8Array): ImageVersion {
  const tables: Tables = new Map();
  const fixed = collect(bytes, 0, Math.min(bytes.length, u16(bytes, 0) || bytes.length), 0, tables, '');
  const ordered = [...tables].sort(([a], [b]) => preference(a) - preference(b));
  // A translation may leave strings out: then those of the next language are better than none.
  const text = (key: string): string | null => ordered.find(([, strings]) => strings.has(key))?.[1].get(key) ?? null;
  return {
    fileVersion: fixed ?? text('FileVersion'),
    productName: text('ProductName'),
    companyName: text('CompanyName'),
    fileDescription: text('FileDescription'),
    productVersion: text('ProductVersion'),
    originalFilename: text('OriginalFilename'),
    language: ordered[0]?.[0] ?? null,
  };
}

/** Smaller is better: the place of a table's language among the preferred ones. */
function preference(table: string): number {
  const place = PREFERRED.indexOf(parseInt(table.slice(0, 4), 16));
  return place < 0 ? PREFERRED.length : place;
}

/** Walks one block; fills the table with the first value of each key and returns the binary file version. */
function collect(
  b: Uint8Array,
  start: number,
  end: number,
  depth: number,
  tables: Tables,
  table: string,
): string | null {
  if (depth > DEEPEST || start + 6 > end) return null;
  const valueLength = u16(b, start + 2);
  const isText = u16(b, start + 4) === 1;
  let at = start + 6;
  while (at + 2 <= end && u16(b, at) !== 0) at += 2;
  const key = utf16(b, start + 6, at - start - 6);
  at = align(at + 2);
  let fixed: string | null = null;
  if (valueLength > 0) {
    const valueBytes = Math.min(isText ? valueLength * 2 : valueLength, Math.max(0, end - at));
    if (depth === 0 && valueBytes >= 16 && u32(b, at) === FIXED_SIGNATURE) {
      const [high, low] = [u32(b, at + 8), u32(b, at + 12)];
      fixed = `${high >>> 16}.${high & 0xffff}.${low >>> 16}.${low & 0xffff}`;
    } else if (depth === 3 && isText) {
      keep(tables, table, key, (utf16(b, at, valueBytes).split('\0')[0] ?? '').trim().slice(0, LONGEST_STRING));
    }
    at = align(at + valueBytes);
  }
  while (at + 6 <= end) {
    const length = u16(b, at);
    if (length < 6) break;
    collect(b, at, Math.min(end, at + length), depth + 1, tables, depth === 1 ? tableName(b, at + 6) : table);
    at = align(at + length);
  }
  return fixed;
}

/** The key of a string table: language and code page. */
function tableName(b: Uint8Array, at: number): string {
  const key = at + 16 <= b.length ? utf16(b, at, 16) : '';
  return /^[0-9a-f]{8}$/i.test(key) ? key.toLowerCase() : '00000000';
}

/** Windows has some dozens of languages. */
const MOST_TABLES = 64;

function keep(tables: Tables, table: string, key: string, text: string): void {
  if (text === '' || (!tables.has(table) && tables.size >= MOST_TABLES)) return;
  const strings = tables.get(table) ?? new Map<string, string>();
  if (strings.size === 0) tables.set(table, strings);
  if (!strings.has(key)) strings.set(key, text);
}

const align = (offset: number): number => (offset + 3) & ~3;
