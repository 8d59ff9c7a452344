/**
 * How a structure is reached: from a variable of the image, as a context of the driver framework, as a device object that
 * the driver made, or by a field of such a structure. Two functions that reach one in the same way mean the same field.
 */

import type { CallSite } from '../flow/flow-result.js';
import { STACK_ARGUMENT } from '../flow/machine.js';
import type { OnwardWays } from '../flow/onward.js';
import { VALUE, type Value } from '../flow/values.js';
import type { Followed, ImageCode } from '../image/image-code.js';
import { referencesTo, WantedAddresses } from '../image/references.js';
import { CREATE_DEVICE } from './gifts.js';
import type { MemoryIndex } from './memory-index.js';

/** The ways to a structure, as text: `device>64`, `@3010`. */
export interface Ways {
  readonly paths: ReadonlySet<string>;
  /** There is no other way: false for a pointer of which nothing is known. */
  readonly isKnown: boolean;
}

const UNTOLD: Ways = { paths: new Set(), isKnown: false };
const DEVICE: Ways = { paths: new Set(['device']), isKnown: true };
/** Functions from a structure's user to whoever knows where it comes from, at most. */
const MOST_CALLERS_DEEP = 2;
const MOST_CALLERS = 64;
/** Local functions that DriverEntry hands its driver object on to, in a row. */
const MOST_ENTRY_DEEP = 3;
/** _DRIVER_OBJECT: DriverStartIo, DriverUnload, then MajorFunction[IRP_MJ_MAXIMUM_FUNCTION + 1]; all of the public header. */
const DRIVER_OBJECT = {
  4: { startIo: 0x30, first: 0x38, end: 0xa8 },
  8: { startIo: 0x60, first: 0x70, end: 0x150 },
} as const;

/** Answers for one image. */
export class FieldPaths {
  private readonly given = new Map<string, Ways>();
  private readonly published = new WeakMap<Followed, ReadonlyMap<number, readonly string[]>>();
  private devices: ReadonlySet<number> | null = null;
  private dispatchers: ReadonlySet<number> | null = null;
  private readonly firstPlace: number;

  constructor(
    private readonly code: ImageCode,
    private readonly ways: OnwardWays,
    private readonly index: () => MemoryIndex,
  ) {
    this.firstPlace = code.machine.arguments[0] ?? STACK_ARGUMENT;
  }

  /** The ways to what a pointer in a function leads to. */
  of(followed: Followed, pointer: Value, deep = MOST_CALLERS_DEEP): Ways {
    const reached = this.reached(followed, pointer, deep);
    const more = this.publishedBy(followed).get(followed.flow.values.numberOf(pointer));
    return more === undefined ? reached : { paths: new Set([...reached.paths, ...more]), isKnown: true };
  }

  private reached(followed: Followed, { kind, number, origin }: Value, deep: number): Ways {
    switch (kind) {
      case VALUE.memory:
        return this.deviceVariables().has(number) ? DEVICE : known(`@${number.toString(16)}`);
      case VALUE.context:
        return known(`context@${number.toString(16)}`);
      case VALUE.device:
        return DEVICE;
      case VALUE.field: {
        const { paths, isKnown } = this.of(followed, followed.flow.values.valueOf(origin), deep);
        return { paths: new Set([...paths].map((path) => `${path}>${number}`)), isKnown };
      }
      case VALUE.entry:
        if (number === this.firstPlace && this.dispatchRoutines().has(followed.range.start)) return DEVICE;
        return this.ways.isArgument(number) ? this.givenTo(followed, number, deep) : UNTOLD;
      default:
        return UNTOLD;
    }
  }

  /** The ways to what all calls of a function give it at one place. */
  private givenTo({ range }: Followed, place: number, deep: number): Ways {
    if (deep === 0 || range.source === 'synchronized') return UNTOLD;
    const key = `${range.start},${place},${deep}`;
    const before = this.given.get(key);
    if (before !== undefined) return before;
    // A function that calls itself says nothing new.
    this.given.set(key, { paths: new Set(), isKnown: true });
    const calls = this.index().callsOf(range.start);
    const paths = new Set<string>();
    let isKnown = calls.length > 0 && calls.length <= MOST_CALLERS;
    for (const call of calls.slice(0, MOST_CALLERS)) {
      const caller = this.code.functionAt(call);
      const followed = caller === null ? null : this.code.followFields(caller);
      const site = followed?.flow.calls.find(({ at }) => at === call);
      if (followed === null || site === undefined) {
        isKnown = false;
        continue;
      }
      for (const value of pointersIn(followed, site.argument(place))) {
        const found = this.of(followed, value, deep - 1);
        for (const path of found.paths) paths.add(path);
        isKnown &&= found.isKnown;
      }
    }
    const made = { paths, isKnown };
    this.given.set(key, made);
    return made;
  }

