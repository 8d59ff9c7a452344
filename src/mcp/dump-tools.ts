/** Tools that ask one dump: each is a command of the program with its JSON, of which a page is shown. */

import { statSync } from 'node:fs';
import { sizeText } from '../result/amount.js';
import type { AnalysisResult, Warning } from '../result/result.js';
import { redactPart } from '../redact/result.js';
import type { Found, Json, JsonObject } from './answer.js';
import type { Place, Tool, Words } from './tool.js';

const TEXT = { type: 'string', minLength: 1, maxLength: 300 } as const;
const DUMP = { dump: { ...TEXT, description: 'A dump, as list_dumps calls it' } };
const TAG = { ...TEXT, maxLength: 10, description: 'A pool tag: up to four characters, or 0x and its number' };
const PART = { $ref: '#/$defs/' } as const;
const ref = (name: string): object => ({ $ref: PART.$ref + name });

type Part = { dump: { path: string }; warnings: Warning[] } & Readonly<Record<string, unknown>>;

/** Runs a command on a dump: its options, then its words, so that none of these is taken for an option. */
async function ask(
  place: Place,
  { command, options = [], words = [] }: { command: string; options?: readonly string[]; words?: readonly string[] },
  dump: string,
  signal: AbortSignal,
): Promise<Part> {
  const { path } = place.folders.dump(dump);
  const json = await place.run([command, '--json', '--quiet', '--offline', ...options, '--', path, ...words], signal);
  const part = JSON.parse(json) as Part;
  const shown = place.redactor === null ? part : redactPart(part, place.redactor);
  shown.dump.path = place.folders.dump(dump).id;
  return shown;
}

/** A value of the JSON by a path such as `poolTags.rows`; null where there is none. */
function at(part: Readonly<Record<string, unknown>>, path: string): Json {
  let value: unknown = part;
  for (const name of path.split('.')) value = (value as Readonly<Record<string, unknown>> | null)?.[name] ?? null;
  return value as Json;
}

/** Null where the list is not known. */
const rowsAt = (part: Part, path: string): readonly Json[] | null => {
  const rows = at(part, path);
  return Array.isArray(rows) ? (rows as readonly Json[]) : null;
};

const countOf = (rows: readonly Json[] | null): string =>
  rows === null ? 'not known: the warnings say why' : `${rows.length} rows`;

/** Warnings of a part, and what stands beside the rows of a list. */
function factsOf(part: Part, path: string): JsonObject {
  const [name = '', ...below] = path.split('.');
  const about = below.length === 0 ? {} : without(part[name] as Json, below);
  return { dump: part.dump.path, ...about, warnings: part.warnings as unknown as Json };
}

/** An object without the value at a path; nothing where there is no object. */
function without(value: Json, [name = '', ...below]: readonly string[]): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return {};
  const { [name]: inner, ...rest } = value as JsonObject;
  return below.length === 0 || inner === undefined ? rest : { ...rest, [name]: without(inner, below) };
}

/** A tool whose answer is one list of a command's JSON. */
function listed(
  given: Pick<Tool, 'name' | 'title' | 'description'> &
    Partial<Pick<Tool, 'takes' | 'required' | 'row'>> & {
      readonly rows: string;
      readonly command?: string;
      readonly options?: (words: Words) => string[];
      readonly words?: (words: Words) => string[];
    },
): Tool {
  const { name, title, description, rows, command = name, takes = {}, required = [], row } = given;
  return {
    ...{ name, title, description, takes: { ...DUMP, ...takes }, required: ['dump', ...required] },
    ...(row === undefined ? {} : { row }),
    answer: async (words, place, signal) => {
      const asked = { command, options: given.options?.(words) ?? [], words: given.words?.(words) ?? [] };
      const part = await ask(place, asked, String(words['dump']), signal);
      const found = rowsAt(part, rows);
      return { facts: factsOf(part, rows), rows: found, text: `${title}: ${countOf(found)}.${linesOf(found)}` };
    },
  };
}

const FEW = 8;
const linesOf = (rows: readonly Json[] | null): string => (rows ?? []).slice(0, FEW).map((row) => `\n${JSON.stringify(row).slice(0, 150)}`).join(''); // prettier-ignore

