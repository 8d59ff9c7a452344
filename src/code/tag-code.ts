/**
 * What the code around a tag does with it: is the constant an argument of an allocator, on some path from the beginning
 * of the function that holds it, or does it go somewhere else?
 */

import { plainTag } from '../../parsers/kernel/tag.js';
import { OP, Operations } from '../../parsers/code/operations.js';
import { allocatorNamed, type Allocator } from './calls/allocators.js';
import type { CallSite } from './flow/flow-result.js';
import type { FunctionRange } from './image/functions.js';
import type { Callee } from './calls/callees.js';
import type { Followed, ImageCode } from './image/image-code.js';
import { argumentPlace } from './flow/machine.js';
import { referencesTo, WantedAddresses } from './image/references.js';
import { ownContextTags, tagSets } from './calls/tag-arguments.js';
import { FieldTags } from './fields/field-tags.js';
import { WrittenData } from './written-data.js';
import { OnwardWays, PLACES, placesWith, type Passed } from './flow/onward.js';
import { VALUE, type Value } from './flow/values.js';

/** Places that refer to data and are followed in one image, at most: a tag that is a common text stands in hundreds. */
const MOST_DATA_PLACES = 5_000;

/** Bytes of an instruction before the constant that it ends with, at most, and what is followed behind it. */
const LONGEST_BEFORE = 10;
const AHEAD = 0x100;
/** What surely allocates nothing. */
const INNOCENT: readonly TagFate[] = ['frees', 'reserves', 'compared', 'elsewhere'];
/** Contexts of a filter that it has functions of its own for. */
const OWN_CONTEXTS = 'a context that the driver allocates itself';
/** Places that read one variable and are followed, at most. */
const MOST_READERS = 64;

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
  /** Where the tag is stored in a structure and `call` takes it from there: bytes from the structure's beginning. */
  readonly field: number | null;
}

/** For one instruction at a time, of any image. */
const single = new Operations();

/** Follows tags through the code of one image. */
export class TagFollower {
  readonly ways: OnwardWays;
  private readonly data = new WeakMap<Followed, readonly Value[]>();
  private dataPlaces = 0;
  private readonly readers = new Map<number, TagCode | null>();
  private readonly written: WrittenData;
  private readonly fields: FieldTags;
  private registered: ReadonlyMap<number, TagCode> | null = null;

  /** Where most allocators take their tag: the third argument, on x86 also behind 64 bits of flags. */
  private readonly usualPlaces: readonly number[];

  constructor(readonly code: ImageCode) {
    this.ways = new OnwardWays(code);
    this.written = new WrittenData(code);
    this.fields = new FieldTags(code, this.ways);
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
    const isHeld = pair || instruction === null || endsWith(followed, instruction, at) || this.isLower(instruction, at);
    if (instruction === null || !isHeld) return notHeld(followed, at);
    const matches = (value: Value): boolean =>
      value.kind === VALUE.constant && value.origin === instruction && plainTag(value.number) === key;
    return this.fate(followed, instruction, matches, true);
  }

  /** x64: true for the lower half of a constant of 64 bits: REX.W, B8+r, the constant. */
  private isLower(instruction: number, at: number): boolean {
    const [rex = 0, opcode = 0] = this.code.bytes(instruction, 2);
    const isMove = this.code.machine.name === 'x64' && (rex & 0xf8) === 0x48 && (opcode & 0xf8) === 0xb8;
    return isMove && at === instruction + 2;
  }

  /**
   * The same where walking does not come upon the instruction: by what follows the bytes that look like one, which end with
   * the tag at RVA `at`. Where they begin is not sure, so that nobody is accused by it: null but for what allocates nothing.
   */
  innocentAt(at: number, key: number): TagCode | null {
    const found: TagCode[] = [];
    for (let back = LONGEST_BEFORE; back > 0; back--) {
      const start = at - back;
      if (!this.isConstant(start, back + 4, key)) continue;
      const range: FunctionRange = { start, end: at + AHEAD, source: 'synchronized' };
      const followed = this.code.follow(range, start);
      const matches = ({ kind, origin }: Value): boolean => kind === VALUE.constant && origin === start;
      const code = followed === null ? null : this.fate(followed, start, matches, true);
      if (code !== null) found.push(code);
    }
    if (found.some(({ fate }) => !INNOCENT.includes(fate) && fate !== 'lost' && fate !== 'cut')) return null;
    const isCalled = found.find(({ fate }) => fate === 'frees' || fate === 'reserves');
    return isCalled ?? (found.every(({ fate }) => INNOCENT.includes(fate)) ? (found[0] ?? null) : null);
  }

