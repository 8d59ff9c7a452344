/** What code stores at places in the data of its image: a tag in a variable may be another one when it is read. */

import type { Followed, ImageCode } from './image/image-code.js';

/** Functions that are looked at for one place, at most. */
const MOST_FUNCTIONS = 32;
/** References by instructions that end in a constant are noted so many bytes too low. */
const CONSTANT = 4;

/** One instruction that stores at a place. */
interface Written {
  readonly followed: Followed;
  readonly set: number;
}

/** Answers for one image, each once. */
export class WrittenData {
  private readonly known = new Map<number, readonly Written[]>();

  constructor(private readonly code: ImageCode) {}

  /** What is stored at RVA `rva`, by instructions that name the place. */
  at(rva: number): readonly Written[] {
    const known = this.known.get(rva);
    if (known !== undefined) return known;
    const { code } = this;
    const found: Written[] = [];
    const done = new Set<number>();
    for (const place of code.dataReferences().between(rva - CONSTANT, rva)) {
      const range = code.functionAt(place);
      if (range === null || done.has(range.start)) continue;
      if (done.size >= MOST_FUNCTIONS) break;
      done.add(range.start);
      const followed = code.follow(range, place);
      for (const use of followed?.flow.uses ?? []) {
        if (followed !== null && use.kind === 'store' && use.place === rva) found.push({ followed, set: use.set });
      }
    }
    if (!code.work.isSpent()) this.known.set(rva, found);
    return found;
  }
}
