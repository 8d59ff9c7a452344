/** Terminal sessions: session space has one address range and different content in each session. */

import type { VirtualAddress } from '../../../parsers/addresses.js';
import { failed } from '../../../parsers/bytes/failure.js';
import { TranslatedMemory } from '../../../parsers/paging/translated-memory.js';
import type { FigureSource, Sourced } from '../../../symbols/kernel-symbols.js';
import { count, type Pages } from '../../result/result.js';
import { objectsOf } from '../objects/objects.js';
import { oncePerKernel } from '../open/once.js';
import type { Kernel } from '../open/open-kernel.js';
import { processSpaces } from './process-spaces.js';

/** Terminal servers have hundreds; one space each is enough to translate session images. */
const MOST_SESSIONS = 1024;
/** Address spaces tried where only processes are known, not their sessions: any process of any session will do. */
const MOST_SPACES = 256;

/** A session, seen through the page tables of one of its processes. */
export interface Session {
  /** `_MM_SESSION_SPACE`, in session space. */
  readonly address: Sourced<VirtualAddress>;
  readonly memory: TranslatedMemory;
  readonly processId: number;
}

/** Every session that has a process, once. Reading fails later where that process' page tables are not in the dump. */
export const readSessions = oncePerKernel((kernel): Session[] => {
  const sessions: Session[] = [];
  const { memory } = kernel;
  if (!(memory instanceof TranslatedMemory)) return sessions;
  const ids = new Set<string>();
  const list = objectsOf(kernel).processes();
  for (const { session, directoryTableBase, pid } of list?.processes ?? []) {
    if (session === null || directoryTableBase === null || sessions.length >= MOST_SESSIONS) continue;
    const space = memory.rootedAt(directoryTableBase);
    const where = space.translate(session);
    const id = failed(where) ? `missing ${session}` : `page ${where}`;
    if (ids.has(id)) continue;
    ids.add(id);
    sessions.push({ address: { value: session, source: list?.source ?? 'derived' }, memory: space, processId: pid });
  }
  return sessions;
});

/** Address spaces that together map what sessions map: one of each, or of every process where sessions are not known. */
export const sessionSpaces = oncePerKernel((kernel): TranslatedMemory[] => {
  const spaces = readSessions(kernel).map((s) => s.memory);
  const { memory, symbols } = kernel;
  const unknown = symbols?.layout('_EPROCESS') === null;
  return spaces.length === 0 && unknown && memory instanceof TranslatedMemory
    ? processSpaces(kernel, memory).slice(0, MOST_SPACES)
    : spaces;
});

/** The sum of `_MM_SESSION_SPACE.CommittedPages`; null unless every session can be read and there is at least one. */
export function sessionCommit(kernel: Kernel): Pages | null {
  let sum = 0n;
  let source: FigureSource | null = null;
  for (const { address, memory } of readSessions(kernel)) {
    const pages = kernel.objectAt(address, '_MM_SESSION_SPACE', memory).at('CommittedPages');
    if (failed(pages)) return null;
    sum += pages.value;
    source = pages.source;
  }
  return source === null ? null : { pages: count(sum), source };
}

/** What a session tells of itself. */
export interface SessionFigures {
  readonly id: number;
  /** Of its `_MM_SESSION_SPACE`. */
  readonly address: VirtualAddress;
  readonly committedPages: bigint;
}

/** The sessions by their ids; `unread` counts those whose own structure cannot be read. */
export function sessionFigures(kernel: Kernel): {
  readonly sessions: readonly SessionFigures[];
  readonly unread: number;
} {
  const sessions: SessionFigures[] = [];
  let unread = 0;
  for (const { address, memory } of readSessions(kernel)) {
    const own = kernel.objectAt(address, '_MM_SESSION_SPACE', memory);
    const [id, pages] = [own.at('SessionId'), own.at('CommittedPages')];
    if (failed(id) || failed(pages)) unread++;
    else sessions.push({ id: Number(id.value), address: address.value, committedPages: pages.value });
  }
  sessions.sort((a, b) => a.id - b.id);
  return { sessions, unread };
}