const given = (name: string, value: Words[string]): string[] => (value === undefined ? [] : [`--${name}=${String(value)}`]); // prettier-ignore
const optional = (value: Words[string]): string[] => (value === undefined ? [] : [String(value)]);

/** Parts of an analysis, by name: where their rows are, and what a row is in the schema of the result. */
const SECTIONS = {
  tags: { rows: 'poolTags.rows', row: 'poolTagRow' },
  suspects: { rows: 'suspects', row: 'suspect' },
  modules: { rows: 'modules', row: 'module' },
  unloaded: { rows: 'unloadedModules', row: 'unloadedModule' },
  processes: { rows: 'processes.rows', row: 'process' },
  objects: { rows: 'objectTypes', row: 'objectType' },
  memory: { rows: 'memory.flags', row: null },
  warnings: { rows: 'warnings', row: 'warning' },
} as const;
const SECTION_NAMES = Object.keys(SECTIONS) as (keyof typeof SECTIONS)[];

function summary(result: AnalysisResult): Found {
  const { dump, system, verdict, suspects, memory, warnings } = result;
  const count = (rows: readonly unknown[] | null | undefined): number | null => rows?.length ?? null;
  const facts = {
    ...{ dump, system, verdict, memoryFlags: memory?.flags ?? null },
    suspects: suspects.map(({ tag, key, pool, bytes, outstanding, confidence, drivers }) => ({
      ...{ tag, key, pool, bytes, outstanding, confidence },
      drivers: drivers.map(({ module, confidence: sure }) => ({ module, confidence: sure })),
    })),
    sections: {
      ...{ tags: count(result.poolTags?.rows), suspects: suspects.length, modules: count(result.modules) },
      ...{ unloaded: count(result.unloadedModules), processes: count(result.processes?.rows) },
      ...{ objects: count(result.objectTypes), memory: count(memory?.flags), warnings: warnings.length },
    },
  };
  const lines = suspects.map(({ tag, pool, bytes, confidence }) => `Suspect: tag ${tag}, ${pool} pool, ${sizeText(bytes)}, confidence ${confidence}`); // prettier-ignore
  const steps = verdict.nextSteps.map((step, i) => `${i + 1}. ${step}`);
  const judged = verdict.leakSuspected === null ? 'not decided' : verdict.leakSuspected ? 'leak suspected' : 'no leak suspected'; // prettier-ignore
  return { facts: facts as unknown as JsonObject, rows: [], text: [verdict.headline, judged, ...lines, ...steps].join('\n') }; // prettier-ignore
}

const analyze: Tool = {
  name: 'analyze',
  title: 'Analysis',
  description: `What leaks pool memory in a dump, which driver or process is behind it, how sure that is, and what to do next. Without "section" a summary; then a part at a time: ${SECTION_NAMES.join(', ')}. Confidence "low" of a driver rests on letters alone: do not accuse it.`,
  takes: {
    ...DUMP,
    section: { enum: SECTION_NAMES, description: 'A part; without it the summary' },
    tag: { ...TAG, description: 'Report on this tag, too, suspicious or not' },
  },
  required: ['dump'],
  row: { anyOf: SECTION_NAMES.map((name) => (SECTIONS[name].row === null ? { type: 'object' } : ref(SECTIONS[name].row))) }, // prettier-ignore
  facts: {
    type: 'object',
    properties: { verdict: ref('verdict'), system: { anyOf: [ref('system'), { type: 'null' }] } },
  },
  answer: async (words, place, signal) => {
    const asked = { command: 'analyze', options: given('tag', words['tag']) };
    const part = await ask(place, asked, String(words['dump']), signal);
    const section = SECTIONS[words['section'] as keyof typeof SECTIONS] as (typeof SECTIONS)[keyof typeof SECTIONS] | undefined; // prettier-ignore
    if (section === undefined) return summary(part as unknown as AnalysisResult);
    const rows = rowsAt(part, section.rows);
    return {
      facts: without(factsOf(part, section.rows), ['warnings']),
      rows,
      text: `${String(words['section'])}: ${countOf(rows)}.${linesOf(rows)}`,
    };
  },
};

