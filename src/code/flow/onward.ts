/**
 * What functions of an image do with what they are given: which of their arguments end as an allocator's tag, and which
 * surely do not. Every function is looked into once, and every question is answered once.
 */

import type { Allocator } from '../calls/allocators.js';
import type { CallSite, CallTarget } from './flow-result.js';
import type { FunctionRange } from '../image/functions.js';
import type { Callee } from '../calls/callees.js';
import type { Followed, ImageCode } from '../image/image-code.js';
import { MOST_STACK_ARGUMENTS, STACK_ARGUMENT } from './machine.js';
import { tagSets } from '../calls/tag-arguments.js';
import { VALUE, type Value } from './values.js';

/** Local functions between a call and the allocator, at most. */
export const MOST_WRAPPERS = 4;
/** Arguments on the stack of a function whose arguments are not known. */
const MOST_GIVEN = 8;

/** How a local function passes an argument on. */
export interface Passed {
  readonly allocator: Allocator;
  /** Local functions up to the allocator, outermost first. */
  readonly through: readonly number[];
  /** Only where the first argument has this value. */
  readonly only?: number;
}

/** What becomes of one argument of a local function. */
interface Onward {
  readonly passed: Passed | null;
  /** It is surely given to no allocator: all of its ways are known. What is stored goes no way that is seen. */
  readonly isKept: boolean;
  readonly isStored: boolean;
  /** Pages that would tell are missing. */
  readonly isMissing: boolean;
}

/** A call that gets an argument of the function around it. */
interface Edge {
  /** Places of the call's arguments. */
  readonly places: readonly number[];
  readonly callees: readonly Callee[];
  /** What the call's first argument may be. */
  readonly first: First;
}

/** What the first argument of a call may be: constants, or the first one of the function around it. */
interface First {
  readonly constants: readonly number[];
  readonly isGiven: boolean;
}

/** What a function does with its arguments, as far as the next calls. */
interface Summary {
  /** By place of the argument. */
  readonly edges: ReadonlyMap<number, readonly Edge[]>;
  /** Of those that an allocator gets as its tag, in the function itself. */
  readonly ends: ReadonlyMap<number, Passed>;
  /** Places of arguments that are stored somewhere. */
  readonly stored: ReadonlySet<number>;
  readonly isComplete: boolean;
  readonly isMissing: boolean;
}

/** All places of arguments. */
export const PLACES: readonly number[] = [
  ...Array.from({ length: 32 }, (_, i) => i),
  ...Array.from({ length: MOST_STACK_ARGUMENTS }, (_, i) => STACK_ARGUMENT + i),
];
const UNTOLD: Onward = { passed: null, isKept: false, isStored: false, isMissing: false };

/** Answers for one image. */
export class OnwardWays {
  private readonly summaries = new Map<number, Summary | null>();
  private readonly known = new Map<number, Onward>();

  private readonly firstPlace: number;

  constructor(private readonly code: ImageCode) {
    this.firstPlace = code.machine.arguments[0] ?? STACK_ARGUMENT;
  }

  /** How the argument at `place` of the function at `rva` ends as an allocator's tag; null where that is not seen. */
  passedBy(rva: number, place: number): Passed | null {
    return this.onward(rva, place, MOST_WRAPPERS).passed;
  }

  /**
   * `kept` where a call of the function at `rva` surely gives its argument at `place` to no allocator, `stored` where it is
   * stored besides, `missing` where pages are missing that would tell, null where it is not known.
   */
  endOf(followed: Followed, site: CallSite, rva: number, place: number): 'kept' | 'stored' | 'missing' | null {
    const { passed, isKept, isStored, isMissing } = this.onward(rva, place, MOST_WRAPPERS);
    if (isMissing) return 'missing';
    // Another service of the same function, surely.
    if (passed?.only !== undefined && !this.isAnother(followed, site, passed.only)) return null;
    if (!isKept || (passed !== null && passed.only === undefined)) return null;
    return isStored ? 'stored' : 'kept';
  }

  private isAnother({ flow }: Followed, site: CallSite, only: number): boolean {
    const values = flow.values.of(site.argument(this.firstPlace));
    return values.length > 0 && values.every(({ kind, number }) => kind === VALUE.constant && number !== only);
  }

  /** False where an allocator, or what passes on to it, does something else with the arguments of a call. */
  isMeant(followed: Followed, site: CallSite, only: number | undefined): boolean {
    return only === undefined || this.firstOf(followed, site).constants.includes(only);
  }

  /** True where a call gives on the first argument of the function around it as its own. */
  isGiven(followed: Followed, site: CallSite): boolean {
    return this.firstOf(followed, site).isGiven;
  }

  private firstOf({ flow }: Followed, site: CallSite): First {
    const values = flow.values.of(site.argument(this.firstPlace));
    return {
      constants: values.flatMap(({ kind, number }) => (kind === VALUE.constant ? [number] : [])),
      isGiven: values.some(({ kind, number }) => kind === VALUE.entry && number === this.firstPlace),
    };
  }

  /** False for registers that hold something besides, and for what lies deep in the stack of x86, for calls around. */
  isArgument(place: number): boolean {
    const { machine } = this.code;
    if (place >= STACK_ARGUMENT) return place < STACK_ARGUMENT + MOST_GIVEN && machine.name !== 'arm64';
    return machine.arguments.length === 0 ? place < 3 : machine.arguments.includes(place);
  }

