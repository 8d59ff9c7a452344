/** A session over an open dump, and the interpreter that runs its lines. */

import type { SymbolSources } from '../../../symbols/sources.js';
import { Interpreter } from '../../kd/interpreter.js';
import { KD } from '../../kd/registry.js';
import { Session } from '../../kd/session.js';
import type { OpenedDump } from '../../kernel/open/opened-dump.js';
import { openSources, type SymbolArguments } from '../options/symbol-options.js';
import { readTagLists } from '../options/tag-lists.js';
import type { Environment } from '../terminal/terminal.js';
import type { KdArguments } from './kd-arguments.js';
import { KdHost } from './kd-host.js';

/** Where the output of a session goes, and who stops it. */
export interface KdOutput {
  write(text: string): Promise<void>;
  stopped(): boolean;
}

/** A session and what it stands on. */
export interface OpenSession {
  readonly interpreter: Interpreter;
  readonly host: KdHost;
  /** The symbol path that a command has set; null where none has. */
  readonly changedPath: () => string | null;
  /** Closes the log and the symbols that commands opened. */
  close(): void;
}

/** Throws FileError for a list of tags that cannot be read. */
export function openSession(
  opened: OpenedDump,
  symbols: SymbolSources | null,
  args: KdArguments,
  env: Environment,
  output: KdOutput,
): OpenSession {
  const later: SymbolSources[] = [];
  const given = pathText(args, env);
  const host = new KdHost({
    write: async (text) => output.write(text),
    stopped: () => output.stopped(),
    openSymbols: async (path) => {
      if (path.trim() === '') return null;
      const sources = await openSources({ ...args, symbols: [path], 'symbol-server': undefined }, {});
      later.push(sources);
      return sources;
    },
    symbolPath: given,
    dump: opened.path,
  });
  const lists = readTagLists(args.pooltag, env);
  const session = new Session({ catalog: KD, opened, lists, symbols, host });
  return {
    interpreter: new Interpreter(session),
    host,
    changedPath: () => (host.symbolPath === given ? null : host.symbolPath),
    close: () => {
      host.closeLog();
      for (const sources of later) sources.close();
    },
  };
}

/** The symbol path as it was given. */
function pathText(args: SymbolArguments, env: Environment): string {
  return [...(args.symbols ?? []), env['_NT_ALT_SYMBOL_PATH'], env['_NT_SYMBOL_PATH'], ...(args['symbol-server'] ?? [])]
    .filter((part) => (part ?? '').trim() !== '')
    .join(';');
}
