/** Judges places of a tag by what the code around them does with it, and by the bytes where code cannot be followed. */

import { plus } from '../../../parsers/addresses.js';
import { hex } from '../../../parsers/bytes/failure.js';
import type { ExportLookup } from '../../code/image/exports.js';
import type { CodeModule } from '../../code/image/code-module.js';
import { imageCode } from '../../code/image/image-code.js';
import { codeOfData } from '../../code/data-code.js';
import { registeredContext } from '../../code/filter-contexts.js';
import { TagFollower, type TagCode, type TagFate } from '../../code/tag-code.js';
import { CodeWork } from '../../code/flow/work.js';
import type { TagHit } from '../../kernel/state.js';
import { isCodeKind } from '../../result/evidence-kinds.js';
import type { Confidence, EvidenceCall, EvidenceFunction } from '../../result/result.js';
import { atMost } from '../confidence.js';
import { classifyHit, type HitJudgement } from './hits.js';

/** Bytes of the longest instruction. */
const LONGEST_INSTRUCTION = 15;

/** Steps of following code for all tags and modules, and for one tag. Damaged dumps ask for more. */
const MOST_STEPS = 4_000_000;
const MOST_TAG_STEPS = 2_000_000;
/** The same for owners of tags that nobody suspects: all of them, and one. Suspects keep most of the steps. */
const MOST_OWNER_STEPS = 1_000_000;
const MOST_OWNER_TAG_STEPS = 100_000;

/** Of a place that was not followed to the end. */
const NOT_FOLLOWED = 'not followed to the end, because that would take too long';

/** True for the note of a place that was not followed to the end. */
export function wasCutOff(note: string | null): boolean {
  return note?.endsWith(NOT_FOLLOWED) === true;
}

/** A judgement whose instructions are not written yet: who owns a tag is told without them. */
interface Unworded extends HitJudgement {
  readonly wording?: { readonly follower: TagFollower; readonly instruction: number; readonly call: number | null };
}

/** Judges places of tags in the modules of one dump, or in images. */
export class CodeEvidence {
  private readonly followers = new Map<number, TagFollower | null>();
  /** Steps that each tag took. */
  private readonly spent = new Map<number, number>();
  /** What was judged to the end. */
  private readonly judged = new WeakMap<TagHit, Unworded>();
  /** Steps that owners took. */
  private ofOwners = 0;
  /** Places that were not followed to the end, because it would have taken too long. */
  cut = 0;
  /** Tags that nobody suspects, of which a place was not followed to the end for the same reason. */
  readonly ownersCut = new Set<number>();

  constructor(
    private readonly modules: readonly CodeModule[],
    private readonly exports: ExportLookup | null,
    readonly work: CodeWork = new CodeWork(MOST_STEPS),
  ) {}

  /** Judges one place; `key` is the tag without the protected bit. */
  judge(hit: TagHit, key: number): HitJudgement {
    const judgement = this.within(hit, key, MOST_TAG_STEPS - (this.spent.get(key) ?? 0), () => this.cut++);
    if (judgement.wording === undefined) return judgement;
    const value = worded(judgement);
    if (this.judged.has(hit)) this.judged.set(hit, value);
    return value;
  }

  /**
   * The same with little work, for a tag that nobody suspects: who owns it is asked of many tags. What is followed is not
   * written as instructions.
   */
  judgeForOwner(hit: TagHit, key: number): HitJudgement {
    const left = Math.min(MOST_OWNER_TAG_STEPS - (this.spent.get(key) ?? 0), MOST_OWNER_STEPS - this.ofOwners);
    const before = this.work.steps;
    const judgement = this.within(hit, key, left, () => this.ownersCut.add(key));
    this.ofOwners += this.work.steps - before;
    return judgement;
  }

  private within(hit: TagHit, key: number, most: number, cut: () => void): Unworded {
    const known = this.judged.get(hit);
    if (known !== undefined) return known;
    const base = classifyHit(hit);
    const follower = this.followerOf(hit.module);
    if (follower === null || !isFollowed(hit, base)) return base;
    const notFollowed = (value: Unworded): Unworded => {
      cut();
      return { ...value, strength: 'low', callsAllocator: null, note: `${value.note}; ${NOT_FOLLOWED}` };
    };
    // Garbage in a tag table stands at tens of thousands of places in code: even a look at each takes long.
    if (hit.executable !== false && (most <= 0 || this.work.isSpent())) return notFollowed(base);
    const before = this.work.steps;
    const { value, isCut } = this.work.within(most, () => follow(follower, hit, key, base));
    this.spent.set(key, (this.spent.get(key) ?? 0) + this.work.steps - before);
    // What was seen to allocate is so, whatever else was not looked at; a registration is told by its form.
    if (!isCut || value.callsAllocator === true || value.kind === 'filter-context') {
      this.judged.set(hit, value);
      return value;
    }
    return notFollowed(value);
  }

