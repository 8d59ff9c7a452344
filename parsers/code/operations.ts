/**
 * Instructions of any processor, reduced to what following a constant to a call needs: what moves between registers and
 * memory, what is compared, and where control goes. Everything else only makes registers unknown.
 */

/** What an instruction does. The fields of `Operations` that each uses are named; the rest are 0 or -1. */
export const OP = {
  /** Nothing that matters but `killed`. */
  none: 0,
  /** target = immediate; of 64 bits the upper half is `value`. */
  constant: 1,
  /** target = source. */
  copy: 2,
  /** target = source + immediate. */
  add: 3,
  /** target = the place at RVA `immediate`. */
  address: 4,
  /** target = memory[source + index + immediate]; source -1: immediate is an RVA. */
  load: 5,
  /** memory[target + index + immediate] = source, target -1: immediate is an RVA; source -1: the constant `value`. */
  store: 6,
  /** Pushes source, or the constant `value` where source is -1. */
  push: 7,
  pop: 8,
  /** To RVA `immediate`. */
  call: 9,
  /** Through memory[source + index + immediate], as `load`. */
  callMemory: 10,
  callRegister: 11,
  jump: 12,
  jumpMemory: 13,
  jumpRegister: 14,
  /** May go to RVA `immediate`, or on. */
  branch: 15,
  /** Returns, and takes `immediate` bytes of arguments from the stack. */
  return: 16,
  /** Compares target (-1: memory) with source, or with the constant `value` where source is -1. */
  compare: 17,
  /** Control does not go on: a breakpoint, an undefined instruction, bytes that are none. */
  stop: 18,
  /** target = source or index, whichever. */
  either: 19,
  /** Puts 16 bits of `value` at bit `immediate` of target. */
  insert: 20,
  /** target = source | immediate. */
  or: 21,
  /** Pushes memory, as `load`. */
  pushMemory: 22,
  /** esp = ebp, pop ebp. */
  leave: 23,
  /** Writes source (unknown where it copies) to memory[target] and on, so often as a register says. */
  fill: 24,
  /** target = source + index, registers. */
  sum: 25,
  /** target = target + memory, as `load`. */
  sumMemory: 26,
} as const;

/** The number of a register that holds what nothing tells. */
export const UNKNOWN_REGISTER = 32;
/** ARM64: the number of the first vector register. Loads and stores of them move 4 to 16 bytes as they are. */
export const FIRST_VECTOR = 33;

/** An `OP` value. */
export type Operation = number;

/** Operations that a new list has room for. */
const FIRST_SIZE = 128;

/** A list of operations in columns, which grows and is used again. General registers have numbers below 32. */
export class Operations {
  count = 0;
  at = new Int32Array(FIRST_SIZE);
  length = new Uint8Array(FIRST_SIZE);
  kind = new Uint8Array(FIRST_SIZE);
  target = new Int8Array(FIRST_SIZE);
  source = new Int8Array(FIRST_SIZE);
  index = new Int8Array(FIRST_SIZE);
  /** Bytes of memory that are read or written. */
  size = new Uint8Array(FIRST_SIZE);
  immediate = new Int32Array(FIRST_SIZE);
  value = new Int32Array(FIRST_SIZE);
  /** Bits of the registers that it makes unknown. */
  killed = new Uint32Array(FIRST_SIZE);

  clear(): void {
    this.count = 0;
  }

  /** Adds an operation and gives its place; its fields are at rest. */
  add(at: number, length: number, kind: Operation): number {
    if (this.count === this.at.length) this.grow();
    const i = this.count++;
    this.at[i] = at;
    this.length[i] = length;
    this.kind[i] = kind;
    this.target[i] = this.source[i] = this.index[i] = -1;
    this.size[i] = this.immediate[i] = this.value[i] = this.killed[i] = 0;
    return i;
  }

  /** Adds operation `from` of another list. */
  addCopy(other: Operations, from: number): void {
    const i = this.add(other.at[from] ?? 0, other.length[from] ?? 0, other.kind[from] ?? OP.none);
    this.target[i] = other.target[from] ?? -1;
    this.source[i] = other.source[from] ?? -1;
    this.index[i] = other.index[from] ?? -1;
    this.size[i] = other.size[from] ?? 0;
    this.immediate[i] = other.immediate[from] ?? 0;
    this.value[i] = other.value[from] ?? 0;
    this.killed[i] = other.killed[from] ?? 0;
  }

  private grow(): void {
    const wider = <T extends Int32Array | Uint8Array | Int8Array | Uint32Array>(old: T, made: T): T => {
      made.set(old);
      return made;
    };
    const size = this.at.length * 2;
    this.at = wider(this.at, new Int32Array(size));
    this.length = wider(this.length, new Uint8Array(size));
    this.kind = wider(this.kind, new Uint8Array(size));
    this.target = wider(this.target, new Int8Array(size));
    this.source = wider(this.source, new Int8Array(size));
    this.index = wider(this.index, new Int8Array(size));
    this.size = wider(this.size, new Uint8Array(size));
    this.immediate = wider(this.immediate, new Int32Array(size));
    this.value = wider(this.value, new Int32Array(size));
    this.killed = wider(this.killed, new Uint32Array(size));
  }
}

/** Decodes machine code into operations. */
export interface CodeDecoder {
  /**
   * Appends the instructions of `bytes`, the first of which stands at RVA `rva`, until the bytes end, an instruction
   * is cut, or `most` are there. Operands that are addresses become RVAs: `base` is the image's base modulo 2^32.
   */
  decode(bytes: Uint8Array, rva: number, base: number, out: Operations, most: number): void;
  /** One instruction as WinDbg writes it, `mov     r8d,6B61654Ch`; null where the bytes are none. */
  text(bytes: Uint8Array, address: bigint): string | null;
}
