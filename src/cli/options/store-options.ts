/** `--store` and `--store-file`: the PostgreSQL server of a shared history. */

import type { Options } from 'yargs';
import { readRegularFile } from '../../../parsers/files/regular-file.js';
import { errorText } from '../../../parsers/files/system-errors.js';
import { isHistoryError } from '../../batch/journal/history-error.js';
import type { StoreAddress } from '../../batch/store/server/address.js';
import { FileError, UsageError } from '../errors.js';
import { GROUP } from './options.js';

export const STORE = {
  store: {
    type: 'string',
    requiresArg: true,
    describe: 'The shared history on a PostgreSQL server: postgres://user@host/database (docs/shared-history.md)',
    group: GROUP.what,
  },
  'store-file': {
    type: 'string',
    requiresArg: true,
    describe: 'The same, from the first line of a file',
    group: GROUP.what,
  },
} as const satisfies Record<string, Options>;

export interface StoreArguments {
  readonly store?: string | undefined;
  readonly 'store-file'?: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** An address is one line. */
const LONGEST = 65_536;

/** Whether the options or DUMPLEAK_STORE name a server. */
export const namesStore = (args: StoreArguments, env: Environment): boolean =>
  [args.store, args['store-file'], env['DUMPLEAK_STORE']].some((text) => text !== undefined && text !== '');

/** The server that the options or DUMPLEAK_STORE name; null where none does. Throws UsageError and FileError, which never repeat an address. */
export async function storeOf(args: StoreArguments, env: Environment): Promise<StoreAddress | null> {
  if (args.store !== undefined && args['store-file'] !== undefined) {
    throw new UsageError('--store and --store-file exclude each other');
  }
  const text = args.store ?? fromFile(args['store-file']) ?? env['DUMPLEAK_STORE'] ?? '';
  if (text === '') return null;
  const { parseAddress } = await import('../../batch/store/server/address.js');
  try {
    return parseAddress(text, env);
  } catch (error) {
    if (isHistoryError(error, 'store-address')) throw new UsageError(error.message);
    throw error;
  }
}

/** The same where there must be one. */
export async function requireStore(args: StoreArguments, env: Environment): Promise<StoreAddress> {
  const address = await storeOf(args, env);
  if (address === null) throw new UsageError('name the server with --store postgres://user@host/database, --store-file or DUMPLEAK_STORE'); // prettier-ignore
  return address;
}

function fromFile(path: string | undefined): string | null {
  if (path === undefined) return null;
  let text: string;
  try {
    text = readRegularFile(path, LONGEST).toString('utf8');
  } catch (error) {
    throw new FileError(`--store-file ${path} cannot be read: ${errorText(error)}`);
  }
  const line = text.split(/\r?\n/).find((one) => one.trim() !== '');
  if (line === undefined) throw new FileError(`--store-file ${path} is empty`);
  return line.trim();
}
