/** Which pool tags the code of an image passes to allocators: every call site that can be told. */

import { plainTag } from '../../../parsers/kernel/tag.js';
import { plus } from '../../../parsers/addresses.js';
import { failed } from '../../../parsers/bytes/failure.js';
import type { CodeModule } from '../image/code-module.js';
import type { Allocator, AllocatorKind } from './allocators.js';
import type { ExportLookup } from '../image/exports.js';
import type { CallSite } from '../flow/flow-result.js';
import type { FunctionRange } from '../image/functions.js';
import { imageCode, type Followed, type ImageCode } from '../image/image-code.js';
import { tagSets } from './tag-arguments.js';
import { referencesTo, WantedAddresses } from '../image/references.js';
import { MOST_WRAPPERS, onlyOf, OnwardWays, type Passed } from '../flow/onward.js';
import { VALUE, type Value } from '../flow/values.js';
import { FieldTags } from '../fields/field-tags.js';
import { CodeWork } from '../flow/work.js';
import { WrittenData } from '../written-data.js';

export type { FunctionRange };

/** One tag on its way to one allocator. All places are RVAs. */
export interface Allocation {
  /** The tag as a little-endian number, without the protected bit. */
  readonly key: number;
  readonly protectedBit: boolean;
  readonly kind: AllocatorKind;
  /** The documented function that is called: `ExAllocatePoolWithTag`. */
  readonly allocator: string;
  /** The instruction that calls it, or that calls the local wrapper which ends there. */
  readonly call: number;
  /** Local functions between that call and the allocator, outermost first. */
  readonly through: readonly number[];
  /** The instruction that holds the tag (ARM64: the first of two), or that loads it from `data`. */
  readonly load: number;
  /** Where the four bytes stand when code reads them from memory; null for a constant in an instruction. */
  readonly data: number | null;
  /** Code also stores at `data`: the bytes there are only the first value, and others may be unknown. */
  readonly isChanged: boolean;
  readonly function: FunctionRange | null;
}

/** What was found, and how much could not be told. */
export interface Allocations {
  readonly allocations: readonly Allocation[];
  /** Calls of allocators whose tag could not be told: computed, passed in from outside, or read from a structure. */
  readonly unknown: number;
  /** False where pages of code or of the import table were missing, or a limit was reached: there may be more. */
  readonly complete: boolean;
}

export interface CodeOptions {
  /** Names addresses outside the module; needed where import names are missing, as in dumps. */
  readonly exports?: ExportLookup;
  /** Counts what following code takes, and ends it: then not all is found. */
  readonly work?: CodeWork;
}

const MOST_ALLOCATIONS = 100_000;
/** Steps for one image: a second or two. */
const MOST_STEPS = 5_000_000;

/** Every constant that the code of a module passes to an allocator's tag argument, in order of call sites. */
export function allocationsIn(module: CodeModule, options: CodeOptions = {}): Allocations {
  const code = imageCode(module, options.exports ?? null, options.work ?? new CodeWork(MOST_STEPS));
  return code === null ? { allocations: [], unknown: 0, complete: false } : new Lister(code).list();
}

class Lister {
  private readonly ways: OnwardWays;
  private readonly wrappers = new Map<number, Map<number, Passed>>();
  /** By call, key and origin. */
  private readonly found = new Map<string, Allocation>();
  private readonly unknown = new Set<number>();
  private readonly thunks = new Set<number>();
  private readonly written: WrittenData;

  constructor(private readonly code: ImageCode) {
    this.ways = new OnwardWays(code);
    this.written = new WrittenData(code);
  }

  list(): Allocations {
    const { code } = this;
    let complete = code.callees.importsComplete();
    let targets = code.callees.allocatorPlaces(() => true);
    for (let round = 0; round <= MOST_WRAPPERS && targets.size > 0; round++) {
      const references = referencesTo(code, new WantedAddresses(targets));
      if (!references.complete) complete = false;
      const before = new Set([...this.wrappers.keys(), ...this.thunks]);
      if (round === 0) this.findThunks(references.places, targets);
      this.follow(references.places, targets);
      if (this.found.size >= MOST_ALLOCATIONS || code.work.isSpent()) complete = false;
      targets = new Set([...this.wrappers.keys(), ...this.thunks].filter((rva) => !before.has(rva)));
    }
    for (const { call } of this.found.values()) this.unknown.delete(call);
    this.fields();
    const allocations = [...this.found.values()].sort((a, b) => a.call - b.call || a.key - b.key || a.load - b.load);
    return { allocations, unknown: this.unknown.size, complete };
  }

  /** Calls whose tag is read from a field that another function fills. */
  private fields(): void {
    const { code } = this;
    const fields = new FieldTags(code, this.ways);
    const done = new Set<number>();
    for (const at of [...this.unknown]) {
      const range = code.functionAt(at);
      if (range === null || range.source === 'synchronized' || done.has(range.start)) continue;
      done.add(range.start);
      const followed = code.followFields(range);
      for (const { number, origin, read } of fields.readIn(range)) {
        const site = followed?.flow.calls.find((call) => call.at === read.at);
        if (followed === null || site === undefined || !this.unknown.delete(read.at)) continue;
        this.add(followed, site, read, number, origin, null, false);
      }
    }
  }