  private followerOf(index: number): TagFollower | null {
    const known = this.followers.get(index);
    if (known !== undefined) return known;
    const module = this.modules[index];
    const code = module === undefined ? null : imageCode(module, this.exports, this.work);
    const made = code === null ? null : new TagFollower(code);
    this.followers.set(index, made);
    return made;
  }
}

/** False for bytes in data that are none that code could take as a tag. */
function isFollowed(hit: TagHit, base: HitJudgement): boolean {
  return hit.executable !== false || mayBeConstant(hit, base);
}

/** With its instructions as text. */
function worded({ wording, ...value }: Unworded): HitJudgement {
  if (wording === undefined) return value;
  const { follower, instruction, call } = wording;
  return {
    ...value,
    instruction: textAt(follower, instruction),
    call: value.call === null || call === null ? value.call : { ...value.call, instruction: textAt(follower, call) },
  };
}

function follow(follower: TagFollower, hit: TagHit, key: number, base: HitJudgement): Unworded {
  if (hit.executable === false) return inData(follower, hit, base);
  const isAlone = hit.arm64 === undefined && isCodeKind(base.kind);
  const code = codeAround(follower, hit, key) ?? (isAlone ? follower.innocentAt(hit.offset, key) : null);
  return code === null ? base : judged(follower, hit, base, code);
}

function codeAround(follower: TagFollower, hit: TagHit, key: number): TagCode | null {
  if (hit.arm64?.pair) return follower.constantAt(hit.offset, key, true);
  if (hit.arm64) {
    const { loadedBy } = hit.arm64;
    return loadedBy === null ? null : follower.loadedBy(Number(loadedBy - hit.address) + hit.offset, hit.offset);
  }
  return follower.constantAt(hit.offset, key, false);
}

/** True for bytes that stand as constants do, and for text that may be constants side by side, as in tables of tags. */
function mayBeConstant(hit: TagHit, base: HitJudgement): boolean {
  if (base.kind === 'data') return base.strength !== 'low';
  if (hit.offset % 4 !== 0) return false;
  const [a, b, c, d] = hit.bytes.subarray(4, 8);
  const isPlain = [a, b, c, d].every((byte) => byte !== undefined && byte !== 0x25 && byte !== 0x5c);
  return isPlain && hit.bytes.length >= 8;
}

/** Bytes in data: worth more where code is seen to allocate with them, less where none refers to them. */
function inData(follower: TagFollower, hit: TagHit, base: HitJudgement): Unworded {
  const { kind, code } = codeOfData(follower, hit.offset);
  if (base.kind === 'string') {
    // What reads as text stays text unless an allocator gets it.
    if (code?.fate !== 'allocates') return base;
    base = { ...base, strength: 'medium' };
  }
  const context = code?.fate === 'allocates' ? null : registeredContext(follower.code.module, hit.offset);
  if (context !== null) {
    const note = `the tag of its ${context} context in a registration of contexts (FLT_CONTEXT_REGISTRATION): the filter manager allocates under it for this driver`;
    return { ...base, kind: 'filter-context', strength: 'medium', note };
  }
  if (kind === 'pointer') return { ...base, strength: 'low', note: 'a part of an address in the image' };
  if (kind === null && base.strength !== 'low') {
    const note = `${base.note}; whether code refers to it could not be told, because pages are missing`;
    return { ...base, strength: 'low', note };
  }
  if (kind === 'nowhere') return { ...base, strength: 'low', note: `${base.note}, to which no code refers` };
  if (code === null) return base;
  const isTable = kind === 'table';
  const changed =
    kind === 'read' && follower.isWritten(hit.offset) ? '; code also writes there: this is its first value' : '';
  const what = isTable
    ? 'the bytes stand in or behind a table that code takes tags from'
    : kind === 'registered'
      ? 'the tag stands here in a structure'
      : 'code reads the tag here';
  const found = judged(follower, hit, { ...base, kind: 'code-immediate', note: what }, code);
  return {
    ...found,
    kind: 'data',
    strength: isTable ? 'medium' : found.strength,
    callsAllocator: isTable ? null : found.callsAllocator,
    note: `${found.note}${changed}`,
  };
}

