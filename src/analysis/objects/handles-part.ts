/** Handles as `dumpleak handles` shows them: counts first, one by one where that is asked for. */

import { large, plus, type VirtualAddress } from '../../../parsers/addresses.js';
import { failed, hex } from '../../../parsers/bytes/failure.js';
import type { HandleCensus, ProcessHandles } from '../../kernel/objects/handles/handle-census.js';
import { entriesOf, readHandleTable, type HandleTable } from '../../kernel/objects/handles/handle-table.js';
import { bodyOf } from '../../kernel/objects/header-scan.js';
import type { ObjectType } from '../../kernel/objects/object-types.js';
import type { Objects } from '../../kernel/objects/objects.js';
import { rootsOf } from '../../kernel/objects/roots.js';
import type { Kernel } from '../../kernel/open/open-kernel.js';
import type { HandleRow, HandlesPart, ProcessBlock, ProcessHandleCounts } from '../../result/object-parts.js';
import { blockOf } from './process-blocks.js';

/** Which handles are asked for; what is left out asks for all. */
export interface HandleQuestion {
  readonly pid?: number | undefined;
  /** Name of a program, in any case. */
  readonly image?: string | undefined;
  /** Name of an object type, in any case. */
  readonly type?: string | undefined;
  /** Address of an `_EPROCESS`. */
  readonly process?: bigint | undefined;
  /** This one alone. */
  readonly handle?: number | undefined;
  /** With entries that are not in use, where handles are listed: all, or that of `handle`. */
  readonly free?: boolean | undefined;
  /** Part of the name of what they lead to, in any case. */
  readonly target?: string | undefined;
  /** So many are listed one by one; 0 for none. */
  readonly list: number;
}

/** An entry of a table that is not in use. */
export interface FreeEntry {
  readonly pid: number;
  readonly handle: number;
  readonly entry: VirtualAddress;
  /** What leads to the next one: a handle, from Windows 8 on an address. */
  readonly next: bigint;
}

/** Objects that are looked at for their names. */
const MOST_NAMES = 200_000;
const MOST_TARGETS = 50;

/** Null where no handle could be read. */
export function readHandlesPart(
  kernel: Kernel,
  objects: Objects,
  question: HandleQuestion,
): { part: HandlesPart | null; blocks: ProcessBlock[]; free: readonly FreeEntry[] } {
  const census = objects.census();
  if (census === null) return { part: null, blocks: [], free: [] };
  const reader = new Reader(kernel, objects, census, question);
  return { part: reader.read(), blocks: reader.blocks, free: reader.free };
}

class Reader {
  readonly blocks: ProcessBlock[] = [];
  readonly free: FreeEntry[] = [];
  private readonly types: readonly ObjectType[];
  private readonly names = new Map<number, string | null>();
  private readonly targets = new Map<string, { type: string; name: string; count: number }>();
  private readonly rows: HandleRow[] = [];
  private readonly wantsNames: boolean;
  private cut = false;

  constructor(
    private readonly kernel: Kernel,
    private readonly objects: Objects,
    private readonly census: HandleCensus,
    private readonly question: HandleQuestion,
  ) {
    this.types = objects.decoder()?.types ?? [];
    const { pid, image, type, target, list } = question;
    this.wantsNames = list > 0 || [pid, image, type, target].some((one) => one !== undefined);
  }