  /** By possibility: the ways that a function itself makes to it, by storing the pointer. */
  private publishedBy(followed: Followed): ReadonlyMap<number, readonly string[]> {
    const before = this.published.get(followed);
    if (before !== undefined) return before;
    const { values, uses, fields } = followed.flow;
    const made = new Map<number, string[]>();
    // While these are found, pointers that are stored are known by how they came only.
    this.published.set(followed, made);
    const found: [number, string][] = [];
    const note = (set: number, paths: Iterable<string>): void => {
      const [only, ...others] = pointersIn(followed, set);
      if (only === undefined || others.length > 0 || !STORED.has(only.kind)) return;
      for (const path of paths) found.push([values.numberOf(only), path]);
    };
    for (const { kind, set, place } of uses) {
      if (kind === 'store' && place !== null)
        note(set, this.deviceVariables().has(place) ? DEVICE.paths : [`@${place.toString(16)}`]);
    }
    for (const { base, offset, size, set } of fields.writes) {
      if (size !== this.code.machine.pointerSize) continue;
      const only = values.only(base);
      if (only === null || !pointersIn(followed, set).some(({ kind }) => STORED.has(kind))) continue;
      note(
        set,
        [...this.reached(followed, only, 0).paths].map((path) => `${path}>${offset}`),
      );
    }
    for (const [possibility, path] of found) made.set(possibility, [...(made.get(possibility) ?? []), path]);
    return made;
  }

  /** RVAs of variables that IoCreateDevice puts a device object into. */
  private deviceVariables(): ReadonlySet<number> {
    if (this.devices !== null) return this.devices;
    const { code } = this;
    const made = new Set<number>();
    this.devices = made;
    const { places } = referencesTo(code, new WantedAddresses(code.callees.slotsOf(CREATE_DEVICE.name)));
    for (const place of places) {
      const range = code.functionAt(place);
      const followed = range === null ? null : code.followFields(range);
      for (const site of followed?.flow.calls ?? []) {
        const output = this.deviceOutput(site);
        if (followed === null || output === null) continue;
        for (const rva of this.addressesIn(followed, site.argument(output))) made.add(rva);
      }
    }
    return made;
  }

  private deviceOutput({ targets }: CallSite): number | null {
    return this.code.gifts().device(targets);
  }

  /** RVAs of functions that get a device object first: what DriverEntry puts into its driver object. */
  private dispatchRoutines(): ReadonlySet<number> {
    if (this.dispatchers !== null) return this.dispatchers;
    const made = new Set<number>();
    this.dispatchers = made;
    this.registeredBy(this.code.headers.entryPoint, MOST_ENTRY_DEEP, made);
    return made;
  }

  private registeredBy(rva: number, deep: number, made: Set<number>): void {
    const { code, firstPlace } = this;
    const range = deep === 0 || rva === 0 ? null : code.functionAt(rva);
    const followed = range?.start === rva ? code.followFields(range) : null;
    if (followed === null) return;
    const { values, calls, fields } = followed.flow;
    const isDriver = (set: number): boolean => {
      const only = values.only(set);
      return only?.kind === VALUE.entry && only.number === firstPlace;
    };
    const { startIo, first, end } = DRIVER_OBJECT[code.machine.pointerSize];
    for (const { base, offset, set } of fields.writes) {
      const isDispatch = offset === startIo || (offset >= first && offset < end);
      if (isDispatch && isDriver(base)) for (const routine of this.addressesIn(followed, set)) made.add(routine);
    }
    for (const site of calls) {
      if (!isDriver(site.argument(firstPlace))) continue;
      for (const target of site.targets) {
        const callee = code.callees.of(target);
        if (callee.kind === 'local') this.registeredBy(callee.rva, deep - 1, made);
      }
    }
  }

  /** RVAs whose addresses a set holds. */
  private addressesIn({ flow: { values } }: Followed, set: number): number[] {
    const { machine, base } = this.code;
    return values.of(set).flatMap(({ kind, number }) => {
      if (kind === VALUE.address) return [number];
      return kind === VALUE.constant && machine.pointerSize === 4 ? [(number - base) | 0] : [];
    });
  }
}

/** Pointers that are worth noting where they are stored. */
const STORED: ReadonlySet<number> = new Set([
  VALUE.entry,
  VALUE.result,
  VALUE.field,
  VALUE.memory,
  VALUE.context,
  VALUE.device,
]);

/** What a set holds besides no pointer at all. */
export function pointersIn({ flow: { values } }: Followed, set: number): Value[] {
  return values.of(set).filter(({ kind, number }) => kind !== VALUE.constant || number !== 0);
}

const known = (path: string): Ways => ({ paths: new Set([path]), isKnown: true });
