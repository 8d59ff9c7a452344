/** Kernel states for tests, written as few numbers: memory in pages, tags in bytes. */

import type { TagHit, TagSearch } from '../kernel/state.js';
import { virtual } from '../../parsers/addresses.js';
import { MEMORY_FIELDS, toNumber } from '../result/result.js';
import type {
  MemoryField,
  MemoryInfo,
  ModuleInfo,
  Pages,
  PoolCounters,
  PoolTagRow,
  PoolTags,
  Searched,
  Suspect,
} from '../result/result.js';
import { classifyHit, type HitJudgement } from './code/hits.js';
import { isCodeKind } from '../result/evidence-kinds.js';
import { findLeak } from './find-leak.js';
import type { LeakFacts } from './facts.js';

export const MB = 2 ** 20;
export const GB = 2 ** 30;
/** Pages of so many bytes. */
export const inPages = (bytes: number): number => Math.floor(bytes / 4096);

/** Memory totals: the figures given, all others unknown. */
export function memoryOf(figures: Partial<Record<MemoryField, number | null>>): MemoryInfo {
  const fields = Object.fromEntries(
    MEMORY_FIELDS.map((name): [MemoryField, Pages | null] => {
      const pages = figures[name] ?? null;
      return [name, pages === null ? null : { pages, source: 'profile' }];
    }),
  ) as Record<MemoryField, Pages | null>;
  return { ...fields, nonPagedPools: null, pagedPools: null, pageFiles: null, poolAllocationFailures: null, flags: [] };
}

/** One pool of a tag: outstanding allocations, bytes, and how many were freed. */
export function held(outstanding: number, bytes: number, frees = outstanding): PoolCounters {
  return { allocs: outstanding + frees, frees, outstanding, bytes: Math.round(bytes) };
}

/** A row; `binary` as in the built-in list. */
export function tagRow(
  tag: string,
  pools: { nonPaged?: PoolCounters; paged?: PoolCounters },
  binary: string | null = null,
  tagSource: PoolTagRow['tagSource'] = binary === null ? null : 'built-in',
): PoolTagRow {
  return {
    tag,
    hex: `0x${keyOf(tag).toString(16)}`,
    protected: false,
    nonPaged: pools.nonPaged ?? held(0, 0),
    paged: pools.paged ?? held(0, 0),
    description: null,
    binary,
    tagSource,
  };
}

/** The key of four characters. */
export function keyOf(tag: string): number {
  return Buffer.from(tag, 'latin1').readUInt32LE();
}

/** Tables with these rows; `rest` is what all other tags hold, in bytes. */
export function tablesOf(
  rows: PoolTagRow[],
  rest: { nonPaged?: number; paged?: number } = {},
  complete = true,
): PoolTags {
  const sum = (pick: (row: PoolTagRow) => PoolCounters): number =>
    rows.reduce((total, row) => total + toNumber(pick(row).bytes), 0);
  return {
    tables: 9,
    entries: 4097,
    source: 'profile',
    complete,
    reconciliation: { nonPaged: null, paged: null },
    totals: {
      nonPagedAllocs: 1000,
      nonPagedBytes: sum((row) => row.nonPaged) + Math.round(rest.nonPaged ?? 0),
      pagedAllocs: 1000,
      pagedBytes: sum((row) => row.paged) + Math.round(rest.paged ?? 0),
    },
    rows,
  };
}

/** Modules one behind the other, 64 KB each. */
export function modulesOf(...names: string[]): ModuleInfo[] {
  return names.map((name, index) => ({
    name,
    moduleName: name.replace(/\.\w+$/, ''),
    path: null,
    base: `0x${(0xfffff88004400000n + BigInt(index) * 0x10000n).toString(16)}`,
    end: `0x${(0xfffff88004410000n + BigInt(index) * 0x10000n).toString(16)}`,
    sizeOfImage: 0x10000,
    timeDateStamp: null,
    checkSum: null,
    pdb: null,
    version: null,
    pagesPresent: 16,
    pagesTotal: 16,
  }));
}

/** Bytes from hexadecimal, with text in quotes: `41 b8 'Leak'`. */
export function bytesOf(text: string): Uint8Array {
  const parts = text.match(/'[^']*'|[0-9a-f]{2}/gi) ?? [];
  return Uint8Array.from(
    parts.flatMap((part) =>
      part.startsWith("'") ? [...Buffer.from(part.slice(1, -1), 'latin1')] : [parseInt(part, 16)],
    ),
  );
}

/** A hit by the bytes before it and those from it on; in code unless said otherwise. */
export function hitOf(before: string, bytes: string, more: Partial<TagHit> = {}): TagHit {
  return {
    module: 0,
    address: virtual(0xfffff880044013aan),
    offset: 0x13aa,
    bytes: bytesOf(bytes).slice(0, 16),
    before: bytesOf(before).slice(-16),
    section: '.text',
    executable: true,
    protectedBit: false,
    ...more,
  };
}

