/** The part of the tag search that ARM64 needs: tags that code builds in two halves, and literals that code loads. */

import { plus } from '../../../parsers/addresses.js';
import { failed } from '../../../parsers/bytes/failure.js';
import {
  ConstantFinder,
  findLiteralLoads,
  FURTHEST,
  LowHalves,
  type BuiltConstant,
} from '../../../parsers/code/arm64.js';
import { MACHINE } from '../../../parsers/dump/open-dump.js';
import { Arm64Memory } from '../../../parsers/paging/arm64.js';
import { sectionAt } from '../../../parsers/pe/image.js';
import type { LoadedModule } from './modules.js';
import { available, presentAround } from './module-pieces.js';
import type { TagHit } from '../state.js';

/** Bytes shown from a hit on, and looked at before it. */
const AROUND = 16;
/** Constants kept a module. */
const MOST = 4096;
/** Values that are searched for each on its own: for more, one look at every instruction is faster. */
const MOST_NATIVE = 8;
/** Places in one piece that are not looked at one by one. */
const MANY = 32;
const INSTRUCTION = 4;
/** Bytes from one half of a constant to the other, at most. */
const REACH = FURTHEST * INSTRUCTION;

/** True for modules whose code is ARM64. */
export function isArm64(module: LoadedModule): boolean {
  return module.headers?.machine === MACHINE.ARM64 || module.memory instanceof Arm64Memory;
}

/** Finds the wanted values that the code of an ARM64 module builds in halves. Fed with pieces in ascending order. */
export class PairSearch {
  /** In the order of their second instructions, where pieces came in ascending order. */
  private readonly found: BuiltConstant[] = [];
  private all = new ConstantFinder();
  private end = 0;
  private readonly few: LowHalves | null;

  constructor(
    private readonly module: LoadedModule,
    private readonly wanted: ReadonlySet<number>,
  ) {
    this.few = LowHalves.of(wanted, MOST_NATIVE);
  }

  /** True for values whose pieces may come in any order. */
  static isAnyOrder(wanted: ReadonlySet<number>): boolean {
    return LowHalves.of(wanted, MOST_NATIVE) !== null;
  }

  /** What was found, in the order of the second instructions. */
  inOrder(): readonly BuiltConstant[] {
    return [...this.found].sort((a, b) => a.second - b.second);
  }

  feed(bytes: Buffer, offset: number): void {
    // Pieces end at page borders, so instructions are never cut, unless the image itself lies crooked.
    if (offset % INSTRUCTION !== 0 || this.found.length >= MOST) return;
    if (this.few === null) {
      // Nothing is built across a gap.
      if (offset !== this.end) this.all = new ConstantFinder();
      this.end = offset + bytes.length;
      this.all.feed(bytes, offset, this.keep);
      return;
    }
    const places = this.few.find(bytes).map((at) => offset + at);
    const groups = places.length > MANY ? [places] : places.map((place) => [place]);
    const found = groups.flatMap((group) => this.around(group)).sort((x, y) => x.second - y.second);
    for (const constant of found) this.keep(constant);
  }

  private readonly keep = (constant: BuiltConstant): void => {
    if (this.found.length < MOST && this.wanted.has(constant.value)) this.found.push(constant);
  };

  /** Constants of which one of the instructions at some offsets is a part. */
  private around(places: readonly number[]): BuiltConstant[] {
    const first = places.reduce((low, place) => Math.min(low, place));
    const last = places.reduce((high, place) => Math.max(high, place));
    const { bytes, at } = presentAround(this.module, first, REACH, last - first + REACH + INSTRUCTION);
    const meant = new Set(places);
    const constants: BuiltConstant[] = [];
    const crooked = at % INSTRUCTION;
    new ConstantFinder().feed(bytes.subarray(crooked), first - at + crooked, (constant) => {
      if (meant.has(constant.first) || meant.has(constant.second)) constants.push(constant);
    });
    return constants;
  }
}

/** Marks those of `hits` (all of this module) that an ARM64 instruction loads. */
export function markLiterals(module: LoadedModule, hits: readonly TagHit[]): void {
  const { memory } = module;
  const literals = literalsOf(hits);
  if (memory === null || literals.size === 0) return;
  const mark = (instruction: number, literal: number): void => {
    for (const hit of literals.get(literal) ?? []) {
      if (hit.arm64) hit.arm64.loadedBy ??= plus(module.base, instruction);
    }
  };
  for (const chunk of memory.chunks(module.base, module.sizeOfImage)) {
    if (failed(chunk.bytes) || chunk.offset % INSTRUCTION !== 0) continue;
    findLiteralLoads(chunk.bytes, chunk.offset, mark);
  }
}

/** Hits that can be literals: on 4-byte borders, and not in a section that is known to hold no code. */
function literalsOf(hits: readonly TagHit[]): Map<number, TagHit[]> {
  const literals = new Map<number, TagHit[]>();
  for (const hit of hits) {
    hit.arm64 = { pair: null, loadedBy: null };
    if (hit.offset % 4 !== 0 || hit.executable === false) continue;
    const list = literals.get(hit.offset);
    if (list === undefined) literals.set(hit.offset, [hit]);
    else list.push(hit);
  }
  return literals;
}

/** The hit of a constant in two halves. */
export function pairHit(module: LoadedModule, index: number, constant: BuiltConstant): TagHit {
  const { first, second, register } = constant;
  const section = module.headers === null ? null : sectionAt(module.headers, first);
  return {
    module: index,
    address: plus(module.base, first),
    offset: first,
    bytes: available(module, first, AROUND),
    before: first < AROUND ? new Uint8Array(0) : available(module, first - AROUND, AROUND),
    section: section?.name ?? null,
    executable: section?.executable ?? null,
    protectedBit: false,
    arm64: { pair: { second: plus(module.base, second), register }, loadedBy: null },
  };
}
