/** What `symbols check` and `symbols fetch` tell: for every file that an analysis needs, where it is or is not. */

import type { Place } from './places.js';
import { normalGuid, type SymbolRequest } from './http/request.js';
import { hasServer } from './symbol-path.js';
import type { Problem, ServerUse, SymbolSearch, SymbolStore } from './store.js';

/** A file that the analysis of a dump needs. */
export interface SymbolNeed {
  /** As the debugger names it: `nt`, `myfault`. */
  readonly module: string;
  /** Null where the dump does not tell which file it is. */
  readonly request: SymbolRequest | null;
  /** Why the request is null, in one sentence. */
  readonly note?: string | undefined;
}

/**
 * - `found`: on this machine, identity checked.
 * - `on-server`: a server has it; it was not fetched.
 * - `mismatch`: only files of that name with another identity.
 * - `missing`: nowhere.
 * - `not-known`: which file is needed is not known.
 */
export type SymbolStatus = 'found' | 'on-server' | 'mismatch' | 'missing' | 'not-known';

/** The file as JSON has it. */
export interface NeededFile {
  readonly kind: 'pdb' | 'image';
  readonly name: string;
  /** 32 upper-case digits; null for images. */
  readonly guid: string | null;
  readonly age: number | null;
  /** Null for PDBs. */
  readonly timeDateStamp: number | null;
  /** Bytes; null for PDBs. */
  readonly sizeOfImage: number | null;
}

/** One need and its answer. */
export interface ModuleSymbols {
  readonly module: string;
  readonly needed: NeededFile | null;
  readonly status: SymbolStatus;
  /** On this machine, or null. */
  readonly file: string | null;
  /** `file`, `unpacked`, `pointer`, `downloaded`, or null. */
  readonly how: string | null;
  /** Where it was met: a path or an address without credentials; also the address of `on-server`. */
  readonly from: string | null;
  readonly note: string | null;
  /** In the order of looking. */
  readonly lookedAt: readonly Place[];
}

/** The whole answer. */
export interface SymbolCheck {
  /** The elements of the path in search order, without credentials. */
  readonly path: readonly { readonly origin: string; readonly element: string }[];
  readonly problems: readonly Problem[];
  /** The path names an HTTP server. */
  readonly hasServer: boolean;
  /** `fetch`, `probe` or `none`: what was asked of servers. */
  readonly servers: ServerUse;
  readonly modules: readonly ModuleSymbols[];
  readonly counts: Readonly<Record<SymbolStatus, number>>;
}

export interface CheckOptions {
  /** Default `probe`: servers are asked whether they have a file; `fetch` brings it. */
  readonly servers?: ServerUse | undefined;
  /** Searches at a time; default 4. */
  readonly concurrency?: number | undefined;
  /** Told after every need. */
  readonly onDone?: ((module: ModuleSymbols, done: number, total: number) => void) | undefined;
}

/** Looks for every need along the store's path. The order of `needs` is kept. */
export async function checkSymbols(
  needs: readonly SymbolNeed[],
  store: SymbolStore,
  options: CheckOptions = {},
): Promise<SymbolCheck> {
  const { servers = 'probe', concurrency = 4, onDone } = options;
  const modules: ModuleSymbols[] = [];
  let next = 0;
  let done = 0;
  const worker = async (): Promise<void> => {
    for (let i = next++; i < needs.length; i = next++) {
      const need = needs[i];
      if (need === undefined) continue;
      const module = await checkOne(need, store, servers);
      modules[i] = module;
      onDone?.(module, ++done, needs.length);
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, Math.min(concurrency, needs.length)) }, worker));
  const counts = { found: 0, 'on-server': 0, mismatch: 0, missing: 0, 'not-known': 0 };
  for (const { status } of modules) counts[status]++;
  return {
    path: store.path.elements.map(({ origin, text }) => ({ origin, element: text })),
    problems: store.problems,
    hasServer: hasServer(store.path),
    servers,
    modules,
    counts,
  };
}

async function checkOne(need: SymbolNeed, store: SymbolStore, servers: ServerUse): Promise<ModuleSymbols> {
  const { module, request, note = null } = need;
  if (request === null) {
    return { module, needed: null, status: 'not-known', file: null, how: null, from: null, note, lookedAt: [] };
  }
  const search = await store.find(request, servers);
  return {
    module,
    needed: neededFile(request),
    status: statusOf(search),
    file: search.found?.path ?? null,
    how: search.found?.how ?? null,
    from: search.found?.from ?? search.onServer,
    note,
    lookedAt: search.places,
  };
}

function statusOf({ found, onServer, places }: SymbolSearch): SymbolStatus {
  if (found !== null) return 'found';
  if (onServer !== null) return 'on-server';
  return places.some(({ outcome }) => outcome === 'mismatch') ? 'mismatch' : 'missing';
}

function neededFile(request: SymbolRequest): NeededFile {
  const { kind, name } = request;
  return request.kind === 'pdb'
    ? {
        kind,
        name,
        guid: normalGuid(request.guid) ?? request.guid,
        age: request.age,
        timeDateStamp: null,
        sizeOfImage: null,
      }
    : { kind, name, guid: null, age: null, timeDateStamp: request.timeDateStamp, sizeOfImage: request.sizeOfImage };
}
