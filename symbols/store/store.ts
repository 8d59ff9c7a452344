/** Finds PDBs and images along a symbol path: folders, stores, caches and, where the path names them, servers. */

import { isFile } from './any-case.js';
import type { CacheHooks } from './cache.js';
import { HttpClient } from './http/http-client.js';
import { DEFAULT_LIMITS, type DownloadProgress, type HttpLimits } from './http/http-types.js';
import { Intake, type Unpack } from './intake.js';
import { LocalFolders, type Candidate } from './local.js';
import { NamedFiles } from './named-file.js';
import { PlaceLog, type Place } from './places.js';
import { proxySettings, type ProxySettings } from './http/proxy.js';
import { requestProblem, storeKey, type Identify, type SymbolRequest } from './http/request.js';
import { searchServer } from './http/server-search.js';
import { SymbolServer } from './http/server.js';
import { hasServer, type Environment, type ServerStore, type Store, type SymbolPath } from './symbol-path.js';

export interface SymbolStoreOptions {
  readonly path: SymbolPath;
  /** Every file is identified by this before it is used. */
  readonly identify: Identify;
  readonly unpack: Unpack;
  /** Proxies are read from here. */
  readonly env: Environment;
  /** No server is asked, whatever the path names. */
  readonly offline?: boolean | undefined;
  /** Follow redirects of a server to another one. Without it only the servers of the path are asked. */
  readonly allowRedirects?: boolean | undefined;
  readonly limits?: Partial<HttpLimits> | undefined;
  /** Milliseconds before a second and third attempt. */
  readonly retryDelays?: readonly number[] | undefined;
  /** PEM certificates trusted instead of the platform's. */
  readonly ca?: string | undefined;
  readonly progress?: DownloadProgress | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly cacheHooks?: CacheHooks | undefined;
}

/** A setting that cannot be used: its name, the element where it is a path, and why. No credentials. */
export interface Problem {
  readonly origin: string;
  readonly element: string;
  readonly message: string;
}

/** What a search may do with servers: bring files, only ask whether they are there, or leave them alone. */
export type ServerUse = 'fetch' | 'probe' | 'none';

/** A file that was found; its identity is the one asked for. */
export interface FoundSymbol {
  /** On this machine, uncompressed. */
  readonly path: string;
  readonly how: 'file' | 'unpacked' | 'pointer' | 'downloaded';
  /** The element of the symbol path, without credentials. */
  readonly element: string;
  /** Where it was met: a path or an address without credentials. */
  readonly from: string;
}

/** A search's answer. `places` are in the order of looking. */
export interface SymbolSearch {
  readonly request: SymbolRequest;
  readonly found: FoundSymbol | null;
  /** The address of a file that a server has and that was not fetched, or null. */
  readonly onServer: string | null;
  readonly places: readonly Place[];
}

/** Files along one symbol path, for one run. Answers are remembered, also that a file is nowhere. Close it at the end. */
export class SymbolStore {
  private readonly folders = new LocalFolders();
  private readonly intake: Intake;
  private readonly namedFiles: NamedFiles;
  private readonly servers = new Map<string, SymbolServer>();
  private readonly searches = new Map<string, Promise<SymbolSearch>>();
  private readonly proxies: ProxySettings;
  private client: HttpClient | null = null;

  constructor(private readonly options: SymbolStoreOptions) {
    this.proxies = proxySettings(options.env);
    this.namedFiles = new NamedFiles(options.identify);
    this.intake = new Intake(
      {
        identify: options.identify,
        unpack: options.unpack,
        maxBytes: options.limits?.maxBytes ?? DEFAULT_LIMITS.maxBytes,
        defaultCache: options.path.defaultCache,
        cacheHooks: options.cacheHooks,
      },
      this.folders,
    );
  }

  /** The symbol path that is searched. */
  get path(): SymbolPath {
    return this.options.path;
  }

  /** What is wrong with the path, and where it names servers, with the proxies. */
  get problems(): readonly Problem[] {
    const { path } = this.options;
    const proxies = hasServer(path) ? this.proxies.problems : [];
    return [
      ...path.problems,
      ...proxies.map((origin) => ({ origin, element: '', message: 'it is not the address of an HTTP proxy' })),
    ];
  }

  /**
   * Searches the path in order and stops at the first file with the right identity. Never throws for what the path,
   * the files or the servers do; those are places in the answer.
   */
  find(request: SymbolRequest, servers: ServerUse = 'fetch'): Promise<SymbolSearch> {
    const key = JSON.stringify([servers, request.kind, request.name, storeKey(request)]);
    let search = this.searches.get(key);
    if (search === undefined) {
      search = this.search(request, servers);
      this.searches.set(key, search);
    }
    return search;
  }

