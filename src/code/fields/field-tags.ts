/**
 * Tags that are kept in a structure: one function stores a constant in a field, another reads the same field of the same
 * structure and gives it to an allocator. Followed only where both reach the structure in one of the ways of
 * `field-paths.ts`, and nothing else is seen to be stored there by any code of the image: everything that might write the
 * field counts against it, also behind pointers of which nothing is known.
 */

import type { Allocator } from '../calls/allocators.js';
import { tagSets } from '../calls/tag-arguments.js';
import type { CallSite, FieldWrite } from '../flow/flow-result.js';
import { PLACES, type OnwardWays } from '../flow/onward.js';
import { VALUE, type Value } from '../flow/values.js';
import type { FunctionRange } from '../image/functions.js';
import type { Followed, ImageCode } from '../image/image-code.js';
import { FieldPaths, pointersIn } from './field-paths.js';
import { MemoryIndex } from './memory-index.js';

const TAG_BYTES = 4;
/** Functions that touch one offset and are followed, at most: a field that so many use is not told. */
const MOST_FUNCTIONS = 400;

/** A call that gives a field to an allocator. RVAs. */
export interface FieldRead {
  readonly at: number;
  readonly allocator: Allocator;
  /** Local functions between the call and the allocator, outermost first. */
  readonly through: readonly number[];
  readonly function: FunctionRange;
  /** Bytes from the beginning of the structure. */
  readonly offset: number;
}

/** A tag that a field holds whenever it is set. */
export interface FieldTag {
  /** The constant, with its sign. */
  readonly number: number;
  /** RVA of the instruction that holds it. */
  readonly origin: number;
  readonly read: FieldRead;
}

/** What the code of an image does with fields at one offset. */
interface OffsetUse {
  /** By path of the field: the constants that are stored there, and the first instruction that holds each. */
  readonly filled: ReadonlyMap<string, ReadonlyMap<number, number>>;
  /** Fields in which something else is stored besides, and what is stored behind pointers that may lead anywhere. */
  readonly spoiled: ReadonlySet<string>;
  readonly anywhere: ReadonlySet<number>;
  readonly reads: ReadonlyMap<string, readonly FieldRead[]>;
}

/** Answers for one image. */
export class FieldTags {
  private readonly paths: FieldPaths;
  private index: MemoryIndex | null = null;
  private readonly reads = new WeakMap<Followed, ReadonlyMap<string, readonly FieldRead[]>>();
  private readonly uses = new Map<number, OffsetUse | null>();

  constructor(
    private readonly code: ImageCode,
    private readonly ways: OnwardWays,
  ) {
    this.paths = new FieldPaths(code, ways, () => this.memoryIndex());
  }

  private memoryIndex(): MemoryIndex {
    this.index ??= new MemoryIndex(this.code);
    return this.index;
  }

  /** What allocates with the constant of the instruction at RVA `instruction`, which a function stores in a field. */
  readOf(range: FunctionRange, instruction: number): FieldTag | null {
    const followed = range.source === 'synchronized' ? null : this.code.followFields(range);
    if (followed === null) return null;
    const { values, fields } = followed.flow;
    for (const { base, offset, size, set } of fields.writes) {
      const [tag] = values.of(set);
      const isMeant = size === TAG_BYTES && tag?.kind === VALUE.constant && tag.origin === instruction;
      const pointer = isMeant ? values.only(base) : null;
      if (tag === undefined || pointer === null || this.paths.of(followed, pointer).paths.size === 0) continue;
      for (const path of this.pathsOf(followed, pointer, offset)) {
        const found = this.tagOf(path, offset);
        const [read] = found === null ? [] : (this.useOf(offset)?.reads.get(path) ?? []);
        if (found?.number === tag.number && read !== undefined)
          return { number: tag.number, origin: instruction, read };
      }
    }
    return null;
  }

  /** Tags that the function around RVA `at` reads from fields and gives to allocators. */
  readIn(range: FunctionRange): FieldTag[] {
    const followed = this.code.followFields(range);
    if (followed === null) return [];
    const found: FieldTag[] = [];
    for (const [path, reads] of this.readsIn(followed)) {
      for (const read of reads) {
        const tag = this.tagOf(path, read.offset);
        if (tag !== null) found.push({ ...tag, read });
      }
    }
    return found;
  }

  private pathsOf(followed: Followed, pointer: Value, offset: number): string[] {
    return [...this.paths.of(followed, pointer).paths].map((path) => `${path}>${offset}`);
  }

  /** The one tag that is stored in a field; null where it is not the only one, or others may be. */
  private tagOf(path: string, offset: number): { number: number; origin: number } | null {
    const use = this.useOf(offset);
    const filled = use?.filled.get(path);
    if (use === null || filled?.size !== 1 || use.spoiled.has(path)) return null;
    const [[number, origin] = [0, 0]] = filled;
    return [...use.anywhere].every((other) => other === number) ? { number, origin } : null;
  }

  /** Null where that could not be told. */
  private useOf(offset: number): OffsetUse | null {
    const known = this.uses.get(offset);
    if (known !== undefined) return known;
    const made = this.collect(offset);
    if (!this.code.work.isSpent()) this.uses.set(offset, made);
    return made;
  }

  private collect(offset: number): OffsetUse | null {
    const index = this.memoryIndex();
    if (!index.complete) return null;
    const places = [...index.loadsAt(offset), ...index.writesAt(offset, TAG_BYTES)];
    const functions = new Map<number, FunctionRange>();
    for (const place of places) {
      const range = this.code.functionAt(place);
      // Code that belongs to no function may be none.
      if (range === null) continue;
      functions.set(range.start, range);
      if (functions.size > MOST_FUNCTIONS) return null;
    }
    const gathered = new Gathered(offset);
    for (const range of functions.values()) {
      const followed = this.code.followFields(range);
      if (followed === null || followed.missing || !followed.flow.complete) return null;
      this.gather(followed, gathered);
      for (const [path, reads] of this.readsIn(followed))
        for (const read of reads) if (read.offset === offset) gathered.read(path, read);
    }
    return this.code.work.isSpent() ? null : gathered;
  }

