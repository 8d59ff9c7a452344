/** Structure layouts out of type records, spelled as the built-in profiles spell them. */

import type { FieldLayout, StructLayout } from '../kernel/layout.js';
import { u16, u32 } from '../bytes/fields.js';
import { readMembers, type Member } from './members.js';
import { textAt } from './symbol-kinds.js';
import { nameOffset, type TypeIndex } from './type-index.js';
import {
  builtIn,
  FIRST_RECORD,
  HAS_UNIQUE_NAME,
  IS_FORWARD_REFERENCE,
  LF_ARRAY,
  LF_BITFIELD,
  LF_CLASS,
  LF_ENUM,
  LF_INTERFACE,
  LF_MFUNCTION,
  LF_MODIFIER,
  LF_POINTER,
  LF_PROCEDURE,
  LF_STRUCTURE,
  LF_UNION,
  numericLeaf,
} from './type-kinds.js';

/** Types within types: C code nests a few deep; a circle of damaged records ends here. */
const DEEPEST = 32;
/** Definitions of one name that are compared with each other. */
const MOST_DEFINITIONS = 8;
/** Of one array. */
const MOST_DIMENSIONS = 8;
/** Members of one structure with all that stand in it without a name. */
const MOST_FIELDS = 1 << 16;
/** Structures that make up one: bases and members without a name, and theirs. */
const MOST_PARTS = 4096;
/** How compilers name what has no name in the source. */
const UNNAMED = /(?:^|::)(?:<unnamed|<anonymous|__unnamed|__anonymous|<lambda)/;
/** What the published tables call it. */
const UNNAMED_SPELLING = '__unnamed';

/** Members by name, while a layout is in the making. */
type Fields = Record<string, FieldLayout | undefined> & Record<string, FieldLayout>;

/** Reads types of one PDB. */
export class Layouts {
  private readonly spellings = new Map<number, string>();
  /** Structures that the layout in the making was put together from. */
  private parts = 0;
  /** Its members so far. */
  private fieldCount = 0;

  constructor(
    private readonly types: TypeIndex,
    /** Bytes of a pointer of the image's processor. */
    private readonly pointerSize: number,
    /** Takes one sentence for each type that could not be read as asked. */
    private readonly note: (message: string) => void,
  ) {}

  /** The layout of a structure or union; `null` when it has none, a damaged one, or several that differ. */
  layout(name: string): StructLayout | null {
    const found: StructLayout[] = [];
    for (const type of this.types.find(name, MOST_DEFINITIONS)) {
      const record = this.types.record(type);
      if (record === null || !isStructure(u16(record, 0))) continue;
      // Without a prototype the engine keeps no description of each set of names.
      const fields = Object.create(null) as Fields;
      const size = sizeLeaf(record);
      this.parts = this.fieldCount = 0;
      if (size === null || !this.collect(type, 0, fields, 0)) {
        this.note(`the members of ${name} cannot be read`);
        return null;
      }
      found.push({ name, size, fields });
    }
    const [first, ...others] = found;
    if (first === undefined) return null;
    if (others.some((other) => JSON.stringify(other) !== JSON.stringify(first))) {
      this.note(`${name} is defined in ${found.length} ways`);
      return null;
    }
    return first;
  }

  /** The value of an enumerator; `null` when there is none, several that differ, or one past 2^53. */
  enumValue(enumeration: string, enumerator: string): number | null {
    const values = new Set<number | null>();
    for (const type of this.types.find(enumeration, MOST_DEFINITIONS)) {
      const record = this.types.record(type);
      if (record === null || u16(record, 0) !== LF_ENUM || record.length < 14) continue;
      for (const member of readMembers(this.types, u32(record, 10)) ?? []) {
        if (member.kind === 'enumerator' && member.name === enumerator) values.add(member.offset);
      }
    }
    const [value = null] = values;
    return values.size === 1 ? value : null;
  }

  /** Elements of the array that a type is, or `null` when it is no array of a known size. */
  elements(type: number): number | null {
    const record = this.types.record(type);
    return record !== null && u16(record, 0) === LF_ARRAY ? this.elementsOf(record, 0) : null;
  }

  /** Adds the members of a structure, those of its bases and of members without a name among them; false when it is damaged. */
  private collect(type: number, base: number, fields: Fields, depth: number): boolean {
    const record = this.definition(type, 0);
    if (record === null || depth > DEEPEST || ++this.parts > MOST_PARTS || record.length < 10) return false;
    const kind = u16(record, 0);
    if (!isStructure(kind)) return false;
    const fieldList = u32(record, 6);
    if (fieldList === 0) return true;
    const members = readMembers(this.types, fieldList);
    if (members === null) return false;
    const nested: Member[] = [];
    for (const member of members) {
      if (member.kind === 'enumerator') return false;
      if (member.kind === 'base' || (member.name === '' && this.isStructureType(member.type))) nested.push(member);
      else if (fields[member.name] === undefined) {
        fields[member.name] = { offset: base + (member.offset ?? 0), type: this.spell(member.type, 0) };
        this.fieldCount++;
      }
      if (this.fieldCount > MOST_FIELDS) return false;
    }
    return nested.every((member) => this.collect(member.type, base + (member.offset ?? 0), fields, depth + 1));
  }

  private isStructureType(type: number): boolean {
    const record = this.definition(type, 0);
    return record !== null && isStructure(u16(record, 0));
  }

