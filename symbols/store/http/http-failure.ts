/** Why a request to a server gave no file, in words for the user, and whether asking again may help. */

import { Thrown, type ServerCode } from '../../../parsers/bytes/failure.js';
import { errorCode } from '../../../parsers/files/system-errors.js';

const AGAIN: ReadonlySet<ServerCode> = new Set(['broken', 'busy']);
const HOPELESS: ReadonlySet<ServerCode> = new Set(['certificate', 'proxy', 'credentials']);
const RESET = new Set(['ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE', 'UND_ERR_SOCKET']);
const NO_CONNECTION = new Map([
  ['ENOTFOUND', 'the name of the host is not known'],
  ['EAI_AGAIN', 'the name of the host cannot be looked up now'],
  ['ECONNREFUSED', 'the host refuses the connection'],
  ['EHOSTUNREACH', 'the host is not reachable'],
  ['ENETUNREACH', 'the network is not reachable'],
  ['EHOSTDOWN', 'the host is down'],
  ['ETIMEDOUT', 'the host does not answer'],
]);

/** A request that gave no answer that can be used. The message is one sentence without credentials. */
export class HttpFailure extends Thrown<ServerCode> {
  override readonly name = 'HttpFailure';

  constructor(
    code: ServerCode,
    message: string,
    /** Milliseconds that the server asks to wait, or null. */
    readonly retryAfter: number | null = null,
  ) {
    super(code, message);
  }

  /** Asking again at once may help. */
  get again(): boolean {
    return AGAIN.has(this.code);
  }

  /** Every other request to this server will end the same way. */
  get hopeless(): boolean {
    return HOPELESS.has(this.code);
  }
}

/** The platform's network error as a failure; `host` is named in the message. */
export function asHttpFailure(error: unknown, host: string): HttpFailure {
  if (error instanceof HttpFailure) return error;
  const inner = error instanceof AggregateError ? (error.errors as unknown[])[0] : error;
  const code = errorCode(inner) ?? errorCode(error) ?? '';
  const text = inner instanceof Error ? inner.message : String(inner);
  const noConnection = NO_CONNECTION.get(code);
  if (noConnection !== undefined) return new HttpFailure('connect', `${host}: ${noConnection} (${code})`);
  if (RESET.has(code)) return new HttpFailure('broken', `${host}: the connection broke (${code})`);
  if (/CERT|ISSUER|LEAF_SIGNATURE|HOSTNAME_MISMATCH/.test(code)) {
    return new HttpFailure(
      'certificate',
      `${host}: the certificate is not trusted: ${text} (${code}). Where the company's network signs certificates of its own, set NODE_EXTRA_CA_CERTS to a PEM file with its root certificate`,
    );
  }
  if (code === 'EPROTO' || code.startsWith('ERR_SSL')) {
    return new HttpFailure('connect', `${host}: no secure connection: ${text}`);
  }
  if (code.startsWith('HPE_')) return new HttpFailure('refused', `${host}: the answer is not HTTP (${code})`);
  if (code.startsWith('Z_')) return new HttpFailure('broken', `${host}: the answer's compression is damaged (${code})`);
  return new HttpFailure('broken', `${host}: ${text}`);
}
