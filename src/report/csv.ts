/**
 * The result as tables for `--csv DIR`: RFC 4180 with CRLF, in UTF-8 with a byte order mark - Excel takes a file without
 * one for the ANSI code page; readers of `utf-8-sig` and the like skip it.
 *
 * Every file is written at every run, with its header alone where the result has no such part, so that none in the folder
 * is left from another dump; `sections.*` in dump.csv tells an absent part (null) from an empty one. Unknown is an empty
 * cell. Text is made printable, and a cell that a spreadsheet would take for a formula begins with an apostrophe.
 */

import { stringify } from 'csv-stringify/sync';
import { MEMORY_FIELDS, count } from '../result/result.js';
import type {
  AnalysisResult,
  Count,
  Evidence,
  MemoryInfo,
  Note,
  PoolCounters,
  PoolTagRow,
  Suspect,
} from '../result/result.js';
import { csvCell, type CsvValue } from './csv-cell.js';
import { RESULT_SHAPE, inOrder } from '../result/shape.js';

/** A file of `--csv DIR`: its name and all of its text, the byte order mark included. */
export interface CsvFile {
  name: string;
  text: string;
}

/** Windows counts memory in pages of 4096 bytes on x86, x64 and ARM64. */
const PAGE_BYTES = 4096n;

export type Row = readonly CsvValue[];

/** The tables of a result, in a fixed order. docs/result.md lists their columns. */
export function csvFiles(result: AnalysisResult): CsvFile[] {
  const { poolTags, memory, modules, unloadedModules, suspects, warnings } = result;
  return [
    table('dump.csv', ['key', 'value'], overview(result)),
    table('memory.csv', ['figure', 'pages', 'bytes', 'source'], memory ? memoryRows(memory) : []),
    table('pool-tags.csv', POOL_TAG_COLUMNS, (poolTags?.rows ?? []).map(poolTagRow)),
    table(
      'modules.csv',
      [
        ...['name', 'moduleName', 'path', 'base', 'end', 'sizeOfImage', 'timeDateStamp', 'checkSum'],
        ...['pdbName', 'pdbGuid', 'pdbAge', 'fileVersion', 'productName', 'companyName', 'fileDescription'],
        ...['pagesPresent', 'pagesTotal'],
      ],
      (modules ?? []).map((m) => [
        ...[m.name, m.moduleName, m.path, m.base, m.end, m.sizeOfImage, m.timeDateStamp, m.checkSum],
        ...[m.pdb?.name ?? null, m.pdb?.guid ?? null, m.pdb?.age ?? null],
        ...[m.version?.fileVersion ?? null, m.version?.productName ?? null],
        ...[m.version?.companyName ?? null, m.version?.fileDescription ?? null],
        ...[m.pagesPresent, m.pagesTotal],
      ]),
    ),
    table(
      'unloaded-modules.csv',
      ['name', 'start', 'end', 'unloadedAt'],
      (unloadedModules ?? []).map((m) => [m.name, m.start, m.end, m.unloadedAt]),
    ),
    table('suspects.csv', SUSPECT_COLUMNS, suspects.map(suspectRow)),
    table('evidence.csv', EVIDENCE_COLUMNS, suspects.flatMap(evidenceRows)),
    table(
      'warnings.csv',
      ['code', 'where', 'message'],
      warnings.map((w) => [w.code, w.where, w.message]),
    ),
  ];
}

/** A table as a file, its header first. */
export function table(name: string, columns: readonly string[], rows: readonly Row[]): CsvFile {
  const cells = [columns, ...rows.map((row) => row.map(csvCell))];
  return { name, text: stringify(cells, { record_delimiter: '\r\n', bom: true, quoted_match: /^\s|\s$/ }) };
}

/** `run`, `dump`, `system`, `verdict` and what stands beside the rows of the other parts, as `path.to.field`, value. */
function overview(result: AnalysisResult): Row[] {
  const { memory, poolTags } = result;
  const whole = inOrder(result, RESULT_SHAPE);
  const rows: Row[] = [['schemaVersion', result.schemaVersion]];
  for (const key of ['run', 'dump', 'system', 'verdict']) flatten(key, whole[key], rows);
  for (const key of ['system', 'memory', 'poolTags', 'modules', 'unloadedModules']) {
    rows.push([`sections.${key}`, whole[key] === null ? 'null' : 'present']);
  }
  if (memory) {
    flatten('memory.poolAllocationFailures', memory.poolAllocationFailures, rows);
    flatten('memory.flags', memory.flags, rows);
  }
  if (poolTags) {
    const about = whole['poolTags'] as Record<string, unknown>;
    for (const key of Object.keys(about)) if (key !== 'rows') flatten(`poolTags.${key}`, about[key], rows);
  }
  return rows;
}

