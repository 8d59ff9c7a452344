/** Dumps and dumpleak's own JSON results as samples. */

import { failed, Failure } from '../../../parsers/bytes/failure.js';
import { COUNTER_INDEX } from '../../../parsers/kernel/pool-tracker.js';
import { decodeText } from '../../../parsers/text/decode.js';
import { printable } from '../../../parsers/text-safety.js';
import { readMemory } from '../../kernel/memory/memory.js';
import { readModules } from '../../kernel/modules/modules.js';
import { OpenedDump, type OpenOptions } from '../../kernel/open/opened-dump.js';
import { readPoolTags } from '../../kernel/pool/pool-tags.js';
import { readMachineName } from '../../kernel/processes/machine-name.js';
import { pagesOf, poolCeiling, poolLimit, poolUsage, type MemoryFigures } from '../../result/pool.js';
import {
  MEMORY_FIELDS,
  type Count,
  type MemoryField,
  type ModuleInfo,
  type Pages,
  type PoolKind,
} from '../../result/result.js';
import { fileTimeText } from '../../result/file-time.js';
import { numberedTag } from '../../result/tag.js';
import { describeModule } from '../../kernel/modules/module-info.js';
import { counted } from './counted.js';
import { NO_FIGURES, type Collector, type Figures, type ModuleFact } from './collector.js';
import { addObjects, addProcess, addType } from './object-counts.js';
import { COMMITTED } from './read-poolmon.js';

const PAGE = 4096;

/** Takes the tag table and the memory figures of a dump. Throws InputError when it is no dump that can be read. */
export async function readDumpSample(path: string, to: Collector, options: OpenOptions = {}): Promise<Failure | null> {
  const opened = await OpenedDump.open(path, options);
  try {
    return takeDump(opened, to);
  } finally {
    opened.close();
  }
}

function takeDump(opened: OpenedDump, to: Collector): Failure | null {
  const { dump, kernel } = opened;
  const { table, warnings } = readPoolTags(kernel);
  const { memory } = readMemory(kernel);
  if (table === null && memory === null) {
    const why =
      warnings[0]?.message ??
      (dump.triage === null ? 'its kernel memory cannot be read' : 'a small dump (minidump) does not hold them');
    return new Failure('not-in-dump', `holds no pool tag table and no memory counters: ${why}`);
  }
  const time = milliseconds(dump.header.systemTime);
  const up = dump.header.systemUpTime;
  const machineName = readMachineName(kernel);
  if (machineName !== null) to.machines.add(machineName.toLowerCase());
  const figures = figuresOf(memory ?? {});
  const sums: [number, number] = [0, 0];
  const sample = to.sample({
    time,
    bootTime: time === null || up === null ? null : time - Number(up / 10_000n),
    hasTags: table !== null,
    complete: table?.complete === true,
    figures,
    tagBytes: sums,
  });
  if (table !== null) {
    const { sums: rows } = table;
    const i = COUNTER_INDEX;
    const lifetime = (row: number, counter: number): number => Number(rows.sum(row, counter));
    const held = (row: number, counter: number): number =>
      Math.max(0, Number(BigInt.asIntN(rows.width(counter), rows.sum(row, counter))));
    for (let row = 0; row < rows.rows; row++) {
      for (const pool of [0, 1] as const) {
        const [allocs, frees, bytes] =
          pool === 0
            ? [i.NonPagedAllocs, i.NonPagedFrees, i.NonPagedBytes]
            : [i.PagedAllocs, i.PagedFrees, i.PagedBytes];
        const allocated = lifetime(row, allocs);
        if (allocated === 0) continue;
        const bytesHeld = held(row, bytes);
        sums[pool] += bytesHeld;
        to.tag(sample, rows.keyOf(row), pool, allocated, lifetime(row, frees), bytesHeld);
      }
    }
  }
  addTotals(sample, figures, to);
  addObjects(kernel, sample, to);
  if (to.wantsModules) {
    const { modules } = readModules(kernel);
    to.modules = modules.length === 0 ? null : modules.map((module) => moduleFact(describeModule(module, null)));
  }
  return null;
}

