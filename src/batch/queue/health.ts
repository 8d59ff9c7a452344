/**
 * What a worker tells over HTTP to whoever looks after it: `/healthz` while it lives, `/readyz` while it takes dumps and the
 * database answers, `/metrics`. It names no dump. On this machine only, unless an address is named.
 */

import { createServer, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { queueCounts, type QueueCounts } from './queue-state.js';
import type { Server } from '../store/server/server.js';
import type { HealthAddress } from './health-address.js';
import type { WorkFigures } from './work-figures.js';

/** The database is not waited for longer, in milliseconds. */
const PATIENCE = 3000;

export interface Health {
  /** The port that it listens at. */
  readonly port: number;
  close(): Promise<void>;
}

/** Throws the platform's error where the address cannot be listened at. */
export async function startHealth(
  { host, port }: HealthAddress,
  server: Server,
  figures: WorkFigures,
  isReady: () => boolean,
): Promise<Health> {
  const http = createServer({ requestTimeout: 10_000 }, (request, response) => {
    const path = (request.url ?? '').split('?')[0] ?? '';
    if (request.method !== 'GET' && request.method !== 'HEAD') say(response, 405, 'only GET\n');
    else if (path === '/healthz') say(response, 200, 'ok\n');
    else if (path === '/readyz') {
      void soon(server).then((queue) => {
        const ready = queue !== null && isReady();
        say(
          response,
          ready ? 200 : 503,
          ready ? 'ok\n' : queue === null ? 'the database does not answer\n' : 'ending\n',
        );
      });
    } else if (path === '/metrics') {
      void soon(server).then((queue) => {
        say(response, 200, figures.render(queue, process.memoryUsage.rss()), OPEN_METRICS);
      });
    } else say(response, 404, '/healthz, /readyz, /metrics\n');
  });
  await new Promise<void>((resolve, reject) => {
    http.once('error', reject);
    http.listen(port, host, resolve);
  });
  const address = http.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    close: async () =>
      new Promise((resolve) => {
        http.close(() => {
          resolve();
        });
        http.closeAllConnections();
      }),
  };
}

const OPEN_METRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

function say(response: ServerResponse, status: number, text: string, type = 'text/plain; charset=utf-8'): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(text);
}

/** The queue's counts; null where the server does not give them soon. */
async function soon(server: Server): Promise<QueueCounts | null> {
  return Promise.race([queueCounts(server).catch(() => null), sleep(PATIENCE, null, { ref: false })]);
}
