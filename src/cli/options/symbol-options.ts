/** The options that say where symbols are looked for, and what they come to with the environment. */

import { statSync } from 'node:fs';
import type { Options } from 'yargs';
import type { SymbolSources } from '../../../symbols/sources.js';
import { errorText } from '../../../parsers/files/system-errors.js';
import { FileError } from '../errors.js';
import type { Environment } from '../terminal/terminal.js';

const GROUP = 'Symbols:';

/** Of every command on a dump. */
export const SYMBOLS = {
  symbols: {
    type: 'array',
    string: true,
    requiresArg: true,
    describe: 'Symbol path, as in _NT_SYMBOL_PATH, which is searched after it: folders, srv*cache*server',
    group: GROUP,
  },
  'symbol-server': {
    type: 'array',
    string: true,
    requiresArg: true,
    describe: 'A symbol server, asked after everything else; without one in the path nothing is fetched',
    group: GROUP,
  },
  'allow-redirects': {
    type: 'boolean',
    describe: "Follow a symbol server that redirects to another server (Microsoft's does)",
    group: GROUP,
  },
  offline: { type: 'boolean', describe: 'Ask no symbol server, whatever the path says', group: GROUP },
  profiles: {
    type: 'array',
    string: true,
    requiresArg: true,
    describe: 'Profiles (dumpleak profile make) or Volatility 3 symbol tables: a folder of them, or one file',
    group: GROUP,
  },
} as const satisfies Record<string, Options>;

/** The values of SYMBOLS. */
export interface SymbolArguments {
  readonly symbols?: readonly string[] | undefined;
  readonly 'symbol-server'?: readonly string[] | undefined;
  readonly 'allow-redirects'?: boolean | undefined;
  readonly offline?: boolean | undefined;
  readonly profiles?: readonly string[] | undefined;
}

/** Told of what is being downloaded. */
export type SymbolProgress = (step: string, done: number, total: number) => void;

/**
 * Where to look for symbols; null where neither the options nor the environment name a place, which costs nothing. The caller closes it.
 * Throws FileError for a folder of profiles that cannot be opened.
 */
export async function symbolSources(
  args: SymbolArguments,
  env: Environment,
  progress?: SymbolProgress,
): Promise<SymbolSources | null> {
  const variables = [env['_NT_SYMBOL_PATH'], env['_NT_ALT_SYMBOL_PATH']];
  const given = [args.symbols, args['symbol-server'], args.profiles].flatMap((list) => list ?? []);
  if ([...given, ...variables].every((text) => (text ?? '').trim() === '')) return null;
  return openSources(args, env, progress);
}

/** As `symbolSources`, also where no place is named: for the commands that tell about them. */
export async function openSources(
  args: SymbolArguments,
  env: Environment,
  progress?: SymbolProgress,
): Promise<SymbolSources> {
  const profiles = args.profiles ?? [];
  for (const folder of profiles) requireProfiles(folder);
  // Loaded here: most analyses need none of it.
  const [{ SymbolSources }, { parseSymbolPath }] = await Promise.all([
    import('../../../symbols/sources.js'),
    import('../../../symbols/store/symbol-path.js'),
  ]);
  const path = parseSymbolPath(args.symbols ?? [], env, { servers: args['symbol-server'] });
  return new SymbolSources({
    path,
    env,
    profiles,
    offline: args.offline,
    allowRedirects: args['allow-redirects'],
    ...(progress === undefined
      ? {}
      : {
          progress: (url: string, received: number, total: number | null) => {
            progress(`fetching ${url.split('/').at(-1) ?? ''}`, received, total ?? 0);
          },
        }),
  });
}

/** Throws FileError for a folder of profiles that cannot be opened. */
export function requireProfiles(path: string): void {
  let reason = 'it is neither a folder nor a file';
  try {
    const found = statSync(path);
    if (found.isDirectory() || found.isFile()) return;
  } catch (error) {
    reason = errorText(error);
  }
  throw new FileError(`--profiles ${path} cannot be used: ${reason}`);
}
