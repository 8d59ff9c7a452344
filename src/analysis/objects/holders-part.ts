/** Who holds the objects of a type, as the result has it and as the rules are given it. */

import type { Holders as KernelHolders } from '../../kernel/objects/holders.js';
import type { Objects } from '../../kernel/objects/objects.js';
import type { Process } from '../../kernel/objects/process-list.js';
import type { EndedProcesses as EndedGroup } from '../../kernel/objects/zombies.js';
import type { EndedProcesses, HoldersReading, Holding } from '../../leak/objects/object-facts.js';
import type { Holders } from '../../result/result.js';
import { timeText } from './processes-part.js';

/** Processes and groups of ended ones in a result: those after them hold too little to tell of. */
const MOST_PROCESSES = 40;
const MOST_GROUPS = 40;
/** Of the handles of all, three decimals. */
const rounded = (share: number): number => Math.round(share * 1000) / 1000;

/** Reads every handle, once. Null where no handle could be read or no type has the name. */
export function readHolders(objects: Objects, type: string): HoldersReading | null {
  const read = objects.holdersOfType(type);
  if (read === null) return null;
  const isProcess = read.type.name === 'Process';
  const isThread = read.type.name === 'Thread';
  const zombies = isProcess || isThread ? objects.zombies() : null;
  return {
    holders: holdersPart(read, isProcess ? (zombies?.processes ?? []) : []),
    handlesFound: read.handlesFound,
    endedProcesses: isProcess && zombies !== null ? allEnded(zombies.processes) : null,
    endedThreads: isThread ? (zombies?.threads?.reduce((sum, { count }) => sum + count, 0) ?? null) : null,
  };
}

function holdersPart(read: KernelHolders, ended: readonly EndedGroup[]): Holders {
  return {
    type: read.type.name,
    objects: read.objects ?? read.objectsFound,
    handles: read.handles ?? read.handlesFound,
    withoutHandle: read.withoutHandle,
    unreadable: read.unreadable,
    complete: read.complete,
    processes: read.processes.slice(0, MOST_PROCESSES).map(({ process, handles, objects, share, looked, targets }) => ({
      ...{ pid: process.pid, image: process.image, handles, objects, share: rounded(share), looked },
      targets: targets.map(({ name, count }) => ({ name, count })),
    })),
    ended: ended.slice(0, MOST_GROUPS).map((group) => ({
      ...{ image: group.image, parentImage: group.parentImage, parentPid: group.parentPid, count: group.count },
      ...{ firstExit: timeText(group.firstExit), lastExit: timeText(group.lastExit) },
    })),
    references: read.references,
  };
}

function allEnded(groups: readonly EndedGroup[]): EndedProcesses {
  const counts = new Map<Process, number>();
  let known = true;
  for (const { heldBy } of groups) {
    if (heldBy === null) known = false;
    for (const { process, handles } of heldBy ?? []) counts.set(process, (counts.get(process) ?? 0) + handles);
  }
  const held = [...counts].map(([{ pid, image }, handles]): Holding => ({ pid, image, handles }));
  held.sort((a, b) => b.handles - a.handles || Number(a.pid) - Number(b.pid));
  const without = groups.map(({ withoutHandle }) => withoutHandle);
  return {
    count: groups.reduce((sum, { count }) => sum + count, 0),
    heldBy: known ? held : null,
    withoutHandle: without.includes(null) ? null : without.reduce<number>((sum, n) => sum + (n ?? 0), 0),
  };
}
