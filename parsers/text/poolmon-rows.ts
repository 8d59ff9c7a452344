/** The rows of a poolmon table: their numbers read from bytes, and kept in columns. */

const BLANK = 0x20;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const ZERO = 0x30;
const NINE = 0x39;
const OPEN_PARENTHESIS = 0x28;
const CLOSE_PARENTHESIS = 0x29;
const MINUS = 0x2d;
/** Between groups of three digits: comma, dot, apostrophe, and the fixed blank of ANSI and OEM code pages. */
const GROUP_SEPARATORS: ReadonlySet<number> = new Set([0x2c, 0x2e, 0x27, 0xa0, 0xff]);

/** Reads the numbers of a row: Allocs, Frees, Diff, Bytes, Per Alloc. */
export class RowNumbers {
  readonly numbers = new Float64Array(5);
  /** The row had changes in parentheses, as on screen. */
  changes = false;
  /** Where reading goes on. */
  position = 0;

  constructor(private readonly data: Uint8Array) {}

  /**
   * The usual row, read without a look at anything unusual: Allocs, Frees, Diff, Bytes and Per Alloc in plain digits, then
   * the end of the line or a blank. False for any other row, which `read` reads.
   */
  readPlain(from: number): boolean {
    const { data, numbers } = this;
    let at = from;
    for (let found = 0; found < 5; found++) {
      while (data[at] === BLANK) at++;
      let digit = (data[at] ?? 0) - ZERO;
      if (digit >>> 0 > 9) return false;
      let value = digit;
      while ((digit = (data[++at] ?? 0) - ZERO) >>> 0 <= 9) value = value * 10 + digit;
      numbers[found] = value;
    }
    const end = data[at];
    if (end !== RETURN && end !== NEWLINE && end !== BLANK) return false;
    this.changes = false;
    this.position = at;
    return true;
  }

  /** Fills `numbers`, leaves `position` behind the last, and returns how many there were. Changes in parentheses are passed over. */
  read(from: number): number {
    const { data, numbers } = this;
    let at = from;
    let found = 0;
    this.changes = false;
    for (;;) {
      let byte = data[at];
      while (byte === BLANK) byte = data[++at];
      if (byte === OPEN_PARENTHESIS) {
        this.changes = true;
        const limit = at + 24;
        while (at < limit && data[at] !== CLOSE_PARENTHESIS && data[at] !== NEWLINE) at++;
        if (data[at] === CLOSE_PARENTHESIS) at++;
        else break;
        continue;
      }
      const negative = byte === MINUS;
      if (negative) byte = data[++at];
      if (byte === undefined || byte < ZERO || byte > NINE || found === 5) break;
      let value = 0;
      const limit = at + 26;
      for (;;) {
        value = value * 10 + byte - ZERO;
        byte = data[++at];
        if (byte === undefined || at >= limit) break;
        if (byte >= ZERO && byte <= NINE) continue;
        if (byte === BLANK || byte === RETURN || byte === NEWLINE || !this.isGroup(at, byte)) break;
        byte = data[++at] ?? ZERO;
      }
      numbers[found++] = negative ? -value : value;
    }
    this.position = at;
    return found;
  }

  private isGroup(at: number, byte: number): boolean {
    if (!GROUP_SEPARATORS.has(byte)) return false;
    for (let i = 1; i <= 3; i++) if (!isDigit(this.data[at + i])) return false;
    return !isDigit(this.data[at + 4]);
  }
}

const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= ZERO && byte <= NINE;

/** Rows in columns that grow. */
export class RowColumns {
  count = 0;
  tags: Uint32Array;
  /** 0 = nonpaged, 1 = paged. */
  pools: Uint8Array;
  allocs: Float64Array;
  frees: Float64Array;
  bytes: Float64Array;

  constructor(private capacity: number) {
    this.tags = new Uint32Array(capacity);
    this.pools = new Uint8Array(capacity);
    this.allocs = new Float64Array(capacity);
    this.frees = new Float64Array(capacity);
    this.bytes = new Float64Array(capacity);
  }

  /** Adds a row with the numbers that were read last. */
  push(tag: number, pool: number, numbers: Float64Array): void {
    if (this.count === this.capacity) this.grow();
    const { count } = this;
    this.tags[count] = tag;
    this.pools[count] = pool;
    this.allocs[count] = numbers[0] ?? 0;
    this.frees[count] = numbers[1] ?? 0;
    this.bytes[count] = numbers[3] ?? 0;
    this.count = count + 1;
  }

  private grow(): void {
    this.capacity *= 2;
    this.tags = copied(new Uint32Array(this.capacity), this.tags);
    this.pools = copied(new Uint8Array(this.capacity), this.pools);
    this.allocs = copied(new Float64Array(this.capacity), this.allocs);
    this.frees = copied(new Float64Array(this.capacity), this.frees);
    this.bytes = copied(new Float64Array(this.capacity), this.bytes);
  }
}

function copied<T extends Uint32Array | Uint8Array | Float64Array>(to: T, from: T): T {
  to.set(from);
  return to;
}