/** What x64 code that allocates under a tag looks like. */
export function codeHit(tag: string, module: number, offset = 0x13aa): TagHit {
  return hitOf('33 d2 45 33 c9 49 8b d0 41 b8', `'${tag}' 3b c1 0f 42 c1 41 8d 49 fd 8b d0 ff`, { module, offset });
}

/** A tag inside a longer text in read-only data. */
export function textHit(tag: string, module: number): TagHit {
  const data = { section: '.rdata', executable: false, module, offset: 0x9000 };
  return hitOf("00 00 'Memory'", `'${tag}Detected' 00 00 00 00`, data);
}

/** The judgement of bytes as if code had been followed from them: what loads the tag gives it to an allocator. */
export function followed(hit: TagHit): HitJudgement {
  const judgement = classifyHit(hit);
  const isLoaded = isCodeKind(judgement.kind) && judgement.strength === 'medium' && hit.executable === true;
  if (!isLoaded || judgement.note.includes('compared')) return judgement;
  return { ...judgement, strength: 'high', callsAllocator: true };
}

export const SEARCHED: Searched = { modules: 150, notTranslatable: 0, pagesPresent: 20000, pagesMissing: 480 };

/** A search that finds these hits for every tag it is asked for. */
export function searchOf(hits: TagHit[], searched: Searched = SEARCHED): (keys: readonly number[]) => TagSearch {
  return (keys) => ({ hits: new Map(keys.map((key) => [key, hits])), searched });
}

/** A state in which everything is known and nothing found, but for what is given. */
export function factsOf(given: Partial<LeakFacts> = {}): LeakFacts {
  return {
    dumpType: 'kernel',
    memory: memoryOf({}),
    poolTags: tablesOf([]),
    taggingOff: false,
    modules: modulesOf('ntoskrnl.exe', 'myfault.sys'),
    modulesComplete: true,
    unloaded: [],
    bugCheck: { code: 0xe2, parameters: [0n, 0n, 0n, 0n] },
    verifier: { level: 0, drivers: [], specialPoolTag: 0 },
    readText: () => null,
    search: searchOf([]),
    links: null,
    judge: followed,
    options: {},
    ...given,
  };
}

/** The worked example: 601 allocations under Leak on Windows Server 2008 R2. */
export function workedExample(): LeakFacts {
  return factsOf({
    memory: memoryOf({
      physicalMemory: 403854,
      availablePages: 106778,
      freeSystemPtes: 33533355,
      nonPagedPoolUsage: 155371,
      nonPagedPoolMaximum: 191078,
      pagedPoolUsage: 32392,
      pagedPoolMaximum: 33554432,
      committedPages: 326464,
      commitLimit: 665998,
    }),
    poolTags: tablesOf(
      [
        tagRow('Leak', { nonPaged: held(601, 615424000, 99) }),
        tagRow('Pool', { nonPaged: held(6, 1717840) }),
        tagRow('nVsC', { nonPaged: held(664, 1531552) }),
        tagRow('Thre', { nonPaged: held(607, 774048) }, 'nt!ps'),
        tagRow('Mup ', { nonPaged: held(46, 12288), paged: held(668, 101593808) }, 'mup.sys'),
      ],
      { nonPaged: 14750224, paged: 24893952 },
    ),
    modules: modulesOf('ntoskrnl.exe', 'myfault.sys', 'rdyboost.sys'),
    search: searchOf([codeHit('Leak', 1, 0x13aa), codeHit('Leak', 1, 0x1621), textHit('Leak', 2)]),
  });
}

/** 16 GB of memory, of which a nonpaged tag holds so many bytes; the pool holds 100 MB more. */
export function oneTag(
  tag: string,
  bytes: number,
  more: Partial<LeakFacts> = {},
  outstanding = 5000,
  frees = 5000,
): LeakFacts {
  return factsOf({
    memory: memoryOf({
      physicalMemory: inPages(16 * GB),
      nonPagedPoolUsage: inPages(bytes + 100 * MB),
      nonPagedPoolMaximum: 4294967296,
      pagedPoolUsage: inPages(300 * MB),
      pagedPoolMaximum: 4294967296,
      commitLimit: inPages(20 * GB),
    }),
    poolTags: tablesOf(
      [
        tagRow(tag, { nonPaged: held(outstanding, bytes, frees) }),
        tagRow('EtwB', { nonPaged: held(300, 60 * MB) }, 'nt!etw'),
      ],
      { nonPaged: 40 * MB, paged: 300 * MB },
    ),
    modules: modulesOf('ntoskrnl.exe', 'vendor.sys'),
    search: searchOf([codeHit(tag, 1)]),
    ...more,
  });
}

/** The codes of notes, flags or warnings. */
export function codesOf(notes: readonly { code: string }[]): string[] {
  return notes.map(({ code }) => code);
}

/** The one suspect of a state. */
export function onlySuspect(facts: LeakFacts): Suspect {
  const { suspects } = findLeak(facts);
  const [suspect] = suspects;
  if (suspects.length !== 1 || !suspect) throw new Error(`${suspects.length} suspects instead of one`);
  return suspect;
}
