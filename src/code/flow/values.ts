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
  /** What stands `number` bytes behind where the pointer at RVA `origin` leads. */
  member: 7,
  /** Where fields are followed: what the call at RVA `number` gave. */
  result: 8,
  /** Where fields are followed: a context of the driver framework, of the type that stands at RVA `number`. */
  context: 9,
  /** Where fields are followed: a device object that the driver made. */
  device: 10,
  /** Where fields are followed: the `second` bytes that stand `number` bytes behind where possibility `origin` leads. */
  field: 11,
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

const NOTHING_KNOWN: Value = { kind: VALUE.unknown, number: 0, origin: -1, second: -1 };
/** What registers held when the function began: the first possibilities, and the first sets, of every function. */
const REGISTERS = 32;
const FIRST_ATOMS: readonly Value[] = [
  NOTHING_KNOWN,
  ...Array.from({ length: REGISTERS }, (_, r): Value => ({ kind: VALUE.entry, number: r, origin: -1, second: -1 })),
];
const FIRST_SINGLES: readonly number[] = FIRST_ATOMS.map((_, atom) => atom + 1);
const FIRST_ONLY: readonly number[] = [0, ...FIRST_ATOMS.keys()];

/** All sets of one function. Possibilities have numbers too, in the order in which they came up. */
export class Values {
  private readonly atoms = FIRST_ATOMS.slice();
  /** Numbers of the last possibility of each hash, and, by possibility, of the one before with its hash; 0 for none. */
  private readonly atomOf = new Map<number, number>();
  private readonly sameHash: number[] = [];
  /** The only possibility of each set; -1 for sets of several. */
  private readonly onlyAtom = FIRST_ONLY.slice();
  /** The possibilities of sets of several. */
  private readonly sets: (readonly number[] | undefined)[] = [];
  private readonly lists: (readonly Value[] | undefined)[] = [];
  /** By possibility: its set; -1 where none was asked for. */
  private readonly singles = FIRST_SINGLES.slice();
  private setOf: Map<string, number> | null = null;
  /** The upper halves of constants of 64 bits, by the instruction that holds them: they matter where one is stored. */
  readonly upper = new Map<number, number>();
  private unions: Map<number, number> | null = null;

  /** The set of one possibility. */
  one(kind: number, number: number, origin = -1, second = -1): number {
    return this.single(this.atom(kind, number, origin, second));
  }

  /** The set of what a register held when the function began. */
  static ofRegister(register: number): number {
    return UNKNOWN + 1 + register;
  }

  /** The number of a possibility of these sets, and the possibility of a number. */
  numberOf({ kind, number, origin, second }: Value): number {
    return this.atom(kind, number, origin, second);
  }

  valueOf(possibility: number): Value {
    return this.atoms[possibility] ?? NOTHING_KNOWN;
  }

  /** The possibilities of a set. */
  of(set: number): readonly Value[] {
    let values = this.lists[set];
    if (values === undefined) {
      values = this.atomsOf(set).map((atom) => this.atoms[atom] ?? NOTHING_KNOWN);
      this.lists[set] = values;
    }
    return values;
  }

  /** The only possibility of a set, or null. */
  only(set: number): Value | null {
    const atom = this.onlyAtom[set] ?? -1;
    return atom < 0 ? null : (this.atoms[atom] ?? null);
  }

  union(a: number, b: number): number {
    if (a === b) return a;
    if (a === ANYTHING || b === ANYTHING) return ANYTHING;
    const key = a < b ? a * 0x4000000 + b : b * 0x4000000 + a;
    this.unions ??= new Map();
    const known = this.unions.get(key);
    if (known !== undefined) return known;
    const atoms = merged(this.atomsOf(a), this.atomsOf(b));
    const made = atoms.length > MOST_VALUES ? ANYTHING : this.set(atoms);
    this.unions.set(key, made);
    return made;
  }

  /** The set of what `change` makes of each possibility; null makes it unknown. */
  map(set: number, change: (value: Value) => Value | null): number {
    if (set === ANYTHING || set === UNKNOWN) return set;
    const only = this.only(set);
    if (only !== null) return this.single(this.changed(only, change));
    const atoms = new Set<number>();
    for (const value of this.of(set)) atoms.add(this.changed(value, change));
    return this.set([...atoms].sort((x, y) => x - y));
  }

  private changed(value: Value, change: (value: Value) => Value | null): number {
    const made = change(value);
    return made === null ? 0 : this.atom(made.kind, made.number, made.origin, made.second);
  }

  private atomsOf(set: number): readonly number[] {
    const only = this.onlyAtom[set] ?? -1;
    return only >= 0 ? [only] : (this.sets[set] ?? [0]);
  }

  private atom(kind: number, number: number, origin: number, second: number): number {
    if (kind === VALUE.unknown) return 0;
    if (kind === VALUE.entry && number < REGISTERS) return 1 + number;
    const hash = (Math.imul(number ^ Math.imul(origin, 0x2c1b3c6d), 0x9e3779b1) + second * 8 + kind) | 0;
    const last = this.atomOf.get(hash) ?? 0;
    for (let i = last; i !== 0; i = this.sameHash[i] ?? 0) {
      const known = this.atoms[i];
      if (
        known?.kind === kind &&
        known.origin === origin &&
        known.second === second &&
        known.number >>> 0 === number >>> 0
      )
        return i;
    }
    const made = this.atoms.length;
    this.atoms.push({ kind, number, origin, second });
    if (last !== 0) this.sameHash[made] = last;
    this.singles.push(-1);
    this.atomOf.set(hash, made);
    return made;
  }

  private single(atom: number): number {
    const known = this.singles[atom] ?? -1;
    if (known >= 0) return known;
    const made = this.add(atom);
    this.singles[atom] = made;
    return made;
  }

  private add(only: number): number {
    this.onlyAtom.push(only);
    return this.onlyAtom.length - 1;
  }

  private set(atoms: readonly number[]): number {
    if (atoms.length === 1) return this.single(atoms[0] ?? 0);
    const key = atoms.join(',');
    this.setOf ??= new Map();
    const known = this.setOf.get(key);
    if (known !== undefined) return known;
    const made = this.add(-1);
    this.sets[made] = atoms;
    this.setOf.set(key, made);
    return made;
  }
}

/** Two ascending lists as one, without what stands in both twice. */
function merged(a: readonly number[], b: readonly number[]): number[] {
  const made: number[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    const x = a[i] ?? Infinity;
    const y = b[j] ?? Infinity;
    made.push(Math.min(x, y));
    if (x <= y) i++;
    if (y <= x) j++;
  }
  return made;
}