  private gather(followed: Followed, gathered: Gathered): void {
    const { flow } = followed;
    const { offset } = gathered;
    for (const write of flow.fields.writes) {
      if (write.offset >= offset + TAG_BYTES || write.offset + write.size <= offset) continue;
      this.write(followed, write, gathered);
    }
    for (const { base, offset: from } of flow.fields.addresses) {
      // What is written by a pointer to the field itself is not seen.
      if (from !== offset) continue;
      for (const pointer of pointersIn(followed, base)) {
        for (const path of this.paths.of(followed, pointer).paths) gathered.spoiled.add(`${path}>${offset}`);
      }
    }
    for (const site of flow.calls) this.given(followed, site, gathered);
  }

  private write(followed: Followed, { base, size, set, ...write }: FieldWrite, gathered: Gathered): void {
    const { values } = followed.flow;
    const { offset } = gathered;
    const stored = values.of(set);
    // Zeros clear the field.
    if (stored.every(({ kind, number }) => kind === VALUE.constant && number === 0)) return;
    const pointers = pointersIn(followed, base);
    const [only] = stored;
    const isTag = size === TAG_BYTES && write.offset === offset && stored.length === 1 && only?.kind === VALUE.constant;
    for (const pointer of pointers) {
      // The stack, and places of the image, are no structures that others reach by a pointer.
      if (pointer.kind === VALUE.stack || pointer.kind === VALUE.address) continue;
      const { paths, isKnown } = this.paths.of(followed, pointer);
      for (const way of paths) {
        const path = `${way}>${offset}`;
        if (isTag && pointers.length === 1) gathered.fill(path, only.number, only.origin);
        else gathered.spoiled.add(path);
      }
      // An element of an array behind any pointer is no field.
      if (!isKnown && size !== Infinity) gathered.anywhere.add(isTag ? only.number : NaN);
    }
  }

  /** Copies and the like, which write what an argument points to. */
  private given(followed: Followed, site: CallSite, gathered: Gathered): void {
    const isWriter = site.targets.some((target) => {
      const callee = this.code.callees.of(target);
      return callee.kind === 'named' && WRITERS.test(callee.name);
    });
    if (!isWriter) return;
    for (const place of PLACES) {
      if (!this.ways.isArgument(place)) continue;
      for (const pointer of pointersIn(followed, site.argument(place))) {
        for (const path of this.paths.of(followed, pointer).paths) gathered.spoiled.add(`${path}>${gathered.offset}`);
      }
    }
  }

  /** By path: the fields that a function gives to allocators. */
  private readsIn(followed: Followed): ReadonlyMap<string, readonly FieldRead[]> {
    const known = this.reads.get(followed);
    if (known !== undefined) return known;
    const found = this.findReads(followed);
    if (!this.code.work.isSpent()) this.reads.set(followed, found);
    return found;
  }

  private findReads(followed: Followed): Map<string, FieldRead[]> {
    const found = new Map<string, FieldRead[]>();
    const { values, calls } = followed.flow;
    const note = (set: number, site: CallSite, allocator: Allocator, through: readonly number[]): void => {
      if (allocator.kind !== 'allocate' && allocator.kind !== 'lookaside') return;
      for (const { kind, number: offset, origin, second: size } of values.of(set)) {
        if (kind !== VALUE.field || size !== TAG_BYTES) continue;
        const read = { at: site.at, allocator, through, function: followed.range, offset };
        for (const path of this.pathsOf(followed, values.valueOf(origin), offset))
          found.set(path, [...(found.get(path) ?? []), read]);
      }
    };
    for (const site of calls) {
      for (const target of site.targets) {
        const callee = this.code.callees.of(target);
        if (callee.kind === 'allocator') {
          if (!this.ways.isMeant(followed, site, callee.allocator.only?.value)) continue;
          for (const set of tagSets(this.code, followed, site, callee.allocator)) note(set, site, callee.allocator, []);
        }
        if (callee.kind !== 'local') continue;
        for (const place of PLACES) {
          const set = site.argument(place);
          if (!values.of(set).some(({ kind }) => kind === VALUE.field)) continue;
          const passed = this.ways.passedBy(callee.rva, place);
          if (passed !== null && this.ways.isMeant(followed, site, passed.only))
            note(set, site, passed.allocator, passed.through);
        }
      }
    }
    return found;
  }
}

/** Documented functions that write to where an argument points as much as another one says. */
const WRITERS =
  /^(mem(cpy|move|set)|Rtl(Copy|Move|Fill|Zero|Secure)|(Zw|Nt|Io|Rtl|Flt|Ps|Ex|Hal|Ke|Wdf)\w*(Query|Read|Get)\w*)/;

/** What is gathered for one offset. */
class Gathered implements OffsetUse {
  readonly filled = new Map<string, Map<number, number>>();
  readonly spoiled = new Set<string>();
  readonly anywhere = new Set<number>();
  readonly reads = new Map<string, FieldRead[]>();

  constructor(readonly offset: number) {}

  fill(path: string, number: number, origin: number): void {
    const known = this.filled.get(path) ?? new Map<number, number>();
    this.filled.set(path, known);
    if (!known.has(number)) known.set(number, origin);
  }

  read(path: string, read: FieldRead): void {
    const known = this.reads.get(path) ?? [];
    this.reads.set(path, known);
    known.push(read);
  }
}