  /** Ends all connections. Searches under way end with what they have. */
  close(): void {
    this.client?.close();
  }

  private async search(request: SymbolRequest, servers: ServerUse): Promise<SymbolSearch> {
    const log = new PlaceLog();
    const run = new Search(request, servers, log);
    const problem = requestProblem(request);
    if (problem === null) await this.walk(run);
    else log.add(request.name, 'not-asked', problem);
    return { request, found: run.found, onServer: run.onServer, places: log.places };
  }

  private async walk(run: Search): Promise<void> {
    const { request, log } = run;
    const caches: string[] = [];
    for (const element of this.options.path.elements) {
      log.element = element.text;
      if (element.kind === 'chain') {
        await this.walkChain(run, element.stores, caches);
      } else if (element.kind === 'cache') {
        await this.useFirst(run, this.folders.inStore(element.path, request, log, true), caches);
        caches.push(element.path);
      } else if (isFile(element.path)) {
        if (await this.namedFiles.mayBe(element.path, request)) {
          await this.useFirst(run, [{ path: element.path, pointer: null }], caches, false);
        } else {
          log.add(element.path, 'absent', 'it is another file');
        }
      } else {
        // Files in a plain folder are used where they lie; only what must be unpacked goes to a cache.
        await this.useFirst(run, this.folders.inPlainFolder(element.path, request, log), caches, false);
      }
      if (run.done) return;
    }
  }

  private async walkChain(run: Search, stores: readonly Store[], above: readonly string[]): Promise<void> {
    const caches = [...above];
    for (const [i, store] of stores.entries()) {
      if (store.kind === 'folder') {
        const isCache = store.implied || i < stores.length - 1;
        await this.useFirst(run, this.folders.inStore(store.path, run.request, run.log, isCache), caches);
        caches.push(store.path);
      } else {
        await this.askServer(run, store, caches);
      }
      if (run.done) return;
    }
  }

  /** Uses the first of the candidates that is the file asked for. */
  private async useFirst(
    run: Search,
    candidates: readonly Candidate[],
    caches: readonly string[],
    copy = true,
  ): Promise<void> {
    const { request, log } = run;
    for (const { path, pointer } of candidates) {
      const writer = this.intake.writer(request, caches, log);
      try {
        const good = await this.intake.take(path, request, writer, { where: path, log }, caches);
        if (good === null) continue;
        const used = copy ? await this.intake.spread(good, request, caches, log) : good;
        const how = good !== path ? 'unpacked' : pointer === null ? 'file' : 'pointer';
        log.add(path, 'found', used === path ? null : `${how === 'unpacked' ? 'unpacked' : 'copied'} to ${used}`);
        run.found = { path: used, how, element: log.element, from: path };
        return;
      } finally {
        await writer.discard();
      }
    }
  }

  private async askServer(run: Search, { server: address }: ServerStore, caches: readonly string[]): Promise<void> {
    const { request, log } = run;
    if (this.options.offline === true || run.servers === 'none') {
      log.add(address.text, 'not-asked', this.options.offline === true ? 'offline' : null);
      return;
    }
    const server = this.server(address);
    const answer = await searchServer(server, request, {
      probe: run.servers === 'probe',
      intake: this.intake,
      caches,
      roots: this.roots(),
      log,
      progress: this.options.progress,
    });
    if (answer === null) return;
    if (answer.path === null) run.onServer ??= answer.from;
    else run.found = { path: answer.path, how: answer.how, element: log.element, from: answer.from };
  }

  private server(address: ServerStore['server']): SymbolServer {
    const key = `${address.authorization ?? ''} ${address.file().href}`;
    let server = this.servers.get(key);
    if (server === undefined) {
      const { limits, ca, signal, retryDelays, allowRedirects } = this.options;
      this.client ??= new HttpClient({ limits, ca, signal, allowRedirects, proxies: this.proxies });
      server = new SymbolServer(address, this.client, retryDelays);
      this.servers.set(key, server);
    }
    return server;
  }

  /** The folders that the path names: where a pointer from a server may lead. */
  private roots(): string[] {
    return this.options.path.elements.flatMap((element) =>
      element.kind === 'chain'
        ? element.stores.flatMap((store) => (store.kind === 'folder' ? [store.path] : []))
        : [element.path],
    );
  }
}

/** The state of one search. */
class Search {
  found: FoundSymbol | null = null;
  onServer: string | null = null;

  constructor(
    readonly request: SymbolRequest,
    readonly servers: ServerUse,
    readonly log: PlaceLog,
  ) {}

  get done(): boolean {
    return this.found !== null;
  }
}
