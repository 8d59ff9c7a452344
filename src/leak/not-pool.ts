/**
 * Memory that is in no pool: which of the parts that the kernel counts are large enough to be told, and what is known of why.
 * A driver is never accused here: that one is loaded says nothing of what it took.
 */

import { sizeText } from '../result/amount.js';
import { pagesOf } from '../result/pool.js';
import { toNumber } from '../result/result.js';
import type { Count, ModuleInfo, Pages, ProcessList } from '../result/result.js';
import type { WhereFacts } from './where-memory.js';
import { MANY_ENDED_PROCESSES, NOT_POOL_PERCENT, PAGE_BYTES } from './thresholds.js';
import { counted, list, percentText } from './wording.js';

/** A part of memory that is large. */
export interface LargePart {
  readonly kind: 'driver-locked' | 'page-tables' | 'process-locked' | 'shared' | 'modified';
  /** `page tables hold 10.0 GB (15.6 % of physical memory)`, and what is known of why. */
  readonly says: string;
  readonly pages: number;
}

/** Drivers by which a host takes memory back from a virtual machine, by file name, and whose they are. */
const BALLOONS: ReadonlyMap<string, string> = new Map([
  ['vmmemctl.sys', 'VMware'],
  ['balloon.sys', 'virtio: KVM, QEMU'],
  ['dmvsc.sys', 'Hyper-V dynamic memory'],
  ['vboxguest.sys', 'VirtualBox'],
  ['prl_memdev.sys', 'Parallels'],
]);

/** The drivers of that kind that are loaded, each with whose it is. */
export function balloonDrivers(modules: readonly ModuleInfo[] | null): string[] {
  return (modules ?? []).flatMap(({ name }) => {
    const whose = BALLOONS.get(name.toLowerCase());
    return whose === undefined ? [] : [`${name} (${whose})`];
  });
}

/** The large parts, largest first. */
export function largeParts(where: WhereFacts, modules: readonly ModuleInfo[] | null): LargePart[] {
  const { memory, parts, processes } = where;
  const physical = numberOf(memory?.physicalMemory);
  if (memory === null || physical === null || physical <= 0) return [];
  const found: LargePart[] = [];
  const add = (kind: LargePart['kind'], what: string, pages: number | null, more = ''): void => {
    if (pages === null || pages > physical || pages * 100 < physical * NOT_POOL_PERCENT) return;
    const share = percentText(pages, physical);
    found.push({ kind, pages, says: `${what} ${sizeText(pages * PAGE_BYTES)} (${share} of physical memory)${more}` });
  };
  add('driver-locked', 'drivers have allocated and locked', numberOf(parts?.mdlPages), balloonWords(modules));
  const tables = sum(numberOf(memory.sharedProcess), numberOf(parts?.systemPageTables));
  add('page-tables', 'page tables hold', tables, endedWords(processes));
  add('process-locked', 'processes have locked (AWE, large pages)', numberOf(parts?.awePages));
  add('shared', 'shared memory (sections without a file) holds', numberOf(memory.sharedCommit));
  add('modified', 'pages that wait to be written hold', numberOf(memory.modifiedPages));
  return found.sort((a, b) => b.pages - a.pages);
}

/** What ended processes keep beside the pool; null where there are few. About 44 KB each, 64 KB where page tables are doubled. */
export function keptByEnded(ended: Count | null): string | null {
  const count = toNumber(ended ?? 0);
  if (count < MANY_ENDED_PROCESSES) return null;
  const [least, most] = [44, 64].map((kilobytes) => sizeText(count * kilobytes * 1024));
  return `${counted(count, 'ended process', 'ended processes')} that are still there keep about 44 to 64 KB of page tables each: ${least} to ${most} in no pool`;
}

function endedWords(processes: ProcessList | null): string {
  const kept = keptByEnded(processes?.ended ?? null);
  return kept === null ? '' : `: ${kept}`;
}

function balloonWords(modules: readonly ModuleInfo[] | null): string {
  const loaded = balloonDrivers(modules);
  return loaded.length === 0
    ? ''
    : `; a balloon driver is loaded, ${list(loaded)}: the host may have taken that memory`;
}

const numberOf = (figure: Pages | null | undefined): number | null => {
  const pages = pagesOf(figure);
  return pages === null ? null : toNumber(pages);
};

const sum = (a: number | null, b: number | null): number | null => (a === null || b === null ? (a ?? b) : a + b);