function moduleFact({ name, timeDateStamp, checkSum, sizeOfImage, version }: ModuleInfo): ModuleFact {
  return { name, timeDateStamp, checkSum, sizeOfImage, fileVersion: version?.fileVersion ?? null };
}

function addTotals(sample: number, figures: Figures, to: Collector): void {
  to.poolTotal(sample, 'nonpaged', figures.nonPagedPool);
  to.poolTotal(sample, 'paged', figures.pagedPool);
  to.counter(sample, COMMITTED, figures.committed);
}

function milliseconds(fileTime: bigint | null): number | null {
  const text = fileTimeText(fileTime);
  return text === null ? null : Date.parse(text);
}

/** Figures in bytes. Maxima above all memory, or with nothing to compare them with, say nothing and are left out. */
function figuresOf(memory: MemoryFigures): Figures {
  const bytes = (pages: Count | null): number | null => (pages === null ? null : Number(pages) * PAGE);
  const bytesOf = (name: MemoryField): number | null => bytes(pagesOf(memory[name]));
  const maximum = (pool: PoolKind): number | null => {
    const limit = poolCeiling(memory, pool) === null ? null : poolLimit(memory, pool);
    return limit?.basis === 'maximum' ? bytes(limit.pages) : null;
  };
  return {
    ...NO_FIGURES,
    memory: bytesOf('physicalMemory'),
    available: bytesOf('availablePages'),
    committed: bytesOf('committedPages'),
    commitLimit: bytesOf('commitLimit'),
    nonPagedPool: bytes(poolUsage(memory, 'nonpaged')),
    pagedPool: bytes(poolUsage(memory, 'paged')),
    nonPagedMaximum: maximum('nonpaged'),
    pagedMaximum: maximum('paged'),
  };
}

/** Takes results of `dumpleak analyze --json`: one object, a list of them, or a line each (a batch). */
export function readResults(bytes: Uint8Array, name: string, to: Collector): Failure | null {
  const text = decodeText(bytes);
  if (failed(text)) return text;
  let results = 0;
  let errors = 0;
  for (const value of documents(text)) {
    if (to.full) break;
    if (takeResult(value, to)) results++;
    else errors++;
  }
  if (results === 0) return new Failure('corrupt', 'is JSON, but no result of dumpleak with pool tags');
  if (errors > 0)
    to.warn('results-unreadable', `${name}: ${counted(errors, 'line')} left out: they hold no result with pool tags`);
  return null;
}

/** Characters of one JSON document: a result of 10,000 tags has five million. As objects it takes some ten times that. */
const LARGEST_DOCUMENT = 64 * 2 ** 20;