  /** True for one instruction of this length that ends with the tag as a constant. */
  private isConstant(rva: number, length: number, key: number): boolean {
    const { machine, base } = this.code;
    const ops = single;
    ops.clear();
    machine.decoder.decode(this.code.bytes(rva, length), rva, base, ops, 1);
    this.code.work.steps++;
    if (ops.count === 0 || ops.length[0] !== length) return false;
    const value = ops.kind[0] === OP.constant ? ops.immediate[0] : ops.value[0];
    return plainTag(value ?? 0) === key;
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

  /** True where code stores something at RVA `rva`, so that what stands there is only its first value. */
  isWritten(rva: number): boolean {
    return this.written.at(rva).length > 0;
  }

  /** What allocates with what stands at RVA `rva` when it is read there; null where nothing is seen to. */
  private readFrom(rva: number): TagCode | null {
    const known = this.readers.get(rva);
    if (known !== undefined) return known;
    // What the reading leads to asks for no further reading of the same place.
    this.readers.set(rva, null);
    let found: TagCode | null = null;
    for (const place of this.code.dataReferences().between(rva, rva).subarray(0, MOST_READERS)) {
      const read = this.mayFollow() ? this.loadedBy(place, rva) : null;
      if (read?.fate !== 'allocates') continue;
      found = read;
      break;
    }
    if (this.code.work.isSpent()) this.readers.delete(rva);
    else this.readers.set(rva, found);
    return found;
  }

  /** What is done with the tag at RVA `rva` of a structure that another one points to, as those of contexts of filters. */
  registeredAt(rva: number): TagCode | null {
    this.registered ??= this.registrations();
    return this.registered.get(rva) ?? null;
  }

  private registrations(): ReadonlyMap<number, TagCode> {
    const found = new Map<number, TagCode>();
    const { code } = this;
    const slots = code.callees.allocatorPlaces(({ contexts }) => contexts === true);
    const { places } = referencesTo(code, new WantedAddresses(slots));
    for (const place of places) {
      const range = code.functionAt(place);
      const followed = range === null ? null : code.follow(range, place);
      for (const site of followed?.flow.calls ?? []) {
        for (const target of site.targets) {
          const callee = code.callees.of(target);
          if (followed === null || callee.kind !== 'allocator' || callee.allocator.contexts !== true) continue;
          const { allocator } = callee;
          const call = { at: site.at, allocator, through: [] };
          const what = {
            fate: 'allocates',
            instruction: site.at,
            function: followed.range,
            call,
            passedTo: null,
            field: null,
          } as const;
          for (const set of tagSets(code, followed, site, allocator))
            for (const { kind, number } of followed.flow.values.of(set))
              if (kind === VALUE.memory) found.set(number, what);
          const own = { ...what, fate: 'elsewhere', call: null, passedTo: OWN_CONTEXTS } as const;
          for (const tag of ownContextTags(code, followed, site, allocator)) found.set(tag, own);
        }
      }
    }
    return found;
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
    for (const site of calls) {
      for (const place of PLACES) sets.add(site.argument(place));
      for (const target of site.targets) {
        const callee = this.code.callees.of(target);
        if (callee.kind !== 'allocator' || callee.allocator.structure === undefined) continue;
        for (const set of tagSets(this.code, followed, site, callee.allocator)) sets.add(set);
      }
    }
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
      ...{ fate, instruction, function: range, call, passedTo, field: null },
    });
    const found: TagCode[] = [];
    for (const site of flow.calls) {
      const places = placesWith(followed, site, matches);
      for (const target of site.targets) {
        const callee = this.code.callees.of(target);
        const passed = this.passedTo(followed, site, callee, places, matches);
        if (passed === null && places.length === 0) continue;
        const what =
          passed === null
            ? this.atCall(followed, site, callee, places, made)
            : made(fateBy(passed), { at: site.at, ...passed });
        if (what !== null) found.push(what);
      }
    }
    for (const use of flow.uses) {
      if (!flow.values.of(use.set).some(matches)) continue;
      found.push(made(use.kind === 'compare' ? 'compared' : 'lost'));
      const read = use.kind === 'store' && use.place !== null ? this.readFrom(use.place) : null;
      if (read !== null) found.push(made('allocates', read.call));
    }
    found.sort((a, b) => FATES.indexOf(a.fate) - FATES.indexOf(b.fate));
    const [best] = found;
    if (best !== undefined && (best.fate === 'allocates' || best.fate === 'frees' || best.fate === 'reserves'))
      return best;
    if (best === undefined && !isHeld) return null;
    if (best?.fate === 'missing') return best;
    const read = isHeld && best?.fate === 'lost' ? this.fields.readOf(range, instruction)?.read : undefined;
    if (read !== undefined) {
      const { at, allocator, through, offset } = read;
      return { ...made('allocates', { at, allocator, through }), field: offset };
    }
    if (followed.missing || !flow.complete) return made('cut');
    return best ?? made('lost');
  }

  private atCall(
    followed: Followed,
    site: CallSite,
    callee: Callee,
    places: readonly number[],
    made: (fate: TagFate, call?: TagCall | null, passedTo?: string | null) => TagCode,
  ): TagCode | null {
    // Registers that hold it besides are no arguments; deep in the stack of x86 are those of calls around this one.
    const given = places.filter((place) => this.ways.isArgument(place));
    if (given.length === 0) return null;
    if (callee.kind === 'unknown' && callee.missing)
      return made(places.some((place) => this.usualPlaces.includes(place)) ? 'missing' : 'cut');
    if (callee.kind === 'unknown') return made('unknown');
    if (callee.kind === 'allocator') return made('elsewhere', null, callee.allocator.name);
    if (callee.kind === 'named') return made('elsewhere', null, callee.name);
    const ends = given.map((place) => this.ways.endOf(followed, site, callee.rva, place));
    if (ends.includes('missing')) return made('cut');
    if (ends.includes(null)) return made('unknown');
    return ends.includes('stored') ? made('lost') : made('elsewhere', null, this.localName(callee.rva));
  }

  private localName(rva: number): string {
    return this.code.callees.exportNames().get(rva) ?? `${this.code.module.moduleName}+0x${rva.toString(16)}`;
  }

  /** How a value ends as an allocator's tag by a call, whose arguments at `places` hold it; null where it does not. */
  private passedTo(
    followed: Followed,
    site: CallSite,
    callee: Callee,
    places: readonly number[],
    matches: (value: Value) => boolean,
  ): Passed | null {
    const { ways, code } = this;
    if (callee.kind === 'allocator') {
      const { allocator } = callee;
      if (!ways.isMeant(followed, site, allocator.only?.value)) return null;
      const { values } = followed.flow;
      const isTag = tagSets(code, followed, site, allocator).some((set) => values.of(set).some(matches));
      return isTag ? { allocator, through: [] } : null;
    }
    if (callee.kind !== 'local') return null;
    for (const place of places) {
      const passed = ways.passedBy(callee.rva, place);
      if (passed !== null && ways.isMeant(followed, site, passed.only)) return passed;
    }
    return null;
  }
}

const fateBy = ({ allocator: { kind } }: Passed): TagFate =>
  kind === 'free' ? 'frees' : kind === 'other' ? 'reserves' : 'allocates';

const FATES: readonly TagFate[] = [
  ...(['allocates', 'frees', 'reserves', 'missing', 'unknown', 'cut', 'lost', 'compared', 'elsewhere'] as const),
];
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
  return { fate: 'not-held', instruction: at, function: range, call: null, passedTo: null, field: null };
}

/** The instruction that holds an RVA; null where none was come to. */
function instructionAround({ flow: { reached } }: Followed, rva: number): number | null {
  for (let back = 0; back < 15; back++) {
    const length = reached.get(rva - back);
    if (length !== undefined && length > back) return rva - back;
  }
  return null;
}
