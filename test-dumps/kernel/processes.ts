/** `_EPROCESS` entries behind `PsActiveProcessHead`, their address spaces, and the sessions they belong to. */

import { canonical, latin1, type Va } from '../bytes.js';
import { offsetOf, pebOffset, rvaOf, structOf, type KernelFacts } from '../kernel-facts.js';
import type { KernelSpace } from './kernel-space.js';
import type { AddressTables } from './page-tables.js';
import { writeEnvironment } from './environments.js';
import { PAGE } from '../physical-memory.js';
import type { ProcessSpec, SessionSpec } from '../scenario.js';
import type { Truth } from '../truth.js';

export const DEFAULT_PROCESSES: readonly ProcessSpec[] = [
  { name: 'System', pid: 4 },
  { name: 'smss.exe', commit: 120 },
  { name: 'csrss.exe', session: 0, commit: 900 },
  { name: 'wininit.exe', session: 0, commit: 600 },
  { name: 'csrss.exe', session: 1, commit: 1100 },
  { name: 'winlogon.exe', session: 1, commit: 800 },
  { name: 'services.exe', session: 0, commit: 1600 },
  { name: 'lsass.exe', session: 0, commit: 2100 },
  { name: 'svchost.exe', session: 0, commit: 3400 },
  { name: 'svchost.exe', session: 0, commit: 5200 },
  { name: 'explorer.exe', session: 1, commit: 11000 },
];

/** A session with its own page tables below one PML4 slot. */
export interface BuiltSession {
  id: number;
  /** Of its `_MM_SESSION_SPACE`. */
  address: Va;
  committedPages: number;
}

/** Sessions that the processes name, with the figures of the scenario where it has any. */
export function sessionsOf(
  processes: readonly ProcessSpec[],
  given: readonly SessionSpec[] | undefined,
): SessionSpec[] {
  const ids = new Set([
    ...processes.flatMap((p) => (p.session === undefined ? [] : [p.session])),
    ...(given ?? []).map((s) => s.id),
  ]);
  return [...ids]
    .sort((a, b) => a - b)
    .map((id) => given?.find((s) => s.id === id) ?? { id, committedPages: 1800 + id * 700 });
}

/** Allocates a `_MM_SESSION_SPACE` for each session in system space. */
export function writeSessions(
  space: KernelSpace,
  kernel: KernelFacts,
  sessions: readonly SessionSpec[],
): BuiltSession[] {
  // The builder knows no session structures of 32-bit kernels: there sessions are address spaces alone.
  const { size } = kernel.structs['_MM_SESSION_SPACE'] ?? { size: PAGE };
  return sessions.map(({ id, committedPages }) => {
    const address = space.allocate('systemPtes', size, PAGE);
    if (kernel.pointerSize === 4) return { id, address, committedPages };
    space.u32(address + offsetOf(kernel, '_MM_SESSION_SPACE', 'SessionId'), id);
    space.u32(address + offsetOf(kernel, '_MM_SESSION_SPACE', 'ReferenceCount'), 1);
    space.u64(address + offsetOf(kernel, '_MM_SESSION_SPACE', 'CommittedPages'), committedPages);
    return { id, address, committedPages };
  });
}

export interface ProcessesResult {
  truth: Truth['processes'];
  /** Root frames that shall not be in the dump. */
  absentRoots: number[];
  /** Frames of user memory: kernel dumps leave them out. */
  userFrames: number[];
  /** Page tables of every process, in order. */
  tables: AddressTables[];
}

/**
 * Writes all processes. `pcid` goes into the low bits of their directory bases. `sessionTables` are the tables whose session slot every process of a session shares; call this
 * when the system's tables are complete, because their kernel half is copied. `bodies` are where they stand already: in
 * objects.
 */
export function writeProcesses(
  space: KernelSpace,
  kernel: KernelFacts,
  base: Va,
  specs: readonly ProcessSpec[],
  sessions: readonly BuiltSession[],
  sessionTables: AddressTables | null,
  pcid: number,
  selfMap: boolean,
  machineName: string | null,
  bodies?: readonly Va[],
): ProcessesResult {
  const links: Va[] = [];
  const truth: Truth['processes'] = [];
  const tables: AddressTables[] = [];
  const absentRoots: number[] = [];
  const userFrames: number[] = [];
  const slot = space.tables.slotOf(space.plan.session);
  const eprocess = structOf(kernel, '_EPROCESS');
  const field = (name: string): number => offsetOf(kernel, '_EPROCESS', name);
  const addresses = bodies ?? specs.map(() => space.allocate('nonPagedPool', eprocess.size));
  const dtb = field('Pcb') + offsetOf(kernel, '_KPROCESS', 'DirectoryTableBase');
  // Everything that the kernel half maps must be mapped before it is copied: allocate first, copy after.
  const own = specs.map((_, i) => (i === 0 ? space.tables : space.tables.fresh()));
  specs.forEach((spec, i) => {
    const at = addresses[i] ?? 0;
    const root = own[i] ?? space.tables;
    const pid = spec.pid ?? 400 + i * 148;
    const session = sessions.find((s) => s.id === spec.session);
    const directory = root.directoryBase + pcid;
    // _DISPATCHER_HEADER: a process object, its size in 4-byte units.
    space.write(
      at + field('Pcb'),
      Uint8Array.of(3, 0, (offsetOf(kernel, '_KPROCESS', 'DirectoryTableBase') + 0x400) / 4, 0),
    );
    const word = (name: string, value: number): void => {
      const offset = eprocess.fields[name];
      if (offset !== undefined) space.word(at + offset, value);
    };
    space.word(at + dtb, directory);
    word('UniqueProcessId', pid);
    word('InheritedFromUniqueProcessId', spec.parentPid ?? (i === 0 ? 0 : 4));
    space.write(at + field('ImageFileName'), latin1(spec.name.slice(0, 14)));
    word('CommitCharge', spec.commit ?? 100);
    word('CommitChargePeak', (spec.commit ?? 100) + 50);
    if (session && 'Session' in eprocess.fields) space.pointer(at + field('Session'), session.address);
    links.push(at + field('ActiveProcessLinks'));
    const computerName = spec.computerName === undefined ? (i === 0 ? null : machineName) : spec.computerName;
    if (computerName !== null) {
      const user = writeEnvironment(space.memory, root, space.width, computerName, i * 900);
      space.pointer(at + pebOffset(kernel), user.peb);
      userFrames.push(...user.frames);
    }
    if (spec.rootAbsent === true) absentRoots.push(root.root);
    tables.push(root);
    truth.push({
      name: spec.name.slice(0, 14),
      pid,
      directoryTableBase: BigInt(directory),
      session: session ? session.id : null,
      address: canonical(at),
    });
  });
  space.link(base + rvaOf(kernel, 'PsActiveProcessHead'), links);
  const system = kernel.rva['PsInitialSystemProcess'];
  if (addresses[0] !== undefined && system !== undefined) space.pointer(base + system, addresses[0]);
  own.forEach((root, i) => {
    if (i === 0) return;
    root.shareKernelHalf(space.tables, new Set([slot]));
    if (selfMap) root.mapSelf(space.plan.pteBase);
    if (specs[i]?.session !== undefined && sessionTables) root.shareSlot(sessionTables, slot);
  });
  return { truth, absentRoots, userFrames, tables };
}
