/**
 * The keys of the result in the order in which they are written. The types see to it that none of src/result/result.ts is left
 * out; docs/result.schema.json describes the same keys, which a test compares.
 */

import {
  MEMORY_FIELDS,
  type AnalysisResult,
  type BugCheck,
  type Evidence,
  type MemoryField,
  type Note,
  type Pages,
  type PdbIdentity,
  type PoolCounters,
  type Reconciliation,
  type SuspectDriver,
} from './result.js';

type Plain = string | number | bigint | boolean;

/** `VALUE` for a text, a number, a flag and lists of them; an object of shapes for an object and lists of it. */
export type Shape<T> = [NonNullable<T>] extends [readonly (infer Item)[]]
  ? Shape<Item>
  : [NonNullable<T>] extends [Plain]
    ? typeof VALUE
    : string extends keyof NonNullable<T>
      ? typeof SORTED
      : { readonly [Key in keyof NonNullable<T>]-?: Shape<NonNullable<T>[Key]> };

/** Any shape, for walks over it. */
export type AnyShape = typeof VALUE | typeof SORTED | { readonly [key: string]: AnyShape };

/** A value that is written as it is. */
export const VALUE = 'value';
/** An object with keys of no fixed set: written in alphabetical order. */
export const SORTED = 'sorted';

/** What `inOrder` gives: data for JSON.stringify, its keys in order. */
export type Ordered = Record<string, unknown>;

const NOTE: Shape<Note> = { code: VALUE, message: VALUE };
const PAGES: Shape<Pages> = { pages: VALUE, source: VALUE };
const PDB: Shape<PdbIdentity> = { name: VALUE, guid: VALUE, age: VALUE };
const BUG_CHECK: Shape<BugCheck> = { code: VALUE, name: VALUE, parameters: VALUE };
const COUNTERS: Shape<PoolCounters> = { allocs: VALUE, frees: VALUE, outstanding: VALUE, bytes: VALUE };
const RECONCILIATION: Shape<Reconciliation> = { tagBytes: VALUE, poolBytes: VALUE, unexplainedBytes: VALUE };

const EVIDENCE: Shape<Evidence> = {
  kind: VALUE,
  address: VALUE,
  offset: VALUE,
  bytes: VALUE,
  ascii: VALUE,
  section: VALUE,
  executable: VALUE,
  symbol: VALUE,
  instruction: VALUE,
  callsAllocator: VALUE,
  call: { address: VALUE, allocator: VALUE, kind: VALUE, instruction: VALUE, through: VALUE },
  function: { start: VALUE, end: VALUE, source: VALUE },
  note: VALUE,
};

const DRIVER: Shape<SuspectDriver> = { module: VALUE, confidence: VALUE, evidence: EVIDENCE };

