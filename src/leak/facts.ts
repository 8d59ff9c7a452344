/** What the leak analysis is given: the state of one dumped kernel, and ways to ask for more of it. */

import type { Follows } from '../kernel/pool/contents/decode.js';
import type { TagHit, TagSearch, VerifierState } from '../kernel/state.js';
import type {
  BlockContents,
  Confidence,
  DumpType,
  MemoryInfo,
  ModuleInfo,
  PoolKind,
  PoolTags,
  Suspect,
  UnloadedModule,
} from '../result/result.js';
import type { FunctionImports } from './candidates.js';
import type { MemoryParts } from '../kernel/memory/memory-parts.js';
import type { ModuleLinks } from './tags/tag-rules.js';
import type { HitJudgement } from './code/hits.js';
import type { ObjectFacts } from './objects/object-facts.js';

/** The state of a dumped kernel, as far as the dump holds it. Null is unknown. */
export interface LeakFacts {
  dumpType: DumpType;
  /** Build number of Windows; null or left out where it is not known. */
  build?: number | null;
  /** Its flags are not looked at. */
  memory: MemoryInfo | null;
  /** Counters of memory in no pool; null or left out where none is known. */
  parts?: MemoryParts | null;
  /** Its reconciliation is not looked at. */
  poolTags: PoolTags | null;
  /** Nothing counted the tags: pool tagging was not turned on (Windows 2000 and XP). */
  taggingOff: boolean;
  modules: readonly ModuleInfo[] | null;
  /** False where the module list is damaged: there were others that nothing names, or pages that belong to nobody. */
  modulesComplete: boolean;
  /** Modules, by their index, of which the dump contradicts itself, and the most that they may be accused with. */
  moduleDoubts?: ReadonlyMap<number, { limit: Confidence; message: string }>;
  unloaded: readonly UnloadedModule[] | null;
  /** The code as in the header, the parameters unsigned. */
  bugCheck: { code: number; parameters: readonly bigint[] } | null;
  verifier: VerifierState | null;
  /** Processes, object types and who holds what; null or left out where nothing of that is known. */
  objects?: ObjectFacts | null;
  /** A text in the dump: a UNICODE_STRING, UTF-16 or ASCII at a virtual address, or null. Only names in bug checks. */
  readText(address: bigint): string | null;
  /**
   * Searches the modules for tag keys (without the protected bit); its module indexes are those of `modules`. Called at
   * most once, with all keys that are asked for.
   */
  search(keys: readonly number[]): TagSearch;
  /**
   * What stands in blocks of tags, in order of what was wanted; left out where blocks are not looked at. Called at most
   * once, with all tags that are reported.
   */
  sample?: (wanted: readonly { readonly key: number; readonly pool: PoolKind }[]) => readonly SampledBlocks[];
  /** What the modules are linked with; null where that is not known of any. */
  links: ModuleLinks | null;
  /** Which functions the modules import; null or left out where that is not known of any. */
  functions?: FunctionImports | null;
  /** Judges one place that the search found for a key. */
  judge(hit: TagHit, key: number): HitJudgement;
  /** The same with little work, for a tag that is no suspect; `judge` when left out. */
  judgeForOwner?: (hit: TagHit, key: number) => HitJudgement;
  options: LeakOptions;
}

/** What blocks of a tag tell. Null is unknown. */
export interface SampledBlocks {
  readonly contents: BlockContents | null;
  readonly billed: Suspect['billed'];
  /** Drivers that blocks of a kind lead to; left out where none was recognized. */
  readonly follows?: readonly Follows[];
}

/** What the user asked for. */
export interface LeakOptions {
  /** A tag to report whether it looks like a leak or not: up to four characters, or its key as `0x...`. */
  tag?: string | undefined;
  /** Only this pool. */
  pool?: PoolKind | undefined;
  /** Tags whose owners are looked for; OWNED_TAGS when left out. */
  owners?: number | undefined;
}
