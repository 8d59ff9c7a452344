/**
 * A small HTTP client for symbol servers over the platform's own modules: proxies, redirects, time and size limits.
 * (The platform's fetch knows no proxies in Node 20.) It asks once; retries are the caller's.
 */

import { setMaxListeners } from 'node:events';
import { Agent, type ClientRequestArgs, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { connectTo } from '../connect.js';
import { Exchange } from './http-exchange.js';
import { DEFAULT_LIMITS, type HttpAnswer, type HttpLimits, type HttpRequest } from './http-types.js';
import { HttpFailure } from './http-failure.js';
import { proxyFor, type ProxySettings } from './proxy.js';
import { urlText } from './server-address.js';

export interface HttpOptions {
  readonly limits?: Partial<HttpLimits> | undefined;
  readonly proxies: ProxySettings;
  /** Follow redirects to another origin (protocol, host and port) than the one that was asked. */
  readonly allowRedirects?: boolean | undefined;
  /** PEM certificates trusted instead of the platform's. */
  readonly ca?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const LONGEST_HEADERS = 64 * 1024;
const CONNECTIONS_PER_HOST = 6;

/** Connects as this client wants it; kept alive, because a search asks many small questions. */
class HostAgent extends Agent {
  private busy = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(private readonly open: () => Promise<Duplex>) {
    super({ keepAlive: true });
  }

  /**
   * Runs `task` when fewer than the allowed number run. (The platform's own limit does not count connections that do
   * not stand yet.)
   */
  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.busy >= CONNECTIONS_PER_HOST) await new Promise<void>((resolve) => this.waiting.push(resolve));
    else this.busy++;
    try {
      return await task();
    } finally {
      const next = this.waiting.shift();
      if (next === undefined) this.busy--;
      else next();
    }
  }

  override createConnection(
    _options: ClientRequestArgs,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    this.open().then(
      (socket) => callback?.(null, socket),
      (error: unknown) => (callback as ((error: unknown) => void) | undefined)?.(error),
    );
  }
}

/** Asks servers for files. */
export class HttpClient {
  readonly limits: HttpLimits;
  private readonly agents = new Map<string, HostAgent>();
  private readonly ending = new AbortController();
  /** Aborted when the caller or `close` ends everything. */
  readonly signal: AbortSignal;

  constructor(private readonly options: HttpOptions) {
    this.limits = { ...DEFAULT_LIMITS, ...options.limits };
    const { signal } = options;
    this.signal = AbortSignal.any(signal === undefined ? [this.ending.signal] : [signal, this.ending.signal]);
    // Every request listens, and they may be many.
    setMaxListeners(0, this.signal);
  }

  /** Sends one request and follows redirects, to another origin only where that is allowed. Throws HttpFailure, or the error of `target`. */
  async send(url: URL, request: HttpRequest): Promise<HttpAnswer> {
    let at = url;
    let { authorization } = request;
    let left = this.limits.totalTimeout;
    for (let redirects = 0; ; redirects++) {
      const answer = await this.agent(at).run(async () => {
        const begin = Date.now();
        const exchange = new Exchange(this.limits, this.signal, at, left);
        try {
          const response = await exchange.begin(this.requestOptions(at, request.method, authorization));
          if (!REDIRECTS.has(response.statusCode ?? 0)) return await exchange.take(response, request);
          await exchange.drain(response);
          const to = redirectTarget(at, response, redirects, this.limits.maxRedirects);
          if (to.origin !== at.origin && this.options.allowRedirects !== true) throw elsewhere(at, to);
          return to;
        } catch (error) {
          throw exchange.explained(error);
        } finally {
          left = Math.max(0, left - (Date.now() - begin));
          exchange.end();
        }
      });
      if (!(answer instanceof URL)) return answer;
      if (answer.origin !== at.origin) authorization = null;
      at = answer;
    }
  }

  /** Ends all connections, also those in use. */
  close(): void {
    this.ending.abort();
    for (const agent of this.agents.values()) agent.destroy();
    this.agents.clear();
  }

  private requestOptions(url: URL, method: string, authorization: string | null): ClientRequestArgs {
    const proxy = url.protocol === 'http:' ? proxyFor(url, this.options.proxies) : null;
    const path = `${url.pathname}${url.search}`;
    return {
      agent: this.agent(url),
      method,
      path: proxy !== null ? `${url.origin}${path}` : path,
      maxHeaderSize: LONGEST_HEADERS,
      headers: {
        Host: url.host,
        'User-Agent': 'dumpleak',
        Accept: '*/*',
        'Accept-Encoding': 'identity',
        ...(authorization === null ? {} : { Authorization: authorization }),
        ...(proxy !== null && proxy.authorization !== null ? { 'Proxy-Authorization': proxy.authorization } : {}),
      },
    };
  }

  private agent(url: URL): HostAgent {
    const known = this.agents.get(url.origin);
    if (known !== undefined) return known;
    const secure = url.protocol === 'https:';
    const proxy = proxyFor(url, this.options.proxies);
    const target = {
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port === '' ? (secure ? 443 : 80) : Number(url.port),
      secure,
    };
    const options = { timeout: this.limits.connectTimeout, ca: this.options.ca, signal: this.signal };
    const agent = new HostAgent(() => connectTo(target, proxy, options));
    this.agents.set(url.origin, agent);
    return agent;
  }
}

/** Only the servers that were named are asked: another one would learn what the dump needs. */
function elsewhere(from: URL, to: URL): HttpFailure {
  return new HttpFailure(
    'redirect',
    `${from.origin} redirects to ${to.origin}, another server, which was not asked: --allow-redirects follows it`,
  );
}

/** Where a redirect leads; user and password in it are dropped. */
function redirectTarget(from: URL, response: IncomingMessage, redirects: number, most: number): URL {
  const refuse = (why: string): HttpFailure => new HttpFailure('redirect', `${from.host}: ${why}`);
  if (redirects >= most) throw refuse(`more than ${most} redirects`);
  let to: URL;
  try {
    to = new URL(response.headers.location ?? '', from);
  } catch {
    throw refuse('a redirect to no address');
  }
  if (to.protocol !== 'http:' && to.protocol !== 'https:') throw refuse(`a redirect to ${to.protocol} is not followed`);
  if (from.protocol === 'https:' && to.protocol === 'http:') {
    throw refuse(`a redirect from https to ${urlText(to)} is not followed`);
  }
  to.username = '';
  to.password = '';
  return to;
}