function judged(follower: TagFollower, hit: TagHit, base: HitJudgement, code: TagCode): Unworded {
  const isCode = isCodeKind(base.kind);
  if (code.fate === 'not-held') {
    if (!isCode) return base;
    const note = 'the bytes look like the constant of an instruction, but no instruction of the function holds them';
    return { ...base, kind: 'data', strength: 'low', note };
  }
  // What reads as text stays text, unless the function around it is known, or the tag does get where tags go.
  const isSure = code.function.source === 'exception-table' || code.function.source === 'export';
  if (!isCode && !isSure && code.call === null) return base;
  const kind = isCode ? base.kind : 'code-immediate';
  const strength = strengthOf(code, isCode ? base.strength : 'medium');
  return {
    kind,
    strength,
    note: noteOf(hit, base, code),
    callsAllocator: code.field === null ? CALLS[code.fate] : null,
    instruction: null,
    call: callOf(follower, code),
    function: functionOf(follower, code),
    wording: { follower, instruction: code.instruction, call: code.call?.at ?? null },
  };
}

const CALLS: Readonly<Record<TagFate, boolean | null>> = {
  ...{ allocates: true, frees: false, reserves: false, compared: false, elsewhere: false },
  ...{ unknown: null, lost: null, missing: null, cut: null, 'not-held': null },
};

function strengthOf({ fate, field }: TagCode, base: Confidence): Confidence {
  // Memory is not followed: what stands in the field by the time it is read is not seen.
  if (field !== null) return 'medium';
  if (fate === 'allocates') return 'high';
  return fate === 'unknown' ? atMost(base, 'medium') : 'low';
}

/** Functions between the code and the allocator are told by the call, once they have names. */
function noteOf(hit: TagHit, base: HitJudgement, code: TagCode): string {
  const isCode = isCodeKind(base.kind);
  const bit = hit.protectedBit ? ', with the protected bit set' : '';
  const what = isCode ? base.note : `an instruction holds the tag${bit}`;
  const { call } = code;
  const given = call?.allocator.name ?? 'a function';
  if (code.field !== null)
    return `${what}; it is stored at offset 0x${code.field.toString(16)} of a structure, and the tag that ${given} gets was read from that field, which another function fills: code that was not seen may have put another one there`;
  switch (code.fate) {
    case 'allocates':
      return call?.allocator.kind === 'lookaside'
        ? `${what}; it makes a lookaside list with it (${given})`
        : call?.allocator.structure === undefined
          ? `${what}; it goes to the tag argument of ${given}`
          : `${what}; it goes to ${given} as ${call.allocator.structure.field}`;
    case 'frees':
      return `${what}; it is given to ${given}, which frees: a user of the pool, not proof that it allocates`;
    case 'reserves':
      return `${what}; it is given to ${given}, which holds no pool under it`;
    case 'compared':
      return `${what}; it is only compared, not given to an allocator`;
    case 'elsewhere':
      return `${what}; it is given to ${code.passedTo ?? 'other functions'}, which is no allocator`;
    case 'missing':
      return `${what}; it stands where allocators take their tag, but which function is called could not be told, because pages are missing`;
    case 'cut':
      return `${what}; where it goes could not be followed, because pages are missing`;
    case 'unknown':
      return `${what}; it is given to a function that is not known`;
    default:
      return `${what}; it is stored or returned, and no call of an allocator with it was found`;
  }
}

function placeName({ code }: TagFollower, rva: number): string {
  return `${code.module.moduleName}+0x${rva.toString(16)}`;
}

function callOf(follower: TagFollower, { call }: TagCode): EvidenceCall | null {
  if (call === null) return null;
  return {
    address: hex(plus(follower.code.module.base, call.at)),
    allocator: call.allocator.name,
    kind: call.allocator.kind,
    instruction: null,
    through: call.through.map((rva) => placeName(follower, rva)),
    throughStarts: call.through.map((rva) => hex(plus(follower.code.module.base, rva))),
  };
}

function functionOf({ code }: TagFollower, { function: range }: TagCode): EvidenceFunction {
  const at = (rva: number): EvidenceFunction['start'] => hex(plus(code.module.base, rva));
  return { start: at(range.start), end: at(range.end), source: range.source };
}

function textAt({ code }: TagFollower, rva: number): string | null {
  return code.machine.decoder.text(code.bytes(rva, LONGEST_INSTRUCTION), plus(code.module.base, rva));
}
