/**
 * Rights of a shared history: a role for workers, which add results and keep the tables in line with them, and one for readers,
 * which change nothing. Neither can take a result away or drop anything; the key of pseudonyms is for workers alone.
 */

import { HistoryError } from '../../journal/history-error.js';
import { inWords } from './failures.js';
import { SCHEMA, type Server, type ServerSession } from './server.js';

/** Schema of the queue, where there is one. It is of workers alone: jobs tell where dumps lie. */
const QUEUE_SCHEMA = 'dumpleak_queue';

export interface Roles {
  readonly worker: string;
  readonly reader: string;
}

export const ROLES: Roles = { worker: 'dumpleak_worker', reader: 'dumpleak_reader' };

/** What follows from the results, and may be written anew by every worker. */
const DERIVED = [
  'machines',
  'dumps',
  'tag_rows',
  'suspects',
  'drivers',
  'dump_drivers',
  'groups',
  'group_dumps',
  'failures',
];

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/**
 * Makes the roles where they are not there (without a login: users are made members of them) and gives them their rights, and takes
 * all others from them. To be called by the owner of the tables, again after each change of them. Gives the roles that were made.
 * Throws HistoryError (`refused`).
 */
export async function grantRoles(server: Server, { worker, reader }: Roles): Promise<string[]> {
  if (worker === reader) throw new HistoryError('refused', 'workers and readers need a role each');
  return server.transaction(async (session) => {
    const made: string[] = [];
    for (const role of [worker, reader]) if (await makeRole(session, role, server)) made.push(role);
    for (const statement of statementsFor(quoted(worker), quoted(reader))) await session.exec(statement);
    const { rows } = await session.query('select from pg_namespace where nspname = $1', [QUEUE_SCHEMA]);
    if (rows.length > 0) for (const statement of queueStatements(quoted(worker))) await session.exec(statement);
    return made;
  });
}

async function makeRole(session: ServerSession, role: string, server: Server): Promise<boolean> {
  const { rows } = await session.query('select from pg_roles where rolname = $1', [role]);
  if (rows.length > 0) return false;
  try {
    await session.exec(`create role ${quoted(role)} nologin`);
    return true;
  } catch (error) {
    const told = inWords(error, server.address);
    if (!(told instanceof HistoryError)) throw error;
    throw new HistoryError('refused', `${told.message}. Let an administrator create the role ${role}, and try again`);
  }
}

function statementsFor(worker: string, reader: string): string[] {
  const both = `${worker}, ${reader}`;
  const own = (...tables: string[]): string => tables.map((table) => `${SCHEMA}.${table}`).join(', ');
  return [
    `revoke all on schema ${SCHEMA} from public, ${both}`,
    `revoke all on all tables in schema ${SCHEMA} from public, ${both}`,
    `grant usage on schema ${SCHEMA} to ${both}`,
    `grant select on all tables in schema ${SCHEMA} to ${both}`,
    `revoke select on ${own('redact_key')} from ${reader}`,
    `grant insert, update, delete on ${own(...DERIVED)} to ${worker}`,
    `grant insert, update on ${own('state')} to ${worker}`,
    `grant insert, update (line, forgotten_at, refused) on ${own('entries')} to ${worker}`,
    `grant insert on ${own('redact_key')} to ${worker}`,
  ];
}

const queueStatements = (worker: string): string[] => [
  `grant usage on schema ${QUEUE_SCHEMA} to ${worker}`,
  `grant select, insert, update, delete on all tables in schema ${QUEUE_SCHEMA} to ${worker}`,
  `grant usage on all sequences in schema ${QUEUE_SCHEMA} to ${worker}`,
  `grant execute on all functions in schema ${QUEUE_SCHEMA} to ${worker}`,
];
