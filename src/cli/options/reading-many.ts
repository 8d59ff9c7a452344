/** The options of the commands that have processes read many dumps, and what they come to. */

import { availableParallelism, totalmem } from 'node:os';
import { resolve } from 'node:path';
import type { Options } from 'yargs';
import { allIssues } from '../../analysis/known-issues.js';
import type { AnalysisSettings } from '../../batch/messages.js';
import { readKey } from '../../redact/key.js';
import type { Host } from '../terminal/output.js';
import { milliseconds } from './growth-inputs.js';
import { IMAGES, KNOWN_ISSUES, MAX_UNPACKED, POOLTAG } from './options.js';
import { REDACT } from './redact-options.js';
import { requireProfiles, SYMBOLS, type SymbolArguments } from './symbol-options.js';
import { readTagLists } from './tag-lists.js';

/** Title in `--help`. */
export const WORK = 'How to work:';
export const MINUTE = 60_000;
const GIGABYTE = 2 ** 30;

export const positive =
  (name: string, what: string, whole: boolean, most: number) =>
  (value: unknown): number => {
    const number = Number(value);
    if (!(number > 0 && number <= most) || (whole && !Number.isInteger(number))) {
      throw new Error(`${name} wants ${what}`);
    }
    return number;
  };

/** What there is to say of dumps. */
export const ABOUT = {
  pooltag: POOLTAG,
  images: IMAGES,
  'known-issues': KNOWN_ISSUES,
} as const satisfies Record<string, Options>;

/** How processes read them. */
export const PROCESSES = {
  jobs: {
    type: 'number',
    requiresArg: true,
    coerce: positive('--jobs', 'a number of processes, 1 to 64', true, 64),
    describe: 'Processes that read dumps at a time; without it as many as processors and memory allow',
    group: WORK,
  },
  timeout: {
    type: 'string',
    requiresArg: true,
    coerce: milliseconds('--timeout'),
    describe: 'Longest time for one dump (30m): 90s, 10m, 2h',
    group: WORK,
  },
  memory: {
    type: 'number',
    requiresArg: true,
    coerce: positive('--memory', 'a number of GB, as 2 or 0.5', false, 1024),
    describe: 'Most memory of one process, in GB (2)',
    group: WORK,
  },
} as const satisfies Record<string, Options>;

/** The rest, which stands at the end of help. */
export const BESIDE = { ...REDACT, ...SYMBOLS, ...MAX_UNPACKED } as const;

export interface ManyArguments extends SymbolArguments {
  readonly pooltag?: readonly string[] | undefined;
  readonly images?: readonly string[] | undefined;
  readonly 'known-issues'?: readonly string[] | undefined;
  readonly jobs?: number | undefined;
  readonly timeout?: number | undefined;
  readonly memory?: number | undefined;
  readonly 'max-unpacked'?: number | undefined;
  readonly 'machine-by-folder'?: boolean | undefined;
}

export interface ReadingMany {
  readonly jobs: number;
  readonly timeoutMs: number;
  readonly memoryBytes: number;
  readonly settings: Omit<AnalysisSettings, 'redactKey' | 'pages'>;
}

/** Reads what the options name. Throws UsageError, InputError and FileError. */
export async function readingMany(args: ManyArguments, host: Host): Promise<ReadingMany> {
  const memoryBytes = (args.memory ?? 2) * GIGABYTE;
  const tagLists = readTagLists(args.pooltag, host.env);
  for (const folder of args.profiles ?? []) requireProfiles(folder);
  const issues = await allIssues(args['known-issues'] ?? []);
  return {
    jobs: args.jobs ?? defaultJobs(memoryBytes),
    timeoutMs: args.timeout ?? 30 * MINUTE,
    memoryBytes,
    settings: {
      pooltag: tagLists.files.map((file) => resolve(file)),
      images: (args.images ?? []).map((folder) => resolve(folder)),
      knownIssues: (args['known-issues'] ?? []).map((file) => resolve(file)),
      issues,
      symbols: symbolSettings(args, host.env),
      mostBytes: args['max-unpacked'] === undefined ? null : args['max-unpacked'] * GIGABYTE,
      machineByFolder: args['machine-by-folder'] === true,
    },
  };
}

/** As many processes as there are processors, and as fit into three quarters of the memory. */
function defaultJobs(memoryBytes: number): number {
  return Math.max(1, Math.min(availableParallelism(), Math.floor((totalmem() * 0.75) / memoryBytes)));
}

/** What workers need to look for symbols; null where neither the options nor the environment name a place. */
function symbolSettings(args: SymbolArguments, env: Host['env']) {
  const { symbols: path = [], 'symbol-server': servers = [], profiles = [] } = args;
  const variables = [env['_NT_SYMBOL_PATH'], env['_NT_ALT_SYMBOL_PATH']];
  const named = [...path, ...servers, ...profiles, ...variables];
  if (named.every((text) => (text ?? '').trim() === '')) return null;
  return {
    path,
    servers,
    profiles: profiles.map((folder) => resolve(folder)),
    offline: args.offline === true,
    allowRedirects: args['allow-redirects'] === true,
  };
}

/** What `--redact` and `--redact-key` ask of a history. */
export function askedKey(args: {
  readonly redact?: boolean | undefined;
  readonly 'redact-key'?: string | undefined;
}): Uint8Array | 'own' | null {
  if (args['redact-key'] !== undefined) return readKey(args['redact-key']);
  return args.redact === true ? 'own' : null;
}
