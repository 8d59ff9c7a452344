/** Built memory as walks read it, with every read counted, and the comparison of a walk with the truth. */

import { expect } from 'chai';
import type { Va } from '../../test-dumps/bytes.js';
import type { MemoryImage, TrueBlock } from '../../test-dumps/pool-blocks/image.js';
import { BlockState, KIND_NAMES, PoolBits, type Block } from './blocks.js';
import { heapAddress, toVirtual, type HeapAddress, type HeapMemory } from './memory.js';

const PAGE = 0x1000;

/** The address of a built place, as walks spell it. */
export const at = (image: MemoryImage, va: Va): HeapAddress => heapAddress(image.spell(va), image.pointerSize);

/** A built image as memory. `pages` counts the pages that were asked for. */
export class BuiltMemory implements HeapMemory {
  pages = 0;

  constructor(readonly image: MemoryImage) {}

  get pointerSize(): 4 | 8 {
    return this.image.pointerSize;
  }

  readPages(address: HeapAddress, pages: number, into: Uint8Array, present: Uint8Array): number {
    this.pages += pages;
    let found = 0;
    for (let i = 0; i < pages; i++) {
      const page = this.image.page(Number(BigInt.asUintN(48, toVirtual(address + i * PAGE))));
      present[i] = page === null ? 0 : 1;
      // What is not there must not be read: it is made to look wrong.
      if (page === null) into.fill(0xee, i * PAGE, (i + 1) * PAGE);
      else {
        into.set(page, i * PAGE);
        found++;
      }
    }
    return found;
  }
}

const STATES = {
  [BlockState.Live]: 'live',
  [BlockState.Free]: 'free',
  [BlockState.Cached]: 'cached',
  [BlockState.Unknown]: 'unknown',
  [BlockState.Own]: 'own',
};

/** A block as one line: what is not equal shows in the difference. */
export function lineOf(block: Block): string {
  const name = KIND_NAMES[block.kind] ?? '?';
  const state = STATES[block.state as keyof typeof STATES];
  const header = block.state === BlockState.Live;
  return [
    toVirtual(block.address).toString(16),
    name,
    state,
    block.size,
    header && block.requested >= 0 ? block.requested : 'n/a',
    header ? `${block.tag.toString(16)}${block.protected ? 'p' : ''}` : '-',
    header && (block.poolType & PoolBits.Paged) !== 0 ? 'paged' : '-',
    header ? ((BigInt(block.billedHigh) << 32n) | BigInt(block.billedLow)).toString(16) : '-',
  ].join(' ');
}

/** The truth about a block in the same form. */
export function trueLine(image: MemoryImage, block: TrueBlock): string {
  const header = block.state === 'live';
  return [
    image.spell(block.va).toString(16),
    block.kind,
    block.state,
    block.size,
    header ? (block.requested ?? 'n/a') : 'n/a',
    header ? `${block.tag.toString(16)}${block.protected ? 'p' : ''}` : '-',
    header && block.paged ? 'paged' : '-',
    header ? (block.billed?.stored ?? 0n).toString(16) : '-',
  ].join(' ');
}

/** Fails with the first differences between what a walk gave and the truth. */
export function expectSame(image: MemoryImage, lines: readonly string[], truth: readonly TrueBlock[]): void {
  const found = new Set(lines);
  const wanted = new Set(truth.map((block) => trueLine(image, block)));
  expect(lines.length, 'blocks are given once').to.equal(found.size);
  const missing = [...wanted].filter((line) => !found.has(line)).slice(0, 5);
  const extra = [...found].filter((line) => !wanted.has(line)).slice(0, 5);
  expect({ missing, extra }).to.deep.equal({ missing: [], extra: [] });
}