function flatten(path: string, value: unknown, rows: Row[]): void {
  if (typeof value === 'object' && value !== null) {
    for (const [key, inner] of Object.entries(value)) flatten(`${path}.${key}`, inner, rows);
  } else {
    rows.push([path, value as CsvValue]);
  }
}

function memoryRows(memory: MemoryInfo): Row[] {
  const rows: Row[] = MEMORY_FIELDS.map((field) => pageRow(field, memory[field]?.pages, memory[field]?.source));
  for (const { node, pages, nxPages, source } of memory.nonPagedPools ?? []) {
    rows.push(pageRow(`nonPagedPools.${node}`, pages, source), pageRow(`nonPagedPools.${node}.nx`, nxPages, source));
  }
  for (const { index, pages, source } of memory.pagedPools ?? []) {
    rows.push(pageRow(`pagedPools.${index}`, pages, source));
  }
  for (const [index, file] of (memory.pageFiles ?? []).entries()) {
    const name = file.path === null ? `pageFiles.${index}` : `pageFiles.${index} ${file.path}`;
    rows.push(pageRow(`${name} current`, file.currentPages), pageRow(`${name} free`, file.freePages));
    rows.push(pageRow(`${name} minimum`, file.minimumPages), pageRow(`${name} maximum`, file.maximumPages));
  }
  return rows;
}

function pageRow(figure: string, pages: Count | null | undefined, source: string | null = null): Row {
  if (pages === null || pages === undefined) return [figure, null, null, source];
  return [figure, pages, count(BigInt(pages) * PAGE_BYTES), source];
}

const POOL_TAG_COLUMNS = [
  ...['tag', 'hex', 'protected'],
  ...['nonPagedAllocs', 'nonPagedFrees', 'nonPagedOutstanding', 'nonPagedBytes'],
  ...['pagedAllocs', 'pagedFrees', 'pagedOutstanding', 'pagedBytes'],
  ...['description', 'binary', 'tagSource'],
];

function poolTagRow(row: PoolTagRow): Row {
  const counters = (c: PoolCounters): CsvValue[] => [c.allocs, c.frees, c.outstanding, c.bytes];
  return [
    ...[row.tag, row.hex, row.protected],
    ...counters(row.nonPaged),
    ...counters(row.paged),
    ...[row.description, row.binary, row.tagSource],
  ];
}

const SUSPECT_COLUMNS = [
  ...['suspect', 'tag', 'pool', 'bytes', 'outstanding', 'averageBytes', 'shareOfPool', 'shareOfMemory', 'confidence'],
  ...['drivers', 'reasons', 'against', 'reasonCodes', 'againstCodes'],
  ...['searchedModules', 'notTranslatableModules', 'searchedPages', 'missingPages'],
];

function suspectRow(suspect: Suspect, index: number): Row {
  const { searched } = suspect;
  const messages = (notes: Note[]): string => notes.map((note) => note.message).join('; ');
  const codes = (notes: Note[]): string => notes.map((note) => note.code).join(' ');
  return [
    ...[index + 1, suspect.tag, suspect.pool, suspect.bytes, suspect.outstanding, suspect.averageBytes],
    ...[suspect.shareOfPool, suspect.shareOfMemory, suspect.confidence],
    suspect.drivers.map((driver) => `${driver.module} (${driver.confidence})`).join('; '),
    ...[messages(suspect.reasons), messages(suspect.against), codes(suspect.reasons), codes(suspect.against)],
    ...[searched?.modules ?? null, searched?.notTranslatable ?? null],
    ...[searched?.pagesPresent ?? null, searched?.pagesMissing ?? null],
  ];
}

const EVIDENCE_COLUMNS = [
  ...['suspect', 'tag', 'pool', 'module', 'moduleConfidence', 'kind', 'address', 'offset', 'bytes', 'ascii'],
  ...['section', 'executable', 'symbol', 'instruction', 'callsAllocator', 'note'],
  ...[
    'callAddress',
    'allocator',
    'allocatorKind',
    'callInstruction',
    'through',
    'functionStart',
    'functionEnd',
    'functionSource',
  ],
];

function evidenceRows(suspect: Suspect, index: number): Row[] {
  return suspect.drivers.flatMap((driver) =>
    driver.evidence.map((e: Evidence) => [
      ...[index + 1, suspect.tag, suspect.pool, driver.module, driver.confidence],
      ...[e.kind, e.address, e.offset, e.bytes, e.ascii],
      ...[e.section, e.executable, e.symbol, e.instruction, e.callsAllocator, e.note],
      ...[e.call?.address ?? null, e.call?.allocator ?? null, e.call?.kind ?? null, e.call?.instruction ?? null],
      ...[e.call?.through.join('; ') ?? null],
      ...[e.function?.start ?? null, e.function?.end ?? null, e.function?.source ?? null],
    ]),
  );
}
