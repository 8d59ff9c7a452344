/**
 * Which layouts of processes and objects to use. This kernel's own, from its PDB or its profile, come first; else those of
 * the release that the data proves: read by it, the entries of the process list must be processes - ids are multiples of
 * 4, names are text, times are times, and an object table points back to its process.
 */

import { plus, type VirtualAddress } from '../../../parsers/addresses.js';
import { failed } from '../../../parsers/bytes/failure.js';
import { u32 } from '../../../parsers/bytes/fields.js';
import type { StructLayout } from '../../../parsers/kernel/layout.js';
import { walkList } from '../../../parsers/kernel/structures.js';
import type { FigureSource, Sourced } from '../../../symbols/kernel-symbols.js';
import { objectReleases } from '../../../symbols/objects/object-layouts.js';
import type { Warning } from '../../result/result.js';
import { ProcessReader, type ProcessFields } from './process-fields.js';
import type { ObjectRoots } from './roots.js';

/** The layouts in use. */
export interface ObjectLayouts {
  /** Of `_EPROCESS`, the type that all depend on. */
  readonly source: FigureSource;
  /** One phrase for people. */
  readonly detail: string;
  readonly processes: ProcessReader;
  layout(type: string): Sourced<StructLayout> | null;
  /** Bytes from the start of a structure; null where the layout or the field is not known. */
  offset(type: string, field: string): number | null;
  readonly warnings: readonly Warning[];
}

/** Processes that are looked at: from both ends of the list. */
const SAMPLE = 12;
/** Of the processes that can be read, so many must be processes without any doubt. */
const ENOUGH = 0.8;
/** The pid of System: 8 on Windows 2000, 4 since. */
const SYSTEM_PIDS: readonly number[] = [4, 8];

interface Candidate {
  readonly source: FigureSource;
  readonly detail: string;
  readonly layout: (type: string) => StructLayout | null;
}

/** The layouts that the process list proves; null, with a warning, where none is proved. */
export function proveLayouts(roots: ObjectRoots): { layouts: ObjectLayouts | null; warnings: Warning[] } {
  const warnings: Warning[] = [];
  const warn = (message: string): void => {
    warnings.push({ code: 'process-layout-unknown', where: 'processes', message });
  };
  const sample = sampleOf(roots);
  if (sample.length === 0) {
    warn('the list of processes (PsActiveProcessHead) is not in the dump or cannot be read');
    return { layouts: null, warnings };
  }
  const own = ownCandidate(roots);
  const proved = own === null ? null : prove(roots, own, sample);
  const best = proved ?? bestRelease(roots, sample) ?? (own === null ? null : unproved(roots, own));
  if (own !== null && proved === null) {
    const used = best === null || best.candidate === own ? '' : `: ${best.candidate.detail}, are used`;
    warn(`the processes do not look as ${own.detail} has them${used}`);
  }
  if (best === null) {
    warn('no known layout of _EPROCESS fits what the list of processes holds');
    return { layouts: null, warnings };
  }
  const { candidate, reader } = best;
  const known = new Map<string, Sourced<StructLayout> | null>();
  const layout = (type: string): Sourced<StructLayout> | null => {
    let found = known.get(type);
    if (found === undefined) known.set(type, (found = lookUp(roots, candidate, type)));
    return found;
  };
  return {
    layouts: {
      source: candidate.source,
      detail: candidate.detail,
      processes: reader,
      layout,
      offset: (type, field) => layout(type)?.value.fields[field]?.offset ?? null,
      warnings,
    },
    warnings,
  };
}

/** What this kernel's PDB or profile says of a type goes before any release's layout. */
function lookUp(roots: ObjectRoots, candidate: Candidate, type: string): Sourced<StructLayout> | null {
  const own = roots.symbols.layout(type);
  const isOwn = own !== null && (own.source === 'pdb' || own.source === 'profile');
  if (isOwn && (type !== '_EPROCESS' || candidate.source === own.source)) return own;
  const value = candidate.layout(type);
  if (value !== null) {
    return { value, source: candidate.source === 'derived' ? 'derived' : 'nearest' };
  }
  return null;
}

function sampleOf(roots: ObjectRoots): VirtualAddress[] {
  const head = roots.processListHead?.value;
  if (head === undefined) return [];
  const along = (link: number): VirtualAddress[] => walkList(roots.memory, head, SAMPLE, link).entries;
  return [...new Set([...along(0), ...along(roots.memory.pointerSize)])];
}

