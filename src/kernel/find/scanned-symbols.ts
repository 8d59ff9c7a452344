/** What a search of the kernel's data adds to its symbols, and how sure that is. */

import { PAGE_SIZE, type VirtualAddress } from '../../../parsers/addresses.js';
import { failed } from '../../../parsers/bytes/failure.js';
import type { DumpHeader } from '../../../parsers/dump/header.js';
import type { VirtualMemory } from '../../../parsers/paging/virtual-memory.js';
import type { FigureSource, KernelIdentity, KernelSymbols, Sourced } from '../../../symbols/kernel-symbols.js';
import { arm64Releases } from '../../../symbols/arm64-layouts.js';
import { releasesOf } from '../../../symbols/nearest.js';
import { kernelDoes } from '../../../symbols/generations.js';
import type { Warning, WarningCode } from '../../result/result.js';
import {
  findPartition,
  findState,
  type FoundState,
  type MemoryAnchors,
  type StateSearch,
} from './find-memory-state.js';
import type { KernelImage } from '../open/locate-kernel.js';

/** Structures whose layouts follow from which release fits. */
const BELONGS = /^_M(?:I_|M)/;

interface Searched {
  readonly memory: VirtualMemory;
  readonly image: KernelImage | null;
  readonly header: DumpHeader;
  readonly identity: KernelIdentity;
  readonly symbols: KernelSymbols;
  /** A pointer field of the debugger block. */
  readonly block: (name: string) => VirtualAddress | null;
  /** A release to pass over, or null. */
  readonly without: string | null;
}

/**
 * The symbols with MiState and MiSystemPartition as far as the kernel's data tells where they are; the symbols themselves where they know or
 * nothing can be found. Every search leaves a warning that says what was found and how sure it is, or what is missing.
 */
export function withMemoryState(searched: Searched): { symbols: KernelSymbols; warnings: Warning[] } {
  const { symbols, image, identity, memory } = searched;
  const { buildNumber, architecture = 'x64' } = identity;
  const isKnown = symbols.address('MiState') !== null && symbols.address('MiSystemPartition') !== null;
  const anchors = image === null || isKnown ? null : anchorsOf(searched);
  if (!kernelDoes('hasMemoryState', buildNumber) || image === null || anchors === null) {
    return { symbols, warnings: [] };
  }
  const isArm = architecture === 'arm64';
  const releases = isArm ? arm64Releases(buildNumber) : releasesOf(buildNumber, searched.without, architecture);
  if (releases.length === 0) {
    const message = `how build ${buildNumber}${isArm ? ' on ARM64' : ''} lays out the memory manager's state is not known: ${needed(identity)}`;
    return { symbols, warnings: [warning('no-memory-layout', message)] };
  }
  const found = new Map<string, FoundState>();
  const warnings: Warning[] = [];
  const look = (name: string, search: StateSearch): void => {
    warnings.push(report(name, search, identity));
    if (!('candidates' in search)) found.set(name, search);
  };
  if (symbols.address('MiSystemPartition') === null) {
    look('MiSystemPartition', findPartition(memory, image, releases, anchors));
  }
  if (symbols.address('MiState') === null) look('MiState', findState(memory, image, releases, anchors));
  return found.size === 0 ? { symbols, warnings } : { symbols: extended(symbols, found), warnings };
}

function extended(symbols: KernelSymbols, found: ReadonlyMap<string, FoundState>): KernelSymbols {
  const state = found.get('MiState')?.release;
  const partition = found.get('MiSystemPartition')?.release;
  return {
    source: symbols.source,
    detail: `${symbols.detail} and by content`,
    poolTagTablesCapacity: symbols.poolTagTablesCapacity,
    address(name): Sourced<VirtualAddress> | null {
      const address = symbols.address(name);
      const scanned = address === null ? found.get(name) : undefined;
      return scanned === undefined ? address : { value: scanned.address, source: 'scan' };
    },
    layout(type) {
      // Each with the parts that it is made of; what both hold is the same in all releases of a build.
      const release = /^_MI_PARTITION|^_MI_VISIBLE_PARTITION/.test(type) ? (partition ?? state) : (state ?? partition);
      const value = BELONGS.test(type) ? (release?.layout(type) ?? null) : null;
      const source: FigureSource = 'nearest';
      return value === null ? symbols.layout(type) : { value, source };
    },
  };
}

function anchorsOf({ memory, header, block }: Searched): MemoryAnchors | null {
  const { physicalMemory } = header;
  if (physicalMemory === null) return null;
  const size = block('MmSizeOfPagedPoolInBytes');
  const bytes = size === null ? null : memory.readPointer(size);
  const last = physicalMemory.runs.at(-1);
  return {
    pagedPoolCommit: block('MmPagedPoolCommit'),
    pagedPoolPages: bytes === null || failed(bytes) ? null : Number(bytes) / PAGE_SIZE,
    physicalPages: physicalMemory.numberOfPages,
    highestPage: last === undefined ? null : last.basePage + last.pageCount - 1,
  };
}

function report(name: string, search: StateSearch, identity: KernelIdentity): Warning {
  if (!('candidates' in search)) {
    const { agree, compared, release } = search;
    return warning(
      'memory-state-searched',
      `no symbols tell where ${name} is; it was found by its content, at the only place where ${agree} of ${compared} compared values agree with the layouts of ${release.version}`,
    );
  }
  const { candidates } = search;
  const what =
    candidates === 0
      ? `${name} was not found: nothing in the kernel's data fits the layouts known for build ${identity.buildNumber}`
      : `${name} could not be told from other data: ${candidates} places and layouts fit`;
  return warning('memory-state-not-found', `${what}; ${needed(identity)}`);
}

/** What would decide. */
function needed({ pdb }: KernelIdentity): string {
  const file = pdb === null ? "the kernel's PDB" : `the kernel's PDB (${pdb.name}, GUID ${pdb.guid}, age ${pdb.age})`;
  return `for its figures ${file} or a profile made from it is needed`;
}

const warning = (code: WarningCode, message: string): Warning => ({ code, where: 'memory', message });
