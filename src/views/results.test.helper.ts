/** Parts of results made by hand, for the tests of the text reports. */

import type {
  AnalysisResult,
  Count,
  DumpInfo,
  MemoryField,
  MemoryInfo,
  ModuleInfo,
  Pages,
  PoolTagRow,
} from '../result/result.js';
import { MEMORY_FIELDS } from '../result/result.js';

/** Memory figures by field; those not given are null. */
export function memoryOf(
  figures: Partial<Record<MemoryField, Count>>,
  rest: Partial<
    Pick<MemoryInfo, 'nonPagedPools' | 'pagedPools' | 'pageFiles' | 'poolAllocationFailures' | 'flags'>
  > = {},
): MemoryInfo {
  const pages = (count: Count | undefined): Pages | null =>
    count === undefined ? null : { pages: count, source: 'profile' };
  const fields = Object.fromEntries(MEMORY_FIELDS.map((field) => [field, pages(figures[field])])) as Record<
    MemoryField,
    Pages | null
  >;
  return {
    ...fields,
    nonPagedPools: null,
    pagedPools: null,
    pageFiles: null,
    poolAllocationFailures: null,
    flags: [],
    ...rest,
  };
}

/** A tag row: outstanding allocations and bytes of both pools; 1000 more were allocated and freed again. */
export function tagRow(
  tag: string,
  [nonPagedAllocs, nonPagedBytes, pagedAllocs, pagedBytes]: [number, Count, number, Count],
  about: Partial<Pick<PoolTagRow, 'description' | 'binary' | 'tagSource' | 'hex'>> = {},
): PoolTagRow {
  const counters = (outstanding: number, bytes: Count) =>
    outstanding === 0
      ? { allocs: 0, frees: 0, outstanding, bytes }
      : { allocs: outstanding + 1000, frees: 1000, outstanding, bytes };
  const key = Buffer.from(tag, 'latin1').readUInt32LE(0);
  return {
    tag,
    hex: `0x${key.toString(16)}`,
    protected: false,
    nonPaged: counters(nonPagedAllocs, nonPagedBytes),
    paged: counters(pagedAllocs, pagedBytes),
    description: null,
    binary: null,
    tagSource: null,
    ...about,
  };
}

export function moduleInfo(name: string, base: bigint, size: number, more: Partial<ModuleInfo> = {}): ModuleInfo {
  return {
    name,
    moduleName: name.replace(/\.[^.]*$/, ''),
    path: `\\SystemRoot\\system32\\drivers\\${name}`,
    base: `0x${base.toString(16)}`,
    end: `0x${(base + BigInt(size)).toString(16)}`,
    sizeOfImage: size,
    timeDateStamp: '0x4e8a7b1c',
    checkSum: null,
    pdb: null,
    version: null,
    pagesPresent: size / 4096,
    pagesTotal: size / 4096,
    ...more,
  };
}

export const DUMP: DumpInfo = {
  path: 'C:\\Dumps\\MEMORY.DMP',
  fileBytes: 1654202368,
  container: null,
  format: 'PAGEDU64',
  type: 'full',
  typeCode: 1,
  live: false,
  truncated: false,
  encrypted: false,
  architecture: 'x64',
  pagingLevels: 4,
  directoryTableBase: '0x187000',
  processors: 2,
  pagesPresent: 403854,
  physicalPages: 403854,
  runs: 4,
  bugCheck: { code: '0xe2', name: 'MANUALLY_INITIATED_CRASH', parameters: ['0x0', '0x0', '0x0', '0x0'] },
  systemTime: '2011-10-05T12:00:00.000Z',
  upTimeSeconds: 129600,
};

/** A dump of which next to nothing is known. */
export function bareResult(dump: Partial<DumpInfo> = {}): AnalysisResult {
  return {
    schemaVersion: '1.0',
    run: {
      tool: 'dumpleak',
      version: '0.1.0',
      startedAt: '2026-11-20T09:00:00Z',
      elapsedMs: 412,
      bytesRead: 70123520,
      options: {},
    },
    dump: {
      ...DUMP,
      typeCode: null,
      architecture: null,
      pagingLevels: null,
      directoryTableBase: null,
      processors: null,
      pagesPresent: null,
      physicalPages: null,
      runs: null,
      bugCheck: null,
      systemTime: null,
      upTimeSeconds: null,
      ...dump,
    },
    system: null,
    memory: null,
    poolTags: null,
    modules: null,
    unloadedModules: null,
    suspects: [],
    verdict: { leakSuspected: null, headline: 'Nothing can be said about pool in this dump', nextSteps: [] },
    warnings: [],
  };
}
