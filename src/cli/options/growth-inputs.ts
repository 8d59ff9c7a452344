/** What the commands on several snapshots share: finding the files, times, progress, Ctrl+C. */

import type { Options } from 'yargs';
import { InputError } from '../../../parsers/bytes/input-error.js';
import { readCounterNames } from '../../growth/read/inputs.js';
import type { TrendOptions } from '../../growth/trend.js';
import { UsageError } from '../errors.js';
import { onInterrupt } from '../interrupt.js';
import { GROUP } from './options.js';
import type { Host } from '../terminal/output.js';
import { Progress } from '../terminal/progress.js';
import { expandWildcards } from './wildcards.js';
import { checkWritable, isSameFile } from '../terminal/write-file.js';

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Reads `15m`, `30s`, `1.5h`, `1d` as milliseconds; a bare number is minutes. The error is for the user. */
export function milliseconds(name: string): (value: unknown) => number {
  return (value) => {
    const match = /^(\d{1,9}(?:\.\d{1,3})?) ?(s|m|min|h|d)?$/i.exec(String(value).trim());
    const time = Number(match?.[1] ?? NaN) * (UNITS[(match?.[2] ?? 'm').slice(0, 1).toLowerCase()] ?? NaN);
    if (!(time >= 1000 && time <= 366 * 86_400_000)) throw new Error(`${name} wants a time such as 15m, 30s, 1h or 1d`);
    return time;
  };
}

/** Reads `+02:00`, `-5`, `Z` as minutes. The error is for the user. */
function offsetMinutes(value: unknown): number {
  const text = String(value).trim();
  if (/^(?:z|utc)$/i.test(text)) return 0;
  const match = /^([+-]?)(\d{1,2})(?::?(\d{2}))?$/.exec(text);
  const minutes = Number(match?.[2] ?? NaN) * 60 + Number(match?.[3] ?? 0);
  if (!(minutes <= 15 * 60))
    throw new Error('--utc-offset wants what local time was ahead of UTC, as +02:00 or -05:00');
  return match?.[1] === '-' ? -minutes : minutes;
}

/** The options that say when snapshots were taken. */
export const TIME_OPTIONS = {
  interval: {
    type: 'string',
    requiresArg: true,
    coerce: milliseconds('--interval'),
    describe: 'Time between snapshots that do not tell when they were taken: 15m, 1h',
    group: GROUP.what,
  },
  'utc-offset': {
    type: 'string',
    requiresArg: true,
    coerce: offsetMinutes,
    describe: 'What the local times in logs were ahead of UTC: +02:00. Without it they are taken as UTC',
    group: GROUP.what,
  },
} as const satisfies Record<string, Options>;

interface InputArguments {
  readonly interval?: number | undefined;
  readonly 'utc-offset'?: number | undefined;
  readonly 'counter-names'?: string | undefined;
  readonly 'follow-links'?: boolean | undefined;
  readonly member?: string | undefined;
  readonly 'max-unpacked'?: number | undefined;
  readonly output?: string | undefined;
  readonly quiet?: boolean | undefined;
}

/**
 * Lets `read` take what it needs from the files that the paths stand for. Throws UsageError for a report that would
 * overwrite one of them, InputError for a pattern without a file, and what reading throws.
 */
export async function withInputs<T>(
  paths: readonly string[],
  written: readonly (string | undefined)[],
  args: InputArguments,
  host: Host,
  read: (files: string[], options: TrendOptions) => Promise<T>,
): Promise<T> {
  const files = paths.flatMap((path) => {
    const found = expandWildcards(path, host.platform);
    if (found.length === 0) throw new InputError('not-found', `${path}: no file has such a name`);
    return found;
  });
  for (const target of [args.output, ...written]) {
    const hit = target === undefined ? undefined : files.find((file) => isSameFile(file, target));
    if (hit !== undefined)
      throw new UsageError(`${String(target)} is one of the files to read: it would be overwritten`);
  }
  for (const target of written) if (target !== undefined) checkWritable(target);
  const names = args['counter-names'];
  const progress = new Progress(host.stderr, args.quiet !== true);
  const release = onInterrupt(progress.end);
  try {
    return await read(files, {
      intervalMs: args.interval,
      utcOffsetMinutes: args['utc-offset'],
      followLinks: args['follow-links'] === true,
      counterNames: names === undefined ? undefined : readCounterNames(names),
      dumps: {
        ...(args.member === undefined ? {} : { member: args.member }),
        ...(args['max-unpacked'] === undefined ? {} : { mostBytes: args['max-unpacked'] * 2 ** 30 }),
      },
      progress: (done, total, name) => {
        progress.update(`reading ${name}`, done, total);
      },
    });
  } finally {
    progress.end();
    release();
  }
}
