/**
 * Pool accounting: the hashed `_POOL_TRACKER_TABLE`s of all processors, the expansion table and the overflow slot.
 * A tag's counters are spread over processors so that single tables can go below zero while the sums are right.
 */

import { alignUp, canonical, putU64, putU32, tagKey, type Va } from '../bytes.js';
import { rvaOf, structOf, type KernelFacts, type StructFacts } from '../kernel-facts.js';
import type { KernelSpace } from './kernel-space.js';
import { PAGE } from '../physical-memory.js';
import type { Prng } from '../prng.js';
import type { CounterSpec, PoolSpec, TagRowSpec } from '../scenario.js';
import type { CountersTruth, TagRowTruth, Truth } from '../truth.js';

const NONE: CounterSpec = { allocs: 0, frees: 0, bytes: 0 };
const FIELDS = ['NonPagedAllocs', 'NonPagedFrees', 'NonPagedBytes', 'PagedAllocs', 'PagedFrees', 'PagedBytes'] as const;

export interface PoolTablesResult {
  truth: Truth['pool'];
  /** Address ranges that shall not be in the dump. */
  absent: Va[];
}

/** Slot where a tag belongs, then the next free one. Windows 2000 and XP mix the characters one by one. */
function hashSlot(key: number, mask: number, build: number): number {
  if (build <= 2600) {
    const mixed = [0, 8, 16, 24].reduce((hash, shift) => (hash << 2) ^ ((key >>> shift) & 0xff), 0);
    return Math.floor((40543 * mixed) / 4) & mask;
  }
  const product = 40543n * BigInt(key);
  return Number((product ^ (product >> 32n)) & BigInt(mask));
}

class Tables {
  /** All tables that rows can be spread over, first the one at `PoolTrackTable`. */
  readonly addresses: Va[] = [];
  negative = 0;
  private readonly written: { table: Va; slot: number; key: number; values: readonly bigint[] }[] = [];

  constructor(
    private readonly space: KernelSpace,
    private readonly record: StructFacts,
    private readonly narrow: ReadonlySet<string>,
    private readonly random: Prng,
  ) {}

  put(table: Va, slot: number, key: number, values: readonly bigint[]): void {
    this.space.write(table + slot * this.record.size, this.bytesOf(key, values));
    this.written.push({ table, slot, key, values });
    this.negative += values.filter((value) => value < 0n).length;
  }

  /** Overwrites a page of a table; what stood there is lost. */
  damage({ table, page, by }: NonNullable<PoolSpec['damagedPages']>[number]): void {
    const address = this.addresses[table];
    if (address === undefined) throw new Error(`there is no table ${table}`);
    const bytes = by === 'noise' ? this.random.bytes(PAGE) : new Uint8Array(PAGE);
    this.space.write(address + page * PAGE, bytes);
    if (by !== 'another-page') return;
    const { size } = this.record;
    const from = (page + 1) * PAGE;
    for (const { slot, key, values } of this.written.filter((w) => w.table === address)) {
      const at = slot * size - from;
      if (at >= 0 && at + size <= PAGE) this.space.write(address + page * PAGE + at, this.bytesOf(key, values));
    }
  }

  private bytesOf(key: number, values: readonly bigint[]): Uint8Array {
    const bytes = new Uint8Array(this.record.size);
    putU32(bytes, this.record.fields['Key'] ?? 0, key);
    FIELDS.forEach((field, i) => {
      const value = values[i] ?? 0n;
      const offset = this.record.fields[field] ?? 0;
      if (this.narrow.has(field)) putU32(bytes, offset, Number(BigInt.asUintN(32, value)));
      else putU64(bytes, offset, value);
    });
    return bytes;
  }

