/** Lines of journals for tests. */

import type { BatchResult, CopyEntry, DumpEntry, FailureEntry, MachineFacts } from './entries.js';
import { FULL } from '../../report/golden/samples.js';
import type { Suspect } from '../../result/result.js';

const AT = '2026-03-01T00:00:00.000Z';

export const UNKNOWN_MACHINE: MachineFacts = {
  name: null,
  nameFrom: null,
  bootTime: null,
  bootImage: null,
  hardware: null,
};

export function failureEntry(path: string, change: Partial<FailureEntry> = {}): FailureEntry {
  return {
    ...{ kind: 'failure', at: AT, path, member: null, fileId: `f-${path}`, passed: false },
    error: { code: 'corrupt', message: `${path} is damaged` },
    ...change,
  };
}

export const copyEntry = (path: string, fileId: string): CopyEntry => ({ kind: 'copy', at: AT, path, member: null, fileId }); // prettier-ignore

export interface DumpFacts {
  id?: string;
  fileId?: string;
  headerId?: string;
  machine?: Partial<MachineFacts>;
  systemTime?: string | null;
  upTimeSeconds?: number | null;
  /** Bytes under the tag; 0 for no suspect. */
  bytes?: number;
  tag?: string;
  driver?: string | null;
  version?: string | null;
  /** The image of a process that holds what leaks. */
  process?: string;
}

/** A dump that was analyzed, with one suspect. */
export function dumpEntry(path: string, facts: DumpFacts = {}): DumpEntry {
  const {
    id = `d-${path.replaceAll(/[^\w.-]/g, '_')}`,
    bytes = 500_000_000,
    tag = 'Leak',
    driver = 'acmenet.sys',
    version = '4.2.0.17',
  } = facts;
  const zero = { allocs: 0, frees: 0, outstanding: 0, bytes: 0 };
  const suspect: Suspect = {
    ...{ tag, pool: 'nonpaged', bytes, outstanding: 1000, averageBytes: 1000, shareOfPool: 0.9, shareOfMemory: 0.1 },
    ...{ confidence: 'high', reasons: [{ code: 'dominates-pool', message: 'm' }], against: [], searched: null },
    drivers: driver === null ? [] : [{ module: driver, confidence: 'high', evidence: [] }],
  };
  const row = {
    ...{ tag, hex: '0x6b61654c', protected: false, paged: zero, description: null, binary: null, tagSource: null },
    nonPaged: { allocs: Math.ceil(bytes / 1000), frees: 0, outstanding: Math.ceil(bytes / 1000), bytes },
  };
  const full = JSON.parse(JSON.stringify({ ...FULL, modules: undefined })) as BatchResult;
  const result: DumpEntry['result'] = {
    ...full,
    run: { ...full.run, startedAt: AT },
    dump: { ...full.dump, path, systemTime: facts.systemTime ?? null, upTimeSeconds: facts.upTimeSeconds ?? null },
    poolTags: full.poolTags && { ...full.poolTags, rows: [row] },
    suspects: bytes === 0 ? [] : [suspect],
    verdict: { leakSuspected: bytes > 0, headline: bytes > 0 ? `Leak in ${path}` : 'No pool leak seen', nextSteps: [] },
  };
  if (facts.process !== undefined) {
    const nobody = { module: null, base: null, because: [] };
    result.verdict.culprit = { ...nobody, kind: 'process', process: { pid: 4324, image: facts.process }, confidence: 'high' }; // prettier-ignore
  }
  return {
    ...{ kind: 'dump', at: AT, path, member: null, id, fileId: facts.fileId ?? id, headerId: facts.headerId ?? `h-${id}` },
    machine: { ...UNKNOWN_MACHINE, ...facts.machine },
    drivers: driver === null ? [] : [{ name: driver, version, company: 'Example Devices', timeDateStamp: '0x5f000000' }],
    result,
  }; // prettier-ignore
}