  /** Notes code that does nothing but jump through one of the slots: calls of it are calls of the allocator. */
  private findThunks(places: readonly number[], slots: ReadonlySet<number>): void {
    for (const place of places) {
      // The operand or the load stands behind the beginning.
      for (const start of this.code.machine.name === 'arm64' ? [place - 4] : [place - 3, place - 2]) {
        const slot = this.code.callees.thunkAt(start);
        if (slot !== null && slots.has(slot) && this.code.sectionAt(start) !== null) this.thunks.add(start);
      }
    }
  }

  /** Follows the functions around the places, and notes the calls in them that go to one of the targets. */
  private follow(places: readonly number[], targets: ReadonlySet<number>): void {
    const done = new Set<number>();
    let [start, end] = [0, 0];
    for (const place of places) {
      if (place >= start && place < end) continue;
      const range = this.code.functionAt(place);
      if (range === null) continue;
      if (range.source === 'exception-table' && place >= range.start) [start, end] = [range.start, range.end];
      if (done.has(range.start) && range.source !== 'synchronized') continue;
      done.add(range.start);
      const followed = this.code.follow(range, place);
      if (followed === null || this.found.size >= MOST_ALLOCATIONS) continue;
      for (const site of followed.flow.calls) this.call(followed, site, targets);
    }
  }

  private call(followed: Followed, site: CallSite, targets: ReadonlySet<number>): void {
    for (const target of site.targets) {
      if (target.kind === 'unknown' || target.kind === 'missing' || !targets.has(target.rva)) continue;
      const callee = this.code.callees.of(target);
      if (callee.kind === 'allocator') this.allocator(followed, site, callee.allocator);
      if (callee.kind !== 'local') continue;
      for (const [place, passed] of this.wrappers.get(callee.rva) ?? []) {
        if (!this.isMeant(followed, site, passed)) continue;
        for (const value of followed.flow.values.of(site.argument(place))) this.value(followed, site, passed, value);
      }
    }
  }

  /** False where the call surely does something else; what its first argument is, may be told only further out. */
  private isMeant(followed: Followed, site: CallSite, { only }: Passed): boolean {
    return this.ways.isMeant(followed, site, only) || (only !== undefined && this.ways.isGiven(followed, site));
  }

  private allocator(followed: Followed, site: CallSite, allocator: Allocator): void {
    const passed: Passed = { allocator, through: [], ...onlyOf(allocator) };
    if (!this.isMeant(followed, site, passed)) return;
    if (allocator.fixed !== undefined) {
      const number = Buffer.from(allocator.fixed, 'latin1').readInt32LE();
      this.value(followed, site, passed, { kind: VALUE.constant, number, origin: site.at, second: -1 });
      return;
    }
    for (const set of tagSets(this.code, followed, site, allocator))
      for (const value of followed.flow.values.of(set)) this.value(followed, site, passed, value);
  }

  private value(followed: Followed, site: CallSite, passed: Passed, value: Value): void {
    const { range } = followed;
    const isMeant = this.ways.isMeant(followed, site, passed.only);
    if (value.kind === VALUE.entry) {
      const { only, ...rest } = passed;
      this.wrapper(range, value.number, isMeant || only === undefined ? rest : passed);
      return;
    }
    if (!isMeant) return;
    const data = value.kind === VALUE.memory ? value.number : null;
    const stores = data === null ? [] : this.written.at(data);
    for (const store of stores) {
      for (const stored of store.followed.flow.values.of(store.set)) {
        if (stored.kind === VALUE.constant) this.add(followed, site, passed, stored.number, stored.origin, data, true);
        else this.unknown.add(site.at);
      }
    }
    const number = value.kind === VALUE.constant ? value.number : data === null ? null : this.wordAt(data);
    if (number === null || number === 0) {
      if (number === null) this.unknown.add(site.at);
      return;
    }
    this.add(followed, site, passed, number, value.origin, data, stores.length > 0);
  }

  private add(
    { range }: Followed,
    site: CallSite,
    passed: Passed,
    number: number,
    load: number,
    data: number | null,
    isChanged: boolean,
  ): void {
    if (number === 0) return;
    const key = plainTag(number);
    this.found.set(`${site.at},${key},${load}`, {
      key,
      protectedBit: number < 0,
      kind: passed.allocator.kind,
      allocator: passed.allocator.name,
      call: site.at,
      through: passed.through,
      load,
      data,
      isChanged,
      function: range,
    });
  }

  /** Notes that a function passes an argument on; where its beginning is not sure, that says nothing. */
  private wrapper(range: FunctionRange, place: number, passed: Passed): void {
    if (range.source === 'synchronized' || passed.through.length >= MOST_WRAPPERS) return;
    const known = this.wrappers.get(range.start) ?? new Map<number, Passed>();
    this.wrappers.set(range.start, known);
    if (known.get(place) === undefined || known.get(place)?.allocator.kind === 'free') {
      known.set(place, { ...passed, through: [range.start, ...passed.through] });
    }
  }

  /** The four bytes at an RVA, signed; null where they cannot be read. */
  private wordAt(rva: number): number | null {
    const { memory, base, sizeOfImage } = this.code.module;
    if (memory === null || rva < 0 || rva + 4 > sizeOfImage) return null;
    const word = memory.readU32(plus(base, rva));
    return failed(word) || word === 0 ? null : word | 0;
  }
}
