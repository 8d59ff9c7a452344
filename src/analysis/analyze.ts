/** The whole analysis of one dump, from an open file to the result object. */

import { plus, virtual } from '../../parsers/addresses.js';
import { failed } from '../../parsers/bytes/failure.js';
import { asciiz, utf16 } from '../../parsers/bytes/fields.js';
import { InputError } from '../../parsers/bytes/input-error.js';
import { readUnicodeString } from '../../parsers/kernel/structures.js';
import { readMemory } from '../kernel/memory/memory.js';
import { readMemoryParts } from '../kernel/memory/memory-parts.js';
import { importsOf, usesFramework } from '../kernel/modules/module-links.js';
import { exportsOf, type ExportLookup } from '../code/image/exports.js';
import { importedFunctions, type ImportedFunctions } from '../code/image/imported-functions.js';
import type { CodeWork } from '../code/flow/work.js';
import { readModules, type LoadedModule } from '../kernel/modules/modules.js';
import type { Kernel } from '../kernel/open/open-kernel.js';
import type { OpenedDump } from '../kernel/open/opened-dump.js';
import { readPoolTags } from '../kernel/pool/pool-tags.js';
import type { TagSearch } from '../kernel/state.js';
import { readSystem } from './system-info.js';
import { TagDescriptions } from '../kernel/pool/tag-descriptions.js';
import { searchTags } from '../kernel/modules/tag-search.js';
import { readUnloaded } from '../kernel/modules/unloaded.js';
import { readVerifier } from '../kernel/verifier/verifier.js';
import {
  SCHEMA_VERSION,
  taggingIsOff,
  type AnalysisResult,
  type MemoryInfo,
  type PoolKind,
  type PoolTags,
  type Warning,
} from '../result/result.js';
import { tagKey } from '../result/tag.js';
import { VERSION } from '../version.js';
import { CodeEvidence } from '../leak/code/code-evidence.js';
import { describeDump } from './dump-info.js';
import { openingWarnings } from './dump-part.js';
import { fileTimeText } from '../result/file-time.js';
import type { FunctionImports } from '../leak/candidates.js';
import type { LeakFacts, SampledBlocks } from '../leak/facts.js';
import { findLeak } from '../leak/find-leak.js';
import { memoryFlags } from '../leak/memory-flags.js';
import { issuesOf, type KnownIssueEntry } from '../leak/known-issues.js';
import { accusationLimit } from '../kernel/modules/module-doubt.js';
import { describeModule, describeUnloaded } from '../kernel/modules/module-info.js';
import { nameByExports } from './name-functions.js';
import { readObjectParts } from './objects/object-facts.js';
import { sampleTags } from './sample-blocks.js';
import { reconcile } from '../leak/code/reconcile.js';
import { describeTags } from '../leak/tags/tag-rows.js';
import type { ModuleLinks } from '../leak/tags/tag-rules.js';

/** Completes modules from elsewhere: see ImageFolders. */
export interface ModuleCompleter {
  complete(
    modules: readonly LoadedModule[],
    progress?: (done: number, total: number) => void,
  ): { modules: LoadedModule[]; warnings: Warning[] };
}

/** A part of the analysis that can be asked for alone. */
export type AnalysisPart = 'memory' | 'poolTags' | 'modules' | 'suspects';

export interface AnalyzeOptions {
  /** A tag to report on whether it looks like a leak or not: up to four characters, or `0x` and its number. */
  readonly tag?: string | undefined;
  /** Counts what following code takes, and ends it. A limit of its own when left out. */
  readonly codeWork?: CodeWork | undefined;
  /** Look for suspects in this pool only. */
  readonly pool?: PoolKind | undefined;
  /** Where tags are described; the built-in list when left out. */
  readonly descriptions?: TagDescriptions | undefined;
  /** Entries of known issues to compare suspects with. */
  readonly knownIssues?: readonly KnownIssueEntry[] | undefined;
  /** False: blocks of the suspects are not looked at. */
  readonly sampling?: boolean | undefined;
  /** Look at all blocks of the suspects instead of a sample. */
  readonly deep?: boolean | undefined;
  /** Images on disk that complete the modules. */
  readonly images?: ModuleCompleter | undefined;
  /** Read only these parts (suspects need all of them). Everything when left out. */
  readonly parts?: readonly AnalysisPart[] | undefined;
  /** Tags whose owners are looked for, the largest; 50 when left out. */
  readonly owners?: number | undefined;
  /** Called as the analysis goes on, with what is being done. */
  readonly progress?: ((step: string, done: number, total: number) => void) | undefined;
  /** Noted in `run.options` of the result. */
  readonly noted?: Record<string, unknown> | undefined;
}

