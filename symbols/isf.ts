/**
 * Symbol tables of Volatility 3 (ISF, JSON) as a source of kernel facts: what many sites without a PDB already have.
 *
 * `metadata.windows.pdb` {GUID, age, database}; `symbols` name -> {address}, an RVA; `user_types` name -> {size, fields}, a field
 * being {offset, type}; a type is {kind: base | pointer | array | bitfield | struct | union | enum | function, ...}; `base_types` name ->
 * {size, signed}. Known of versions 4.x to 6.x, as made from Windows PDBs.
 */

import { Failure } from '../parsers/bytes/failure.js';
import type { FieldLayout, StructLayout } from '../parsers/kernel/layout.js';
import { factsOf, storeGuid, tagTablesCapacity, type FactsTable, type KernelFacts } from './kernel-facts.js';
import { KERNEL_SYMBOLS, KERNEL_TYPES } from './kernel-names.js';

type Json = Readonly<Record<string, unknown>>;

const DEEPEST = 32;
const MOST_DIMENSIONS = 8;
const U32 = 0xffffffff;
const LARGEST_STRUCT = 2 ** 31;
const MOST_FIELDS = 1 << 16;
const UNNAMED = /^(?:<|_{0,2}(?:anonymous|unnamed)(?:$|_))/;
const MACHINES: ReadonlyMap<unknown, number> = new Map<unknown, number>([
  [0x14c, 0x14c],
  [0x8664, 0x8664],
  [0xaa64, 0xaa64],
]);
const KNOWN_SIZES: ReadonlyMap<string, number> = new Map([
  ['char', 1],
  ['unsigned char', 1],
  ['short', 2],
  ['unsigned short', 2],
  ['wchar', 2],
  ['int', 4],
  ['unsigned int', 4],
  ['long', 4],
  ['unsigned long', 4],
  ['long long', 8],
  ['unsigned long long', 8],
  ['float', 4],
  ['double', 8],
]);
const BY_SIZE: ReadonlyMap<number, string> = new Map([
  [1, 'char'],
  [2, 'short'],
  [4, 'long'],
  [8, 'long long'],
]);

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const own = (object: unknown, key: string): unknown =>
  isObject(object) && Object.hasOwn(object, key) ? object[key] : undefined;
const wholeUpTo = (value: unknown, most: number): number | null =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= most ? value : null;
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** A base type by the name that the published tables use for its size and sign. */
function baseName(name: string, baseTypes: unknown): string {
  const declared = own(baseTypes, name);
  const size = wholeUpTo(own(declared, 'size'), 16);
  if (name === 'void' || size === null || KNOWN_SIZES.get(name) === size) return name;
  if (textOf(own(declared, 'kind')) === 'float') return size === 4 ? 'float' : 'double';
  const signed = BY_SIZE.get(size);
  if (signed === undefined) return '?';
  return own(declared, 'signed') === true ? signed : `unsigned ${signed}`;
}

function spell(type: unknown, baseTypes: unknown, depth: number): string {
  if (depth > DEEPEST) return '?';
  const name = textOf(own(type, 'name'));
  const inner = own(type, 'subtype');
  switch (textOf(own(type, 'kind'))) {
    case 'base':
      return baseName(name, baseTypes);
    case 'pointer': {
      const kind = textOf(own(inner, 'kind'));
      return ['pointer', 'function', 'array'].includes(kind) ? '*' : `*${spell(inner, baseTypes, depth + 1)}`;
    }
    case 'array': {
      let dimensions = '';
      let element: unknown = type;
      for (let level = 0; level < MOST_DIMENSIONS && textOf(own(element, 'kind')) === 'array'; level++) {
        dimensions += `[${wholeUpTo(own(element, 'count'), U32) ?? ''}]`;
        element = own(element, 'subtype');
      }
      return textOf(own(element, 'kind')) === 'array' ? '?' : spell(element, baseTypes, depth + 1) + dimensions;
    }
    case 'bitfield': {
      const position = wholeUpTo(own(type, 'bit_position'), 63);
      const length = wholeUpTo(own(type, 'bit_length'), 64);
      if (position === null || length === null) return '?';
      return `${spell(own(type, 'type'), baseTypes, depth + 1)}:${position}:${length}`;
    }
    case 'struct':
    case 'union':
    case 'class':
    case 'enum':
      return name === '' || UNNAMED.test(name) ? '__unnamed' : name;
    case 'function':
      return 'function';
    default:
      return '?';
  }
}

