/** Judges places of a tag by what the code around them does with it, and by the bytes where code cannot be followed. */

import { plus } from '../../parsers/addresses.js';
import { hex } from '../../parsers/bytes/failure.js';
import type { ExportLookup } from '../code/exports.js';
import { imageCode } from '../code/image-code.js';
import { codeOfData } from '../code/data-code.js';
import { TagFollower, type TagCode, type TagFate } from '../code/tag-code.js';
import type { LoadedModule } from '../kernel/modules/modules.js';
import type { TagHit } from '../kernel/state.js';
import type { Confidence, EvidenceCall, EvidenceFunction } from '../result/result.js';
import { atMost } from './confidence.js';
import { classifyHit, type HitJudgement } from './hits.js';

/** Bytes of the longest instruction. */
const LONGEST_INSTRUCTION = 15;

/** Instructions followed for all tags and modules: twenty times what the sample dump needs. Damaged dumps ask for more. */
const MOST_WORK = 400_000;

/** Judges places of tags in the modules of one dump, or in images. */
export class CodeEvidence {
  private readonly followers = new Map<number, TagFollower | null>();
  private work = 0;

  constructor(
    private readonly modules: readonly LoadedModule[],
    private readonly exports: ExportLookup | null,
    private readonly most = MOST_WORK,
  ) {}

  /** Judges one place; `key` is the tag without the protected bit. */
  judge(hit: TagHit, key: number): HitJudgement {
    const base = classifyHit(hit);
    const follower = this.followerOf(hit.module);
    if (follower === null) return base;
    if (this.work >= this.most) {
      const note = `${base.note}; not followed, because there are too many such places`;
      return { ...base, strength: 'low', note };
    }
    const before = follower.code.work;
    const judgement = follow(follower, hit, key, base);
    this.work += follower.code.work - before;
    return judgement;
  }

  private followerOf(index: number): TagFollower | null {
    const known = this.followers.get(index);
    if (known !== undefined) return known;
    const module = this.modules[index];
    const code = module === undefined ? null : imageCode(module, this.exports);
    const made = code === null ? null : new TagFollower(code);
    this.followers.set(index, made);
    return made;
  }
}

function follow(follower: TagFollower, hit: TagHit, key: number, base: HitJudgement): HitJudgement {
  if (hit.executable === false) return mayBeConstant(hit, base) ? inData(follower, hit, base) : base;
  const code = codeAround(follower, hit, key);
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
function inData(follower: TagFollower, hit: TagHit, base: HitJudgement): HitJudgement {
  const { kind, code } = codeOfData(follower, hit.offset);
  if (base.kind === 'string') {
    // What reads as text stays text unless an allocator gets it.
    if (code?.fate !== 'allocates') return base;
    base = { ...base, strength: 'medium' };
  }
  if (kind === 'pointer') return { ...base, strength: 'low', note: 'a part of an address in the image' };
  if (kind === 'nowhere') return { ...base, strength: 'low', note: `${base.note}, to which no code refers` };
  if (code === null) return base;
  const found = judged(follower, hit, { ...base, kind: 'code-immediate', note: base.note }, code);
  const isTable = kind === 'table';
  const what = isTable ? 'the bytes stand in or behind a table that code takes tags from' : 'code reads the tag here';
  return {
    ...found,
    kind: 'data',
    strength: isTable ? 'medium' : found.strength,
    callsAllocator: isTable ? null : found.callsAllocator,
    note: found.note.replace(base.note, what),
  };
}

function judged(follower: TagFollower, hit: TagHit, base: HitJudgement, code: TagCode): HitJudgement {
  const isCode = base.kind === 'code-immediate' || base.kind === 'code-immediate-pair';
  if (code.fate === 'not-held') {
    if (!isCode) return base;
    const note = 'the bytes look like the constant of an instruction, but no instruction of the function holds them';
    return { ...base, kind: 'data', strength: 'low', note };
  }
  // What reads as text stays text, unless the function around it is known, or the tag does get where tags go.
  const isSure = code.function.source === 'exception-table' || code.function.source === 'export';
  if (!isCode && !isSure && code.call === null) return base;
  const kind = isCode ? base.kind : 'code-immediate';
  const strength = strengthOf(code.fate, isCode ? base.strength : 'medium');
  return {
    kind,
    strength,
    note: noteOf(follower, hit, base, code),
    callsAllocator: CALLS[code.fate],
    instruction: textAt(follower, code.instruction),
    call: callOf(follower, code),
    function: functionOf(follower, code),
  };
}

const CALLS: Readonly<Record<TagFate, boolean | null>> = {
  ...{ allocates: true, frees: false, reserves: false, compared: false, elsewhere: false },
  ...{ unknown: null, lost: null, missing: null, cut: null, 'not-held': null },
};

function strengthOf(fate: TagFate, base: Confidence): Confidence {
  if (fate === 'allocates') return 'high';
  return fate === 'unknown' ? atMost(base, 'medium') : 'low';
}

function noteOf(follower: TagFollower, hit: TagHit, base: HitJudgement, code: TagCode): string {
  const isCode = base.kind === 'code-immediate' || base.kind === 'code-immediate-pair';
  const bit = hit.protectedBit ? ', with the protected bit set' : '';
  const what = isCode ? base.note : `an instruction holds the tag${bit}`;
  const { call } = code;
  switch (code.fate) {
    case 'allocates':
      return call?.allocator.kind === 'lookaside'
        ? `${what}; it makes a lookaside list with it (${wayOf(follower, code)})`
        : `${what}; it goes to the tag argument of ${wayOf(follower, code)}`;
    case 'frees':
      return `${what}; it is given to ${wayOf(follower, code)}, which frees: a user of the pool, not proof that it allocates`;
    case 'reserves':
      return `${what}; it is given to ${wayOf(follower, code)}, which holds no pool under it`;
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

function wayOf(follower: TagFollower, { call }: TagCode): string {
  if (call === null) return 'a function';
  const through = call.through.map((rva) => placeName(follower, rva));
  return `${call.allocator.name}${through.length === 0 ? '' : ` through ${through.join(', ')}`}`;
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
    instruction: textAt(follower, call.at),
    through: call.through.map((rva) => placeName(follower, rva)),
  };
}

function functionOf({ code }: TagFollower, { function: range }: TagCode): EvidenceFunction {
  const at = (rva: number): EvidenceFunction['start'] => hex(plus(code.module.base, rva));
  return { start: at(range.start), end: at(range.end), source: range.source };
}

function textAt({ code }: TagFollower, rva: number): string | null {
  return code.machine.decoder.text(code.bytes(rva, LONGEST_INSTRUCTION), plus(code.module.base, rva));
}