/**
 * Analyzes an open dump. What is missing or damaged costs its own part of the result and leaves a warning. Throws
 * InputError only for a dump that holds nothing but a header.
 */
export function analyze(opened: OpenedDump, options: AnalyzeOptions = {}): AnalysisResult {
  if (opened.dump.kind === 'header') {
    throw new InputError(
      'header-only',
      `${opened.path} holds only a dump header (DumpType 3): there is no memory to analyze`,
    );
  }
  const wants = (part: AnalysisPart): boolean =>
    options.parts === undefined || options.parts.includes(part) || options.parts.includes('suspects');
  const step = (name: string): void => options.progress?.(name, 0, 1);
  step('kernel');
  const { kernel } = opened;
  const warnings = openingWarnings(opened);
  if (opened.dump.triage !== null) warnings.push(NO_TABLES_IN_TRIAGE);

  step('modules');
  const list = wants('modules') ? readModules(kernel) : null;
  const unloaded = wants('modules') ? readUnloaded(kernel) : null;
  warnings.push(...(list?.warnings ?? []), ...(unloaded?.warnings ?? []));
  step('images');
  const completed =
    list !== null && options.images !== undefined
      ? options.images.complete(list.modules, (done, total) => options.progress?.('images', done, total))
      : null;
  warnings.push(...(completed?.warnings ?? []));
  step('memory');
  const memory = wants('memory') ? readMemory(kernel) : null;
  warnings.push(...(memory?.warnings ?? []));
  step('pool tags');
  const tags = wants('poolTags') ? tagsOf(kernel, options.descriptions ?? new TagDescriptions()) : null;
  warnings.push(...(tags?.warnings ?? []));

  const loaded = completed?.modules ?? list?.modules ?? [];
  const modules = loaded.length === 0 ? null : loaded;
  const latest = secondsOf(fileTimeText(opened.dump.header.systemTime));
  const parts = {
    memory: memory?.memory ?? null,
    poolTags: tags?.poolTags ?? null,
    modules: modules?.map((module) => describeModule(module, latest)) ?? null,
    unloadedModules: unloaded?.drivers?.map(describeUnloaded) ?? null,
  };
  step('processes');
  const objects = wantsAll(options)
    ? readObjectParts(kernel, (done, total) => options.progress?.('handles', done, total))
    : null;
  const ofReading = {
    objects: objects?.facts ?? null,
    taggingOff: taggingIsOff(tags?.warnings ?? []),
    modulesComplete: list?.complete ?? true,
    moduleDoubts: doubtsOf(loaded),
  };
  const judged = wantsAll(options)
    ? judge(opened, { ...parts, ...ofReading }, modules ?? [], options)
    : described(parts.memory, parts.poolTags);
  nameByExports(judged.suspects, modules ?? []);
  for (const suspect of judged.suspects) {
    suspect.knownIssues = issuesOf(suspect, parts.modules ?? [], options.knownIssues ?? []);
  }
  return {
    schemaVersion: SCHEMA_VERSION,
    run: {
      tool: 'dumpleak',
      version: VERSION,
      startedAt: opened.startedAt.toISOString(),
      elapsedMs: opened.elapsedMs,
      bytesRead: opened.bytesRead,
      options: options.noted ?? {},
    },
    dump: describeDump(opened),
    system: readSystem(kernel),
    memory: parts.memory === null ? null : { ...parts.memory, flags: judged.flags },
    poolTags: parts.poolTags === null ? null : withOwners(parts.poolTags, judged),
    modules: parts.modules,
    unloadedModules: parts.unloadedModules,
    objectTypes: objects?.objectTypes ?? null,
    processes: objects?.processes() ?? null,
    whereMemoryIs: judged.whereMemoryIs,
    suspects: judged.suspects,
    verdict: judged.verdict,
    warnings: [...warnings, ...judged.warnings, ...(objects?.warnings(judged.suspects) ?? [])],
  };
}

