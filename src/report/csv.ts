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
import { fieldsOf } from '../result/leaves.js';
import type { AnalysisResult, Count, MemoryInfo, Note, Suspect } from '../result/result.js';
import { MEMORY_PART, MODULE_ROW, OBJECT_TYPE, PROCESS, UNLOADED } from '../result/shape-machine.js';
import { EVIDENCE, POOL_TAG_ROW, SEARCHED, SUSPECT } from '../result/shape-suspects.js';
import { RESULT_SHAPE, WARNING, inOrder } from '../result/shape.js';
import { BILLED_COLUMNS, billedRows, CONTENT_COLUMNS, contentRows } from './contents-csv.js';
import { csvCell, type CsvValue } from './csv-cell.js';
import { cellsOf, columnsOf, namesOf } from './csv-columns.js';

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
  return TABLES.map(({ name, columns, rows }) => table(name, columns, rows(result)));
}

/** A table: its columns, and the rows of a result. */
interface Table {
  readonly name: string;
  /** What a row is, for docs/result.md. */
  readonly of: string;
  readonly columns: readonly string[];
  readonly rows: (result: AnalysisResult) => Row[];
}

const MODULE = columnsOf(MODULE_ROW, {
  names: { version: '' },
  last: ['version.productVersion', 'version.originalFilename', 'version.language'],
});
const ROW = columnsOf(POOL_TAG_ROW);
const UNLOADED_MODULE = columnsOf(UNLOADED);
const OF_WARNING = columnsOf(WARNING);
const OF_PROCESS = columnsOf(PROCESS);
const OF_PART = columnsOf(MEMORY_PART);
const OF_TYPE = columnsOf(OBJECT_TYPE);
/** Notes and drivers are joined, and what is of many rows stands in evidence.csv or in the JSON alone. */
const OF_SUSPECT = columnsOf(SUSPECT, { only: (shape) => shape.node === 'leaf' });
const OF_SEARCH = columnsOf(SEARCHED, {
  names: {
    ...{ modules: 'searchedModules', notTranslatable: 'notTranslatableModules' },
    ...{ pagesPresent: 'searchedPages', pagesMissing: 'missingPages' },
  },
});
const OF_EVIDENCE = columnsOf(EVIDENCE, {
  names: {
    'call.allocator': 'allocator',
    'call.kind': 'allocatorKind',
    'call.through': 'through',
    'call.throughStarts': 'throughStarts',
  },
  last: ['call', 'function'],
});

