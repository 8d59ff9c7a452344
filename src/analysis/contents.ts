/** What a dump holds, what it lacks, and what follows from that for an analysis. */

import type { Dump } from '../../parsers/dump/open-dump.js';
import type { SecondaryData } from '../../parsers/dump/secondary-data.js';
import type { LoadedModule } from '../kernel/modules/modules.js';
import type { TagTable } from '../kernel/pool/pool-tags.js';
import { percentText } from '../leak/wording.js';
import { MEMORY_FIELDS, type MemoryInfo, type Note } from '../result/result.js';

/** What was found by trying each reader. */
export interface Findings {
  dump: Dump;
  modules: readonly LoadedModule[];
  /** False where the module list is damaged so that modules may be missing. */
  modulesComplete: boolean;
  /** Unloaded drivers; null where the list is not known. */
  unloaded: number | null;
  memory: MemoryInfo | null;
  tags: TagTable | null;
  hasDebuggerBlock: boolean;
  secondaryData: SecondaryData | null;
}

/** Sentences for people. */
export interface Contents {
  present: string[];
  missing: string[];
  /** What `analyze` can say: codes `tags`, `limits`, `driver`, `growth`. */
  outlook: Note[];
}

/** Describes a dump's contents. */
export function describeContents(found: Findings): Contents {
  return { present: present(found), missing: missing(found), outlook: outlook(found) };
}

const FULL_KINDS: ReadonlySet<Dump['kind']> = new Set(['full', 'bitmap-full', 'rdmp-full']);
/** Figures that newer systems do not have, or that have no known source: their absence is no news. */
const RARE: ReadonlySet<string> = new Set(['lockedIoPages', 'specialPool', 'pagedPoolCommit', 'nonPagedPoolNxUsage', 'nonPagedPoolCommit', 'sessionCommit']); // prettier-ignore

const count = (value: number, one: string, many = `${one}s`): string => `${value} ${value === 1 ? one : many}`;

function modulePages(modules: readonly LoadedModule[]): { here: number; all: number } {
  const sum = (of: (m: LoadedModule) => number): number => modules.reduce((total, m) => total + of(m), 0);
  return { here: sum((m) => m.pagesPresent ?? 0), all: sum((m) => m.pagesTotal) };
}

function figures(memory: MemoryInfo | null): number {
  return memory === null ? 0 : MEMORY_FIELDS.filter((field) => memory[field] !== null).length;
}

function present({ dump, modules, unloaded, memory, tags, hasDebuggerBlock, secondaryData }: Findings): string[] {
  const list: string[] = [];
  if (dump.header.bugCheckCode !== null) list.push('the bug check and its parameters');
  if (modules.length > 0) {
    const { here, all } = modulePages(modules);
    const pages =
      dump.pages === null ? ', without their pages' : `, ${here} of their ${all} pages (${percentText(here, all)})`;
    list.push(`${count(modules.length, 'loaded module')}${pages}`);
  }
  if (unloaded !== null && unloaded > 0) list.push(count(unloaded, 'unloaded driver'));
  if (tags !== null) {
    const all = tags.complete ? 'all' : 'some of the';
    list.push(`${all} pool tag tables: ${count(tags.tables, 'table')}, ${count(tags.sums.rows, 'tag')}`);
  }
  const known = figures(memory);
  if (known > 0) list.push(`${known} of the ${MEMORY_FIELDS.length} memory figures of !vm`);
  if (hasDebuggerBlock) list.push('the debugger data block');
  const blocks = dump.triage?.dataBlocks.length ?? 0;
  if (blocks > 0) list.push(count(blocks, 'data block'));
  const blobs = secondaryData?.blobs.length ?? 0;
  if (blobs > 0) list.push(`${count(blobs, 'blob')} of secondary data`);
  return list;
}

function missing({
  dump,
  modules,
  modulesComplete,
  memory,
  tags,
  hasDebuggerBlock,
  secondaryData,
}: Findings): string[] {
  const list: string[] = [];
  if (dump.kind === 'header') return ['everything but the header: there is no memory in this file'];
  if (dump.kind === 'triage') {
    list.push('pool tag tables', 'memory figures', 'the code and data of the drivers', 'page tables');
  } else {
    if (modules.length === 0) list.push('the module list');
    else if (!modulesComplete) list.push('modules that the damaged module list no longer names');
    if (tags === null) list.push('pool tag tables');
    else if (!tags.complete) list.push('some pool tag tables, or pages of them');
    const lacking = MEMORY_FIELDS.filter((field) => !RARE.has(field) && (memory?.[field] ?? null) === null);
    if (lacking.length > 0) list.push(`memory figures: ${lacking.join(', ')}`);
    const { here, all } = modulePages(modules);
    if (all > here) {
      list.push(
        `${all - here} pages of modules (${percentText(all - here, all)}): paged out, discarded, or left out of the dump`,
      );
    }
    if (!FULL_KINDS.has(dump.kind) && dump.kind !== 'rdmp-kernel-user') {
      list.push('the memory of processes, which a search for pool leaks does not need');
    }
  }
  if (!hasDebuggerBlock) list.push('the debugger data block');
  if (dump.truncated) list.push('what lies behind the end of the file');
  if (secondaryData?.complete === false) list.push('some of the secondary data');
  return list;
}

function outlook({ dump, modules, memory, tags }: Findings): Note[] {
  const notes: Note[] = [];
  const note = (code: string, message: string): void => {
    notes.push({ code, message });
  };
  const usage = memory?.nonPagedPoolUsage ?? memory?.pagedPoolUsage ?? null;
  if (tags === null) {
    const why = dump.kind === 'triage' || dump.kind === 'header' ? 'this kind of dump holds no pool tables' : 'the warnings say what is in the way'; // prettier-ignore
    note('tags', `It cannot say which tag holds pool: ${why}`);
  } else if (tags.complete) note('tags', 'It can say which tag holds how much of each pool');
  else note('tags', 'It can say which tags stand in the tables that were found, but not how much they hold in all');
  if (usage !== null) note('limits', 'It can say how much pool is in use, and how near that is to the limits');
  else if (tags !== null) {
    note('limits', 'It cannot say how near pool is to its own limits, only how much of physical memory the tags hold');
  }
  const { here, all } = modulePages(modules);
  if (here > 0)
    note('driver', `It can look for a tag in the modules' code: ${percentText(here, all)} of their pages are here`);
  else note('driver', 'It cannot look for a tag in the code of drivers');
  if (tags !== null) note('growth', 'It cannot say whether anything grows: that takes a second dump, or a log');
  return notes;
}