interface Tables {
  readonly userTypes: unknown;
  readonly baseTypes: unknown;
}

/** Adds the fields of a structure; those of members that have no name of their own become its own. */
function collect(
  fields: Map<string, FieldLayout>,
  tables: Tables,
  declared: unknown,
  base: number,
  depth: number,
): boolean {
  const list = own(declared, 'fields');
  if (!isObject(list) || depth > DEEPEST) return false;
  for (const [name, member] of Object.entries(list)) {
    const offset = wholeUpTo(own(member, 'offset'), LARGEST_STRUCT);
    const type = own(member, 'type');
    if (offset === null || !isObject(type) || fields.size >= MOST_FIELDS) return false;
    if (own(member, 'anonymous') === true) {
      const nested = own(tables.userTypes, textOf(own(type, 'name')));
      if (!collect(fields, tables, nested, base + offset, depth + 1)) return false;
    } else if (!fields.has(name)) {
      fields.set(name, { offset: base + offset, type: spell(type, tables.baseTypes, 0) });
    }
  }
  return true;
}

function layoutIn(tables: Tables, name: string): StructLayout | null {
  const declared = own(tables.userTypes, name);
  const size = wholeUpTo(own(declared, 'size'), LARGEST_STRUCT);
  const fields = new Map<string, FieldLayout>();
  if (size === null || !collect(fields, tables, declared, 0, 0)) return null;
  return { name, size, fields: Object.fromEntries(fields) };
}

function capacityIn(symbols: Json, rvas: ReadonlyMap<string, number>, pointerSize: number): number | null {
  const start = rvas.get('ExPoolTagTables');
  if (start === undefined) return null;
  const declared = own(symbols['ExPoolTagTables'], 'type');
  if (textOf(own(declared, 'kind')) === 'array') return wholeUpTo(own(declared, 'count'), 0x10000);
  let next = Infinity;
  for (const symbol of Object.values(symbols)) {
    const address = wholeUpTo(own(symbol, 'address'), U32);
    if (address !== null && address > start && address < next) next = address;
  }
  return tagTablesCapacity(Number.isFinite(next) ? next - start : null, pointerSize);
}

/** Reads the text of an ISF file. Of its symbols and types only KERNEL_SYMBOLS and KERNEL_TYPES are kept. */
export function readIsf(text: string): KernelFacts | Failure {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text.replace(/^\ufeff/, ''));
  } catch {
    return new Failure('corrupt', 'it is not valid JSON');
  }
  const pdb = own(own(own(parsed, 'metadata'), 'windows'), 'pdb');
  if (!isObject(pdb)) return new Failure('other-format', 'it is no symbol table made from a Windows PDB');
  const guid = storeGuid(textOf(pdb['GUID']));
  const age = wholeUpTo(pdb['age'], U32);
  const symbols = own(parsed, 'symbols');
  const userTypes = own(parsed, 'user_types');
  if (!/^[0-9A-F]{32}$/.test(guid) || age === null)
    return new Failure('corrupt', 'the GUID or age of its PDB is not valid');
  if (!isObject(symbols) || !isObject(userTypes)) return new Failure('corrupt', 'it has no symbols or no types');
  const rvas = new Map<string, number>();
  for (const name of KERNEL_SYMBOLS) {
    const address = wholeUpTo(own(own(symbols, name), 'address'), U32);
    if (address !== null) rvas.set(name, address);
  }
  const tables: Tables = { userTypes, baseTypes: own(parsed, 'base_types') };
  const layouts = new Map<string, StructLayout>();
  for (const type of KERNEL_TYPES) {
    const layout = layoutIn(tables, type);
    if (layout !== null) layouts.set(type, layout);
  }
  const pointerSize = wholeUpTo(own(own(tables.baseTypes, 'pointer'), 'size'), 8) ?? 8;
  const table: FactsTable = {
    pdb: { name: textOf(pdb['database']) || 'ntkrnlmp.pdb', guid, age },
    machine: MACHINES.get(pdb['machine_type']) ?? null,
    version: null,
    timeDateStamp: null,
    sizeOfImage: null,
    poolTagTablesCapacity: capacityIn(symbols, rvas, pointerSize === 4 ? 4 : 8),
    rvas,
    layouts,
  };
  return factsOf(table);
}