/** The tags as they were judged: what they explain of the pools, and whose they are. */
function withOwners(poolTags: PoolTags, { reconciliation, owners }: Judged): PoolTags {
  const rows = poolTags.rows.map((row) => ({ ...row, owner: owners.get(tagKey(row)) ?? null }));
  return { ...poolTags, reconciliation, rows };
}

/** Judging needs every part. */
const wantsAll = ({ parts }: AnalyzeOptions): boolean => parts === undefined || parts.includes('suspects');

const NO_TABLES_IN_TRIAGE: Warning = {
  code: 'triage-dump',
  where: 'dump',
  message:
    'a triage dump (minidump) holds no pool tag tables and no memory counters: it cannot tell which tag or driver holds the pool',
};

type Judged = ReturnType<typeof findLeak>;

function judge(
  opened: OpenedDump,
  parts: Pick<AnalysisResult, 'memory' | 'poolTags' | 'modules' | 'unloadedModules'> &
    Pick<LeakFacts, 'taggingOff' | 'modulesComplete' | 'moduleDoubts' | 'objects'>,
  modules: readonly LoadedModule[],
  options: AnalyzeOptions,
): Judged {
  const { dump, kernel } = opened;
  const code = dump.header.bugCheckCode;
  const exports = exportsOf(modules);
  const evidence = new CodeEvidence(modules, exports, options.codeWork);
  const ofBlocks: Warning[] = [];
  const judged = findLeak({
    dumpType: dump.kind,
    build: readSystem(kernel).buildNumber,
    memory: parts.memory,
    parts: readMemoryParts(kernel),
    poolTags: parts.poolTags,
    taggingOff: parts.taggingOff,
    modulesComplete: parts.modulesComplete,
    ...(parts.moduleDoubts === undefined ? {} : { moduleDoubts: parts.moduleDoubts }),
    modules: parts.modules,
    unloaded: parts.unloadedModules,
    bugCheck: code === null ? null : { code, parameters: dump.header.bugCheckParameters },
    verifier: readVerifier(kernel),
    objects: parts.objects ?? null,
    readText: (address) => readText(kernel, address),
    search: (keys): TagSearch =>
      searchTags(modules, keys, {
        progress: (done, total) => options.progress?.('searching modules', done, total),
      }),
    sample: (wanted): readonly SampledBlocks[] => {
      if (options.sampling === false) return wanted.map(() => ({ contents: null, billed: null }));
      const progress = (done: number, total: number): void => options.progress?.('looking at blocks', done, total);
      const sampled = sampleTags(kernel, modules, wanted, { deep: options.deep, progress });
      ofBlocks.push(...sampled.warnings);
      return sampled.blocks;
    },
    links: linksOf(modules),
    functions: functionsOf(modules, exports),
    judge: (hit, key) => evidence.judge(hit, key),
    judgeForOwner: (hit, key) => evidence.judgeForOwner(hit, key),
    options: { tag: options.tag, pool: options.pool, owners: options.owners },
  });
  const cut = [
    ...(evidence.cut === 0 ? [] : [notFollowed(evidence.cut)]),
    ...(evidence.ownersCut.size === 0 ? [] : [ownersUnknown(evidence.ownersCut.size)]),
  ];
  return { ...judged, warnings: [...judged.warnings, ...cut, ...ofBlocks] };
}

function notFollowed(count: number): Warning {
  const places = count === 1 ? 'one place' : `${count} places`;
  return {
    code: 'code-not-followed',
    where: 'suspects',
    message: `the code around ${places} of a tag was not followed to the end, because that would take too long: they count with low confidence, and drivers may be missing`,
  };
}