  /** The record of a type without its modifiers; of a forward reference, the definition. */
  private definition(type: number, depth: number): Uint8Array | null {
    const record = this.types.record(type);
    if (record === null || depth > DEEPEST) return null;
    if (u16(record, 0) === LF_MODIFIER) return this.definition(u32(record, 2), depth + 1);
    const at = nameOffset(record);
    if (at === null || record.length < 6 || (u16(record, 4) & IS_FORWARD_REFERENCE) === 0) return record;
    const unique = uniqueName(record, at);
    const candidates = this.types.find(textAt(record, at, record.length), MOST_DEFINITIONS);
    let found: Uint8Array | null = null;
    for (const candidate of candidates) {
      const other = this.types.record(candidate);
      if (other === null) continue;
      found ??= other;
      const otherName = nameOffset(other);
      if (unique !== null && otherName !== null && uniqueName(other, otherName) === unique) return other;
    }
    return found;
  }

  private spell(type: number, depth: number): string {
    const known = this.spellings.get(type);
    if (known !== undefined) return known;
    const spelling = depth > DEEPEST ? '?' : this.spellNew(type, depth);
    this.spellings.set(type, spelling);
    return spelling;
  }

  private spellNew(type: number, depth: number): string {
    if (type < FIRST_RECORD) {
      const { name, pointer } = builtIn(type);
      return pointer === 0 ? name : this.pointer(name, pointer);
    }
    const record = this.types.record(type);
    if (record === null) return '?';
    switch (u16(record, 0)) {
      case LF_MODIFIER:
        return this.spell(u32(record, 2), depth + 1);
      case LF_POINTER: {
        const size = (u32(record, 6) >>> 13) & 0x3f;
        return this.pointer(this.pointee(u32(record, 2), depth + 1), size);
      }
      case LF_ARRAY:
        return this.spellArray(record, depth);
      case LF_BITFIELD:
        return `${this.spell(u32(record, 2), depth + 1)}:${record[7] ?? 0}:${record[6] ?? 0}`;
      case LF_PROCEDURE:
      case LF_MFUNCTION:
        return 'function';
      default: {
        const at = nameOffset(record);
        if (at === null) return '?';
        const name = textAt(record, at, record.length);
        return name === '' || UNNAMED.test(name) ? UNNAMED_SPELLING : name;
      }
    }
  }

  /** A pointer of another size than the processor's is a number to whoever reads it. */
  private pointer(target: string, size: number): string {
    if (size === this.pointerSize || size === 0) return `*${target}`;
    return size === 4 ? 'unsigned long' : size === 8 ? 'unsigned long long' : '?';
  }

  /** What a pointer points to; nothing for pointers, functions and arrays, as in the published tables. */
  private pointee(type: number, depth: number): string {
    const record = this.types.record(type);
    const kind = record === null ? 0 : u16(record, 0);
    if (record !== null && kind === LF_MODIFIER && depth <= DEEPEST) return this.pointee(u32(record, 2), depth + 1);
    if ([LF_POINTER, LF_PROCEDURE, LF_MFUNCTION, LF_ARRAY].includes(kind)) return '';
    if (type < FIRST_RECORD && builtIn(type).pointer !== 0) return '';
    return this.spell(type, depth);
  }

  private spellArray(outermost: Uint8Array, depth: number): string {
    let record = outermost;
    let dimensions = '';
    for (let level = 0; level < MOST_DIMENSIONS; level++) {
      dimensions += `[${this.elementsOf(record, depth) ?? ''}]`;
      const element = this.types.record(u32(record, 2));
      if (element === null || u16(element, 0) !== LF_ARRAY) return this.spell(u32(record, 2), depth + 1) + dimensions;
      record = element;
    }
    return '?';
  }

  private elementsOf(array: Uint8Array, depth: number): number | null {
    const bytes = numericLeaf(array, 10)?.value ?? -1;
    if (bytes === 0) return 0;
    const element = this.sizeOf(u32(array, 2), depth + 1);
    const count = element === null || element <= 0 ? -1 : bytes / element;
    return Number.isInteger(count) && count >= 0 ? count : null;
  }

  /** Bytes of a type, or `null`. */
  private sizeOf(type: number, depth: number): number | null {
    if (type < FIRST_RECORD) return builtIn(type).size || null;
    const record = this.definition(type, 0);
    if (record === null || depth > DEEPEST) return null;
    switch (u16(record, 0)) {
      case LF_POINTER:
        return (u32(record, 6) >>> 13) & 0x3f || this.pointerSize;
      case LF_ARRAY:
        return numericLeaf(record, 10)?.value ?? null;
      case LF_ENUM:
        return this.sizeOf(u32(record, 6), depth + 1);
      default:
        return sizeLeaf(record);
    }
  }
}

function isStructure(kind: number): boolean {
  return kind === LF_STRUCTURE || kind === LF_CLASS || kind === LF_UNION || kind === LF_INTERFACE;
}

/** Bytes of a structure or union, from its record. */
function sizeLeaf(record: Uint8Array): number | null {
  const kind = u16(record, 0);
  if (!isStructure(kind)) return null;
  const size = numericLeaf(record, kind === LF_UNION ? 10 : 18)?.value ?? -1;
  return size < 0 ? null : size;
}

function uniqueName(record: Uint8Array, nameAt: number): string | null {
  if ((u16(record, 4) & HAS_UNIQUE_NAME) === 0) return null;
  const nul = record.indexOf(0, nameAt);
  return nul < 0 ? null : textAt(record, nul + 1, record.length);
}
