/** Searching a dump's modules for a tag or for bytes, without judging: `dumpleak search`. */

import { readModules } from '../kernel/modules/modules.js';
import type { OpenedDump } from '../kernel/open/opened-dump.js';
import type { TagHit } from '../kernel/state.js';
import { readSystem } from './system-info.js';
import { searchBytes, searchTags } from '../kernel/modules/tag-search.js';
import type { DumpInfo, ModuleInfo, Searched, SystemInfo, Warning } from '../result/result.js';
import { describeDump } from './dump-info.js';
import { openingWarnings } from './dump-part.js';
import { describeModule } from '../kernel/modules/module-info.js';

export interface SearchResult {
  dump: DumpInfo;
  system: SystemInfo;
  modules: ModuleInfo[];
  /** In order of module and address; `module` is an index into `modules`. */
  hits: TagHit[];
  searched: Searched;
  warnings: Warning[];
}

/** Finds a tag (its key, also with the protected bit) or any bytes in the pages of all modules. */
export function searchModules(
  opened: OpenedDump,
  wanted: { readonly tag: number } | { readonly bytes: Uint8Array },
  progress?: (step: string, done: number, total: number) => void,
): SearchResult {
  const { modules, warnings } = readModules(opened.kernel);
  const options = { progress: (done: number, total: number) => progress?.('searching modules', done, total) };
  const found =
    'bytes' in wanted ? searchBytes(modules, wanted.bytes, options) : searchTags(modules, [wanted.tag], options);
  return {
    dump: describeDump(opened),
    system: readSystem(opened.kernel),
    modules: modules.map((module) => describeModule(module, null)),
    hits: found.hits instanceof Map ? [...found.hits.values()].flat() : found.hits,
    searched: found.searched,
    warnings: [...openingWarnings(opened), ...warnings],
  };
}
