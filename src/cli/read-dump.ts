/** What all commands on one dump share: finding the file, progress, Ctrl+C, closing. */

import { InputError } from '../../parsers/bytes/input-error.js';
import type { SymbolSources } from '../../symbols/sources.js';
import { OpenedDump } from '../kernel/open/opened-dump.js';
import { UsageError } from './errors.js';
import { onInterrupt } from './interrupt.js';
import type { Host } from './terminal/output.js';
import { Progress } from './terminal/progress.js';
import { symbolSources, type SymbolArguments } from './options/symbol-options.js';
import { expandWildcards } from './options/wildcards.js';
import { isSameFile } from './terminal/write-file.js';

export interface DumpArguments extends SymbolArguments {
  /** Path of the dump, maybe with wildcards. */
  readonly dump: string;
  readonly output?: string | undefined;
  /** The page of the report. */
  readonly html?: string | undefined;
  readonly quiet?: boolean | undefined;
  readonly member?: string | undefined;
  /** GB. */
  readonly 'max-unpacked'?: number | undefined;
}

/**
 * Opens the dump, lets `read` take from it what it needs, and closes it. Throws UsageError for a path that stands for
 * several files and for a report that would overwrite the dump, and what opening and reading throw.
 */
export async function readDump<T>(
  args: DumpArguments,
  host: Host,
  read: (opened: OpenedDump, progress: Progress['update'], symbols: SymbolSources | null) => T | Promise<T>,
  /** False for a command that looks for symbols itself. */
  withSymbols = true,
): Promise<T> {
  const path = oneFile(args.dump, host.platform);
  for (const [option, target] of [
    ['--output', args.output],
    ['--html', args.html],
  ]) {
    if (target !== undefined && isSameFile(path, target)) {
      throw new UsageError(`${String(option)} ${target} would overwrite the dump`);
    }
  }
  const progress = new Progress(host.stderr, args.quiet !== true);
  const release = onInterrupt(progress.end);
  let opened: OpenedDump | null = null;
  let symbols: SymbolSources | null = null;
  try {
    if (withSymbols) symbols = await symbolSources(args, host.env, progress.update);
    opened = await OpenedDump.open(path, {
      progress: (done, total) => {
        progress.update('unpacking', done, total);
      },
      ...(symbols === null ? {} : { symbols }),
      ...(args.member === undefined ? {} : { member: args.member }),
      ...(args['max-unpacked'] === undefined ? {} : { mostBytes: args['max-unpacked'] * 2 ** 30 }),
    });
    if (opened.file.container === null) release();
    const result = await read(opened, progress.update, symbols);
    // Lets a Ctrl+C that came meanwhile be heard before anything is printed.
    await new Promise(setImmediate);
    return result;
  } catch (error) {
    throw withAdvice(error, args.dump);
  } finally {
    opened?.close();
    symbols?.close();
    progress.end();
    release();
  }
}

/** What helps somebody further who named something else than a dump. */
function withAdvice(error: unknown, path: string): unknown {
  if (!(error instanceof InputError)) return error;
  const advice = adviceFor(error, path);
  return advice === null ? error : new InputError(error.code, `${error.message}${advice}`);
}

function adviceFor({ code }: InputError, path: string): string | null {
  if (path === '-') {
    return '; a dump is read in many places, so not from standard input. Write it to a file: zcat MEMORY.DMP.gz > MEMORY.DMP';
  }
  if (code === 'is-folder') {
    return `. All dumps in it: dumpleak batch ${path} --out REPORT; growth over its logs and dumps: dumpleak trend ${path}`;
  }
  return code === 'text-file' ? `. If it is a poolmon or counter log: dumpleak trend ${path}` : null;
}

function oneFile(pattern: string, platform: NodeJS.Platform): string {
  if (platform === 'win32' && pattern.includes('"')) {
    throw new UsageError(
      `${pattern} holds a quotation mark: a path in quotes must not end in a backslash, or it takes the rest of the line with it`,
    );
  }
  const files = expandWildcards(pattern, platform);
  const [first, second] = files;
  if (first === undefined) throw new InputError('not-found', `${pattern}: no file has such a name`);
  if (second !== undefined) {
    const others = files.length > 2 ? `, ... (${files.length} files)` : '';
    throw new UsageError(`${pattern} stands for ${first}, ${second}${others}: this command takes one dump at a time`);
  }
  return first;
}
