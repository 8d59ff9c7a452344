/**
 * What the code around a tag does with it: is the constant an argument of an allocator, on some path from the beginning
 * of the function that holds it, or does it go somewhere else?
 */

import { allocatorNamed, type Allocator } from './allocators.js';
import type { CallSite, OtherUse } from './flow.js';
import type { FunctionRange } from './functions.js';
import type { Callee, Followed, ImageCode } from './image-code.js';
import { argumentPlace, MOST_STACK_ARGUMENTS, STACK_ARGUMENT } from './machine.js';
import { VALUE, type Value } from './values.js';

const PROTECTED = 0x80000000;
/** Places that refer to data and are followed in one image, at most: a tag that is a common text stands in hundreds. */
const MOST_DATA_PLACES = 5_000;
/** Local functions between a call and the allocator, at most. */
export const MOST_WRAPPERS = 4;

/** What becomes of a tag, from what says most to what says least. */
export type TagFate =
  /** An allocator gets it as its tag, or a lookaside list is made with it. */
  | 'allocates'
  | 'frees'
  /** A documented function gets it that holds no pool under it. */
  | 'reserves'
  /** A function gets it that is not known. */
  | 'unknown'
  /** It is where allocators take their tag when a function is called that cannot be told because pages are missing. */
  | 'missing'
  /** It could not be followed because pages are missing, and it is not there. */
  | 'cut'
  /** It is stored or returned, and no call that gets it was found. */
  | 'lost'
  | 'compared'
  /** No instruction holds the bytes, though all of the function around them could be decoded. */
  | 'not-held'
  /** Other functions get it, and none of them is an allocator. */
  | 'elsewhere';

/** One call on the tag's way. RVAs. */
export interface TagCall {
  readonly at: number;
  readonly allocator: Allocator;
  /** Local functions between the call and the allocator, outermost first. */
  readonly through: readonly number[];
}

/** What code does with a tag. */
export interface TagCode {
  readonly fate: TagFate;
  /** RVA of the instruction that holds or loads the tag. */
  readonly instruction: number;
  readonly function: FunctionRange;
  readonly call: TagCall | null;
  /** What else gets it, for `elsewhere`. */
  readonly passedTo: string | null;
}

/** How a local function passes an argument on. */
export interface Passed {
  readonly allocator: Allocator;
  readonly through: readonly number[];
}

/** Follows tags through the code of one image. */
export class TagFollower {
  private readonly passes = new Map<number, ReadonlyMap<number, Passed>>();
  private readonly busy = new Set<number>();
  private readonly data = new WeakMap<Followed, readonly Value[]>();
  private dataPlaces = 0;

  /** Where most allocators take their tag: the third argument, on x86 also behind 64 bits of flags. */
  private readonly usualPlaces: readonly number[];

  constructor(readonly code: ImageCode) {
    const usual = ['ExAllocatePoolWithTag', 'ExAllocatePool2'].map(allocatorNamed).filter((entry) => entry !== null);
    this.usualPlaces = usual.map((entry) => argumentPlace(code.machine, entry, entry.tag));
  }

  /**
   * What code does with the tag that the instruction around RVA `at` holds; null where no instruction holds it. With
   * `pair`, `at` is the first of the two that build it.
   */
  constantAt(at: number, key: number, pair: boolean): TagCode | null {
    const range = this.code.functionAt(at);
    if (range === null) return null;
    const followed = this.code.follow(range, at);
    if (followed === null) return null;
    const instruction = pair ? at : instructionAround(followed, at);
    if (instruction === null || !(pair || endsWith(followed, instruction, at))) return notHeld(followed, at);
    const matches = (value: Value): boolean =>
      value.kind === VALUE.constant && value.origin === instruction && (value.number & ~PROTECTED) >>> 0 === key;
    return this.fate(followed, instruction, matches, true);
  }

  /** Counts one more place that refers to data; false when there were so many that no more are followed. */
  mayFollow(): boolean {
    return this.dataPlaces++ < MOST_DATA_PLACES;
  }

  /** What the function around RVA `load`, a place in an instruction, does with the four bytes that it reads at RVA `data`. */
  loadedBy(load: number, data: number): TagCode | null {
    return this.read(load, (value) => value.kind === VALUE.memory && value.number === data);
  }

  /** The same for bytes of a table that begins between two RVAs: what allocates with an element of it. */
  takenFrom(load: number, first: number, last: number): TagCode | null {
    const found = this.read(load, (v) => v.kind === VALUE.table && v.number >= first && v.number <= last);
    return found?.fate === 'allocates' ? found : null;
  }

  private read(load: number, isMeant: (value: Value) => boolean): TagCode | null {
    const range = this.code.functionAt(load);
    const followed = range === null ? null : this.code.follow(range, load);
    if (followed === null || !this.dataIn(followed).some(isMeant)) return null;
    let instruction = load;
    const matches = (value: Value): boolean => {
      if (!isMeant(value)) return false;
      instruction = value.origin;
      return true;
    };
    const found = this.fate(followed, load, matches, false);
    return found === null ? null : { ...found, instruction };
  }

