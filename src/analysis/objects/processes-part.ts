/** Processes and object types as the result has them. */

import { hex } from '../../../parsers/bytes/failure.js';
import { tagText } from '../../../parsers/kernel/tag.js';
import type { Kernel } from '../../kernel/open/open-kernel.js';
import { currentProcess } from '../../kernel/objects/current-process.js';
import type { ProcessHandles } from '../../kernel/objects/handles/handle-census.js';
import type { Objects } from '../../kernel/objects/objects.js';
import type { Process } from '../../kernel/objects/process-list.js';
import type { ObjectTypeInfo, ProcessInfo, ProcessList } from '../../result/result.js';

/** The types that have a tag and counters, by their place in the kernel's table; null where none could be read. */
export function objectTypes(objects: Objects): ObjectTypeInfo[] | null {
  const read = objects.types();
  if (read === null || read.types.length === 0) return null;
  return read.types.flatMap((type) =>
    type.key === null || type.objects === null || type.handles === null
      ? []
      : {
          type: type.name,
          tag: tagText(type.key),
          key: hex(type.key),
          pool: type.pool,
          objects: type.objects,
          handles: type.handles,
          objectsHighWater: type.objectsHighWater,
          handlesHighWater: type.handlesHighWater,
          source: read.source ?? 'derived',
        },
  );
}

/** The live processes, and how many ended ones there are. `withHandles` reads every handle, which takes time. */
export function processList(kernel: Kernel, objects: Objects, withHandles: boolean): ProcessList | null {
  const list = objects.processes();
  if (list === null || list.processes.length === 0) return currentOnly(kernel);
  const tables = new Map<bigint, ProcessHandles>();
  if (withHandles) for (const table of objects.census()?.tables ?? []) tables.set(table.process.address, table);
  const live = list.processes.filter(({ ended }) => !ended);
  return {
    complete: list.complete,
    live: live.length,
    ended: list.processes.length - live.length,
    source: list.source,
    rows: live.map((process) => processInfo(objects, process, tables.get(process.address) ?? null)),
  };
}

/** A process; `table` null where its handles were not read. */
export function processInfo(objects: Objects, process: Process, table: ProcessHandles | null): ProcessInfo {
  const describer = objects.describer();
  const token = describer?.tokenOf(process) ?? null;
  const counts = table === null ? null : objects.counts(table);
  const types = objects.decoder()?.types ?? [];
  const handleTypes =
    counts === null
      ? null
      : [...counts.handles.entries()]
          .filter(([, count]) => count > 0)
          .map(([place, count]) => ({ type: types[place]?.name ?? '', count }))
          .sort((a, b) => b.count - a.count || (a.type < b.type ? -1 : 1));
  return {
    address: hex(process.address),
    pid: process.pid,
    parentPid: process.parentPid,
    image: process.image,
    path: describer?.imagePath(process) ?? null,
    user: token?.account ?? token?.user ?? null,
    sessionId: token?.sessionId ?? null,
    createdAt: timeText(process.createdAt),
    exitedAt: timeText(process.exitedAt),
    ended: process.ended,
    threads: process.threads,
    // What was found in a table of which pages are missing is not the number of its handles.
    handles: table?.complete === true ? table.end - table.first : null,
    handlesUnreadable: counts === null ? null : counts.unreadable + counts.wild,
    handleTypes,
    quota: process.quota === null ? null : { ...process.quota },
    commitBytes: process.commitBytes,
  };
}

/** Milliseconds since 1970 as the result writes times. */
export const timeText = (time: number | null): string | null => (time === null ? null : new Date(time).toISOString());

/** A triage dump has no list: the process that was current, where its copy can be read. */
function currentOnly(kernel: Kernel): ProcessList | null {
  const current = currentProcess(kernel);
  if (current === null) return null;
  const { process, path, source } = current;
  const row: ProcessInfo = {
    ...{ address: hex(process.address), pid: process.pid, parentPid: process.parentPid, image: process.image, path },
    ...{ user: null, sessionId: null, createdAt: timeText(process.createdAt), exitedAt: timeText(process.exitedAt) },
    ...{ ended: process.ended, threads: process.threads, handles: null, handlesUnreadable: null, handleTypes: null },
    ...{ quota: process.quota === null ? null : { ...process.quota }, commitBytes: process.commitBytes },
  };
  return { complete: false, live: 1, ended: null, source, rows: [row] };
}
