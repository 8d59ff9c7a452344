/** Reads a built dump back the way a correct reader would: what the file holds of an address, and why not. */

import { va48, type Va } from '../bytes.js';
import type { KernelSpace } from '../kernel/kernel-space.js';
import type { AddressTables } from '../kernel/page-tables.js';
import type { PageSet } from '../dump/page-set.js';
import { PAGE, ZERO_PAGE } from '../physical-memory.js';

export type Probe = { frame: number } | { why: string };

/** Where the page at `va` stands, judged by the page tables and by what the file stores. */
export function probe(space: KernelSpace, tables: AddressTables, stored: PageSet, va: Va): Probe {
  const walk = tables.walk(va);
  if (walk.tables.some((frame) => !stored.has(frame))) return { why: 'page table not in dump' };
  if (walk.kind === 'none') return { why: 'not mapped' };
  if (walk.kind === 'mapped') return inDump(stored, walk.frame);
  const { state } = walk;
  if (state.kind === 'transition') return inDump(stored, state.frame);
  if (state.kind !== 'prototype') return { why: state.kind };
  const home = probe(space, space.tables, stored, state.at);
  if (!('frame' in home)) return { why: `prototype PTE: ${home.why}` };
  const page = space.memory.pages.get(home.frame) ?? ZERO_PAGE;
  const at = state.at % PAGE;
  return inDump(stored, tables.prototypeFrame(page.subarray(at, at + tables.pteSize)));
}

function inDump(stored: PageSet, frame: number): Probe {
  return stored.has(frame) ? { frame } : { why: 'not in dump' };
}

/** Bytes at a virtual address of the system's address space, or null where any page is missing. */
export function readVirtual(space: KernelSpace, stored: PageSet, address: bigint, length: number): Uint8Array | null {
  const out = new Uint8Array(length);
  const va = va48(address);
  for (let done = 0; done < length;) {
    const at = (va + done) % PAGE;
    const part = Math.min(PAGE - at, length - done);
    const place = probe(space, space.tables, stored, va + done - at);
    if (!('frame' in place)) return null;
    out.set((space.memory.pages.get(place.frame) ?? ZERO_PAGE).subarray(at, at + part), done);
    done += part;
  }
  return out;
}
