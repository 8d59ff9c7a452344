/** What a session at the debugger's prompt gets from this system: a console, a log, files of commands, the symbol path. */

import { closeSync, openSync, writeSync } from 'node:fs';
import { errorText } from '../../../parsers/files/system-errors.js';
import type { SymbolSources } from '../../../symbols/sources.js';
import { KdError } from '../../kd/kd-error.js';
import type { SessionHost } from '../../kd/session.js';
import { isSameFile } from '../terminal/write-file.js';
import { readScript } from './read-script.js';

/** What the surroundings of a session can do. */
export interface KdConsole {
  write(text: string): Promise<void>;
  stopped(): boolean;
  openSymbols(path: string): Promise<SymbolSources | null>;
  readonly symbolPath: string;
  /** The dump, which no log may overwrite. */
  readonly dump: string;
}

export class KdHost implements SessionHost {
  private open: { readonly path: string; readonly file: number } | null = null;
  symbolPath: string;

  constructor(private readonly console: KdConsole) {
    this.symbolPath = console.symbolPath;
  }

  get log(): string | null {
    return this.open?.path ?? null;
  }

  async write(text: string): Promise<void> {
    this.note(text);
    await this.console.write(text);
  }

  stopped(): boolean {
    return this.console.stopped();
  }

  /** Writes to the log alone: a command as it was typed. */
  note(text: string): void {
    if (this.open === null) return;
    const { file, path } = this.open;
    try {
      writeSync(file, text);
    } catch (error) {
      this.closeLog();
      throw new KdError(`${path} cannot be written: ${errorText(error)}. The log is closed`, 'input');
    }
  }

  openLog(path: string, { append }: { readonly append: boolean }): void {
    if (isSameFile(path, this.console.dump)) throw new KdError(`${path} would overwrite the dump`);
    this.closeLog();
    try {
      this.open = { path, file: openSync(path, append ? 'a' : 'w') };
    } catch (error) {
      throw new KdError(`${path} cannot be written: ${errorText(error)}`, 'input');
    }
  }

  closeLog(): string | null {
    const { open } = this;
    this.open = null;
    if (open === null) return null;
    closeSync(open.file);
    return open.path;
  }

  readScript(path: string): string {
    return readScript(path);
  }

  async openSymbols(path: string): Promise<SymbolSources | null> {
    const sources = await this.console.openSymbols(path);
    this.symbolPath = path;
    return sources;
  }
}