  /** `levels`: functions that may still be looked into. Each level asks the next one, so that this ends. */
  private onward(rva: number, place: number, levels: number): Onward {
    if (levels === 0) return UNTOLD;
    const key = (rva * 128 + place) * 8 + levels;
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const { work } = this.code;
    const summary = this.summaryOf(rva);
    if (summary === null || work.isSpent()) return UNTOLD;
    let isKept = summary.isComplete;
    let isStored = summary.stored.has(place);
    let { isMissing } = summary;
    let passed: Passed | null = summary.ends.get(place) ?? null;
    for (const { places, callees, first } of summary.edges.get(place) ?? []) {
      for (const callee of callees) {
        work.steps++;
        if (callee.kind === 'unknown' && places.some((to) => this.isArgument(to))) {
          isKept = false;
          isMissing ||= callee.missing;
        }
        if (callee.kind !== 'local') continue;
        for (const to of places) {
          const next = this.onward(callee.rva, to, levels - 1);
          const way = next.passed === null ? null : through(rva, next.passed, first);
          if (way !== null) passed = better(passed, way);
          else if (next.passed !== null && first.constants.length === 0) isKept = false;
          if (!this.isArgument(to)) continue;
          isKept &&= next.isKept;
          isStored ||= next.isStored;
          isMissing ||= next.isMissing;
        }
      }
    }
    const made = { passed, isKept, isStored, isMissing };
    if (!work.isSpent()) this.known.set(key, made);
    return made;
  }

  private summaryOf(rva: number): Summary | null {
    const known = this.summaries.get(rva);
    if (known !== undefined) return known;
    const followed = this.followLocal(rva);
    const made = followed === null ? null : this.summarize(rva, followed);
    if (!this.code.work.isSpent()) this.summaries.set(rva, made);
    return made;
  }

  private summarize(rva: number, followed: Followed): Summary {
    const { flow, missing } = followed;
    const edges = new Map<number, Edge[]>();
    const ends = new Map<number, Passed>();
    for (const site of flow.calls) {
      const callees = site.targets.map((target: CallTarget) => this.code.callees.of(target));
      const first = this.firstOf(followed, site);
      for (const callee of callees) {
        if (callee.kind !== 'allocator') continue;
        const { allocator } = callee;
        const way = through(rva, { allocator, through: [], ...onlyOf(allocator) }, first);
        if (way === null) continue;
        for (const set of tagSets(this.code, followed, site, allocator)) {
          for (const { kind, number } of flow.values.of(set))
            if (kind === VALUE.entry) ends.set(number, better(ends.get(number) ?? null, way));
        }
      }
      const given = givenBy(followed, site);
      for (const [place, places] of given) {
        const list = edges.get(place) ?? [];
        edges.set(place, list);
        list.push({ places, callees, first });
      }
    }
    const stored = new Set<number>();
    for (const { kind, set } of flow.uses) {
      if (kind !== 'store') continue;
      for (const value of flow.values.of(set)) if (value.kind === VALUE.entry) stored.add(value.number);
    }
    return { edges, ends, stored, isComplete: !missing && flow.complete, isMissing: missing };
  }

  /** Follows a function that is called: its beginning is known by that. */
  private followLocal(rva: number): Followed | null {
    const range = this.code.functionAt(rva);
    if (range === null) return null;
    const exact: FunctionRange =
      range.start === rva ? range : { start: rva, end: Math.max(range.end, rva + 1), source: 'call-target' };
    return this.code.follow(exact);
  }
}

/** By place of an argument of the function: the places at which a call gets it. */
function givenBy({ flow: { values } }: Followed, site: CallSite): Map<number, number[]> {
  const given = new Map<number, number[]>();
  for (const place of PLACES) {
    const set = site.argument(place);
    if (set <= 1) continue;
    for (const value of values.of(set)) {
      if (value.kind !== VALUE.entry) continue;
      const list = given.get(value.number) ?? [];
      given.set(value.number, list);
      if (!list.includes(place)) list.push(place);
    }
  }
  return given;
}

/** What an allocator needs its first argument to be. */
export const onlyOf = ({ only }: Allocator): { only?: number } => (only === undefined ? {} : { only: only.value });

/** The way on through the function at `rva`, whose call has this first argument; null where the call does something else. */
function through(rva: number, passed: Passed, first: First): Passed | null {
  const way = { allocator: passed.allocator, through: [rva, ...passed.through] };
  if (passed.only === undefined || first.constants.includes(passed.only)) return way;
  return first.isGiven ? { ...way, only: passed.only } : null;
}

/** What allocates before what frees, then what always does, then the shorter way, then the one that was found first. */
function better(a: Passed | null, b: Passed): Passed {
  if (a === null) return b;
  const [frees, others] = [a.allocator.kind === 'free', b.allocator.kind === 'free'];
  if (frees !== others) return frees ? b : a;
  if ((a.only === undefined) !== (b.only === undefined)) return a.only === undefined ? a : b;
  return b.through.length < a.through.length ? b : a;
}

/** Places of a call's arguments that may hold a value. */
export function placesWith({ flow }: Followed, site: CallSite, matches: (value: Value) => boolean): number[] {
  return PLACES.filter((place) => {
    const set = site.argument(place);
    return set > 1 && flow.values.of(set).some(matches);
  });
}
