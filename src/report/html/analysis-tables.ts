/** The tables of a dump's page: tags, modules, memory. */

import { MEMORY_FIELDS } from '../../result/result.js';
import type {
  AnalysisResult,
  Count,
  MemoryField,
  MemoryInfo,
  ModuleInfo,
  PoolCounters,
  PoolTagRow,
  PoolTags,
  Reconciliation,
  UnloadedModule,
} from '../../result/result.js';
import {
  counted,
  exactInteger,
  humanBytes,
  humanPages,
  percent,
  ratio,
  thousands,
  utc,
} from '../../views/print/format.js';
import { ownerOrList } from '../../views/print/tag-owner.js';
import { markup, type SafeHtml } from './safe-html.js';
import { whereLines } from '../where-memory.js';
import { dataTable, type Cell, type Column } from './table.js';

const text = (show: string | null): Cell => ({ show: show ?? '' });
const number = (value: Count | null): Cell => (value === null ? text('n/a') : { show: thousands(value) });
const bytes = (value: Count | null): Cell => ({
  show: Number(value ?? 1) === 0 ? '0' : humanBytes(value),
  sort: value,
});

function pool(group: string): Column[] {
  return [
    { title: 'Bytes', kind: 'number', group, about: 'Held when the dump was taken' },
    { title: 'Blocks', kind: 'number', group, about: 'Allocations that were not freed' },
    { title: 'Allocs', kind: 'number', group, about: 'Allocations since the system started' },
    { title: 'Frees', kind: 'number', group, about: 'Frees since the system started' },
  ];
}

/** All tags. */
export function tagTable({ poolTags, suspects }: AnalysisResult): SafeHtml | null {
  if (poolTags === null) return null;
  const suspected = new Set(suspects.map(({ tag }) => tag));
  const { totals } = poolTags;
  return dataTable({
    id: 'tag-table',
    noun: 'tags',
    caption: `${counted(poolTags.rows.length, 'pool tag')}, largest first: ${humanBytes(totals.nonPagedBytes)} nonpaged in ${counted(totals.nonPagedAllocs, 'block')}, ${humanBytes(totals.pagedBytes)} paged in ${counted(totals.pagedAllocs, 'block')}${poolTags.complete ? '' : '. Partial: not every table could be read'}`,
    columns: [
      { title: 'Tag', kind: 'text' },
      ...pool('Nonpaged'),
      ...pool('Paged'),
      {
        title: 'Owner',
        kind: 'text',
        about: 'Who allocates under the tag, on what ground and how sure; else who uses it by the tag lists',
      },
    ],
    rows: poolTags.rows.map((row) => tagCells(row, suspected.has(row.tag))),
  });
}

function tagCells(row: PoolTagRow, suspected: boolean): Cell[] {
  const counters = ({ bytes: held, outstanding, allocs, frees }: PoolCounters): Cell[] => [
    bytes(held),
    number(outstanding),
    number(allocs),
    number(frees),
  ];
  const mark = suspected && markup` <span class="badge bad">suspect</span>`;
  return [
    { show: markup`<code title="${row.hex}">${row.tag}</code>${mark}`, sort: row.tag },
    ...counters(row.nonPaged),
    ...counters(row.paged),
    { show: markup`<span class="long">${ownerOrList(row)}</span>` },
  ];
}

/** What the tags explain of each pool. */
export function reconciliationList({ reconciliation, totals }: PoolTags): SafeHtml {
  const nonPaged = reconciled('Nonpaged pool', reconciliation.nonPaged, totals.nonPagedBytes);
  return markup`<dl>${nonPaged}${reconciled('Paged pool', reconciliation.paged, totals.pagedBytes)}</dl>`;
}

function reconciled(name: string, figures: Reconciliation | null, tagged: Count): SafeHtml {
  if (figures === null) {
    return markup`<dt>${name}</dt><dd>${humanBytes(tagged)} is under tags; what the pool holds is not known</dd>`;
  }
  const rest = exactInteger(figures.unexplainedBytes);
  const share = percent(ratio(rest < 0n ? -rest : rest, figures.poolBytes));
  const verdict =
    rest < 0n
      ? `more than the pool counter says, by ${humanBytes(-rest)} (${share})`
      : rest === 0n
        ? 'all of it'
        : `${humanBytes(rest)} (${share}) is under no tag`;
  return markup`<dt>${name}</dt><dd>${humanBytes(figures.tagBytes)} of ${humanBytes(figures.poolBytes)} is under tags; ${verdict}</dd>`;
}

/** Where physical memory and commit are, as far as the kernel counts. */
export function whereTable(result: AnalysisResult): SafeHtml | null {
  const lines = whereLines(result);
  if (lines === null) return null;
  const all = lines.at(-1);
  const cells = (pages: Count | null | undefined, whole: Count | null | undefined): Cell[] =>
    pages === undefined
      ? [text(''), text('')]
      : [
          { show: humanPages(pages), sort: pages },
          { show: pages === null ? '' : percent(ratio(pages, whole ?? null)), sort: pages },
        ];
  const column = (group: string): Column[] => [
    { title: 'Size', kind: 'number', group },
    { title: 'Share', kind: 'number', group },
  ];
  return dataTable({
    id: 'where-table',
    noun: 'parts',
    caption: 'What the kernel counts, and what is left over',
    columns: [{ title: 'What', kind: 'text' }, ...column('Physical memory'), ...column('Commit')],
    rows: lines.map(({ what, physical, commit }) => [
      text(what),
      ...cells(physical, all?.physical),
      ...cells(commit, all?.commit),
    ]),
  });
}

