/** Processes, handles and objects of a dump for the commands that list them, without judging. */

import { hex } from '../../../parsers/bytes/failure.js';
import { tagText } from '../../../parsers/kernel/tag.js';
import { DEFAULT_BUDGET, readObjects, type Objects } from '../../kernel/objects/objects.js';
import type { OpenedDump } from '../../kernel/open/opened-dump.js';
import { judgeHolders } from '../../leak/objects/holders.js';
import type { EndedGroup, HandlesPart, ObjectsPart, ProcessBlock, TagHolders } from '../../result/object-parts.js';
import { currentProcess } from '../../kernel/objects/current-process.js';
import type { ProcessFields } from '../../kernel/objects/process-fields.js';
import type { ThreadFields } from '../../kernel/objects/threads.js';
import type { Hex, ObjectTypeInfo, ProcessList } from '../../result/result.js';
import { dumpPart, type DumpPart } from '../dump-part.js';
import { readHandlesPart, type FreeEntry, type HandleQuestion } from './handles-part.js';
import { readHolders } from './holders-part.js';
import { readObjectsPart } from './objects-part.js';
import { blockOf } from './process-blocks.js';
import { processDetails, processThreads, type ProcessDetails } from './process-details.js';
import { objectTypes, processList, timeText } from './processes-part.js';

export type InventoryProgress = (step: string, done: number, total: number) => void;

function openObjects(opened: OpenedDump, progress?: InventoryProgress): Objects {
  return readObjects(opened.kernel, DEFAULT_BUDGET, (done, total) => progress?.('handles', done, total));
}

function inventory<T extends object>(opened: OpenedDump, objects: Objects, part: T): DumpPart & T {
  return dumpPart(opened, part, objects.warnings);
}

/** The processes: live ones, and ended ones in groups with who holds handles to them. */
export function listProcesses(
  opened: OpenedDump,
  progress?: InventoryProgress,
): DumpPart & { processes: ProcessList | null; endedProcesses: EndedGroup[] | null; blocks: ProcessBlock[] } {
  const objects = openObjects(opened, progress);
  const processes = processList(opened.kernel, objects, true);
  const ended = objects.zombies()?.processes ?? null;
  const endedProcesses =
    ended?.map((group) => ({
      ...{ image: group.image, path: group.path, parentImage: group.parentImage, parentPid: group.parentPid },
      ...{ sessionId: group.sessionId, count: group.count },
      ...{ firstExit: timeText(group.firstExit), lastExit: timeText(group.lastExit) },
      heldBy: group.heldBy?.map(({ process: { pid, image }, handles }) => ({ pid, image, handles })) ?? null,
      withoutHandle: group.withoutHandle,
    })) ?? null;
  const handles = new Map(processes?.rows.map((row) => [row.address, row.handles]));
  const blocks = listedOrCurrent(opened, objects)
    .filter((process) => !process.ended)
    .map((process) => blockOf(opened.kernel, objects, process, handles.get(hex(process.address)) ?? null));
  return inventory(opened, objects, { processes, endedProcesses, blocks });
}

/** The processes; of a triage dump, which has no list, the current one. */
function listedOrCurrent({ kernel }: OpenedDump, objects: Objects): readonly ProcessFields[] {
  const listed = objects.processes()?.processes ?? [];
  const current = listed.length > 0 ? null : currentProcess(kernel);
  return current === null ? listed : [current.process];
}

/** The processes as `!process` with flags shows them: also ended ones, their charges, their threads. */
export function describeProcesses(
  opened: OpenedDump,
  wants: {
    readonly details: boolean;
    readonly threadsOf: ((pid: number) => boolean) | null;
    /** Threads alone: no blocks, which take long where there are many processes. */
    readonly onlyThreads?: boolean;
  },
): DumpPart & {
  blocks: ProcessBlock[];
  details: ReadonlyMap<Hex, ProcessDetails>;
  /** Null where they could not be read, or were not asked for. */
  threads: ThreadFields[] | null;
} {
  const objects = openObjects(opened);
  const all = wants.onlyThreads === true ? [] : listedOrCurrent(opened, objects);
  const listed = all.length === 0 ? null : processList(opened.kernel, objects, true);
  const counts = new Map(listed?.rows.map((row) => [row.address, row.handles]));
  const blocks = all.map((process) =>
    blockOf(opened.kernel, objects, process, counts.get(hex(process.address)) ?? null),
  );
  const details = wants.details ? processDetails(opened.kernel, all) : new Map<Hex, ProcessDetails>();
  const threads = wants.threadsOf === null ? null : processThreads(opened.kernel, objects, wants.threadsOf);
  return inventory(opened, objects, { blocks, details, threads });
}

/** Handles by process and type, those that are asked for one by one with `list`. */
export function listHandles(
  opened: OpenedDump,
  question: HandleQuestion,
  progress?: InventoryProgress,
): DumpPart & { handles: HandlesPart | null; blocks: ProcessBlock[]; free: readonly FreeEntry[] } {
  const objects = openObjects(opened, progress);
  const { part, blocks, free } = readHandlesPart(opened.kernel, objects, question);
  return inventory(opened, objects, { handles: part, blocks, free });
}

/** The census of types, and the objects of one of them. */
export function listObjects(
  opened: OpenedDump,
  type: string | undefined,
  progress?: InventoryProgress,
): DumpPart & { objectTypes: ObjectTypeInfo[] | null; objects: ObjectsPart | null } {
  const objects = openObjects(opened, progress);
  const part = type === undefined ? null : readObjectsPart(objects, type);
  return inventory(opened, objects, { objectTypes: objectTypes(objects), objects: part });
}

/** Who holds the objects of the type that has a tag; null where none has it or no handle could be read. */
export function listHolders(
  opened: OpenedDump,
  key: number,
  progress?: InventoryProgress,
): DumpPart & { objectTypes: ObjectTypeInfo[] | null; holdersOf: TagHolders | null } {
  const objects = openObjects(opened, progress);
  const types = objectTypes(objects);
  const type = types?.find((one) => Number(one.key) === key) ?? null;
  const reading = type === null ? null : readHolders(objects, type.type);
  const holdersOf =
    type === null || reading === null
      ? null
      : {
          ...{ tag: tagText(key), key: hex(key), pool: type.pool },
          says: judgeHolders(reading, Number(type.objects)).says,
          holders: reading.holders,
        };
  return inventory(opened, objects, { objectTypes: types, holdersOf });
}
