/** One request to a server and its answer, under the clock and within a size. */

import { request as httpRequest, type ClientRequest, type ClientRequestArgs, type IncomingMessage } from 'node:http';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { decoders, fileSink, memorySink, TargetError } from './http-body.js';
import { asHttpFailure, HttpFailure } from './http-failure.js';
import type { HttpLimits, HttpRequest, HttpAnswer } from './http-types.js';
import { urlText } from './server-address.js';

/** S3 and its like answer 403 for what is not there. */
const ABSENT = new Set([403, 404, 410]);
const BUSY = new Set([408, 425, 429]);

/** One request and its answer, under the clock. */
export class Exchange {
  private request: ClientRequest | null = null;
  private failure: HttpFailure | null = null;
  /** The body was read to its end. */
  private complete = false;
  private idle: NodeJS.Timeout | null = null;
  private rate: NodeJS.Timeout | null = null;
  private readonly total: NodeJS.Timeout;
  private readonly onAbort = (): void => {
    this.fail(new HttpFailure('cancelled', 'the download was cancelled'));
  };

  constructor(
    private readonly limits: HttpLimits,
    private readonly signal: AbortSignal,
    private readonly url: URL,
    /** Milliseconds. */
    timeLeft: number,
  ) {
    const { totalTimeout } = limits;
    const late = `${url.host}: not done within ${totalTimeout / 1000} seconds`;
    this.total = setTimeout(() => {
      this.fail(new HttpFailure('timeout', late));
    }, timeLeft);
    signal.addEventListener('abort', this.onAbort);
  }

  begin(options: ClientRequestArgs): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      if (this.signal.aborted) this.onAbort();
      if (this.failure !== null) {
        reject(this.failure);
        return;
      }
      const request = httpRequest(options);
      this.request = request;
      // The agent hands over a socket only once it is connected, so silence counts from here.
      request.once('socket', () => {
        this.idle = setTimeout(() => {
          this.fail(
            new HttpFailure('timeout', `${this.url.host}: no byte within ${this.limits.idleTimeout / 1000} seconds`),
          );
        }, this.limits.idleTimeout);
      });
      request.on('error', reject);
      request.once('response', (response) => {
        this.idle?.refresh();
        response.on('error', () => undefined);
        resolve(response);
      });
      request.end();
    });
  }

  async take(response: IncomingMessage, request: HttpRequest): Promise<HttpAnswer> {
    const status = response.statusCode ?? 0;
    const found = status === 200;
    if (!found && !ABSENT.has(status)) throw this.refusal(response, status);
    const answer = {
      found,
      status,
      url: urlText(this.url),
      contentType: response.headers['content-type'] ?? null,
      body: Buffer.alloc(0),
      bytes: 0,
    };
    if (!found || request.method === 'HEAD' || request.target === null) {
      await this.drain(response);
      return answer;
    }
    return { ...answer, ...(await this.store(response, request)) };
  }

  explained(error: unknown): unknown {
    if (this.failure !== null) return this.failure;
    return error instanceof TargetError ? error.cause : asHttpFailure(error, this.url.host);
  }

  /** Stops the clocks, and the connection where the answer was not read to its end; else the agent keeps it. */
  end(): void {
    clearTimeout(this.total);
    if (this.idle !== null) clearTimeout(this.idle);
    if (this.rate !== null) clearInterval(this.rate);
    this.signal.removeEventListener('abort', this.onAbort);
    this.request?.on('error', () => undefined);
    if (!this.complete) this.request?.destroy();
  }

  private fail(failure: HttpFailure): void {
    this.failure ??= failure;
    this.request?.destroy(failure);
  }

  /** Ends the exchange once fewer bytes than allowed came within a window. */
  private watchRate(received: () => number): void {
    const { fewestBytes, rateWindow } = this.limits;
    let before = 0;
    this.rate = setInterval(() => {
      const now = received();
      if (now - before < fewestBytes) {
        const rate = `${now - before} bytes within ${rateWindow / 1000} seconds`;
        this.fail(new HttpFailure('timeout', `${this.url.host}: too slow: ${rate}`));
      }
      before = now;
    }, rateWindow);
  }

  private async store(response: IncomingMessage, request: HttpRequest): Promise<{ bytes: number; body: Buffer }> {
    const { target } = request;
    const inMemory = target !== null && 'memory' in target ? target.memory : null;
    const most = inMemory ?? this.limits.maxBytes;
    const declared = Number(response.headers['content-length'] ?? NaN);
    const tooLarge = (): HttpFailure => new HttpFailure('too-large', `${urlText(this.url)}: more than ${most} bytes`);
    if (declared > most) throw tooLarge();
    const total = Number.isSafeInteger(declared) ? declared : null;
    let received = 0;
    let bytes = 0;
    this.watchRate(() => received);
    const arriving = new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        this.idle?.refresh();
        received += chunk.length;
        request.progress?.(urlText(this.url), received, total);
        done(null, chunk);
      },
    });
    const counting = new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        bytes += chunk.length;
        if (bytes > most) done(tooLarge());
        else done(null, chunk);
      },
    });
    const parts: Buffer[] = [];
    const unwrapping = decoders(response, this.url);
    const sink = typeof target === 'function' ? await fileSink(target) : memorySink(parts);
    await pipeline([response, arriving, ...unwrapping, counting, sink]);
    this.complete = true;
    return { bytes, body: Buffer.concat(parts) };
  }

  /** Reads a short body that nobody wants, so that the connection can be used again; it has the idle time for all. */
  async drain(response: IncomingMessage): Promise<void> {
    let bytes = 0;
    try {
      for await (const chunk of response as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (bytes > 64 * 1024) return;
      }
      this.complete = true;
    } catch {
      // the status line is the answer
    }
  }

  private refusal(response: IncomingMessage, status: number): HttpFailure {
    const { host } = this.url;
    if (status === 401) return new HttpFailure('credentials', `${host} asks for a user and a password (HTTP 401)`);
    if (status === 407) return new HttpFailure('credentials', `the proxy asks for a user and a password (HTTP 407)`);
    if (status >= 500 || BUSY.has(status)) {
      return new HttpFailure('busy', `${host} answers HTTP ${status}`, retryAfter(response));
    }
    return new HttpFailure('refused', `${host} answers HTTP ${status}`);
  }
}

/** The Retry-After header in milliseconds, or null. */
function retryAfter(response: IncomingMessage): number | null {
  const text = response.headers['retry-after'];
  if (text === undefined) return null;
  const wait = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Number.isFinite(wait) ? Math.max(0, wait) : null;
}
