/**
 * What a register or a place on the stack may hold, as far as it matters: a set of a few possibilities, each a constant,
 * something given from outside, or an address. Sets have numbers, so that states are arrays of numbers.
 */

/** What one possibility is. */
export const VALUE = {
  unknown: 0,
  /** A constant; `number` is its low 32 bits. */
  constant: 1,
  /** What a register (0 to 31) or an argument on the stack (64 and on) held when the function began. */
  entry: 2,
  /** The stack pointer at entry plus `number`. */
  stack: 3,
  /** What stands in the image at RVA `number`. */
  memory: 4,
  /** The address of RVA `number`. */
  address: 5,
  /** An element of the table that begins at RVA `number`. */
  table: 6,
} as const;

/** One possibility. */
export interface Value {
  readonly kind: number;
  readonly number: number;
  /** The instruction that made the constant or loaded it from memory: RVA; -1 for the rest. */
  readonly origin: number;
  /** The second instruction of a constant that was built in two halves; else -1. */
  readonly second: number;
}

/** The set that says nothing, for places with too many possibilities. */
export const ANYTHING = 0;
/** The set of one unknown value. */
export const UNKNOWN = 1;

/** More possibilities than these are `ANYTHING`. */
const MOST_VALUES = 8;

/** All sets of one function. */
export class Values {
  private readonly atoms: Value[] = [{ kind: VALUE.unknown, number: 0, origin: -1, second: -1 }];
  /** Numbers of possibilities: by origins, then by kind and number. */
  private readonly atomOf = new Map<number, Map<number, number>>();
  private readonly sets: (readonly number[])[] = [[0], [0]];
  private readonly lists: (readonly Value[])[] = [];
  private readonly singles: number[] = [UNKNOWN];
  private readonly setOf = new Map<string, number>();
  private readonly unions = new Map<number, number>();

  /** The set of one possibility. */
  one(kind: number, number: number, origin = -1, second = -1): number {
    return this.single(this.atom(kind, number, origin, second));
  }

  /** The possibilities of a set. */
  of(set: number): readonly Value[] {
    let values = this.lists[set];
    if (values === undefined) {
      values = (this.sets[set] ?? [0]).map((atom) => this.atoms[atom]).filter((value) => value !== undefined);
      this.lists[set] = values;
    }
    return values;
  }

  /** The only possibility of a set, or null. */
  only(set: number): Value | null {
    const atoms = this.sets[set];
    return atoms?.length === 1 ? (this.atoms[atoms[0] ?? 0] ?? null) : null;
  }

  union(a: number, b: number): number {
    if (a === b) return a;
    if (a === ANYTHING || b === ANYTHING) return ANYTHING;
    const key = a < b ? a * 0x4000000 + b : b * 0x4000000 + a;
    const known = this.unions.get(key);
    if (known !== undefined) return known;
    const atoms = [...new Set([...(this.sets[a] ?? []), ...(this.sets[b] ?? [])])].sort((x, y) => x - y);
    const made = atoms.length > MOST_VALUES ? ANYTHING : this.set(atoms);
    this.unions.set(key, made);
    return made;
  }

  /** The set of what `change` makes of each possibility; null makes it unknown. */
  map(set: number, change: (value: Value) => Value | null): number {
    if (set === ANYTHING || set === UNKNOWN) return set;
    const atoms = new Set<number>();
    for (const value of this.of(set)) {
      const made = change(value);
      atoms.add(made === null ? 0 : this.atom(made.kind, made.number, made.origin, made.second));
    }
    return this.set([...atoms].sort((x, y) => x - y));
  }

  private atom(kind: number, number: number, origin: number, second: number): number {
    if (kind === VALUE.unknown) return 0;
    const origins = (origin + 1) * 0x400000 + (second < 0 ? 0 : ((second - origin) & 0x3fffff) + 1);
    const key = kind * 0x100000000 + (number >>> 0);
    let group = this.atomOf.get(origins);
    if (group === undefined) {
      group = new Map<number, number>();
      this.atomOf.set(origins, group);
    }
    const known = group.get(key);
    if (known !== undefined) return known;
    this.atoms.push({ kind, number, origin, second });
    group.set(key, this.atoms.length - 1);
    return this.atoms.length - 1;
  }

  private single(atom: number): number {
    const known = this.singles[atom];
    if (known !== undefined) return known;
    this.sets.push([atom]);
    this.singles[atom] = this.sets.length - 1;
    return this.sets.length - 1;
  }

  private set(atoms: readonly number[]): number {
    if (atoms.length === 1) return this.single(atoms[0] ?? 0);
    const key = atoms.join(',');
    const known = this.setOf.get(key);
    if (known !== undefined) return known;
    this.sets.push(atoms);
    this.setOf.set(key, this.sets.length - 1);
    return this.sets.length - 1;
  }
}
