/**
 * The process that was current when the system crashed, from the copies in a triage dump: of the thread, and of its
 * process. They are of one piece when the thread says that it belongs to that process.
 */

import { fileOffset, virtual, type VirtualAddress } from '../../../parsers/addresses.js';
import { u32, u64 } from '../../../parsers/bytes/fields.js';
import type { StructLayout } from '../../../parsers/kernel/layout.js';
import type { FigureSource } from '../../../symbols/kernel-symbols.js';
import { objectReleases } from '../../../symbols/objects/object-layouts.js';
import type { Kernel } from '../open/open-kernel.js';
import { contradicted } from './layouts.js';
import { ProcessReader, readString, type ProcessFields } from './process-fields.js';
import { inKernel, rootsWithin, type ObjectRoots } from './roots.js';

/** The current process, as far as the dump holds it. */
export interface CurrentProcess {
  readonly process: ProcessFields;
  /** `\Device\HarddiskVolume3\...`, where the dump holds that too. */
  readonly path: string | null;
  /** The current thread's id; null where its layout is not known. */
  readonly tid: number | null;
  readonly source: FigureSource;
  /** One phrase for people. */
  readonly detail: string;
}

interface Candidate {
  readonly source: FigureSource;
  readonly detail: string;
  layout(type: string): StructLayout | null;
}

/** Bytes of a process or a thread at most: 0xC80 on ARM64. */
const LARGEST = 0x2000;

/** The current process of a triage dump; null for other dumps and where no known layout reads its copy as a process. */
export function currentProcess(kernel: Kernel): CurrentProcess | null {
  const triage = kernel.dump.triage;
  const roots = rootsWithin(kernel);
  if (triage === null || roots === null || triage.current.process === null) return null;
  const copy = (at: number | null, size: string): Uint8Array | null => {
    const length = Math.min(LARGEST, Number(kernel.debuggerData?.value(size) ?? 0n));
    if (at === null || length === 0) return null;
    const bytes = new Uint8Array(length);
    return kernel.dump.source.read(fileOffset(at), bytes) === length ? bytes : null;
  };
  const bytes = copy(triage.current.process, 'SizeEProcess');
  const thread = copy(triage.current.thread, 'SizeEThread');
  if (bytes === null) return null;
  const offset = Number(kernel.debuggerData?.value('OffsetKThreadApcProcess') ?? 0n);
  const address = thread === null || offset === 0 ? null : pointerIn(roots, thread, offset);
  for (const candidate of candidates(roots)) {
    const layout = candidate.layout('_EPROCESS');
    const reader = layout === null || contradicted(roots, layout) ? null : ProcessReader.of(roots, layout);
    if (reader === null) continue;
    const process = reader.parse(address ?? virtual(0n), bytes);
    if (process.doubts.length > 0 || process.image === '' || process.createdAt === null) continue;
    const cid = candidate.layout('_ETHREAD')?.fields['Cid']?.offset;
    const owner = thread === null || cid === undefined ? null : u32(thread, cid);
    // The thread that a copy is of belongs to the process that the other is of.
    if (owner !== null && owner !== process.pid) continue;
    return {
      process,
      path: process.imagePath === null ? null : readString(roots, process.imagePath),
      tid: thread === null || cid === undefined ? null : u32(thread, cid + roots.memory.pointerSize),
      source: candidate.source,
      detail: candidate.detail,
    };
  }
  return null;
}

function* candidates(roots: ObjectRoots): Iterable<Candidate> {
  const own = roots.symbols.layout('_EPROCESS');
  const layout = (type: string): StructLayout | null => {
    const known = roots.symbols.layout(type);
    return known?.source === 'nearest' ? null : (known?.value ?? null);
  };
  if (own !== null && own.source !== 'nearest')
    yield { source: own.source, detail: "this kernel's own layouts", layout };
  for (const release of objectReleases(roots.architecture, roots.buildNumber)) {
    yield {
      source: release.shifted ? 'derived' : 'nearest',
      detail: `layouts of ${release.version}, proved on the process`,
      layout: (type) => release.layout(type),
    };
  }
}

function pointerIn(roots: ObjectRoots, bytes: Uint8Array, at: number): VirtualAddress | null {
  if (at + roots.memory.pointerSize > bytes.length) return null;
  const value = roots.memory.pointerSize === 8 ? u64(bytes, at) : BigInt(u32(bytes, at));
  return inKernel(roots, value) ? virtual(value) : null;
}
