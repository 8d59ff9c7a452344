/**
 * The flat documents of `--ndjson`, field by field: name, type in a search engine, meaning, and where the value comes from. The
 * documents, the mapping template and the table in docs/monitoring.md are made of this. Names are lower case with
 * underscores, so that Elasticsearch makes no objects of them and Splunk quotes none.
 */

import { moduleOfDriver } from '../../result/joins.js';
import { theDriver } from '../../leak/culprit.js';
import type { AnalysisResult, Count, PoolTagRow, Suspect } from '../../result/result.js';
import { baseName } from '../../views/print/identity.js';

/** Type of the field in a mapping of Elasticsearch. */
export type FlatType = 'keyword' | 'text' | 'long' | 'double' | 'boolean' | 'date';
export type FlatValue = string | number | boolean | readonly string[] | null | undefined;

export interface FlatField<Of> {
  readonly name: string;
  readonly type: FlatType;
  readonly what: string;
  readonly of: (from: Of) => FlatValue;
}

const field = <Of>(name: string, type: FlatType, what: string, of: (from: Of) => FlatValue): FlatField<Of> => ({
  name,
  type,
  what,
  of,
});

export const FLAT_VERSION = '1.0';

/** In every document. */
export const COMMON: readonly FlatField<AnalysisResult>[] = [
  field('@timestamp', 'date', 'when the dump was made', ({ dump }) => dump.systemTime),
  field('flat_version', 'keyword', 'version of these fields', () => FLAT_VERSION),
  field('dump_path', 'keyword', 'the dump, as it was named', ({ dump }) => dump.path),
  field('dump_name', 'keyword', 'the last part of that', ({ dump }) => baseName(dump.path)),
  field('dump_type', 'keyword', '`kernel`, `full`, ...', ({ dump }) => dump.type),
  field('architecture', 'keyword', '`x64`, `x86`, `x86-pae`, `arm64`', ({ dump }) => dump.architecture),
  field('machine_name', 'keyword', "the machine's name, where the dump tells it", ({ system }) => system?.machineName),
  field('system_name', 'keyword', 'release of Windows', ({ system }) => system?.name),
  field('build_number', 'long', 'build of Windows', ({ system }) => system?.buildNumber),
  field('up_time_seconds', 'double', 'since the start of Windows', ({ dump }) => dump.upTimeSeconds),
  field('bugcheck_code', 'keyword', 'the stop code', ({ dump }) => dump.bugCheck?.code),
  field('leak_suspected', 'boolean', 'the verdict; missing where the dump cannot tell', ({ verdict }) => verdict.leakSuspected), // prettier-ignore
]; // prettier-ignore

/** In the one document of `kind` `dump`. */
export const OF_DUMP: readonly FlatField<AnalysisResult>[] = [
  field('headline', 'text', 'the verdict, for people', ({ verdict }) => verdict.headline),
  field(
    'culprit_kind',
    'keyword',
    'who is behind it: `driver`, `process`, ...',
    ({ verdict }) => verdict.culprit?.kind,
  ),
  field('culprit_driver', 'keyword', 'file name of the driver', ({ verdict }) => verdict.culprit?.module),
  field('culprit_process', 'keyword', 'image of the process', ({ verdict }) => verdict.culprit?.process?.image),
  field('culprit_confidence', 'keyword', '`high`, `medium`, `low`', ({ verdict }) => verdict.culprit?.confidence),
  field('suspect_count', 'long', 'documents of kind `suspect`', ({ suspects }) => suspects.length),
  field('tables_complete', 'boolean', 'the tables of tags are whole', ({ poolTags }) => poolTags?.complete),
  field('nonpaged_tagged_bytes', 'long', 'under all tags, where the tables are whole', whole('nonPagedBytes')),
  field('paged_tagged_bytes', 'long', 'the same of paged pool', whole('pagedBytes')),
  field('nonpaged_pool_pages', 'long', 'nonpaged pool in use', ({ memory }) => memory?.nonPagedPoolUsage?.pages),
  field('paged_pool_pages', 'long', 'paged pool in use', ({ memory }) => memory?.pagedPoolUsage?.pages),
  field('physical_pages', 'long', 'physical memory', ({ memory }) => memory?.physicalMemory?.pages),
  field('committed_pages', 'long', 'committed memory', ({ memory }) => memory?.committedPages?.pages),
  field('commit_limit_pages', 'long', 'its limit', ({ memory }) => memory?.commitLimit?.pages),
  field('warning_codes', 'keyword', 'codes of the warnings', ({ warnings }) => unique(warnings.map(({ code }) => code))), // prettier-ignore
];