/** The shape of the whole result. */
export const RESULT_SHAPE: Shape<AnalysisResult> = {
  schemaVersion: VALUE,
  run: { tool: VALUE, version: VALUE, startedAt: VALUE, elapsedMs: VALUE, bytesRead: VALUE, options: SORTED },
  dump: {
    path: VALUE,
    fileBytes: VALUE,
    container: VALUE,
    format: VALUE,
    type: VALUE,
    typeCode: VALUE,
    live: VALUE,
    truncated: VALUE,
    encrypted: VALUE,
    architecture: VALUE,
    pagingLevels: VALUE,
    directoryTableBase: VALUE,
    processors: VALUE,
    pagesPresent: VALUE,
    physicalPages: VALUE,
    runs: VALUE,
    bugCheck: BUG_CHECK,
    systemTime: VALUE,
    upTimeSeconds: VALUE,
  },
  system: {
    buildNumber: VALUE,
    version: VALUE,
    name: VALUE,
    productType: VALUE,
    buildLab: VALUE,
    machineName: VALUE,
    kernelBase: VALUE,
    kernelPdb: PDB,
    symbols: { source: VALUE, detail: VALUE },
  },
  memory: {
    ...(Object.fromEntries(MEMORY_FIELDS.map((field) => [field, PAGES])) as Record<MemoryField, typeof PAGES>),
    nonPagedPools: { node: VALUE, pages: VALUE, nxPages: VALUE, source: VALUE },
    pagedPools: { index: VALUE, pages: VALUE, source: VALUE },
    pageFiles: { path: VALUE, currentPages: VALUE, freePages: VALUE, minimumPages: VALUE, maximumPages: VALUE },
    poolAllocationFailures: { count: VALUE, source: VALUE },
    flags: { ...NOTE, value: VALUE, limit: VALUE, percent: VALUE, basis: VALUE },
  },
  poolTags: {
    tables: VALUE,
    entries: VALUE,
    source: VALUE,
    complete: VALUE,
    reconciliation: { nonPaged: RECONCILIATION, paged: RECONCILIATION },
    totals: { nonPagedAllocs: VALUE, nonPagedBytes: VALUE, pagedAllocs: VALUE, pagedBytes: VALUE },
    rows: {
      tag: VALUE,
      hex: VALUE,
      protected: VALUE,
      nonPaged: COUNTERS,
      paged: COUNTERS,
      description: VALUE,
      binary: VALUE,
      tagSource: VALUE,
    },
  },
  modules: {
    name: VALUE,
    moduleName: VALUE,
    path: VALUE,
    base: VALUE,
    end: VALUE,
    sizeOfImage: VALUE,
    timeDateStamp: VALUE,
    checkSum: VALUE,
    pdb: PDB,
    version: {
      ...{ fileVersion: VALUE, productName: VALUE, companyName: VALUE, fileDescription: VALUE },
      ...{ productVersion: VALUE, originalFilename: VALUE, language: VALUE },
    },
    pagesPresent: VALUE,
    pagesTotal: VALUE,
    timeStampKind: VALUE,
    builtAt: VALUE,
    image: { path: VALUE, pagesFilled: VALUE },
    signature: { embedded: VALUE, signer: VALUE, organization: VALUE, issuer: VALUE, note: VALUE },
  },
  unloadedModules: { name: VALUE, start: VALUE, end: VALUE, unloadedAt: VALUE },
  suspects: {
    tag: VALUE,
    pool: VALUE,
    bytes: VALUE,
    outstanding: VALUE,
    averageBytes: VALUE,
    shareOfPool: VALUE,
    shareOfMemory: VALUE,
    confidence: VALUE,
    reasons: NOTE,
    against: NOTE,
    drivers: DRIVER,
    searched: {
      modules: VALUE,
      notTranslatable: VALUE,
      pagesPresent: VALUE,
      pagesMissing: VALUE,
      pagesFromDisk: VALUE,
    },
    related: { tag: VALUE, pool: VALUE, outstanding: VALUE, ratio: VALUE },
    knownIssues: { driver: VALUE, known: VALUE, fix: VALUE, source: VALUE, file: VALUE },
  },
  verdict: { leakSuspected: VALUE, headline: VALUE, nextSteps: VALUE },
  warnings: { ...NOTE, where: VALUE },
};

/**
 * A copy of an object with its keys in the order of the shape; keys that the shape does not know follow in their own
 * order. What is undefined becomes null, a bigint a decimal string.
 */
export function inOrder(value: object, shape: AnyShape): Ordered {
  const fields = value as Ordered;
  if (typeof shape === 'string') {
    const names = Object.keys(fields);
    if (shape === SORTED) names.sort();
    return Object.fromEntries(names.map((name) => [name, ordered(fields[name], shape)]));
  }
  const result: Ordered = {};
  for (const [name, inner] of Object.entries(shape)) result[name] = ordered(fields[name], inner);
  for (const name of Object.keys(fields)) {
    if (Object.hasOwn(shape, name)) continue;
    const more = ordered(fields[name], SORTED);
    Object.defineProperty(result, name, { value: more, enumerable: true, configurable: true, writable: true });
  }
  return result;
}

function ordered(value: unknown, shape: AnyShape): unknown {
  if (value === undefined || value === null) return null;
  if (typeof value === 'bigint') return value.toString();
  if (Array.isArray(value)) return value.map((item) => ordered(item, shape));
  return typeof value === 'object' ? inOrder(value, shape) : value;
}
