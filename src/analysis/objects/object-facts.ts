/**
 * The objects of a dump for an analysis: counters of types and the list of processes at once, for they cost little;
 * handles only when a rule asks for them.
 */

import type { Kernel } from '../../kernel/open/open-kernel.js';
import { DEFAULT_BUDGET, readObjects } from '../../kernel/objects/objects.js';
import type { HoldersReading, ObjectFacts } from '../../leak/objects/object-facts.js';
import { isHandleObjectTag } from '../../leak/tags/windows-tags.js';
import type { ObjectTypeInfo, ProcessList, Suspect, Warning } from '../../result/result.js';
import { readHolders } from './holders-part.js';
import { objectTypes, processList } from './processes-part.js';

/** Objects of a type that are looked at for what handles lead to: the commonest are wanted, not all. */
const MOST_NAMES = 20_000;

/** What an analysis takes from the objects of a kernel. */
export interface ObjectParts {
  readonly facts: ObjectFacts;
  readonly objectTypes: ObjectTypeInfo[] | null;
  /** After the rules have asked: with handles where those were read. */
  processes(): ProcessList | null;
  /** What could not be read, as far as it matters for what is said of the suspects. */
  warnings(suspects: readonly Suspect[]): Warning[];
}

/** Reads counters and processes, and what else the rules ask of `facts`. */
export function readObjectParts(
  kernel: Kernel,
  progress?: (done: number, total: number) => void,
  objects = readObjects(kernel, { ...DEFAULT_BUDGET, names: MOST_NAMES }, progress),
): ObjectParts {
  const processes = processList(kernel, objects, false);
  const types = objectTypes(objects);
  const known = new Map<string, HoldersReading | null>();
  const threads = processes?.rows.map((row) => row.threads) ?? [null];
  const facts: ObjectFacts = {
    types,
    processes,
    liveThreads: threads.includes(null) ? null : threads.reduce<number>((sum, n) => sum + Number(n), 0),
    holdersOf: (type) => {
      let reading = known.get(type);
      if (reading === undefined) known.set(type, (reading = readHolders(objects, type)));
      return reading;
    },
  };
  return {
    facts,
    objectTypes: types,
    processes: () => (known.size === 0 ? processes : processList(kernel, objects, true)),
    warnings: (suspects) => {
      const matters = known.size > 0 || suspects.some(({ tag }) => isHandleObjectTag(tag));
      return matters ? [...objects.warnings] : [];
    },
  };
}
