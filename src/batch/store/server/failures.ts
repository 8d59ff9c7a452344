/** What a server's errors mean: which pass by themselves, and what the user is told of the others. */

import { errorCode } from '../../../../parsers/files/system-errors.js';
import { HistoryError } from '../../journal/history-error.js';
import type { StoreAddress } from './address.js';

/** Of the network: the server is starting again, or the way to it is broken. */
const NETWORK = new Set(['ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'ENETDOWN', 'EAI_AGAIN', 'ENOTFOUND', 'ENOENT']); // prettier-ignore
/** What `pg` says without a code where the connection is gone or does not come about. */
const GONE =
  /^(?:Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Client was closed|timeout expired|Query read timeout)/i;
/** Of the server: it ends or starts (57P..), has no connection left (53300), lost one (08...), another transaction was in the way (40...). */
const PASSING_STATE = /^(?:57P0[1-5]|53300|08\w{3}|40001|40P01|55P03|25P03)$/;

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The connection is gone or never was. */
export function isLost(error: unknown): boolean {
  const code = errorCode(error) ?? '';
  return NETWORK.has(code) || /^(?:57P0[1-5]|08\w{3}|25P03)$/.test(code) || GONE.test(textOf(error));
}

/** Whether it is worth another try. */
export const isPassing = (error: unknown): boolean => isLost(error) || PASSING_STATE.test(errorCode(error) ?? '');

const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|HOSTNAME_MISMATCH/;

/** An error of the server or the way to it in the user's words; any other as it is. None of them holds a password. */
export function inWords(error: unknown, { words }: StoreAddress): unknown {
  if (error instanceof HistoryError) return error;
  const code = errorCode(error) ?? '';
  const text = textOf(error);
  const refused = (message: string): HistoryError => new HistoryError('refused', `${words}: ${message}`);
  if (CERTIFICATE.test(code)) {
    return refused(`its certificate does not prove who it is (${text}): name its authority with sslrootcert=FILE`);
  }
  if (/does not support SSL/i.test(text)) {
    return refused('the server offers no TLS, so nothing was sent to it; sslmode=disable goes without');
  }
  if (code.startsWith('ERR_SSL') || code === 'EPROTO') return refused(`TLS fails: ${text}`);
  if (code === '28P01' || code === '28000') return refused(`the server does not let the user in: ${text}`);
  if (/password must be a string|SASL/.test(text)) {
    return refused('the server wants a password: give it by PGPASSWORD, by a passfile or with --store-file');
  }
  if (code === '42501') return refused(`the user's role may not do that: ${text}`);
  if (code === '25006') return refused('it can only be read (a standby?): name the server that takes changes');
  if (code === '3D000') return refused(`${text}: create it, or name another`);
  if (isPassing(error)) return new HistoryError('unreachable', `${words}: no connection: ${reasonOf(error)}`);
  // Any other state of the server: its disk is full, say.
  if (/^[0-9A-Z]{5}$/.test(code)) return refused(`the database says: ${text}`);
  return error;
}

/** Several addresses of a name fail together, with an empty message. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return textOf(error.errors[0]);
  return textOf(error);
}