/** The values in a text of JSON: of one document, or of one a line. */
function* documents(text: string): Generator {
  const whole = text.length > LARGEST_DOCUMENT ? undefined : parse(text);
  if (Array.isArray(whole)) yield* whole as unknown[];
  else if (whole !== undefined) yield whole;
  else {
    for (let at = 0; at < text.length;) {
      const newline = text.indexOf('\n', at);
      const end = newline < 0 ? text.length : newline;
      const line = text.slice(at, end).trim();
      if (line !== '') yield line.length > LARGEST_DOCUMENT ? undefined : parse(line);
      at = end + 1;
    }
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

type Fields = Readonly<Record<string, unknown>>;

const fieldsOf = (value: unknown): Fields | null =>
  typeof value === 'object' && value !== null ? (value as Fields) : null;

/** A count of the contract: a number, or a decimal string. */
function count(value: unknown): number | null {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  return typeof value === 'string' && /^-?\d{1,20}$/.test(value) ? Number(value) : null;
}

function takeResult(value: unknown, to: Collector): boolean {
  const result = fieldsOf(value);
  const dump = fieldsOf(result?.['dump']);
  const tags = fieldsOf(result?.['poolTags']);
  const memory = fieldsOf(result?.['memory']);
  const rows = Array.isArray(tags?.['rows']) ? (tags['rows'] as unknown[]) : [];
  if (dump === null || (rows.length === 0 && memory === null)) return false;
  const stated = typeof dump['systemTime'] === 'string' ? Date.parse(dump['systemTime']) : NaN;
  const time = Number.isNaN(stated) ? null : stated;
  const up = count(dump['upTimeSeconds']);
  const machine = fieldsOf(result?.['system'])?.['machineName'];
  if (typeof machine === 'string') to.machines.add(printable(machine).toLowerCase());
  const figures = figuresOf(
    Object.fromEntries(
      MEMORY_FIELDS.map((name): [MemoryField, Pages | null] => {
        const pages = count(fieldsOf(memory?.[name])?.['pages']);
        return [name, pages === null ? null : { pages, source: 'derived' }];
      }),
    ),
  );
  const sums: [number, number] = [0, 0];
  const sample = to.sample({
    time,
    bootTime: time === null || up === null ? null : time - up * 1000,
    hasTags: rows.length > 0,
    complete: tags?.['complete'] === true && result?.['modules'] !== undefined,
    figures,
    tagBytes: sums,
  });
  for (const row of rows) takeRow(fieldsOf(row), sample, sums, to);
  addTotals(sample, figures, to);
  takeObjects(result, sample, to);
  const modules = result?.['modules'];
  if (to.wantsModules && Array.isArray(modules))
    to.modules = (modules as unknown[]).slice(0, MOST_MODULES).flatMap(moduleOf);
  return true;
}

const MOST_MODULES = 10_000;
const MOST_PROCESSES = 100_000;

/** Counts of objects and handles, where the result has them. */
function takeObjects(result: Fields | null, sample: number, to: Collector): void {
  const listOf = (value: unknown, most: number): unknown[] => (Array.isArray(value) ? value.slice(0, most) : []);
  for (const value of listOf(result?.['objectTypes'], MOST_TYPES)) {
    const type = fieldsOf(value);
    const objects = count(type?.['objects']);
    if (typeof type?.['type'] === 'string' && objects !== null) addType(sample, type['type'], objects, to);
  }
  const processes = fieldsOf(result?.['processes']);
  const ended = count(processes?.['ended']);
  if (ended !== null && processes?.['complete'] === true) addType(sample, 'ended processes', ended, to);
  for (const value of listOf(processes?.['rows'], MOST_PROCESSES)) {
    const row = fieldsOf(value);
    const [handles, pid, image] = [count(row?.['handles']), count(row?.['pid']), row?.['image']];
    if (handles === null || pid === null || typeof image !== 'string') continue;
    const types = listOf(row?.['handleTypes'], MOST_TYPES).flatMap((one): [string, number][] => {
      const fields = fieldsOf(one);
      const of = count(fields?.['count']);
      return typeof fields?.['type'] === 'string' && of !== null ? [[fields['type'], of]] : [];
    });
    addProcess(sample, { image, pid, handles, types }, to);
  }
}

const MOST_TYPES = 256;

function moduleOf(value: unknown): ModuleFact[] {
  const module = fieldsOf(value);
  const name = module?.['name'];
  if (module === null || typeof name !== 'string') return [];
  const text = (field: unknown): string | null => (typeof field === 'string' ? field : null);
  return [
    {
      name,
      timeDateStamp: text(module['timeDateStamp']),
      checkSum: text(module['checkSum']),
      sizeOfImage: count(module['sizeOfImage']),
      fileVersion: text(fieldsOf(module['version'])?.['fileVersion']),
    },
  ];
}

function takeRow(row: Fields | null, sample: number, sums: [number, number], to: Collector): void {
  const hex = row?.['hex'];
  const key = typeof hex === 'string' ? numberedTag(hex)?.key : undefined;
  if (row === null || key === undefined) return;
  for (const pool of [0, 1] as const) {
    const counters = fieldsOf(row[pool === 0 ? 'nonPaged' : 'paged']);
    const [allocs, frees, bytes] = [
      count(counters?.['allocs']),
      count(counters?.['frees']),
      count(counters?.['bytes']),
    ];
    if (bytes === null || allocs === 0) continue;
    sums[pool] += bytes;
    to.tag(sample, key, pool, allocs ?? NaN, frees ?? NaN, bytes);
  }
}