/** In a document of `kind` `tag`: one a tag. */
export const OF_TAG: readonly FlatField<{ readonly result: AnalysisResult; readonly row: PoolTagRow }>[] = [
  field('tag', 'keyword', 'four characters', ({ row }) => row.tag),
  field('tag_hex', 'keyword', 'its key', ({ row }) => row.hex),
  field('tables_complete', 'boolean', 'false: the figures are not what the tag holds', ({ result }) => result.poolTags?.complete), // prettier-ignore
  field('nonpaged_allocs', 'long', 'allocations since the start', ({ row }) => row.nonPaged.allocs),
  field('nonpaged_frees', 'long', 'of them, freed', ({ row }) => row.nonPaged.frees),
  field('nonpaged_outstanding', 'long', 'allocations less frees', ({ row }) => row.nonPaged.outstanding),
  field('nonpaged_bytes', 'long', 'held in nonpaged pool', ({ row }) => row.nonPaged.bytes),
  field('paged_allocs', 'long', 'the same of paged pool', ({ row }) => row.paged.allocs),
  field('paged_frees', 'long', '', ({ row }) => row.paged.frees),
  field('paged_outstanding', 'long', '', ({ row }) => row.paged.outstanding),
  field('paged_bytes', 'long', '', ({ row }) => row.paged.bytes),
  field('description', 'text', 'what the lists of tags say', ({ row }) => row.description),
  field('binary', 'keyword', 'the file that they say uses it', ({ row }) => row.binary),
];

/** In a document of `kind` `suspect`: one a suspect. */
export const OF_SUSPECT: readonly FlatField<{
  readonly result: AnalysisResult;
  readonly suspect: Suspect;
  readonly number: number;
}>[] = [
  field('suspect', 'long', 'its number in the report, from 1', ({ number }) => number),
  field('tag', 'keyword', 'four characters', ({ suspect }) => suspect.tag),
  field('tag_hex', 'keyword', 'its key', ({ suspect }) => suspect.key),
  field('pool', 'keyword', '`nonpaged`, `paged`', ({ suspect }) => suspect.pool),
  field('bytes', 'long', 'what it holds', ({ suspect }) => suspect.bytes),
  field('outstanding', 'long', 'in so many allocations', ({ suspect }) => suspect.outstanding),
  field('share_of_pool', 'double', 'from 0 to 1', ({ suspect }) => suspect.shareOfPool),
  field('share_of_memory', 'double', 'of physical memory', ({ suspect }) => suspect.shareOfMemory),
  field('confidence', 'keyword', 'how sure the leak is', ({ suspect }) => suspect.confidence),
  field(
    'driver',
    'keyword',
    'the one driver that may be named; missing where there is none',
    (of) => named(of)?.module,
  ),
  field('driver_confidence', 'keyword', 'how sure that is', (of) => named(of)?.confidence),
  field('driver_version', 'keyword', 'its file version', (of) => ofDriver(of)?.version?.fileVersion),
  field('driver_company', 'keyword', 'who made it', (of) => ofDriver(of)?.version?.companyName),
  field('reason_codes', 'keyword', 'what speaks for a leak', ({ suspect }) => codes(suspect.reasons)),
  field('against_codes', 'keyword', 'what speaks against it', ({ suspect }) => codes(suspect.against)),
];

function whole(total: 'nonPagedBytes' | 'pagedBytes') {
  return ({ poolTags }: AnalysisResult): Count | null => (poolTags?.complete === true ? poolTags.totals[total] : null);
}

const unique = (texts: readonly string[]): string[] => [...new Set(texts)];
const codes = (notes: readonly { readonly code: string }[]): string[] => unique(notes.map(({ code }) => code));

const named = ({ suspect }: { suspect: Suspect }) => theDriver(suspect);

function ofDriver({ result, suspect }: { result: AnalysisResult; suspect: Suspect }) {
  const driver = theDriver(suspect);
  return driver === null ? null : moduleOfDriver(driver, result.modules);
}