  /** Splits totals over some of the tables; the last part makes the sums right. */
  spread(slot: number, key: number, totals: readonly bigint[]): void {
    const tables = this.addresses;
    const parts = Math.min(tables.length, this.random.int(1, 6));
    const first = this.random.int(0, tables.length - 1);
    const left = [...totals];
    for (let part = 1; part < parts; part++) {
      const piece = totals.map((total, i) => {
        if (total === 0n) return 0n;
        // Memory allocated on one processor is freed on another: pieces of -0.5 .. 1.5 of the whole.
        const share = BigInt(this.random.int(-512, 1536));
        const isCount = !(FIELDS[i] ?? '').endsWith('Bytes');
        return isCount ? (total * BigInt(this.random.int(0, 1024))) / 1024n : (total * share) / 1024n;
      });
      piece.forEach((value, i) => {
        const rest = (left[i] ?? 0n) - value;
        const count = !(FIELDS[i] ?? '').endsWith('Bytes');
        // Lifetime counts of one processor never go below zero.
        if (count && rest < 0n) piece[i] = 0n;
        else left[i] = rest;
      });
      const table = tables[(first + part) % tables.length];
      if (table !== undefined) this.put(table, slot, key, piece);
    }
    const table = tables[first];
    if (table !== undefined) this.put(table, slot, key, left);
  }
}

/** Writes all pool tag tables of the machine and points the globals at them. */
export function writePoolTables(
  space: KernelSpace,
  kernel: KernelFacts,
  base: Va,
  processors: number,
  spec: PoolSpec,
  random: Prng,
): PoolTablesResult {
  const rows = spec.rows ?? [];
  const record = structOf(kernel, '_POOL_TRACKER_TABLE');
  const narrowCounts = (record.fields['NonPagedFrees'] ?? 0) - (record.fields['NonPagedAllocs'] ?? 0) === 4;
  const narrow = new Set<string>(FIELDS.filter((name) => (name.endsWith('Bytes') ? space.width === 4 : narrowCounts)));
  const size = spec.tableSize ?? (kernel.build <= 2600 ? 1025 : kernel.build <= 7601 ? 2049 : 4097);
  const mask = size - 2;
  const hashed = rows.filter(({ place }) => place === undefined).length;
  const placed = rows.filter(({ place }) => place === 'expansion').length;
  const expansionSize = Math.max(spec.expansionSize ?? 0, placed + Math.max(0, hashed - (size - 1)));
  const tables = new Tables(space, record, narrow, random);

  const bytes = size * record.size;
  const newTable = (): Va => space.allocate('nonPagedPool', bytes, PAGE);
  const main = newTable();
  tables.addresses.push(main);
  const array = kernel.rva['ExPoolTagTables'];
  const perProcessor: (Va | null)[] = [];
  const skipped = new Set(spec.absentProcessors ?? []);
  const wild = new Set(spec.wildProcessors ?? []);
  if (processors + skipped.size > kernel.tagTablesCapacity)
    throw new Error('more processors than ExPoolTagTables holds');
  const counted = array === undefined ? 0 : processors;
  for (let number = 0, present = 0; present < counted; number++) {
    if (skipped.has(number)) {
      perProcessor.push(null);
      continue;
    }
    let table: Va;
    if (wild.has(number)) table = space.plan.nowhere + number * 0x10_0000;
    else if (number === 0 && spec.processorZero !== 'own') table = main;
    else tables.addresses.push((table = newTable()));
    perProcessor.push(table);
    if (spec.arrayEmpty !== true) space.pointer(base + (array ?? 0) + number * space.width, table);
    present++;
  }

  const used = new Set<number>();
  const expansion =
    expansionSize > 0 ? space.allocate('nonPagedPool', alignUp(expansionSize * record.size, PAGE), PAGE) : 0;
  let nextExpansion = 0;
  const truths = new Map<number, TagRowTruth>();
  for (const row of rows) {
    const key = tagKey(row.tag);
    const totals = totalsOf(row);
    const stored = row.protected === true ? (key | 0x80000000) >>> 0 : key;
    if (row.place === 'expansion' || (row.place !== 'overflow' && used.size >= size - 1)) {
      tables.put(expansion, nextExpansion++, stored, totals);
    } else {
      let slot = size - 1;
      if (row.place !== 'overflow') {
        slot = hashSlot(key, mask, kernel.build);
        while (used.has(slot)) slot = (slot + 1) & mask;
        used.add(slot);
      }
      tables.spread(slot, stored, totals);
    }
    addTruth(truths, row, key, totals, narrowCounts, space.width);
  }

  for (const damage of spec.damagedPages ?? []) tables.damage(damage);

  const global = (name: string, value: number): void => {
    const rva = kernel.rva[name];
    if (rva !== undefined) space.word(base + rva, value);
  };
  space.pointer(base + rvaOf(kernel, 'PoolTrackTable'), spec.taggingOff === true ? 0 : main);
  global('PoolTrackTableSize', size);
  global('PoolTrackTableMask', mask);
  global('PoolTrackTableExpansionSize', expansionSize);
  if (expansion !== 0) space.pointer(base + rvaOf(kernel, 'PoolTrackTableExpansion'), expansion);
  global('ExpSessionPoolTrackTableSize', size);
  global('ExpSessionPoolTrackTableMask', mask);

  const all = [...truths.values()];
  const absentTable = spec.absentPage === undefined ? undefined : perProcessor[spec.absentPage.processor];
  const absent =
    absentTable === undefined || absentTable === null ? [] : [absentTable + (spec.absentPage?.page ?? 0) * PAGE];
  const distinct = tables.addresses.length + wild.size;
  return {
    absent,
    truth: {
      tableAddress: canonical(main),
      tables: distinct,
      tablesReadable: tables.addresses.length - absent.length,
      tableAddresses: [main, ...perProcessor.filter((t): t is Va => t !== null && t !== main)].map(canonical),
      entries: size,
      expansionEntries: expansionSize,
      recordSize: record.size,
      rows: all,
      totals: {
        nonPagedAllocs: all.reduce((sum, row) => sum + row.nonPaged.outstanding, 0n),
        nonPagedBytes: all.reduce((sum, row) => sum + row.nonPaged.bytes, 0n),
        pagedAllocs: all.reduce((sum, row) => sum + row.paged.outstanding, 0n),
        pagedBytes: all.reduce((sum, row) => sum + row.paged.bytes, 0n),
      },
      negativeCounters: tables.negative,
      complete:
        absent.length === 0 && wild.size === 0 && spec.arrayEmpty !== true && (spec.damagedPages ?? []).length === 0,
    },
  };
}

