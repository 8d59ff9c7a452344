/** Processes, object types, handles and who holds what: everything is read once, when it is first asked for. */

import { oncePer, oncePerKernel } from '../open/once.js';
import type { Kernel } from '../open/open-kernel.js';
import type { Warning } from '../../result/result.js';
import { ObjectDescriber } from './names/describe.js';
import { readHandleCensus, type HandleCensus, type ProcessHandles, type Progress } from './handles/handle-census.js';
import { countTypes, holdersOf, type Holders, type TypeCounts } from './holders.js';
import { proveLayouts, type ObjectLayouts } from './layouts.js';
import { readObjectTypes, type ObjectTypes } from './object-types.js';
import { readProcessList, type ProcessList } from './process-list.js';
import { referenceRule, type ReferenceRule } from './references.js';
import { rootsOf, type ObjectRoots } from './roots.js';
import { typeDecoder, type TypeDecoder } from './type-decoder.js';
import { readZombies, type Zombies } from './zombies.js';

/** Bounds of what is read. */
export interface ObjectBudget {
  /** Handles of all processes together: 12 bytes each while they are kept. */
  readonly handles: number;
  /** Objects of a type that are looked at for their names. */
  readonly names: number;
}

export const DEFAULT_BUDGET: ObjectBudget = { handles: 8_000_000, names: 50_000 };

// Bounds change neither the layouts nor the list of processes, so all who ask share them.
const kernelRoots = oncePerKernel(rootsOf);
const provenLayouts = oncePer((roots: ObjectRoots) => proveLayouts(roots));
const processListOf = oncePer((roots: ObjectRoots) => {
  const { layouts } = provenLayouts(roots);
  return layouts === null ? null : readProcessList(roots, layouts);
});

/** The objects of one kernel. */
export class Objects {
  private readonly warned: Warning[] = [];

  /** Use `readObjects`. */
  constructor(
    private readonly roots: ObjectRoots | null,
    private readonly budget: ObjectBudget,
    private readonly progress?: Progress,
  ) {}

  /** What was found wrong in what was read so far. */
  get warnings(): readonly Warning[] {
    return this.warned;
  }

  /** Null, with a warning, where no layout is proved: then nothing else can be read either. */
  readonly layouts = lazy((): ObjectLayouts | null => {
    if (this.roots === null) return null;
    const { layouts, warnings } = provenLayouts(this.roots);
    this.warned.push(...warnings);
    return layouts;
  });

  readonly processes = lazy((): ProcessList | null => {
    if (this.roots === null || this.layouts() === null) return null;
    const list = processListOf(this.roots);
    this.warned.push(...(list?.warnings ?? []));
    return list;
  });

  readonly types = lazy((): ObjectTypes | null => {
    const layouts = this.layouts();
    if (this.roots === null || layouts === null) return null;
    const types = readObjectTypes(this.roots, layouts);
    this.warned.push(...types.warnings);
    return types;
  });

  /** Null where how headers name their type is not known. */
  readonly decoder = lazy((): TypeDecoder | null => {
    const [layouts, types] = [this.layouts(), this.types()];
    if (this.roots === null || layouts === null || types === null) return null;
    const { decoder, warnings } = typeDecoder(this.roots, layouts, types);
    this.warned.push(...warnings);
    return decoder;
  });

  /** All handles; null where none could be read. */
  readonly census = lazy((): HandleCensus | null => {
    const [layouts, processes, decoder] = [this.layouts(), this.processes(), this.decoder()];
    if (this.roots === null || layouts === null || processes === null || decoder === null) return null;
    const { handles } = this.budget;
    const read = readHandleCensus(this.roots, layouts, decoder, processes.processes, handles, this.progress);
    this.warned.push(...read.warnings);
    const { census } = read;
    return census === null ? null : { ...census, complete: census.complete && processes.complete };
  });

  /** How pointer counts are read; null where the objects prove no rule. */
  readonly references = lazy((): ReferenceRule | null => {
    const census = this.census();
    return census === null ? null : referenceRule(census);
  });

  /** What objects are; null where no layout is known. */
  readonly describer = lazy((): ObjectDescriber | null => {
    const [layouts, processes] = [this.layouts(), this.processes()];
    return this.roots === null || layouts === null || processes === null
      ? null
      : new ObjectDescriber(this.roots, layouts, processes.processes);
  });

  /** Ended processes and threads; null where processes could not be read. */
  readonly zombies = lazy((): Zombies | null => {
    const [layouts, list, describer] = [this.layouts(), this.processes(), this.describer()];
    if (this.roots === null || layouts === null || list === null || describer === null) return null;
    return readZombies(this.roots, layouts, list.processes, list.threads, this.census(), describer);
  });

  /** Handles and objects by type, in the order of the decoder's types; of one process, or of all. */
  counts(table?: ProcessHandles): TypeCounts | null {
    const [census, decoder] = [this.census(), this.decoder()];
    return census === null || decoder === null ? null : countTypes(census, decoder.types.length, table);
  }

  /** Who holds the objects of a type by its name, in any case. */
  holdersOfType(name: string): Holders | null {
    const [census, decoder, describer] = [this.census(), this.decoder(), this.describer()];
    if (census === null || decoder === null || describer === null) return null;
    const place = decoder.types.findIndex((type) => type.name.toLowerCase() === name.toLowerCase());
    return holdersOf(census, decoder, this.references(), describer, place, this.budget.names);
  }
}

/** `read`, whose value is kept. */
function lazy<T>(read: () => T): () => T {
  let known: { readonly value: T } | null = null;
  return () => (known ??= { value: read() }).value;
}

/** The objects of a kernel. Nothing is read before it is asked for. */
export function readObjects(kernel: Kernel, budget: ObjectBudget = DEFAULT_BUDGET, progress?: Progress): Objects {
  return new Objects(kernelRoots(kernel), budget, progress);
}

/** The same with the usual bounds, kept for all who ask. */
export const objectsOf = oncePerKernel((kernel) => readObjects(kernel));
