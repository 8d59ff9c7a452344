/** A structure layout as data: where each field stands. The same reader serves a profile, a PDB or a fallback table. */

/**
 * One field. `type` is spelled as in the published symbol tables: `unsigned long long`, `*_EPROCESS` for a pointer,
 * `_LIST_ENTRY[2]` for an array, `unsigned long:8:12` for bits 8..19 of an unsigned long.
 */
export interface FieldLayout {
  /** Bytes from the start of the structure. */
  readonly offset: number;
  readonly type: string;
}

/** A structure of one particular kernel. */
export interface StructLayout {
  /** The type's own name, for example `_POOL_TRACKER_TABLE`. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  readonly fields: Readonly<Record<string, FieldLayout>>;
}

const SCALAR_SIZES: Readonly<Record<string, number>> = {
  char: 1,
  'unsigned char': 1,
  short: 2,
  'unsigned short': 2,
  wchar: 2,
  int: 4,
  'unsigned int': 4,
  long: 4,
  'unsigned long': 4,
  'long long': 8,
  'unsigned long long': 8,
};

/** Bytes of a scalar field, or of a pointer on a target of `pointerSize`; null for structures, arrays and unknown types. */
export function scalarSize(type: string, pointerSize: 4 | 8 = 8): number | null {
  const base = type.split(':')[0] ?? type;
  if (base.startsWith('*')) return base.includes('[') ? null : pointerSize;
  return SCALAR_SIZES[base] ?? null;
}
