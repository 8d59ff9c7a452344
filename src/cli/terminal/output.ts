/** Where a command's report goes: the console, or the file of `--output`. */

import { asciiOnly, type StyleOptions } from '../../views/print/style.js';
import { FileError } from '../errors.js';
import { columnsOf, wantsAscii, wantsColor, type Environment, type Stream } from './terminal.js';
import { checkWritable, writeWhole } from './write-file.js';

/** What a command runs in; the process at hand is one. */
export interface Host {
  readonly env: Environment;
  readonly platform: NodeJS.Platform;
  readonly stdout: Stream;
  readonly stderr: Stream;
  /** Left out where nothing can be read from a console. */
  readonly stdin?: NodeJS.ReadStream | undefined;
}

/** The options that say where a report goes and how it looks. */
export interface OutputOptions {
  readonly output?: string | undefined;
  readonly color?: boolean | undefined;
  readonly ascii?: boolean | undefined;
}

export class Output {
  /** For the renderers of text. */
  readonly style: Readonly<StyleOptions>;
  private readonly file: string | undefined;
  private readonly parts: string[] = [];
  private isClosed = false;

  /** Throws FileError when the file of `--output` cannot be written. */
  constructor(
    private readonly host: Host,
    options: OutputOptions,
  ) {
    const { env, platform, stdout } = host;
    this.file = options.output;
    if (this.file === undefined) {
      this.style = {
        width: columnsOf(stdout),
        color: wantsColor(options.color, env, stdout),
        ascii: wantsAscii(options.ascii, env, platform, stdout),
      };
    } else {
      checkWritable(this.file);
      this.style = { color: options.color === true, ascii: options.ascii === true };
    }
  }

  /** Writes a report for people. */
  async text(text: string): Promise<void> {
    await this.write(this.style.ascii === true ? asciiOnly(text) : text);
  }

  /** Writes a part of a report for people; `end` must follow the last one. */
  async part(text: string): Promise<void> {
    const shown = this.style.ascii === true ? asciiOnly(text) : text;
    if (this.file === undefined) this.isClosed = !(await writeTo(this.host.stdout, shown));
    else this.parts.push(shown);
  }

  /** Whether the reader of the parts has had enough: nothing that is written now arrives. */
  get closed(): boolean {
    return this.isClosed;
  }

  /** Ends a report that was written in parts. */
  async end(): Promise<void> {
    if (this.file !== undefined) await this.write(this.parts.join(''));
  }

  /** Writes JSON; where only ASCII can be shown, other characters as `\uXXXX`, which loses nothing. */
  async json(json: string): Promise<void> {
    await this.write(this.style.ascii === true ? json.replace(/[^\0-\x7f]/g, escapeUnit) : json);
  }

  /** Writes lines for another program to stdout, also where the report goes to a file. */
  async aside(text: string): Promise<void> {
    if (text !== '') await writeTo(this.host.stdout, text);
  }

  private async write(text: string): Promise<void> {
    if (this.file === undefined) await writeTo(this.host.stdout, text);
    else writeWhole(this.file, text);
  }
}

const escapeUnit = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** What a closed pipe reports, by platform. */
const CLOSED = new Set(['EPIPE', 'EOF', 'ECONNRESET', 'ERR_STREAM_DESTROYED']);

/**
 * Writes to a stream and waits until all of it has gone out. A reader that has had enough (`| head`) is no error. Throws
 * FileError when the stream leads to a file that cannot take it.
 *
 * @returns whether there is still a reader.
 */
export async function writeTo(stream: Stream, text: string): Promise<boolean> {
  const error = await new Promise<(Error & { code?: string }) | null>((resolve) => {
    stream.write(text, (failure) => {
      resolve(failure ?? null);
    });
  });
  if (error === null) return true;
  if (CLOSED.has(error.code ?? '')) return false;
  throw new FileError(`the output cannot be written: ${error.message}`);
}