/** The tables, in the order in which they are written. */
export const TABLES: readonly Table[] = [
  {
    ...{ name: 'dump.csv', of: 'all that is no table, as `dump.bugCheck.code`', columns: ['key', 'value'] },
    rows: overview,
  },
  {
    ...{ name: 'memory.csv', of: 'one a figure; pools and page files after them' },
    columns: ['figure', 'pages', 'bytes', 'source'],
    rows: ({ memory }) => (memory ? memoryRows(memory) : []),
  },
  {
    ...{ name: 'where-memory.csv', of: 'one a part of physical memory or commit', columns: namesOf(OF_PART) },
    rows: ({ whereMemoryIs }) => (whereMemoryIs ?? []).map((part) => cellsOf(OF_PART, part)),
  },
  {
    ...{ name: 'pool-tags.csv', of: 'one a tag, all of them', columns: namesOf(ROW) },
    rows: ({ poolTags }) => (poolTags?.rows ?? []).map((row) => cellsOf(ROW, row)),
  },
  {
    ...{ name: 'modules.csv', of: 'one a module', columns: namesOf(MODULE) },
    rows: ({ modules }) => (modules ?? []).map((module) => cellsOf(MODULE, module)),
  },
  {
    ...{ name: 'unloaded-modules.csv', of: 'one a module', columns: namesOf(UNLOADED_MODULE) },
    rows: ({ unloadedModules }) => (unloadedModules ?? []).map((module) => cellsOf(UNLOADED_MODULE, module)),
  },
  {
    ...{
      name: 'suspects.csv',
      of: 'one a suspect, numbered from 1; drivers and notes joined by `; `, codes by blanks',
    },
    columns: [
      ...['suspect', ...namesOf(OF_SUSPECT)],
      ...['drivers', 'reasons', 'against', 'reasonCodes', 'againstCodes', ...namesOf(OF_SEARCH)],
    ],
    rows: ({ suspects }) => suspects.map(suspectRow),
  },
  {
    ...{ name: 'evidence.csv', of: 'one a piece of evidence; `suspect` is its number' },
    columns: ['suspect', 'tag', 'pool', 'module', 'moduleConfidence', ...namesOf(OF_EVIDENCE)],
    rows: ({ suspects }) => suspects.flatMap(evidenceRows),
  },
  {
    ...{ name: 'processes.csv', of: 'one a live process', columns: namesOf(OF_PROCESS) },
    rows: ({ processes }) => (processes?.rows ?? []).map((row) => cellsOf(OF_PROCESS, row)),
  },
  {
    ...{ name: 'object-types.csv', of: 'one a type of kernel objects', columns: namesOf(OF_TYPE) },
    rows: ({ objectTypes }) => (objectTypes ?? []).map((row) => cellsOf(OF_TYPE, row)),
  },
  {
    ...{ name: 'holders.csv', of: "one a process with handles to a suspect's objects; `suspect` is its number" },
    columns: ['suspect', 'tag', 'pool', 'type', 'pid', 'image', 'handles', 'objects', 'share', 'targets'],
    rows: ({ suspects }) => suspects.flatMap(holderRows),
  },
  {
    ...{ name: 'ended-processes.csv', of: 'one a group of ended processes of a suspect; `suspect` is its number' },
    columns: ['suspect', 'tag', 'image', 'parentImage', 'parentPid', 'count', 'firstExit', 'lastExit'],
    rows: ({ suspects }) => suspects.flatMap(endedRows),
  },
  {
    ...{ name: 'contents.csv', of: "one a finding in a suspect's blocks; `suspect` is its number" },
    columns: CONTENT_COLUMNS,
    rows: ({ suspects }) => suspects.flatMap(contentRows),
  },
  {
    ...{ name: 'billed.csv', of: "one a process that was charged for a suspect's blocks; `suspect` is its number" },
    columns: BILLED_COLUMNS,
    rows: ({ suspects }) => suspects.flatMap(billedRows),
  },
  {
    ...{ name: 'warnings.csv', of: 'one a warning', columns: namesOf(OF_WARNING) },
    rows: ({ warnings }) => warnings.map((warning) => cellsOf(OF_WARNING, warning)),
  },
];

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
  for (const [key, { nullable }] of fieldsOf(RESULT_SHAPE)) {
    if (nullable) rows.push([`sections.${key}`, whole[key] === null ? 'null' : 'present']);
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

function suspectRow(suspect: Suspect, index: number): Row {
  const messages = (notes: Note[]): string => notes.map((note) => note.message).join('; ');
  const codes = (notes: Note[]): string => notes.map((note) => note.code).join(' ');
  return [
    ...[index + 1, ...cellsOf(OF_SUSPECT, suspect)],
    suspect.drivers.map((driver) => `${driver.module} (${driver.confidence})`).join('; '),
    ...[messages(suspect.reasons), messages(suspect.against), codes(suspect.reasons), codes(suspect.against)],
    ...cellsOf(OF_SEARCH, suspect.searched),
  ];
}

function holderRows({ tag, pool, holders }: Suspect, index: number): Row[] {
  return (holders?.processes ?? []).map(({ pid, image, handles, objects, share, targets }) => [
    ...[index + 1, tag, pool, holders?.type ?? null, pid, image, handles, objects, share],
    targets.map(({ name, count: of }) => `${name} (${String(of)})`).join('; '),
  ]);
}

function endedRows({ tag, holders }: Suspect, index: number): Row[] {
  return (holders?.ended ?? []).map(({ image, parentImage, parentPid, count: of, firstExit, lastExit }) => [
    ...[index + 1, tag, image, parentImage, parentPid, of, firstExit, lastExit],
  ]);
}

function evidenceRows({ tag, pool, drivers }: Suspect, index: number): Row[] {
  return drivers.flatMap(({ module, confidence, evidence }) =>
    evidence.map((one) => [index + 1, tag, pool, module, confidence, ...cellsOf(OF_EVIDENCE, one)]),
  );
}