const vm: Tool = {
  name: 'vm',
  title: 'Memory totals',
  description:
    'Memory and pool totals of a dump with their limits, as !vm shows them. Figures are pages of 4096 bytes.',
  takes: DUMP,
  required: ['dump'],
  facts: { type: 'object', properties: { memory: { anyOf: [ref('memory'), { type: 'null' }] } } },
  answer: async (words, place, signal) => {
    const part = await ask(place, { command: 'vm' }, String(words['dump']), signal);
    const memory = at(part, 'memory');
    const pages = (name: string): string => {
      const value = (at(part, `memory.${name}.pages`) ?? 'n/a') as string | number;
      return `${name}: ${value === 'n/a' ? value : sizeText(Number(value) * 4096)}`;
    };
    const text = ['physicalMemory', 'availablePages', 'nonPagedPoolUsage', 'pagedPoolUsage', 'committedPages', 'commitLimit'].map(pages).join('\n'); // prettier-ignore
    return { facts: { dump: part.dump.path, memory, warnings: part.warnings as unknown as Json }, rows: [], text };
  },
};

const listDumps: Tool = {
  name: 'list_dumps',
  title: 'Dumps',
  description: 'The crash dumps that can be asked about, with their sizes.',
  takes: {},
  row: {
    type: 'object',
    properties: { dump: { type: 'string' }, bytes: { type: ['integer', 'null'] }, modified: { type: ['string', 'null'] } },
    required: ['dump', 'bytes', 'modified'],
  }, // prettier-ignore
  answer: async (_words, { folders }) => {
    const rows = folders.dumps().map(({ id, path }) => {
      const status = statSync(path, { throwIfNoEntry: false });
      return { dump: id, bytes: status?.size ?? null, modified: status?.mtime.toISOString() ?? null };
    });
    const lines = rows.slice(0, FEW).map(({ dump, bytes }) => `\n${dump}  ${bytes === null ? 'n/a' : sizeText(bytes)}`); // prettier-ignore
    return Promise.resolve({ facts: {}, rows, text: `${rows.length} dumps.${lines.join('')}` });
  },
};

export const DUMP_TOOLS: readonly Tool[] = [
  listDumps,
  analyze,
  vm,
  listed({
    ...{ name: 'poolused', title: 'Pool tags', rows: 'poolTags.rows', row: ref('poolTagRow') },
    description: 'What every pool tag holds, largest first, as !poolused shows it.',
  }),
  listed({
    ...{ name: 'modules', title: 'Modules', rows: 'modules', row: ref('module') },
    description: 'Loaded drivers with versions and makers, or one by name or address, as lm shows them.',
    takes: { name: { ...TEXT, description: 'File name or a part with *' }, address: { ...TEXT, description: 'An address in it' } }, // prettier-ignore
    options: ({ address }) => given('at', address),
    words: ({ name }) => optional(name),
  }),
  listed({
    ...{ name: 'search', title: 'Search', rows: 'search.hits', required: ['tag'], takes: { tag: TAG } },
    description:
      'Where the bytes of a tag stand in the loaded drivers, as s -a finds them. A hit alone accuses nobody.',
    words: ({ tag }) => optional(tag),
  }),
  listed({
    ...{
      name: 'holders',
      title: 'Holders',
      rows: 'holdersOf.holders.processes',
      required: ['tag'],
      takes: { tag: TAG },
    },
    description: 'Who holds the objects under a tag of Windows (Proc, Toke, File, Even ...): processes by handles.',
    words: ({ tag }) => optional(tag),
  }),
  listed({
    ...{ name: 'processes', title: 'Processes', rows: 'processes.rows', row: ref('process') },
    description: 'Processes with handles and quota, and whether they have ended.',
  }),
  listed({
    ...{ name: 'handles', title: 'Handles', rows: 'handles.processes' },
    description: 'Handles counted by process and type.',
    takes: { pid: { ...TEXT, description: '4324 or 0x10e4' }, image: { ...TEXT, description: 'watchman.exe' }, type: { ...TEXT, description: 'Event' } }, // prettier-ignore
    options: ({ pid, image, type }) => [...given('pid', pid), ...given('image', image), ...given('type', type)],
  }),
  listed({
    ...{ name: 'pool', title: 'Pool page', rows: 'pool.blocks', required: ['address'] },
    description: 'Whose pool block an address is in, and its neighbours, as !pool shows it.',
    takes: { address: { ...TEXT, description: 'ffffda0ff9791010' } },
    words: ({ address }) => optional(address),
  }),
];
