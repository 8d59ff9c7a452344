/** The part of the tag search that ARM64 needs: tags that code builds in two halves, and literals that code loads. */

import { plus } from '../../parsers/addresses.js';
import { failed } from '../../parsers/bytes/failure.js';
import { ConstantFinder, findLiteralLoads, type BuiltConstant } from '../../parsers/code/arm64.js';
import { MACHINE } from '../../parsers/dump/open-dump.js';
import { Arm64Memory } from '../../parsers/paging/arm64.js';
import { sectionAt } from '../../parsers/pe/image.js';
import type { LoadedModule } from './modules.js';
import type { TagHit } from './state.js';

/** Bytes shown from a hit on, and looked at before it. */
const AROUND = 16;
/** Constants kept a module. */
const MOST = 4096;

/** True for modules whose code is ARM64. */
export function isArm64(module: LoadedModule): boolean {
  return module.headers?.machine === MACHINE.ARM64 || module.memory instanceof Arm64Memory;
}

/**
 * Walks an ARM64 module once more after its bytes were searched. Marks those of `hits` (all of this module) that an
 * instruction loads, and gives the wanted values that code builds in halves, by value.
 */
export function searchArm64(
  module: LoadedModule,
  index: number,
  hits: readonly TagHit[],
  isWanted: (value: number) => boolean,
): { value: number; hit: TagHit }[] {
  const { memory } = module;
  if (memory === null) return [];
  const literals = literalsOf(hits);
  const finder = new ConstantFinder();
  const found: BuiltConstant[] = [];
  const keep = (constant: BuiltConstant): void => {
    if (found.length < MOST && isWanted(constant.value)) found.push(constant);
  };
  const mark = (instruction: number, literal: number): void => {
    for (const hit of literals.get(literal) ?? []) {
      if (hit.arm64) hit.arm64.loadedBy ??= plus(module.base, instruction);
    }
  };
  for (const chunk of memory.chunks(module.base, module.sizeOfImage)) {
    // Pieces end at page borders, so instructions are never cut, unless the image itself lies crooked.
    if (failed(chunk.bytes) || chunk.offset % 4 !== 0) continue;
    finder.feed(chunk.bytes, chunk.offset, keep);
    if (literals.size > 0) findLiteralLoads(chunk.bytes, chunk.offset, mark);
  }
  return found.map((constant) => ({ value: constant.value, hit: pairHit(module, index, constant) }));
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

function pairHit(module: LoadedModule, index: number, constant: BuiltConstant): TagHit {
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

/** Up to `length` bytes of a module from an offset on, ending at the first missing page. */
function available(module: LoadedModule, offset: number, length: number): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const chunk of module.memory?.chunks(plus(module.base, offset), length) ?? []) {
    if (failed(chunk.bytes)) break;
    parts.push(chunk.bytes.slice());
  }
  return Buffer.concat(parts);
}
