/** Writes the type records of a PDB, a record at a time; each `add...` gives the number that later records refer to it by. */

import { concat, putU32 } from '../bytes.js';
import { fields, record } from './msf-writer.js';

const FIRST = 0x1000;
const MEMBER = 0x150d;
const FORWARD = 0x80;
const UNIQUE = 0x200;

/** Built-in type numbers. */
export const T = {
  void: 0x03,
  char: 0x10,
  uchar: 0x20,
  ushort: 0x21,
  long: 0x12,
  ulong: 0x22,
  quad: 0x13,
  uquad: 0x23,
  pvoid64: 0x603,
  pvoid32: 0x403,
} as const;

/** A member of a structure: `offset` in bytes, `type` a built-in or a number that this writer gave. */
export interface MemberSpec {
  readonly name: string;
  readonly type: number;
  readonly offset: number;
}

/** A number as type records hold it. */
export function leaf(value: number): Uint8Array {
  if (value >= 0 && value < 0x8000) return fields({ u16: value });
  if (value < 0) return fields({ u16: 0x8003 }, { u32: value >>> 0 });
  if (value <= 0xffff) return fields({ u16: 0x8002 }, { u16: value });
  if (value <= 0xffffffff) return fields({ u16: 0x8004 }, { u32: value });
  return fields({ u16: 0x800a }, { u32: value >>> 0 }, { u32: Math.floor(value / 2 ** 32) });
}

/** A member of a list, padded to 4 bytes as lists are. */
export function padded(bytes: Uint8Array): Uint8Array {
  const missing = (4 - (bytes.length % 4)) % 4;
  return concat([bytes, Uint8Array.from({ length: missing }, (_, i) => 0xf0 + missing - i)]);
}

export class TypeWriter {
  private readonly records: Uint8Array[] = [];

  /** Type numbers given so far. */
  get count(): number {
    return this.records.length;
  }

  /** Any record at all. */
  add(kind: number, content: Uint8Array): number {
    this.records.push(record(kind, content));
    return FIRST + this.records.length - 1;
  }

  pointer(target: number, size = 8): number {
    return this.add(0x1002, fields({ u32: target }, { u32: (size << 13) | (size === 8 ? 0x0c : 0x0a) }));
  }

  modifier(target: number): number {
    return this.add(0x1001, fields({ u32: target }, { u16: 1 }));
  }

  procedure(): number {
    return this.add(0x1008, fields({ u32: T.void }, { u32: 0 }, { u32: 0 }));
  }

  bits(type: number, position: number, length: number): number {
    return this.add(0x1205, fields({ u32: type }, Uint8Array.of(length, position)));
  }

  /** An array of `bytes` bytes in all. */
  array(element: number, bytes: number): number {
    return this.add(0x1503, fields({ u32: element }, { u32: T.uquad }, leaf(bytes), { text: '' }));
  }

  /** A list of members, ending in a reference to another list where one is given. */
  list(members: readonly MemberSpec[], continuation?: number): number {
    const parts = members.map(({ name, type, offset }) =>
      padded(fields({ u16: MEMBER }, { u16: 3 }, { u32: type }, leaf(offset), { text: name })),
    );
    if (continuation !== undefined) parts.push(fields({ u16: 0x1404 }, { u16: 0 }, { u32: continuation }));
    return this.add(0x1203, concat(parts));
  }

  /** A structure over a list that exists already. */
  structOver(name: string, size: number, list: number, uniqueName?: string): number {
    const unique = uniqueName === undefined ? [] : [{ text: uniqueName }];
    const property = uniqueName === undefined ? 0 : UNIQUE;
    return this.add(
      0x1505,
      fields(
        { u16: 1 },
        { u16: property },
        { u32: list },
        { u32: 0 },
        { u32: 0 },
        leaf(size),
        { text: name },
        ...unique,
      ),
    );
  }

  struct(name: string, size: number, members: readonly MemberSpec[]): number {
    return this.structOver(name, size, this.list(members));
  }

  union(name: string, size: number, members: readonly MemberSpec[]): number {
    const list = this.list(members);
    return this.add(0x1506, fields({ u16: members.length }, { u16: 0 }, { u32: list }, leaf(size), { text: name }));
  }

  forward(name: string, uniqueName?: string): number {
    const unique = uniqueName === undefined ? [] : [{ text: uniqueName }];
    const property = FORWARD | (uniqueName === undefined ? 0 : UNIQUE);
    return this.add(
      0x1505,
      fields({ u16: 0 }, { u16: property }, { u32: 0 }, { u32: 0 }, { u32: 0 }, leaf(0), { text: name }, ...unique),
    );
  }

  enumeration(name: string, values: Readonly<Record<string, number>>): number {
    const parts = Object.entries(values).map(([enumerator, value]) =>
      padded(fields({ u16: 0x1502 }, { u16: 3 }, leaf(value), { text: enumerator })),
    );
    const list = this.add(0x1203, concat(parts));
    return this.add(0x1507, fields({ u16: parts.length }, { u16: 0 }, { u32: 0x74 }, { u32: list }, { text: name }));
  }

  /** The whole stream: header and records. */
  stream(): Uint8Array {
    const records = concat(this.records);
    const header = new Uint8Array(56);
    [20040203, 56, FIRST, FIRST + this.count, records.length, 0xffffffff].forEach((value, i) => {
      putU32(header, i * 4, value);
    });
    return concat([header, records]);
  }
}