function ownCandidate(roots: ObjectRoots): Candidate | null {
  const own = roots.symbols.layout('_EPROCESS');
  if (own === null || (own.source !== 'pdb' && own.source !== 'profile')) return null;
  const nearest = objectReleases(roots.architecture, roots.buildNumber)[0];
  return {
    source: own.source,
    detail: own.source === 'pdb' ? "the kernel's PDB" : 'the profile of this kernel',
    // A type that the PDB or the profile does not give is asked of the nearest release.
    layout: (type) => (type === '_EPROCESS' ? own.value : (nearest?.layout(type) ?? null)),
  };
}

interface Proved {
  readonly candidate: Candidate;
  readonly reader: ProcessReader;
  readonly score: number;
}

function bestRelease(roots: ObjectRoots, sample: readonly VirtualAddress[]): Proved | null {
  const releases = objectReleases(roots.architecture, roots.buildNumber);
  const sized = (layout: StructLayout | null): boolean => layout !== null && layout.size === roots.sizeOfProcess;
  const ordered = [
    ...releases.filter((release) => sized(release.layout('_EPROCESS'))),
    ...releases.filter((release) => !sized(release.layout('_EPROCESS'))),
  ];
  const tried = new Set<StructLayout>();
  let best: Proved | null = null;
  for (const release of ordered) {
    const process = release.layout('_EPROCESS');
    if (process === null || tried.has(process)) continue;
    tried.add(process);
    const found = prove(
      roots,
      {
        source: release.shifted ? 'derived' : 'nearest',
        detail: `layouts of ${release.version}, proved on the process list`,
        layout: (type) => release.layout(type),
      },
      sample,
    );
    if (found !== null && found.score > (best?.score ?? 0)) best = found;
  }
  return best;
}

/** True where the debugger block has a field elsewhere. */
export const contradicted = (roots: ObjectRoots, layout: StructLayout): boolean =>
  [...roots.knownOffsets].some(([field, offset]) => (layout.fields[field]?.offset ?? offset) !== offset);

/** What is known of exactly this kernel, where the data proves neither it nor anything else. */
function unproved(roots: ObjectRoots, own: Candidate): Proved | null {
  const layout = own.layout('_EPROCESS');
  const reader = layout === null ? null : ProcessReader.of(roots, layout);
  return reader === null ? null : { candidate: own, reader, score: 0 };
}

/** How well a layout reads the sample; null where what it reads are no processes. */
function prove(roots: ObjectRoots, candidate: Candidate, sample: readonly VirtualAddress[]): Proved | null {
  const layout = candidate.layout('_EPROCESS');
  const reader = layout === null ? null : ProcessReader.of(roots, layout);
  if (reader === null) return null;
  let readable = 0;
  let good = 0;
  let score = 0;
  for (const entry of sample) {
    const process = reader.read(reader.ofLink(entry));
    if (failed(process)) continue;
    readable++;
    if (process.doubts.length === 0 && process.image !== '') {
      good++;
      score += 2 + pointsBack(roots, candidate, process) + isSystem(process) + (process.createdAt === null ? 0 : 1);
    }
  }
  const enough = readable > 0 && good >= readable * ENOUGH;
  // Text and zeros could stand anywhere: something must tie a process to what it is.
  if (!enough || score <= good * 2) return null;
  return { candidate, reader, score: score + (contradicted(roots, reader.layout) ? 0 : good) };
}

const isSystem = (process: ProcessFields): number =>
  SYSTEM_PIDS.includes(process.pid) && process.image === 'System' && process.parentPid === 0 ? 3 : 0;

/** 3 when the handle table is of this process; -3 when it is of another one. */
function pointsBack(roots: ObjectRoots, candidate: Candidate, process: ProcessFields): number {
  if (process.objectTable === null) return 0;
  const own = roots.symbols.layout('_HANDLE_TABLE');
  const layout = own !== null && own.source !== 'nearest' ? own.value : candidate.layout('_HANDLE_TABLE');
  const at = layout?.fields['UniqueProcessId']?.offset;
  if (at === undefined) return 0;
  const id = roots.memory.read(plus(process.objectTable, at), 4);
  return failed(id) ? 0 : u32(id, 0) === process.pid ? 3 : -3;
}
