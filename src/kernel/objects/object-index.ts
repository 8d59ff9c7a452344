/**
 * A number for every object that handles lead to: a hash table of header addresses. Objects of one page stand near each
 * other in it, for handles to neighbours tend to stand near each other too.
 */

const FIRST_CAPACITY = 1 << 12;
const EMPTY = -1;

/** Numbers objects in the order in which they first come up. */
export class ObjectIndex {
  count = 0;
  /** The headers' addresses as numbers, by object. Read up to `count`. */
  header = new Float64Array(FIRST_CAPACITY / 2);
  private capacity = FIRST_CAPACITY;
  private slots = new Int32Array(FIRST_CAPACITY).fill(EMPTY);

  /** The number of the object whose header stands at `address` (`small`); a new one for a new object. */
  numberOf(address: number): number {
    let slot = this.slotOf(address);
    for (;;) {
      const object = this.slots[slot] ?? EMPTY;
      if (object === EMPTY) break;
      if (this.header[object] === address) return object;
      slot = (slot + 1) & (this.capacity - 1);
    }
    const object = this.count++;
    this.slots[slot] = object;
    this.header[object] = address;
    if (this.count >= this.header.length) this.grow();
    return object;
  }

  /** The number of an object that came up before, or -1. */
  find(address: number): number {
    for (let slot = this.slotOf(address); ; slot = (slot + 1) & (this.capacity - 1)) {
      const object = this.slots[slot] ?? EMPTY;
      if (object === EMPTY || this.header[object] === address) return object;
    }
  }

  private slotOf(address: number): number {
    const page = Math.floor(address / 4096);
    const inPage = (address & 0xfff) >>> 7;
    return ((Math.imul(page, 0x9e3779b1) >>> 7) * 32 + inPage) & (this.capacity - 1);
  }

  private grow(): void {
    const header = new Float64Array(this.header.length * 2);
    header.set(this.header);
    this.header = header;
    this.capacity *= 2;
    this.slots = new Int32Array(this.capacity).fill(EMPTY);
    for (let object = 0; object < this.count; object++) {
      let slot = this.slotOf(header[object] ?? 0);
      while (this.slots[slot] !== EMPTY) slot = (slot + 1) & (this.capacity - 1);
      this.slots[slot] = object;
    }
  }
}