function totalsOf(row: TagRowSpec): bigint[] {
  return [row.nonPaged ?? NONE, row.paged ?? NONE].flatMap((c) => [BigInt(c.allocs), BigInt(c.frees), BigInt(c.bytes)]);
}

/** What summing gives: counts modulo 2^32 where they have 32 bits, differences as signed numbers of that width. */
function addTruth(
  into: Map<number, TagRowTruth>,
  row: TagRowSpec,
  key: number,
  totals: readonly bigint[],
  narrow: boolean,
  width: 4 | 8,
): void {
  const bits = narrow ? 32 : 64;
  const plainKey = (key & 0x7fffffff) >>> 0;
  const before = into.get(plainKey);
  const counters = (at: number, old: CountersTruth | undefined): CountersTruth => {
    const allocs = BigInt.asUintN(bits, (totals[at] ?? 0n) + (old?.allocs ?? 0n));
    const frees = BigInt.asUintN(bits, (totals[at + 1] ?? 0n) + (old?.frees ?? 0n));
    const bytes = BigInt.asIntN(width * 8, (totals[at + 2] ?? 0n) + (old?.bytes ?? 0n));
    return { allocs, frees, outstanding: BigInt.asIntN(bits, allocs - frees), bytes };
  };
  into.set(plainKey, {
    tag: String.fromCharCode(...[0, 8, 16, 24].map((shift) => (plainKey >>> shift) & 0xff)),
    key: plainKey,
    protected: row.protected === true || key >= 0x80000000 || (before?.protected ?? false),
    nonPaged: counters(0, before?.nonPaged),
    paged: counters(3, before?.paged),
  });
}
