/** Kinds of damage: what a seed does to a built dump, as bytes put over its file. */

import type { ByteSource } from '../../../parsers/bytes/source.js';
import { PAGE } from '../../../test-dumps/physical-memory.js';
import type { Prng } from '../../../test-dumps/prng.js';
import type { FieldPlace, Places } from './places.js';

/** Bytes that stand in the file in place of what was there. */
interface Patch {
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** One damage. */
export interface Damage {
  /** For people: `entry 3 SizeOfImage: a bit`. */
  readonly what: string;
  readonly patches: readonly Patch[];
  /** The file ends here; null where it is whole. */
  readonly cutTo: number | null;
}

type Maker = (places: Places, random: Prng) => Damage | null;

/** All kinds by name. */
export const DAMAGES: Readonly<Record<string, Maker>> = {
  'links of the module list': (places, random) => entryField(places, random, /^[FB]link$/),
  'names in the module list': (places, random) => entryField(places, random, /DllName/),
  'other fields of the module list': (places, random) => entryField(places, random, /^(?![FB]link|.*DllName)/),
  'letters of module names': nameLetters,
  'image headers': (places, random) => {
    const page = random.pick(places.headers);
    return fieldDamage(places, random, random.pick(places.headerFields(page)), `image at file offset ${page}`, []);
  },
  'a page of pool tag tables': (places, random) => pageDamage(places, random, places.tagTables),
  'a field of pool tag tables': tableField,
  'counters and other globals of the kernel': globals,
  'the debugger block': (places, random) => {
    const { address, size } = places.built.truth.kdbg;
    const at = places.at(address);
    if (at === null) return null;
    const field = { name: 'debugger block', at: at + random.int(2, Math.floor(size / 8) - 1) * 8, bytes: 8 };
    return fieldDamage(places, random, { ...field, name: `debugger block +${field.at - at}` }, '', []);
  },
  'the dump header': headerField,
  'page tables': pageTables,
  'an image page': (places, random) => pageDamage(places, random, imagePages(places)),
  'any page': (places, random) => pageDamage(places, random, places.pages),
  'several pages': (places, random) => {
    const all = Array.from({ length: random.int(2, 40) }, () => pageDamage(places, random, places.pages));
    return { what: `${all.length} pages`, patches: all.flatMap(({ patches }) => patches), cutTo: null };
  },
  'the end of the file': (places, random) => {
    const cutTo = random.int(places.built.firstPage, places.built.byteLength);
    return { what: `cut to ${cutTo} bytes`, patches: [], cutTo };
  },
};

/** The damage of a kind; another seed is tried where a place does not exist in this dump, a few times. */
export function damageOf(kind: string, places: Places, random: Prng): Damage | null {
  for (let i = 0; i < 8; i++) {
    const damage = DAMAGES[kind]?.(places, random) ?? null;
    if (damage !== null) return damage;
  }
  return null;
}

function entryField(places: Places, random: Prng, which: RegExp): Damage {
  const index = random.int(0, places.entries.length - 1);
  const entry = places.entries[index] ?? 0;
  const field = random.pick(places.entryFields(entry).filter(({ name }) => which.test(name)));
  const others = places.entries.map((other) => places.read(other + field.at - entry, field.bytes));
  return fieldDamage(places, random, field, `entry ${index}`, others);
}

function nameLetters(places: Places, random: Prng): Damage | null {
  const index = random.int(0, places.entries.length - 1);
  const fields = places.entryFields(places.entries[index] ?? 0);
  const which = random.pick(['BaseDllName', 'FullDllName']);
  const value = (name: string): bigint => {
    const field = fields.find((each) => each.name === `${which}.${name}`);
    return field === undefined ? 0n : places.number(field.at, field.bytes);
  };
  const letter = random.int(0, Number(value('Length')) / 2 - 1);
  const at = places.at(BigInt.asIntN(64, value('Buffer')) + BigInt(letter * 2));
  if (at === null) return null;
  return fieldDamage(places, random, { name: `letter ${letter} of ${which}`, at, bytes: 2 }, `entry ${index}`, []);
}

/** One field: a bit, zeros, ones, the value of another structure, a little more or less, or anything. */
function fieldDamage(
  places: Places,
  random: Prng,
  field: FieldPlace,
  of: string,
  others: readonly Uint8Array[],
): Damage {
  const old = places.read(field.at, field.bytes);
  const way = random.pick([
    'a bit',
    'a bit',
    'zeros',
    'ones',
    'a little',
    'anything',
    ...(others.length > 0 ? ['another one', 'another one'] : []),
  ]);
  let bytes: Uint8Array = old.slice();
  if (way === 'a bit') flip(bytes, random);
  else if (way === 'zeros') bytes.fill(0);
  else if (way === 'ones') bytes.fill(0xff);
  else if (way === 'another one') bytes = random.pick(others).slice();
  else if (way === 'anything') bytes = random.bytes(field.bytes);
  else {
    const value =
      places.number(field.at, field.bytes) + BigInt(random.pick([-0x1000, -16, -8, -2, 2, 8, 16, 24, 0x40, 0x1000]));
    for (let i = 0; i < bytes.length; i++) bytes[i] = Number((value >> BigInt(8 * i)) & 0xffn);
  }
  return { what: `${of} ${field.name}: ${way}`.trim(), patches: [{ at: field.at, bytes }], cutTo: null };
}

function flip(bytes: Uint8Array, random: Prng): void {
  const at = random.int(0, bytes.length - 1);
  bytes[at] = (bytes[at] ?? 0) ^ (1 << random.int(0, 7));
}

/** A page becomes zeros, another page, anything, or loses a bit. */
function pageDamage(places: Places, random: Prng, from: readonly number[]): Damage {
  const at = random.pick(from);
  const way = random.pick(['zeros', 'another page', 'anything', 'a bit']);
  let bytes: Uint8Array = new Uint8Array(PAGE);
  if (way === 'another page') bytes = places.read(random.pick(places.pages), PAGE);
  if (way === 'anything') bytes = random.bytes(PAGE);
  if (way === 'a bit') flip((bytes = places.read(at, PAGE)), random);
  return { what: `page at file offset ${at}: ${way}`, patches: [{ at, bytes }], cutTo: null };
}

/** A field of a record that is in use: rows are found by their bytes not being zeros. */
function tableField(places: Places, random: Prng): Damage | null {
  const page = random.pick(places.tagTables);
  const bytes = places.read(page, PAGE);
  const used: number[] = [];
  for (let at = 0; at < PAGE; at += 4) if (bytes.subarray(at, at + 4).some((byte) => byte !== 0)) used.push(at);
  if (used.length === 0) return null;
  const at = page + random.pick(used);
  return fieldDamage(
    places,
    random,
    { name: `tag table at file offset ${at}`, at, bytes: random.pick([4, 8]) },
    '',
    [],
  );
}

/** How far the structures behind a global are damaged, in bytes. */
const STRUCTURES = new Set(['MiState', 'MiSystemPartition', 'MmSystemPartition']);

function globals(places: Places, random: Prng): Damage | null {
  const [name, address] = random.pick(Object.entries(places.built.globals));
  const within = STRUCTURES.has(name) ? random.int(0, 0x400) * 8 : 0;
  const at = places.at(address + BigInt(within));
  return at === null
    ? null
    : fieldDamage(places, random, { name: `${name}+${within}`, at, bytes: places.width }, '', []);
}

/** Any word of the header that is not filler. */
function headerField(places: Places, random: Prng): Damage | null {
  const at = random.int(0, (places.width === 4 ? 0x1000 : 0x2000) / 4 - 1) * 4;
  if (Buffer.from(places.read(at, 4)).toString('latin1') === 'PAGE') return null;
  return fieldDamage(places, random, { name: `header +${at}`, at, bytes: random.pick([4, 8]) }, '', []);
}

/** An entry of the tables that lead to a module, to the module list or to a tag table. */
function pageTables(places: Places, random: Prng): Damage | null {
  const { truth } = places.built;
  const target = random.pick([
    ...truth.modules.map(({ base }) => base),
    ...truth.pool.tableAddresses,
    truth.header.psLoadedModuleList,
  ]);
  const tables = places.built.whereIs(target).tables;
  if (tables.length === 0) return null;
  const page = random.chance(0.7) ? (tables.at(-1) ?? 0) : random.pick(tables);
  const bytes = places.read(page, PAGE);
  const used: number[] = [];
  for (let at = 0; at < PAGE; at += places.width)
    if (bytes.subarray(at, at + places.width).some((byte) => byte !== 0)) used.push(at);
  if (used.length === 0) return null;
  const at = page + random.pick(used);
  const others = used.slice(0, 64).map((other) => places.read(page + other, places.width));
  return fieldDamage(
    places,
    random,
    { name: `page table entry at file offset ${at}`, at, bytes: places.width },
    '',
    others,
  );
}

function imagePages(places: Places): number[] {
  const pages: number[] = [];
  for (const { base, size } of places.built.truth.modules.filter(({ name }) => name !== 'ntoskrnl.exe')) {
    for (let at = 0; at < size; at += PAGE) {
      const place = places.at(base + BigInt(at));
      if (place !== null) pages.push(place);
    }
  }
  return pages;
}

/** A built dump with a damage, as bytes that the library can open. */
export function damagedSource({ built }: Places, { patches, cutTo }: Damage): ByteSource {
  const byteLength = Math.min(built.byteLength, cutTo ?? Infinity);
  return {
    name: 'damaged.dmp',
    byteLength,
    read(position, target): number {
      const wanted = target.subarray(0, Math.max(0, Math.min(target.length, byteLength - position)));
      const got = built.read(position, wanted);
      for (const { at, bytes } of patches) {
        const [from, to] = [Math.max(at, position), Math.min(at + bytes.length, position + got)];
        if (from < to) target.set(bytes.subarray(from - at, to - at), from - position);
      }
      return got;
    },
    close: () => undefined,
  };
}