function ownersUnknown(count: number): Warning {
  const tags = count === 1 ? 'one tag' : `${count} tags`;
  return {
    code: 'owners-not-followed',
    where: 'poolTags',
    message: `the code around ${tags} that nobody suspects was not followed to the end, because that would take too long: a driver that allocates under them may not be named`,
  };
}

/** How far modules may be accused of which the dump contradicts itself. */
function doubtsOf(modules: readonly LoadedModule[]): NonNullable<LeakFacts['moduleDoubts']> {
  const found = new Map<number, { limit: 'low' | 'medium'; message: string }>();
  for (const [place, { doubts = [] }] of modules.entries()) {
    const limit = accusationLimit(doubts);
    if (limit !== null) found.set(place, { limit, message: doubts.map(({ message }) => message).join('; ') });
  }
  return found;
}

function secondsOf(time: string | null): number | null {
  return time === null ? null : Date.parse(time) / 1000;
}

/** Reads what a module is linked with when it is asked for, and once. */
function linksOf(modules: readonly LoadedModule[]): ModuleLinks {
  const imports = new Map<number, ReadonlySet<string> | null>();
  const frameworks = new Map<number, boolean | null>();
  return {
    importsOf: (module) => once(imports, module, modules, importsOf),
    usesFramework: (module) => once(frameworks, module, modules, usesFramework),
  };
}

/** Reads what functions a module imports when it is asked for, and once. */
function functionsOf(modules: readonly LoadedModule[], exports: ExportLookup): FunctionImports {
  const known = new Map<number, ImportedFunctions | null>();
  return { functionsOf: (place) => once(known, place, modules, (module) => importedFunctions(module, exports)) };
}

function once<T>(
  known: Map<number, T | null>,
  place: number,
  modules: readonly LoadedModule[],
  read: (module: LoadedModule) => T | null,
): T | null {
  const module = modules[place];
  if (module && !known.has(place)) known.set(place, read(module));
  return known.get(place) ?? null;
}

/** Flags and reconciliation alone, for commands that name nobody. */
function described(memory: MemoryInfo | null, poolTags: PoolTags | null): Judged {
  const reading = memoryFlags(memory, poolTags);
  return {
    flags: reading.flags,
    reconciliation: reconcile(poolTags, memory),
    suspects: [],
    owners: new Map(),
    whereMemoryIs: null,
    verdict: {
      ...{ leakSuspected: null, headline: 'Not judged: only parts of the dump were read', nextSteps: [] },
      ...{ culprit: null, recipe: null },
    },
    warnings: reading.warnings,
  };
}

function tagsOf(kernel: Kernel, descriptions: TagDescriptions): { poolTags: PoolTags | null; warnings: Warning[] } {
  const { table, warnings } = readPoolTags(kernel);
  if (table === null) return { poolTags: null, warnings };
  const described = describeTags(table, descriptions);
  return { poolTags: described.poolTags, warnings: [...warnings, ...described.warnings] };
}

/** Longest text that a bug check parameter points at, in bytes. */
const LONGEST_TEXT = 520;

/** A UNICODE_STRING, UTF-16 or ASCII text at an address: whichever reads as a name. */
function readText(kernel: Kernel, address: bigint): string | null {
  const { memory } = kernel;
  if (memory === null) return null;
  const at = virtual(address);
  const descriptor = memory.read(at, 16);
  const text = failed(descriptor) ? descriptor : readUnicodeString(memory, descriptor, 0);
  if (!failed(text) && isName(text)) return text;
  const room = Math.min(LONGEST_TEXT, 4096 - Number(at & 0xfffn));
  const first = memory.read(at, room);
  if (failed(first)) return null;
  const rest = memory.read(plus(at, room), LONGEST_TEXT - room);
  const bytes = failed(rest) ? first : Buffer.concat([first, rest]);
  const wide = utf16(bytes, 0, bytes.length & ~1).split('\0')[0] ?? '';
  if (isName(wide)) return wide;
  const narrow = asciiz(bytes, 0, bytes.length);
  return isName(narrow) ? narrow : null;
}

const isName = (text: string): boolean => /^[\x20-\x7e]{3,260}$/.test(text);
