/** A set of addresses without an object a member: asked for every block of a heap. */

import { highWord, lowWord, type HeapAddress } from './memory.js';

export class AddressSet {
  /** Members. */
  size = 0;
  private slots = new Float64Array(64).fill(NaN);

  /** False when it was a member before. */
  add(address: HeapAddress): boolean {
    const slot = this.slotOf(address);
    if (this.slots[slot] === address) return false;
    this.slots[slot] = address;
    this.size++;
    if (this.size * 2 > this.slots.length) this.grow();
    return true;
  }

  has(address: HeapAddress): boolean {
    return this.size > 0 && this.slots[this.slotOf(address)] === address;
  }

  private slotOf(address: HeapAddress): number {
    const mask = this.slots.length - 1;
    let hash = Math.imul((lowWord(address) >>> 3) ^ highWord(address), 0x9e3779b1);
    hash ^= hash >>> 15;
    let slot = hash & mask;
    while (!Number.isNaN(this.slots[slot]) && this.slots[slot] !== address) slot = (slot + 1) & mask;
    return slot;
  }

  private grow(): void {
    const old = this.slots;
    this.slots = new Float64Array(old.length * 2).fill(NaN);
    for (const address of old) if (!Number.isNaN(address)) this.slots[this.slotOf(address)] = address;
  }
}