  /** What a function gives to calls, compares or stores that stands in data, or is an element of a table there. */
  private dataIn(followed: Followed): readonly Value[] {
    const known = this.data.get(followed);
    if (known !== undefined) return known;
    const { calls, uses, values } = followed.flow;
    const sets = new Set(uses.map(({ set }) => set));
    for (const site of calls) for (const place of PLACES) sets.add(site.argument(place));
    const found = new Set<Value>();
    for (const set of sets) {
      for (const value of values.of(set))
        if (value.kind === VALUE.memory || value.kind === VALUE.table) found.add(value);
    }
    const list = [...found];
    this.data.set(followed, list);
    return list;
  }

  private fate(
    followed: Followed,
    instruction: number,
    matches: (value: Value) => boolean,
    /** The instruction is known to hold the value. */
    isHeld: boolean,
  ): TagCode | null {
    const { flow, range } = followed;
    const made = (fate: TagFate, call: TagCall | null = null, passedTo: string | null = null): TagCode => ({
      ...{ fate, instruction, function: range, call, passedTo },
    });
    const found: TagCode[] = [];
    for (const site of flow.calls) {
      const places = this.placesWith(followed, site, matches);
      if (places.length === 0) continue;
      for (const target of site.targets) {
        const what = this.atCall(followed, site, this.code.calleeOf(target), places, made);
        if (what !== null) found.push(what);
      }
    }
    for (const use of flow.uses) {
      if (flow.values.of(use.set).some(matches)) found.push(made(use.kind === 'compare' ? 'compared' : 'lost'));
    }
    found.sort((a, b) => FATES.indexOf(a.fate) - FATES.indexOf(b.fate));
    const [best] = found;
    if (best !== undefined && (best.fate === 'allocates' || best.fate === 'frees' || best.fate === 'reserves'))
      return best;
    if (best === undefined && !isHeld) return null;
    if (best?.fate === 'missing') return best;
    if (followed.missing || !flow.complete) return made('cut');
    return best ?? made('lost');
  }

  /** Places of arguments that may hold the value. */
  private placesWith({ flow }: Followed, site: CallSite, matches: (value: Value) => boolean): number[] {
    return PLACES.filter((place) => {
      const set = site.argument(place);
      return set > 1 && flow.values.of(set).some(matches);
    });
  }

  private atCall(
    followed: Followed,
    site: CallSite,
    callee: Callee,
    places: readonly number[],
    made: (fate: TagFate, call?: TagCall | null, passedTo?: string | null) => TagCode,
  ): TagCode | null {
    const ways = this.waysInto(followed, site, callee).filter(({ place }) => places.includes(place));
    const [way] = ways;
    if (way !== undefined) {
      const { allocator, through } = way.passed;
      const fate = allocator.kind === 'free' ? 'frees' : allocator.kind === 'other' ? 'reserves' : 'allocates';
      return made(fate, { at: site.at, allocator, through });
    }
    // Registers that hold it besides are no arguments; deep in the stack of x86 are those of calls around this one.
    const given = places.filter((place) => this.isArgument(place));
    if (given.length === 0) return null;
    if (callee.kind === 'unknown' && callee.missing)
      return made(places.some((place) => this.usualPlaces.includes(place)) ? 'missing' : 'cut');
    if (callee.kind === 'unknown') return made('unknown');
    if (callee.kind === 'allocator') return made('elsewhere', null, callee.allocator.name);
    if (callee.kind === 'named') return made('elsewhere', null, callee.name);
    const kept = given.every((place) => this.keeps(callee.rva, place, 0));
    return made(kept ? 'elsewhere' : 'unknown', null, kept ? this.localName(callee.rva) : null);
  }

  private isArgument(place: number): boolean {
    const { machine } = this.code;
    if (place >= STACK_ARGUMENT) return place < STACK_ARGUMENT + MOST_GIVEN && machine.name !== 'arm64';
    return machine.arguments.length === 0 ? place < 3 : machine.arguments.includes(place);
  }

  private localName(rva: number): string {
    return this.code.exportNames().get(rva) ?? `${this.code.module.moduleName}+0x${rva.toString(16)}`;
  }

  /** Arguments of a call that end as an allocator's tag. */
  waysInto(followed: Followed, site: CallSite, callee: Callee): { place: number; passed: Passed }[] {
    if (callee.kind === 'allocator') {
      const { allocator } = callee;
      if (!this.isMeant(followed, site, allocator)) return [];
      return [
        { place: argumentPlace(this.code.machine, allocator, allocator.tag), passed: { allocator, through: [] } },
      ];
    }
    if (callee.kind !== 'local') return [];
    return [...this.passedBy(callee.rva, 0)].map(([place, passed]) => ({ place, passed }));
  }

