/**
 * Which types of objects are suspicious by their counts, whatever their bytes. Counters and the list of processes are
 * looked at first; handles are read only where those call for it.
 */

import type { Note, ObjectTypeInfo } from '../../result/result.js';
import type { ReasonCode } from '../confidence.js';
import type { HoldersReading, ObjectFacts } from './object-facts.js';
import * as limits from '../thresholds.js';
import { keptByEnded } from '../not-pool.js';
import { amount, counted, processText, sentence } from '../wording.js';

/** A type with too many objects. */
export interface ObjectFinding {
  readonly type: ObjectTypeInfo;
  readonly reasons: readonly Note[];
}

/**
 * Types of which a healthy machine has few without a handle. Not File and Section, which the cache and image mappings
 * keep, nor what drivers make for themselves.
 */
const HELD_BY_HANDLES: ReadonlySet<string> = new Set([
  'Process', 'Thread', 'Token', 'Event', 'Semaphore', 'Mutant', 'Timer', 'Key', 'Job',
]); // prettier-ignore

const reason = (code: ReasonCode, message: string): Note => ({ code, message });

/** The suspicious types, ended processes and threads first. */
export function suspiciousTypes(objects: ObjectFacts): ObjectFinding[] {
  const findings: ObjectFinding[] = [];
  for (const type of (objects.types ?? []).toSorted((a, b) => rankOf(a) - rankOf(b))) {
    const reasons =
      type.type === 'Process'
        ? endedProcesses(objects)
        : type.type === 'Thread'
          ? endedThreads(objects, type)
          : [...heldByOne(objects, type), ...withoutHandle(objects, type)];
    if (reasons.length > 0) findings.push({ type, reasons });
  }
  return findings;
}

const rankOf = ({ type }: ObjectTypeInfo): number => (type === 'Process' ? 0 : type === 'Thread' ? 1 : 2);

/** How many processes have ended and are still there, where that is too many; else 0. */
export function tooManyEnded({ processes }: ObjectFacts): number {
  const ended = Number(processes?.ended ?? 0);
  return ended >= limits.MANY_ENDED_PROCESSES && ended >= Number(processes?.live ?? 0) ? ended : 0;
}

function endedProcesses(objects: ObjectFacts): Note[] {
  const ended = tooManyEnded(objects);
  if (ended === 0) return [];
  const live = amount(Number(objects.processes?.live ?? 0));
  const kept = keptByEnded(ended);
  return [
    ...graded(
      ended,
      limits.MANY_ENDED_PROCESSES,
      'many-ended-processes',
      `${amount(ended)} processes have ended and are still there, beside ${live} that run; on a healthy machine there are some dozens at most`,
    ),
    ...(kept === null ? [] : [reason('page-tables-of-ended', sentence(kept))]),
  ];
}

function endedThreads(objects: ObjectFacts, type: ObjectTypeInfo): Note[] {
  const live = objects.liveThreads;
  if (live === null || Number(type.objects) - live < limits.MANY_ENDED_THREADS) return [];
  const ended = objects.holdersOf(type.type)?.endedThreads ?? Number(type.objects) - live;
  if (ended < limits.MANY_ENDED_THREADS || ended < live) return [];
  // Who starts a process gets handles to it and to its first thread: both stay.
  if (ended <= 2 * tooManyEnded(objects)) return [];
  return graded(
    ended,
    limits.MANY_ENDED_THREADS,
    'many-ended-threads',
    `${amount(ended)} threads have ended and are still there, beside ${amount(live)} that run`,
  );
}

function heldByOne(objects: ObjectFacts, type: ObjectTypeInfo): Note[] {
  if (Number(type.handles) < limits.MANY_HELD_BY_ONE || Number(type.objects) < limits.MANY_HELD_BY_ONE) return [];
  const [first] = objects.holdersOf(type.type)?.holders.processes ?? [];
  const held = Number(first?.objects ?? 0);
  if (first === undefined || held < limits.MANY_HELD_BY_ONE) return [];
  return graded(
    held,
    limits.MANY_HELD_BY_ONE,
    'many-held-by-one',
    `${processText(first)} has ${counted(Number(first.handles), 'handle')} to ${amount(held)} objects of the type ${type.type}; a busy process has some thousands`,
  );
}

function withoutHandle(objects: ObjectFacts, type: ObjectTypeInfo): Note[] {
  if (!HELD_BY_HANDLES.has(type.type)) return [];
  const many = unheld(objects, type, null);
  if (many < limits.MANY_WITHOUT_HANDLE) return [];
  const read = unheld(objects, type, objects.holdersOf(type.type));
  return graded(
    read,
    limits.MANY_WITHOUT_HANDLE,
    'many-without-handle',
    `No process has a handle to ${amount(read)} objects of the type ${type.type}: the kernel or a driver refers to them`,
  );
}

/** Objects without a handle, at least; a process refers to its token without one. */
function unheld(objects: ObjectFacts, type: ObjectTypeInfo, reading: HoldersReading | null): number {
  // Each object that is held takes one handle or more.
  const fewest = Number(type.objects) - Number(type.handles);
  const known = Math.max(fewest, Number(reading?.holders.withoutHandle ?? 0));
  const { processes } = objects;
  return type.type === 'Token' ? known - Number(processes?.live ?? 0) - Number(processes?.ended ?? 0) : known;
}

function graded(count: number, many: number, code: ReasonCode, message: string): Note[] {
  const more = reason(
    'very-many-objects',
    `That is more than ${limits.VERY_MANY_TIMES} times what is taken to be many (${amount(many)})`,
  );
  return [reason(code, message), ...(count >= many * limits.VERY_MANY_TIMES ? [more] : [])];
}