  read(): HandlesPart {
    const { pid, image, process: address } = this.question;
    const wanted = this.census.tables.filter(
      ({ process }) =>
        (pid === undefined || process.pid === pid) &&
        (address === undefined || process.address === address) &&
        (image === undefined || process.image.toLowerCase() === image.toLowerCase()),
    );
    const processes = wanted
      .map((table) => this.ofProcess(table))
      .filter(({ handles, complete }) => Number(handles) > 0 || !complete)
      .sort((a, b) => Number(b.handles) - Number(a.handles) || Number(a.pid) - Number(b.pid));
    const targets = [...this.targets.values()].sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1));
    return {
      complete: wanted.every(({ complete }) => complete) && !this.cut,
      found: processes.reduce((sum, { handles }) => sum + Number(handles), 0),
      processes,
      targets: this.wantsNames ? targets.slice(0, MOST_TARGETS) : null,
      rows: this.question.list > 0 ? this.rows : null,
    };
  }

  private ofProcess(table: ProcessHandles): ProcessHandleCounts {
    const { census, question } = this;
    const { process } = table;
    const counts = new Map<string, { handles: number; objects: Set<number> }>();
    const before = this.rows.length;
    const place = this.question.list > 0 ? this.tableOf(process.objectTable) : null;
    let handles = 0;
    for (let k = table.first; k < table.end; k++) {
      if (question.handle !== undefined && census.value[k] !== question.handle) continue;
      const object = census.object[k] ?? 0;
      const type = this.types[census.facts.type[object] ?? -1]?.name ?? null;
      if (question.type !== undefined && type?.toLowerCase() !== question.type.toLowerCase()) continue;
      const name = this.wantsNames ? this.nameOf(object, type) : null;
      if (question.target !== undefined && !(name ?? '').toLowerCase().includes(question.target.toLowerCase()))
        continue;
      handles++;
      const known = counts.get(type ?? 'not readable');
      if (known === undefined) counts.set(type ?? 'not readable', { handles: 1, objects: new Set([object]) });
      else {
        known.handles++;
        known.objects.add(object);
      }
      if (name !== null && type !== null) {
        const key = `${type}\0${name}`;
        const target = this.targets.get(key);
        if (target === undefined) this.targets.set(key, { type, name, count: 1 });
        else target.count++;
      }
      if (this.rows.length < question.list) this.rows.push(this.row(table, k, object, type, name, place));
    }
    const freeBefore = this.free.length;
    if (place !== null && question.free === true) this.readFree(table, place);
    if (this.rows.length > before || this.free.length > freeBefore) {
      const count = table.complete ? table.end - table.first : null;
      this.blocks.push(blockOf(this.kernel, this.objects, process, count));
    }
    const types = [...counts].map(([type, one]) => ({ type, handles: one.handles, objects: one.objects.size }));
    types.sort((a, b) => b.handles - a.handles || (a.type < b.type ? -1 : 1));
    return {
      ...{ pid: process.pid, image: process.image, ended: process.ended, handles },
      ...{ complete: table.complete, pagesMissing: table.leavesMissing, types },
    };
  }

  /** What an object is, looked at once. */
  private nameOf(object: number, type: string | null): string | null {
    const known = this.names.get(object);
    if (known !== undefined || type === null) return known ?? null;
    if (this.names.size >= MOST_NAMES) {
      this.cut = true;
      return null;
    }
    const { name = null, label = null } = this.objects.describer()?.describe(type, this.body(object)) ?? {};
    const said = this.question.list > 0 && (type === 'Process' || type === 'Thread') ? (label ?? name) : name;
    this.names.set(object, said);
    return said;
  }

  private body(object: number): VirtualAddress {
    const decoder = this.objects.decoder();
    const header = this.census.objects.header[object] ?? 0;
    return decoder === null ? large(header) : bodyOf(header, decoder);
  }

  private row(
    table: ProcessHandles,
    k: number,
    object: number,
    type: string | null,
    name: string | null,
    place: HandleTable | null,
  ): HandleRow {
    const { census } = this;
    const { facts } = census;
    const value = census.value[k] ?? 0;
    const typeAddress = this.types[facts.type[object] ?? -1]?.address;
    const entry = place === null ? null : this.entryOf(place, value);
    return {
      ...{ pid: table.process.pid, image: table.process.image, handle: hex(value) },
      ...{ object: hex(this.body(object)), header: hex(large(census.objects.header[object] ?? 0)), type },
      typeAddress: typeAddress === undefined ? null : hex(typeAddress),
      access: hex(census.access[k] ?? 0),
      entry: entry === null ? null : hex(entry),
      handleCount: type === null ? null : (facts.handleCount[object] ?? 0),
      pointerCount: type === null ? null : (facts.pointerCount[object] ?? 0),
      name,
    };
  }

  /** Entries that lead to no object. Those of pages that are not in the dump are left out. */
  private readFree({ process, first, end }: ProcessHandles, place: HandleTable): void {
    const memory = rootsOf(this.kernel)?.memory;
    if (memory === undefined) return;
    const used = new Set(this.census.value.subarray(first, end));
    const size = memory.pointerSize;
    const { handle: asked, list } = this.question;
    const [from, to] = asked === undefined ? [0, entriesOf(place, size) * 4] : [asked, asked + 1];
    for (let handle = from; handle < to && handle < entriesOf(place, size) * 4; handle += 4) {
      if (used.has(handle)) continue;
      if (this.free.length >= list) {
        this.cut = true;
        return;
      }
      const entry = this.entryOf(place, handle);
      const next = entry === null ? null : memory.readPointer(plus(entry, size));
      if (entry !== null && next !== null && !failed(next)) this.free.push({ pid: process.pid, handle, entry, next });
    }
  }

  private tableOf(address: VirtualAddress | null): HandleTable | null {
    const roots = rootsOf(this.kernel);
    const layouts = this.objects.layouts();
    if (roots === null || layouts === null || address === null) return null;
    const table = readHandleTable(roots.memory, layouts, address);
    return failed(table) ? null : table;
  }

  /** Where a handle's entry stands: the pages above the leaves hold addresses of pages. */
  private entryOf(table: HandleTable, value: number): VirtualAddress | null {
    const memory = rootsOf(this.kernel)?.memory;
    if (memory === undefined) return null;
    const size = memory.pointerSize * 2;
    const perLeaf = 4096 / size;
    const perPage = 4096 / memory.pointerSize;
    const index = value >>> 2;
    let at = table.base;
    for (let level = table.level; level > 0; level--) {
      const below = Math.floor(index / (perLeaf * perPage ** (level - 1))) % perPage;
      const next = memory.readPointer(plus(at, below * memory.pointerSize));
      if (failed(next)) return null;
      at = next;
    }
    return plus(at, (index % perLeaf) * size);
  }
}
