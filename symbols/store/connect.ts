/** A connection to a server, through a proxy and secured where that is asked: done within a time, or a failure. */

import { request as httpRequest } from 'node:http';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { asHttpFailure, HttpFailure } from './http/http-failure.js';
import type { Proxy } from './http/proxy.js';

/** Whom to reach. */
export interface Target {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
}

export interface ConnectOptions {
  /** Milliseconds for all of it: names, connection, proxy, encryption. */
  readonly timeout: number;
  /** Certificates trusted instead of the platform's, as PEM. */
  readonly ca?: string | undefined;
  readonly signal: AbortSignal;
}

/**
 * Connects directly, or through a proxy: a secured target by a tunnel (CONNECT); for one that is not, the proxy itself
 * is what the connection leads to. Throws HttpFailure.
 */
export async function connectTo(target: Target, proxy: Proxy | null, options: ConnectOptions): Promise<Socket> {
  const attempt = new Attempt(options);
  try {
    if (proxy === null) return await attempt.direct(target);
    const socket = await attempt.direct(proxy, `proxy ${proxy.text}`);
    return target.secure ? await attempt.through(socket, proxy, target) : socket;
  } catch (error) {
    attempt.abandon();
    throw error;
  } finally {
    attempt.end();
  }
}

/** One attempt: everything it opens ends with it when the time is over. */
class Attempt {
  private readonly sockets: Socket[] = [];
  private readonly timer: NodeJS.Timeout;
  private failure: HttpFailure | null = null;
  private readonly onAbort = (): void => {
    this.stop(new HttpFailure('cancelled', 'the download was cancelled'));
  };

  constructor(private readonly options: ConnectOptions) {
    this.timer = setTimeout(() => {
      this.stop(new HttpFailure('connect', `no connection within ${options.timeout / 1000} seconds`));
    }, options.timeout);
    options.signal.addEventListener('abort', this.onAbort);
    if (options.signal.aborted) this.onAbort();
  }

  async direct(target: Target, name = target.host): Promise<Socket> {
    const { host, port } = target;
    if (!target.secure) return this.wait(connectTcp({ host, port }), 'connect', name);
    return this.wait(connectTls({ host, port, ...serverName(host), ...this.trust() }), 'secureConnect', name);
  }

  async through(socket: Socket, proxy: Proxy, target: Target): Promise<Socket> {
    const { host, port } = target;
    const tunnel = await this.tunnel(socket, proxy, `${host.includes(':') ? `[${host}]` : host}:${port}`);
    return this.wait(connectTls({ socket: tunnel, host, ...serverName(host), ...this.trust() }), 'secureConnect', host);
  }

  end(): void {
    clearTimeout(this.timer);
    this.options.signal.removeEventListener('abort', this.onAbort);
  }

  abandon(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  private trust(): { ca?: string } {
    return this.options.ca === undefined ? {} : { ca: this.options.ca };
  }

  private stop(failure: HttpFailure): void {
    this.failure ??= failure;
    this.abandon();
  }

  private wait(socket: Socket, event: 'connect' | 'secureConnect', name: string): Promise<Socket> {
    this.sockets.push(socket);
    if (this.failure !== null) socket.destroy();
    return new Promise((resolve, reject) => {
      const finish = (error: unknown): void => {
        socket.removeListener(event, onConnected);
        socket.removeListener('error', finish);
        socket.removeListener('close', onClose);
        // Whatever comes later on a socket that was given up must not end the process.
        socket.on('error', () => undefined);
        reject(this.explained(error, name));
      };
      const onClose = (): void => {
        finish(new HttpFailure('broken', `${name}: the connection was closed before it stood`));
      };
      const onConnected = (): void => {
        socket.removeListener('error', finish);
        socket.removeListener('close', onClose);
        resolve(socket);
      };
      socket.once(event, onConnected);
      socket.once('error', finish);
      socket.once('close', onClose);
    });
  }

  private tunnel(socket: Socket, proxy: Proxy, authority: string): Promise<Socket> {
    const name = `proxy ${proxy.text}`;
    return new Promise((resolve, reject) => {
      const request = httpRequest({
        method: 'CONNECT',
        path: authority,
        headers: {
          Host: authority,
          ...(proxy.authorization === null ? {} : { 'Proxy-Authorization': proxy.authorization }),
        },
        createConnection: () => socket,
      });
      request.once('connect', (response, tunnel: Socket, head) => {
        const status = response.statusCode ?? 0;
        if (status >= 200 && status < 300) {
          if (head.length > 0) tunnel.unshift(head);
          resolve(tunnel);
        } else if (status === 407) {
          reject(new HttpFailure('credentials', `${name} asks for a user and a password (HTTP 407)`));
        } else {
          reject(new HttpFailure('proxy', `${name} refuses a connection to ${authority} (HTTP ${status})`));
        }
      });
      request.once('response', (response) => {
        response.destroy();
        reject(new HttpFailure('proxy', `${name} does not open connections to other hosts`));
      });
      request.on('error', (error) => {
        reject(this.explained(error, name));
      });
      request.end();
    });
  }

  private explained(error: unknown, name: string): HttpFailure {
    const failure = this.failure ?? asHttpFailure(error, name);
    return this.failure?.code === 'connect' ? new HttpFailure('connect', `${name}: ${failure.message}`) : failure;
  }
}

/** The name that the certificate must bear; an address cannot be sent as one. */
function serverName(host: string): { servername?: string } {
  return isIP(host) === 0 ? { servername: host } : {};
}
