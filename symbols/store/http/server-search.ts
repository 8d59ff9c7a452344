/** Asks one server for one file, in every form that it may have there, and takes in what comes. */

import { isFile } from '../any-case.js';
import type { DownloadProgress, HttpAnswer } from './http-types.js';
import { HttpFailure } from './http-failure.js';
import { NoCache, type CacheWriter, type Intake } from '../intake.js';
import { pointerObstacle } from '../local.js';
import { errorCode, errorText } from '../../../parsers/files/system-errors.js';
import { type PlaceLog } from '../places.js';
import { isWithin, LONGEST_POINTER, parsePointer, pointerText } from '../pointer.js';
import type { SymbolRequest } from './request.js';
import { urlText } from './server-address.js';
import type { SymbolServer } from './server.js';

export interface ServerSearchOptions {
  /** Only ask whether the file is there. */
  readonly probe: boolean;
  readonly intake: Intake;
  /** Where the file is kept: the first that can be written, and copies in the others. */
  readonly caches: readonly string[];
  /** Folders that a `file.ptr` of the server may lead to: those that the user named himself. */
  readonly roots: readonly string[];
  readonly log: PlaceLog;
  readonly progress?: DownloadProgress | undefined;
}

/** `path` is null where the server has the file and it was not fetched. */
export interface ServerFind {
  readonly path: string | null;
  readonly how: 'downloaded' | 'pointer' | 'file';
  /** An address without credentials, or the path that a pointer named. */
  readonly from: string;
}

/** Searches a server; null when it gave nothing that can be used, and the log says why. */
export async function searchServer(
  server: SymbolServer,
  request: SymbolRequest,
  options: ServerSearchOptions,
): Promise<ServerFind | null> {
  const { log } = options;
  if (server.down !== null) {
    log.add(server.address.text, 'not-asked', server.down);
    return null;
  }
  // An earlier run may have had to use the default cache.
  const earlier = await options.intake.existing(request, options.caches);
  if (earlier !== null) {
    log.add(earlier, 'found');
    return { path: earlier, how: 'file', from: earlier };
  }
  const writer = options.intake.writer(request, options.caches, log);
  try {
    return await new ServerSearch(server, request, options, writer).run();
  } catch (error) {
    // The log has the folders that cannot be written.
    if (error instanceof NoCache) return null;
    if (errorCode(error) === null) throw error;
    log.add(server.address.text, 'failed', errorText(error));
    return null;
  } finally {
    await writer.discard();
  }
}

class ServerSearch {
  private first: string | null = null;
  private partial = '';

  constructor(
    private readonly server: SymbolServer,
    private readonly request: SymbolRequest,
    private readonly options: ServerSearchOptions,
    private readonly writer: CacheWriter,
  ) {}

  async run(): Promise<ServerFind | null> {
    const { server, options } = this;
    let status = 404;
    for await (const file of server.files(this.request)) {
      const where = urlText(file.url);
      this.first ??= where;
      const answer = options.probe
        ? await server.ask(file.url, { method: 'HEAD', target: null })
        : file.form === 'pointer'
          ? await server.ask(file.url, { method: 'GET', target: { memory: LONGEST_POINTER } })
          : await this.download(file.url);
      if (answer instanceof HttpFailure) return this.failed(where, answer);
      if (!answer.found) {
        status = answer.status;
        continue;
      }
      server.found(file);
      if (options.probe) {
        options.log.add(where, 'on-server');
        return { path: null, how: 'downloaded', from: where };
      }
      return file.form === 'pointer' ? await this.follow(where, answer.body) : await this.take(where, answer);
    }
    options.log.add(this.first ?? server.address.text, 'absent', `HTTP ${status}`);
    return null;
  }

  private async download(url: URL): Promise<HttpAnswer | HttpFailure> {
    return this.server.ask(url, {
      method: 'GET',
      target: async () => (this.partial = await this.writer.begin()),
      progress: this.options.progress,
    });
  }

  private async take(where: string, answer: HttpAnswer): Promise<ServerFind | null> {
    const { intake, log, caches } = this.options;
    const note = `the server sent ${answer.bytes} bytes of ${answer.contentType ?? 'no stated type'}`;
    const path = await intake.take(this.partial, this.request, this.writer, { where, log, note });
    if (path === null) return null;
    await intake.spread(path, this.request, caches, log);
    log.add(where, 'found', `downloaded to ${path}`);
    return { path, how: 'downloaded', from: where };
  }

  /**
   * A pointer from a server leads to the same server, or to a folder that the user named: any other share would be
   * sent the user's Windows credentials on the word of that server.
   */
  private async follow(where: string, body: Uint8Array): Promise<ServerFind | null> {
    const { log, intake, caches, roots } = this.options;
    const pointer = parsePointer(pointerText(body));
    if (pointer.kind !== 'path') {
      log.add(where, 'not-followed', pointerObstacle(pointer));
      return null;
    }
    const url = /^https?:/i.test(pointer.path) && URL.canParse(pointer.path) ? new URL(pointer.path) : null;
    if (url !== null) {
      if (url.origin !== this.server.address.origin) {
        log.add(where, 'not-followed', `the pointer names another server: ${urlText(url)}`);
        return null;
      }
      const answer = await this.download(url);
      if (answer instanceof HttpFailure) return this.failed(urlText(url), answer);
      if (answer.found) return this.take(urlText(url), answer);
      log.add(urlText(url), 'absent', `named by ${where}`);
      return null;
    }
    if (!roots.some((root) => isWithin(pointer.path, root))) {
      const advice = 'if you trust it, name its folder in the symbol path';
      log.add(where, 'not-followed', `the pointer names ${pointer.path}; ${advice}`);
      return null;
    }
    const obstacle = pointerObstacle(pointer);
    if (obstacle !== null || !isFile(pointer.path)) {
      log.add(pointer.path, obstacle === null ? 'absent' : 'not-followed', obstacle ?? `named by ${where}`);
      return null;
    }
    const good = await intake.take(pointer.path, this.request, this.writer, { where: pointer.path, log }, caches);
    if (good === null) return null;
    const used = await intake.spread(good, this.request, caches, log);
    log.add(pointer.path, 'found', `named by ${where}`);
    return { path: used, how: 'pointer', from: pointer.path };
  }

  private failed(where: string, failure: HttpFailure): null {
    this.options.log.add(where, 'failed', failure.message);
    return null;
  }
}
