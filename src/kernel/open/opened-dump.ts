/** A dump file that is open, with its kernel: what every command of the library starts from. */

import { CachedSource } from '../../../parsers/bytes/cached-source.js';
import { openFile, type OpenedFile, type UnpackOptions } from '../../../parsers/bytes/containers/containers.js';
import type { ReadPace } from '../../../parsers/bytes/read-pace.js';
import { CountingSource } from '../../../parsers/bytes/source.js';
import { openDump as openDumpSource, type Dump } from '../../../parsers/dump/open-dump.js';
import type { GivenFacts } from '../../../symbols/built-in-symbols.js';
import type { SymbolSources } from '../../../symbols/sources.js';
import type { Warning } from '../../result/result.js';
import { findKernel, openKernel, type FoundKernel, type Kernel, type OpenKernelOptions } from './open-kernel.js';

/** How to open: which dump of an archive, how large it may get, whom to tell of the progress of unpacking. */
export interface OpenOptions extends OpenKernelOptions, UnpackOptions {
  /** Where symbols of this very kernel are looked for, once its identity is known. The caller closes it, after the dump. */
  readonly symbols?: SymbolSources;
}

/** An open dump. Close it when done: it holds a file, and for compressed dumps a temporary file. */
export class OpenedDump {
  private opened: Kernel | null = null;
  private found: FoundKernel | undefined;
  private facts: readonly GivenFacts[] = [];

  private constructor(
    readonly path: string,
    readonly file: OpenedFile,
    private readonly counter: CountingSource,
    readonly dump: Dump,
    private readonly options: OpenKernelOptions,
    /** When opening began. */
    readonly startedAt: Date,
  ) {}

  /**
   * Opens a dump file, also one that is compressed (gzip, xz, zstd) or in an archive (zip, 7z). Throws InputError, with one line for the user, when the file cannot
   * be opened or is no kernel dump.
   */
  static async open(path: string, options: OpenOptions = {}): Promise<OpenedDump> {
    const startedAt = new Date();
    const opened = OpenedDump.over(path, await openFile(path, options), options, startedAt);
    try {
      if (options.symbols !== undefined) await opened.askFor(options.symbols);
    } catch (error) {
      opened.close();
      throw error;
    }
    return opened;
  }

  /** Opens a dump over bytes that are at hand; `path` is only shown. Throws InputError as `open` does. */
  static over(
    path: string,
    file: OpenedFile,
    options: OpenKernelOptions = {},
    startedAt = new Date(),
    pace?: ReadPace,
  ): OpenedDump {
    const counter = new CountingSource(file.source);
    try {
      const dump = openDumpSource(new CachedSource(counter, pace));
      return new OpenedDump(path, file, counter, dump, options, startedAt);
    } catch (error) {
      file.source.close();
      throw error;
    }
  }

  /** The kernel in the dump, found when first asked for. */
  get kernel(): Kernel {
    this.opened ??= openKernel(this.dump, this.options, this.found, this.facts);
    return this.opened;
  }

  /** Bytes read from the dump so far, of the decompressed stream where it is compressed. */
  get bytesRead(): number {
    return this.counter.bytesRead;
  }

  /** Milliseconds since opening began. */
  get elapsedMs(): number {
    return Date.now() - this.startedAt.getTime();
  }

  /** Asks for the kernel's symbols. Triage dumps hold nothing that they would lead to. */
  private async askFor(sources: SymbolSources): Promise<void> {
    if (this.dump.triage !== null) return;
    const found = findKernel(this.dump);
    const { facts, warnings } = await sources.kernelFacts(found.identity, this.options.hideProfiles === true);
    this.facts = facts;
    const more = warnings.map((w): Warning => ({ ...w, where: 'symbols' }));
    this.found = { ...found, warnings: [...found.warnings, ...more] };
  }

  close(): void {
    this.file.source.close();
  }
}