/** All loaded modules with their versions. */
export function moduleTable({ modules, suspects }: AnalysisResult): SafeHtml | null {
  if (modules === null) return null;
  const named = new Set(
    suspects.flatMap(({ drivers }) =>
      drivers.filter(({ confidence }) => confidence !== 'low').map(({ module }) => module),
    ),
  );
  return dataTable({
    id: 'module-table',
    noun: 'modules',
    caption: `${counted(modules.length, 'loaded module')} in the order of the system's list`,
    columns: [
      { title: 'Module', kind: 'text' },
      { title: 'Version', kind: 'text' },
      { title: 'Company', kind: 'text' },
      { title: 'Description', kind: 'text' },
      { title: 'Size', kind: 'number' },
      { title: 'In the dump', kind: 'number', about: 'Pages of the module that the dump holds' },
      { title: 'Base', kind: 'text' },
      { title: 'Time stamp', kind: 'text', about: 'TimeDateStamp of the image, for a symbol server' },
      { title: 'PDB', kind: 'text' },
      { title: 'Path', kind: 'text' },
    ],
    rows: modules.map((module) => moduleCells(module, named.has(module.name))),
  });
}

function moduleCells(module: ModuleInfo, suspected: boolean): Cell[] {
  const { version, pdb } = module;
  const share = ratio(module.pagesPresent, module.pagesTotal);
  return [
    {
      show: markup`<code>${module.name}</code>${suspected && markup` <span class="badge bad">suspect</span>`}`,
      sort: module.name,
    },
    text(version?.fileVersion ?? null),
    text(version?.companyName ?? null),
    text(version?.fileDescription ?? null),
    bytes(module.sizeOfImage),
    { show: percent(share), sort: share },
    { show: markup`<code>${module.base}</code>` },
    { show: markup`<code>${module.timeDateStamp}</code>` },
    { show: pdb && markup`${pdb.name} <code>${pdb.guid}</code> ${pdb.age}` },
    { show: module.path && markup`<code class="path">${module.path}</code>` },
  ];
}

/** Modules that were unloaded before. */
export function unloadedTable(unloaded: readonly UnloadedModule[] | null): SafeHtml | null {
  if (unloaded === null || unloaded.length === 0) return null;
  return dataTable({
    id: 'unloaded-table',
    noun: 'unloaded modules',
    caption: counted(unloaded.length, 'unloaded module'),
    columns: [
      { title: 'Module', kind: 'text' },
      { title: 'Start', kind: 'text' },
      { title: 'End', kind: 'text' },
      { title: 'Unloaded', kind: 'text' },
    ],
    rows: unloaded.map(({ name, start, end, unloadedAt }) => [
      { show: markup`<code>${name}</code>` },
      { show: markup`<code>${start}</code>` },
      { show: markup`<code>${end}</code>` },
      text(unloadedAt === null ? null : utc(unloadedAt)),
    ]),
  });
}

const FIGURE_NAMES: Readonly<Record<MemoryField, string>> = {
  physicalMemory: 'Physical memory',
  availablePages: 'Available',
  residentAvailablePages: 'Resident available',
  lockedIoPages: 'Locked for I/O',
  freeSystemPtes: 'Free system PTEs',
  modifiedPages: 'Modified',
  modifiedPageFilePages: 'Modified, for a page file',
  modifiedNoWritePages: 'Modified, not to be written',
  zeroedPages: 'Zeroed',
  freePages: 'Free',
  standbyPages: 'Standby',
  nonPagedPoolUsage: 'Nonpaged pool in use',
  nonPagedPoolNxUsage: 'Nonpaged pool in use, not executable',
  nonPagedPoolMaximum: 'Nonpaged pool maximum',
  pagedPoolUsage: 'Paged pool in use',
  pagedPoolMaximum: 'Paged pool maximum',
  sessionCommit: 'Session commit',
  sharedCommit: 'Shared commit',
  specialPool: 'Special pool',
  sharedProcess: 'Shared process',
  pagedPoolCommit: 'Paged pool commit',
  nonPagedPoolCommit: 'Nonpaged pool commit',
  driverCommit: 'Driver commit',
  committedPages: 'Committed',
  commitLimit: 'Commit limit',
  peakCommitment: 'Peak commit',
};

/** The memory figures that are known, in the order of `!vm`. */
export function memoryTable(memory: MemoryInfo): SafeHtml {
  const rows = MEMORY_FIELDS.map((field) => ({ name: FIGURE_NAMES[field], figure: memory[field] }));
  const known = rows.filter(({ figure }) => figure !== null);
  const more = [
    ...(memory.nonPagedPools ?? []).map((part) => ({ ...part, name: `Nonpaged pool of node ${part.node}` })),
    ...(memory.pagedPools ?? []).map((part) => ({ ...part, name: `Paged pool ${part.index}` })),
  ];
  const cells = (name: string, pages: Count | null, source: string): Cell[] => [
    { show: name },
    { show: name.includes('PTEs') ? '' : humanPages(pages), sort: pages },
    number(pages),
    { show: source },
  ];
  return dataTable({
    id: 'memory-table',
    noun: 'figures',
    caption: 'Memory figures. A page has 4,096 bytes; the source says where a figure was found',
    columns: [
      { title: 'Figure', kind: 'text' },
      { title: 'Size', kind: 'number' },
      { title: 'Pages', kind: 'number' },
      { title: 'Source', kind: 'text' },
    ],
    rows: [
      ...known.map(({ name, figure }) => cells(name, figure?.pages ?? null, figure?.source ?? '')),
      ...more.map(({ name, pages, source }) => cells(name, pages, source)),
    ],
  });
}
