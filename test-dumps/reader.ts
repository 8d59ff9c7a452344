/** Reads a built dump back the way a correct reader would: what the file holds of an address, and why not. */

import { va48, type Va } from './bytes.js';
import type { KernelSpace } from './kernel-space.js';
import type { PageTables } from './page-tables.js';
import type { PageSet } from './page-set.js';
import { PAGE, ZERO_PAGE } from './physical-memory.js';

export type Probe = { frame: number } | { why: string };

/** Where the page at `va` stands, judged by the page tables and by what the file stores. */
export function probe(space: KernelSpace, tables: PageTables, stored: PageSet, invalidMaskHigh: number, va: Va): Probe {
  const walk = tables.walk(va);
  if (walk.tables.some((frame) => !stored.has(frame))) return { why: 'page table not in dump' };
  if (walk.kind === 'none') return { why: 'not mapped' };
  if (walk.kind === 'mapped') return inDump(stored, walk.frame);
  const { low, high } = walk;
  if ((low & 0xc00) === 0x800) return inDump(stored, frameOf(low, (low & 0x10) === 0 ? high ^ invalidMaskHigh : high));
  if ((low & 0x400) === 0) return { why: high === 0 ? 'demand zero' : 'paged out' };
  const at = high * 0x10000 + (low >>> 16);
  const home = probe(space, space.tables, stored, invalidMaskHigh, at);
  if (!('frame' in home)) return { why: `prototype PTE: ${home.why}` };
  const page = Buffer.from(space.memory.pages.get(home.frame) ?? ZERO_PAGE);
  const protoLow = page.readUInt32LE(at % PAGE);
  const protoHigh = page.readUInt32LE((at % PAGE) + 4);
  return inDump(stored, frameOf(protoLow, protoHigh));
}

function inDump(stored: PageSet, frame: number): Probe {
  return stored.has(frame) ? { frame } : { why: 'not in dump' };
}

function frameOf(low: number, high: number): number {
  return (high & 0xfffff) * 0x100000 + (low >>> 12);
}

/** Bytes at a virtual address of the system's address space, or null where any page is missing. */
export function readVirtual(
  space: KernelSpace,
  stored: PageSet,
  invalidMaskHigh: number,
  address: bigint,
  length: number,
): Uint8Array | null {
  const out = new Uint8Array(length);
  const va = va48(address);
  for (let done = 0; done < length;) {
    const at = (va + done) % PAGE;
    const part = Math.min(PAGE - at, length - done);
    const place = probe(space, space.tables, stored, invalidMaskHigh, va + done - at);
    if (!('frame' in place)) return null;
    out.set((space.memory.pages.get(place.frame) ?? ZERO_PAGE).subarray(at, at + part), done);
    done += part;
  }
  return out;
}
