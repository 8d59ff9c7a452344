/** From a file that was met to a file that may be used: unpacked, identity checked, kept in the caches before it. */

import { createReadStream, createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { isFile } from './any-case.js';
import { CacheSlot, type CacheHooks } from './cache.js';
import { storeParts, type LocalFolders } from './local.js';
import { errorText } from '../../parsers/files/system-errors.js';
import { type Outcome, type PlaceLog } from './places.js';
import { identityText, isRequested, type Identify, type SymbolRequest } from './http/request.js';

/**
 * Unpacks the only file of the cabinet at `from` into the existing, empty file at `to`. Throws an Error with one
 * sentence when it cannot, or when more than `mostBytes` come out.
 */
export type Unpack = (from: string, to: string, mostBytes: number) => void | Promise<void>;

export interface IntakeOptions {
  readonly identify: Identify;
  readonly unpack: Unpack;
  /** Most bytes that a file may unpack to. */
  readonly maxBytes: number;
  /** Where files go whose own caches cannot take them. */
  readonly defaultCache: string;
  readonly cacheHooks?: CacheHooks | undefined;
}

/** No folder can take the file; the log says which were tried, each with its failure. A signal to the search, never shown. */
export class NoCache extends Error {
  constructor() {
    super('no cache folder can be written');
  }
}

/** Where a file was met, for the log: `note` is added where it turns out to be the wrong one. */
export interface Origin {
  readonly where: string;
  readonly log: PlaceLog;
  readonly note?: string | undefined;
}

/** Takes files in for one store. */
export class Intake {
  constructor(
    private readonly options: IntakeOptions,
    private readonly folders: LocalFolders,
  ) {}

  /** A writer for the file of a request into the first of `caches` that can be written, else the default cache. */
  writer(request: SymbolRequest, caches: readonly string[], log: PlaceLog): CacheWriter {
    return new CacheWriter(this.roots(caches), (root) => this.slot(root, request), log);
  }

  /** A good file that a writer for the same request would find in its place already, or null. */
  async existing(request: SymbolRequest, caches: readonly string[]): Promise<string | null> {
    for (const root of this.roots(caches)) {
      const { path } = this.slot(root, request);
      if (isFile(path) && (await this.isGood(path, request))) return path;
    }
    return null;
  }

  /**
   * Checks the file at `source`, unpacking it where it is a cabinet, and returns the path of the good file: `source`
   * itself, or the one that `writer` made of it now or earlier. Null when it is not the file asked for; the log says why.
   */
  async take(
    source: string,
    request: SymbolRequest,
    writer: CacheWriter,
    origin: Origin,
    caches: readonly string[] = [],
  ): Promise<string | null> {
    let file = source;
    const reject = (outcome: Outcome, detail: string): null => {
      origin.log.add(origin.where, outcome, origin.note === undefined ? detail : `${detail} (${origin.note})`);
      return null;
    };
    try {
      if (await isCabinet(source)) {
        const earlier = writer.owns(source) ? null : await this.existing(request, caches);
        if (earlier !== null) return earlier;
        file = await writer.begin();
        await this.options.unpack(source, file, this.options.maxBytes);
      }
    } catch (error) {
      return error instanceof NoCache
        ? null
        : reject('unreadable', `it cannot be unpacked: ${aboutFile(error, source)}`);
    }
    const obstacle = await this.obstacle(file, request);
    if (obstacle !== null) return reject(obstacle.outcome, obstacle.detail);
    if (!writer.owns(file)) return file;
    try {
      const path = await writer.commit(file, (other) => this.isGood(other, request));
      this.folders.changed(writer.root);
      return path;
    } catch (error) {
      return reject('not-written', `${writer.root}: ${errorText(error)}`);
    }
  }

  /** Copies a good file into every cache that has none; returns the copy in the first cache, else the file itself. */
  async spread(path: string, request: SymbolRequest, caches: readonly string[], log: PlaceLog): Promise<string> {
    const copies: string[] = [];
    for (const root of caches) {
      const slot = this.slot(root, request);
      if (slot.path === path) {
        copies.push(path);
        continue;
      }
      try {
        const partial = await slot.begin();
        await pipeline(createReadStream(path), createWriteStream(partial, { flags: 'r+' }));
        const obstacle = await this.obstacle(partial, request);
        if (obstacle !== null) throw new Error(obstacle.detail);
        copies.push(await slot.commit(partial, (other) => this.isGood(other, request)));
        this.folders.changed(root);
      } catch (error) {
        log.add(slot.path, 'not-written', errorText(error));
      } finally {
        await slot.discard();
      }
    }
    return copies[0] ?? path;
  }

  private roots(caches: readonly string[]): string[] {
    return [...new Set([...caches, this.options.defaultCache])];
  }

  private slot(root: string, request: SymbolRequest): CacheSlot {
    const parts = storeParts(request, this.folders.isTwoTier(root));
    return new CacheSlot(root, parts, request.name, this.options.cacheHooks);
  }

  private async isGood(path: string, request: SymbolRequest): Promise<boolean> {
    return (await this.obstacle(path, request)) === null;
  }

  private async obstacle(
    path: string,
    request: SymbolRequest,
  ): Promise<{ outcome: 'mismatch' | 'unreadable'; detail: string } | null> {
    try {
      const identity = await this.options.identify(path);
      if (identity === null) return { outcome: 'unreadable', detail: 'it is neither a PDB nor an image' };
      if (isRequested(request, identity)) return null;
      return { outcome: 'mismatch', detail: `it has ${identityText(identity)}` };
    } catch (error) {
      return { outcome: 'unreadable', detail: aboutFile(error, path) };
    }
  }
}

/** Writes one file into the first folder that takes it. */
export class CacheWriter {
  private slot: CacheSlot | null = null;
  private readonly own = new Set<string>();

  constructor(
    private readonly roots: readonly string[],
    private readonly slotIn: (root: string) => CacheSlot,
    private readonly log: PlaceLog,
  ) {}

  /** The root in use, or '' before `begin`. */
  get root(): string {
    return this.slot?.root ?? '';
  }

  /** A new, empty temporary file. Throws NoCache. */
  async begin(): Promise<string> {
    for (const root of this.slot === null ? this.roots : [this.slot.root]) {
      const slot = this.slot ?? this.slotIn(root);
      try {
        const partial = await slot.begin();
        this.slot = slot;
        this.own.add(partial);
        return partial;
      } catch (error) {
        this.log.add(join(slot.path), 'not-written', errorText(error));
      }
    }
    throw new NoCache();
  }

  /** True for a file that `begin` made. */
  owns(path: string): boolean {
    return this.own.has(path);
  }

  /** See CacheSlot.commit. */
  async commit(partial: string, isGood: (path: string) => Promise<boolean>): Promise<string> {
    if (this.slot === null) throw new NoCache();
    return this.slot.commit(partial, isGood);
  }

  async discard(): Promise<void> {
    await this.slot?.discard();
  }
}

/** An error's text without the temporary name of the file; the place has the one that people know. */
function aboutFile(error: unknown, path: string): string {
  return errorText(error).replaceAll(path, 'the file');
}

/** Cabinets are known by their first bytes: servers also send them under the plain name. */
async function isCabinet(path: string): Promise<boolean> {
  const file = await open(path, 'r');
  try {
    const head = Buffer.alloc(4);
    const { bytesRead } = await file.read(head, 0, 4, 0);
    return bytesRead === 4 && head.toString('latin1') === 'MSCF';
  } finally {
    await file.close();
  }
}