  /** False where the function does something else with these arguments. */
  private isMeant({ flow }: Followed, site: CallSite, allocator: Allocator): boolean {
    const { only } = allocator;
    if (only === undefined) return true;
    const values = flow.values.of(site.argument(argumentPlace(this.code.machine, allocator, only.argument)));
    return values.some((value) => value.kind === VALUE.constant && value.number === only.value);
  }

  /** Which arguments a local function passes on to an allocator's tag, by place. */
  passedBy(rva: number, depth: number): ReadonlyMap<number, Passed> {
    const known = this.passes.get(rva);
    if (known !== undefined) return known;
    if (depth >= MOST_WRAPPERS || this.busy.has(rva)) return NONE;
    this.busy.add(rva);
    const found = new Map<number, Passed>();
    const followed = this.followLocal(rva);
    for (const site of followed?.flow.calls ?? []) {
      if (followed === null) break;
      const given = this.placesWith(followed, site, (value) => value.kind === VALUE.entry);
      if (given.length === 0) continue;
      for (const target of site.targets) {
        for (const { place, passed } of this.ways(followed, site, this.code.calleeOf(target), depth)) {
          for (const value of flow(followed, site, place)) {
            if (value.kind !== VALUE.entry) continue;
            const before = found.get(value.number);
            if (before === undefined || before.allocator.kind === 'free') {
              found.set(value.number, { allocator: passed.allocator, through: [rva, ...passed.through] });
            }
          }
        }
      }
    }
    this.busy.delete(rva);
    if (depth === 0) this.passes.set(rva, found);
    return found;
  }

  private ways(followed: Followed, site: CallSite, callee: Callee, depth: number): { place: number; passed: Passed }[] {
    if (callee.kind !== 'local') return this.waysInto(followed, site, callee);
    return [...this.passedBy(callee.rva, depth + 1)].map(([place, passed]) => ({ place, passed }));
  }

  /** True where a local function surely gives an argument to no allocator: all of its ways are known. */
  private keeps(rva: number, place: number, depth: number): boolean {
    if (depth >= MOST_WRAPPERS) return false;
    const followed = this.followLocal(rva);
    if (followed === null || followed.missing || !followed.flow.complete) return false;
    const matches = (value: Value): boolean => value.kind === VALUE.entry && value.number === place;
    const stored = (use: OtherUse): boolean => use.kind === 'store' && followed.flow.values.of(use.set).some(matches);
    if (followed.flow.uses.some(stored)) return false;
    return followed.flow.calls.every((site) => {
      const places = this.placesWith(followed, site, matches).filter((p) => this.isArgument(p));
      return (
        places.length === 0 ||
        site.targets.every((target) => {
          const callee = this.code.calleeOf(target);
          if (callee.kind === 'named') return true;
          if (callee.kind === 'local') return places.every((p) => this.keeps(callee.rva, p, depth + 1));
          return (
            callee.kind === 'allocator' && this.waysInto(followed, site, callee).every((w) => !places.includes(w.place))
          );
        })
      );
    });
  }

  /** Follows a function that is called: its beginning is known by that. */
  followLocal(rva: number): Followed | null {
    const range = this.code.functionAt(rva);
    if (range === null) return null;
    const exact: FunctionRange =
      range.start === rva ? range : { start: rva, end: Math.max(range.end, rva + 1), source: 'call-target' };
    return this.code.follow(exact);
  }
}

/** Arguments on the stack of a function whose arguments are not known. */
const MOST_GIVEN = 8;
const NONE: ReadonlyMap<number, Passed> = new Map();
const FATES: readonly TagFate[] = [
  ...(['allocates', 'frees', 'reserves', 'missing', 'unknown', 'cut', 'lost', 'compared', 'elsewhere'] as const),
];
const PLACES: readonly number[] = [
  ...Array.from({ length: 32 }, (_, i) => i),
  ...Array.from({ length: MOST_STACK_ARGUMENTS }, (_, i) => STACK_ARGUMENT + i),
];

const flow = ({ flow: { values } }: Followed, site: CallSite, place: number): readonly Value[] =>
  values.of(site.argument(place));

/** True where the four bytes at `at` are the last of an instruction, as constants are. */
function endsWith({ flow: { reached } }: Followed, instruction: number, at: number): boolean {
  return instruction + (reached.get(instruction) ?? 0) === at + 4;
}

function notHeld(followed: Followed, at: number): TagCode | null {
  const {
    range,
    missing,
    flow: { complete },
  } = followed;
  if (range.source !== 'exception-table' || missing || !complete) return null;
  return { fate: 'not-held', instruction: at, function: range, call: null, passedTo: null };
}

/** The instruction that holds an RVA; null where none was come to. */
function instructionAround({ flow: { reached } }: Followed, rva: number): number | null {
  for (let back = 0; back < 15; back++) {
    const length = reached.get(rva - back);
    if (length !== undefined && length > back) return rva - back;
  }
  return null;
}
