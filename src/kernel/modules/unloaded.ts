/** Drivers that were unloaded before the dump: the ring of MmUnloadedDrivers. A leak may be theirs. */

import { plus, virtual, type VirtualAddress } from '../../../parsers/addresses.js';
import { failed } from '../../../parsers/bytes/failure.js';
import { u32, u64 } from '../../../parsers/bytes/fields.js';
import type { Warning } from '../../result/result.js';
import type { Kernel } from '../open/open-kernel.js';
import { isFileName, readFileName } from './list-entry.js';

/** `_UNLOADED_DRIVERS` by size of a pointer; Name (a `_UNICODE_STRING`) stands at 0. The same on every build. */
const ENTRY = {
  4: { size: 0x18, start: 0x08, end: 0x0c, time: 0x10 },
  8: { size: 0x28, start: 0x10, end: 0x18, time: 0x20 },
} as const;
/** Entries of the ring on every build. */
const RING = 50;

/** A driver that is no longer loaded. */
export interface UnloadedDriver {
  readonly name: string;
  readonly start: VirtualAddress;
  readonly end: VirtualAddress;
  /** 100 ns since 1601 UTC; null where the dump does not tell. */
  readonly time: bigint | null;
}

/** The unloaded drivers, the latest first; null where the list cannot be found or read. */
export function readUnloaded(kernel: Kernel): { drivers: UnloadedDriver[] | null; warnings: Warning[] } {
  if (kernel.dump.triage !== null) {
    const drivers = kernel.dump.triage.unloaded.map((d) => ({ ...d, name: knownName(d.name), time: null }));
    return { drivers, warnings: [] };
  }
  const { memory, symbols } = kernel;
  const variable = symbols?.address('MmUnloadedDrivers') ?? null;
  if (memory === null || variable === null) return { drivers: null, warnings: [] };
  const table = memory.readPointer(variable.value);
  if (failed(table)) return { drivers: null, warnings: [unreadable(table.message)] };
  if (table === 0n) return { drivers: [], warnings: [] };
  const lastAt = symbols?.address('MmLastUnloadedDriver') ?? null;
  const last = lastAt === null ? null : memory.readU32(lastAt.value);
  const newest = last === null || failed(last) ? RING : last;
  const entry = ENTRY[memory.pointerSize];
  const pointer = (bytes: Uint8Array, at: number): VirtualAddress =>
    virtual(memory.pointerSize === 4 ? BigInt(u32(bytes, at)) : u64(bytes, at));
  const drivers: UnloadedDriver[] = [];
  for (let i = 0; i < RING; i++) {
    const slot = (((newest - 1 - i) % RING) + RING) % RING;
    const bytes = memory.read(plus(table, slot * entry.size), entry.size);
    if (failed(bytes)) {
      if (drivers.length > 0) break;
      return { drivers: null, warnings: [unreadable(bytes.message)] };
    }
    const start = pointer(bytes, entry.start);
    const end = pointer(bytes, entry.end);
    if (start === 0n || end <= start) continue;
    const name = readFileName(memory, bytes, 0);
    const time = u64(bytes, entry.time);
    drivers.push({
      name: name.text ?? 'unknown',
      start,
      end,
      time: time === 0n ? null : time,
    });
  }
  return { drivers, warnings: [] };
}

const knownName = (name: string): string => (isFileName(name) ? name.toWellFormed() : 'unknown');

const unreadable = (why: string): Warning => ({
  code: 'unloaded-unreadable',
  where: 'modules',
  message: `the list of unloaded drivers cannot be read: ${why}`,
});
