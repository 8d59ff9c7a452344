/** What is true about a built module in a given file: which pages can be read, and where tags stand in it. */

import { canonical, type Va } from '../bytes.js';
import type { BuiltModule } from './modules.js';
import { PAGE } from '../physical-memory.js';
import type { Probe } from '../reader/reader.js';
import { findTag, type Planted } from './tag-uses.js';
import type { ModuleTruth, TagHitTruth } from '../truth.js';

const EXECUTE = 0x20000000;

/** `look` tells where the page at an address is. */
export function moduleTruth(module: BuiltModule, look: (va: Va) => Probe): ModuleTruth {
  const { image } = module;
  const pagesTotal = image.size / PAGE;
  const pagesMissing: ModuleTruth['pagesMissing'] = [];
  for (let page = 0; page < pagesTotal; page++) {
    const found = look(module.base + page * PAGE);
    if ('why' in found) {
      pagesMissing.push({ rva: page * PAGE, state: module.states.get(page) ?? 'valid', why: found.why });
    }
  }
  const missing = new Set(pagesMissing.map((page) => page.rva));
  const readable = (rva: number | null): boolean => rva !== null && !missing.has(rva - (rva % PAGE));
  return {
    name: module.name,
    path: module.path,
    base: canonical(module.base),
    size: image.size,
    timeDateStamp: image.plan.timeDateStamp,
    checkSum: image.plan.checkSum,
    pdb: image.plan.pdb,
    version: image.plan.version,
    session: module.spec.session === true,
    headersReadable: readable(0),
    codeViewReadable: readable(image.codeViewRva),
    versionReadable: readable(image.versionRva),
    pagesTotal,
    pagesPresent: pagesTotal - pagesMissing.length,
    pagesMissing,
    sections: image.sections.map((s) => ({
      name: s.name,
      rva: s.rva,
      size: s.size,
      executable: (s.characteristics & EXECUTE) !== 0,
    })),
  };
}

/** Every occurrence of the tags in the module, planted or not. */
export function tagHits(module: BuiltModule, truth: ModuleTruth, tags: readonly string[]): TagHitTruth[] {
  const missing = new Map(truth.pagesMissing.map((page) => [page.rva, page.why]));
  const hits: TagHitTruth[] = [];
  const add = (tag: string, rva: number, last: number, protectedBit: boolean, planted: Planted | undefined): void => {
    const [first, end] = [rva - (rva % PAGE), last - (last % PAGE)];
    const hidden = missing.get(first) ?? missing.get(end) ?? null;
    hits.push({
      tag,
      module: module.name,
      rva,
      address: canonical(module.base + rva),
      section: module.image.sectionAt(rva)?.name ?? null,
      style: planted?.use.style ?? 'accident',
      genuine: planted?.genuine ?? false,
      protectedBit,
      straddles: first !== end,
      readable: hidden === null,
      hidden,
      ...(planted?.pair ? { second: canonical(module.base + planted.pair.secondRva) } : {}),
    });
  };
  for (const tag of tags) {
    for (const { rva, protectedBit } of findTag(module.image, tag)) {
      const planted = module.planter.planted.find((p) => p.rva === rva && p.use.tag === tag && p.pair === null);
      add(tag, rva, rva + 3, protectedBit, planted);
    }
    for (const planted of module.planter.planted) {
      if (planted.use.tag !== tag || planted.pair === null) continue;
      add(tag, planted.rva, planted.pair.secondRva, planted.use.protectedBit === true, planted);
    }
  }
  return hits.sort((a, b) => a.rva - b.rva);
}
