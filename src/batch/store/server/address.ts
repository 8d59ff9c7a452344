/**
 * Where a shared history is: `postgres://user@host:5432/database`, and how to get there. The words for messages never hold a
 * password. TLS is verified for every host that is not this machine, and never given up silently.
 */

import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { readRegularFile } from '../../../../parsers/files/regular-file.js';
import { errorText } from '../../../../parsers/files/system-errors.js';
import { HistoryError } from '../../journal/history-error.js';

export interface StoreAddress {
  /** For messages: without password. */
  readonly words: string;
  /** What `pg` connects by. */
  readonly config: {
    readonly host: string;
    readonly port: number;
    readonly user?: string;
    readonly password?: string;
    readonly database?: string;
    readonly ssl: ConnectionOptions | false;
    readonly application_name: string;
  };
  /** What the user should know of the way, one line each. */
  readonly notes: readonly string[];
}

type Environment = Readonly<Record<string, string | undefined>>;

const PORT = 5432;
const FORM = 'postgres://USER@HOST:5432/DATABASE';
const MODES = ['disable', 'require', 'verify-ca', 'verify-full'] as const;
type Mode = (typeof MODES)[number];
/** Each with the variable that says the same where the address does not; null for none. */
const PARAMETERS: Readonly<Record<string, string | null>> = {
  host: null,
  port: null,
  user: 'PGUSER',
  password: 'PGPASSWORD',
  dbname: null,
  application_name: 'PGAPPNAME',
  sslmode: 'PGSSLMODE',
  sslrootcert: 'PGSSLROOTCERT',
  sslcert: 'PGSSLCERT',
  sslkey: 'PGSSLKEY',
};

const wrong = (message: string): HistoryError => new HistoryError('store-address', message);

/**
 * Reads an address. What it leaves open, the variables of PostgreSQL's own programs say (PGUSER, PGPASSWORD, PGPASSFILE,
 * PGSSLMODE, PGSSLROOTCERT, PGSSLCERT, PGSSLKEY). Throws HistoryError (`store-address`), which never repeats the address.
 */
export function parseAddress(text: string, env: Environment): StoreAddress {
  const url = asUrl(text.trim());
  const given = parametersOf(url);
  const say = (name: string): string | undefined => {
    const variable = PARAMETERS[name] ?? null;
    return given.get(name) ?? (variable === null ? undefined : env[variable]);
  };
  const host = given.get('host') ?? (decoded(url.hostname).replace(/^\[(.*)\]$/, '$1') || 'localhost');
  if (host.includes(',')) throw wrong('the address of the store names several hosts: name one');
  const port = portOf(given.get('port') ?? (url.port === '' ? String(PORT) : url.port));
  const user = decoded(url.username) || say('user');
  const password = decoded(url.password) || say('password');
  const database = decoded(url.pathname.replace(/^\//, '')) || given.get('dbname');
  const { ssl, notes } = security(host, say);
  return {
    words: wordsOf({ host, port, user, database }),
    config: {
      ...{ host, port, ssl, application_name: say('application_name') ?? 'dumpleak' },
      ...(user === undefined ? {} : { user }),
      ...(password === undefined ? {} : { password }),
      ...(database === undefined ? {} : { database }),
    },
    notes,
  };
}

function asUrl(text: string): URL {
  if (!/^postgres(?:ql)?:\/\//.test(text)) throw wrong(`the address of a store has the form ${FORM}`);
  try {
    return new URL(text);
  } catch {
    throw wrong(
      `the address of the store cannot be read: it has the form ${FORM}, with characters such as @ : / of a password written as %40 %3A %2F`,
    );
  }
}

function parametersOf(url: URL): Map<string, string> {
  const given = new Map<string, string>();
  for (const [name, value] of url.searchParams) {
    if (!(name in PARAMETERS)) {
      throw wrong(`the address of the store has a parameter that is not known: those are ${Object.keys(PARAMETERS).join(', ')}`); // prettier-ignore
    }
    given.set(name, value);
  }
  return given;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw wrong('the address of the store has a % that begins no character: write it as %25');
  }
}

function portOf(text: string): number {
  const port = Number(text);
  if (!(Number.isInteger(port) && port >= 1 && port <= 65535)) throw wrong('the port of the store is no number from 1 to 65535'); // prettier-ignore
  return port;
}

interface Named {
  host: string;
  port: number;
  user: string | undefined;
  database: string | undefined;
}

function wordsOf({ host, port, user, database }: Named): string {
  const who = user === undefined ? '' : `${encodeURIComponent(user)}@`;
  const where = isIP(host) === 6 ? `[${host}]` : encodeURIComponent(host);
  return `postgres://${who}${where}${port === PORT ? '' : `:${port}`}/${encodeURIComponent(database ?? '')}`;
}

/** A socket's folder, or a name of this machine. */
const isHere = (host: string): boolean =>
  host.startsWith('/') || host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));

function security(host: string, say: (name: string) => string | undefined) {
  const asked = say('sslmode');
  const mode = asked === undefined ? (isHere(host) ? 'disable' : 'verify-full') : modeOf(asked);
  // A socket of this machine has no TLS.
  if (host.startsWith('/')) return { ssl: false as const, notes: [] };
  if (mode === 'disable') {
    const notes = isHere(host) ? [] : [`sslmode=disable: what goes to and from ${host} can be read on the way`];
    return { ssl: false as const, notes };
  }
  const root = say('sslrootcert');
  const [certificate, key] = [say('sslcert'), say('sslkey')];
  if ((certificate === undefined) !== (key === undefined)) throw wrong('sslcert and sslkey go together');
  // As PostgreSQL's own programs have it: with an authority, `require` asks who the server is.
  const checked: Mode = mode === 'require' && root !== undefined ? 'verify-ca' : mode;
  const ssl: ConnectionOptions = {
    host,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    minVersion: 'TLSv1.2',
    rejectUnauthorized: checked !== 'require',
    ...(root === undefined || root === 'system' ? {} : { ca: fileOf('sslrootcert', root) }),
    ...(certificate === undefined ? {} : { cert: fileOf('sslcert', certificate) }),
    ...(key === undefined ? {} : { key: fileOf('sslkey', key) }),
    ...(checked === 'verify-full' ? {} : { checkServerIdentity: () => undefined }),
  };
  const notes = checked === 'require' ? [`sslmode=require: nobody checks that ${host} is the server it says it is; verify-full does`] : []; // prettier-ignore
  return { ssl, notes };
}

function modeOf(text: string): Mode {
  const mode = MODES.find((one) => one === text);
  if (mode !== undefined) return mode;
  if (text === 'prefer' || text === 'allow') {
    throw wrong(`sslmode=${text} would go without TLS where the server has none: say ${MODES.join(', ')}`);
  }
  throw wrong(`sslmode is one of ${MODES.join(', ')}`);
}

function fileOf(name: string, path: string): Buffer {
  try {
    return readRegularFile(path);
  } catch (error) {
    throw wrong(`${name} ${path} cannot be read: ${errorText(error)}`);
  }
}
