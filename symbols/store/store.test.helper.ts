/** What tests of the symbol store share: stand-ins for PDBs and cabinets, temporary folders, local servers. */

import { expect } from 'chai';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { FileIdentity, ImageRequest, PdbRequest } from './http/request.js';
import { SymbolStore, type SymbolSearch, type SymbolStoreOptions } from './store.js';
import { parseSymbolPath } from './symbol-path.js';

export const GUID = '0123456789ABCDEF0123456789ABCDEF';
export const OTHER_GUID = 'FEDCBA9876543210FEDCBA9876543210';
export const NT: PdbRequest = { kind: 'pdb', name: 'ntkrnlmp.pdb', guid: GUID, age: 1 };
export const DRIVER: ImageRequest = {
  kind: 'image',
  name: 'myfault.sys',
  timeDateStamp: 0x5b7a1c,
  sizeOfImage: 0xabc000,
};
/** Where a store keeps NT. */
export const NT_PARTS = ['ntkrnlmp.pdb', `${GUID}1`, 'ntkrnlmp.pdb'] as const;
export const NT_URL = `/${NT_PARTS.join('/')}`;

export const PACKED_URL = NT_URL.replace(/b$/, '_');
export const POINTER_URL = NT_URL.replace(/[^/]*$/, 'file.ptr');

/** The last place of a search as `outcome: detail`. */
export function lastPlace(search: SymbolSearch): string {
  const place = search.places.at(-1);
  return `${place?.outcome ?? ''}: ${place?.detail ?? ''}`;
}

/** A stand-in for a PDB: says its length, so that a file cut off is seen. */
export function pdbBytes(guid = GUID, age = 1, filling = 100): Buffer {
  const text = `PDB ${guid} ${age} ${filling}\n`;
  return Buffer.from(text + 'x'.repeat(filling));
}

export function imageBytes(stamp: number, size: number): Buffer {
  return Buffer.from(`IMG ${stamp} ${size} 0\n`);
}

/** A stand-in for a cabinet. */
export function packed(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from('MSCF'), bytes]);
}

/** Reads the stand-ins. */
export function identify(path: string): FileIdentity | null {
  const bytes = readFileSync(path);
  const end = bytes.indexOf(10);
  const [kind, a = '', b = '', filling = ''] = bytes.subarray(0, end).toString('latin1').split(' ');
  if (kind !== 'PDB' && kind !== 'IMG') return null;
  if (bytes.length !== end + 1 + Number(filling)) throw new Error('it is cut off');
  return kind === 'PDB'
    ? { kind: 'pdb', guid: a, age: Number(b) }
    : { kind: 'image', timeDateStamp: Number(a), sizeOfImage: Number(b) };
}

export function unpack(from: string, to: string, mostBytes: number): void {
  const bytes = readFileSync(from).subarray(4);
  if (bytes.length > mostBytes) throw new Error('it unpacks to too much');
  if (bytes.length === 0) throw new Error('the cabinet is damaged');
  writeFileSync(to, bytes);
}

export type TestOptions = Partial<SymbolStoreOptions> & { servers?: string[] };

/** Collects what must be undone; call `release` in afterEach. */
export class Cleanup {
  private readonly steps: (() => unknown)[] = [];

  add(step: () => unknown): void {
    this.steps.push(step);
  }

  async release(): Promise<void> {
    for (const step of this.steps.splice(0).reverse()) await step();
  }

  folder(): string {
    const path = mkdtempSync(join(tmpdir(), 'dumpleak-store-'));
    this.add(() => {
      rmSync(path, { recursive: true, force: true });
    });
    return path;
  }

  /** A store over a path text; `text` is used as `--symbols`, with `default` below `folder` as the default cache. */
  store(folder: string, text: string, options: TestOptions = {}): SymbolStore {
    const { servers, ...rest } = options;
    const path = parseSymbolPath(text, {}, { defaultCache: join(folder, 'default'), servers });
    expect(path.problems).to.deep.equal([]);
    const store = new SymbolStore({ path, identify, unpack, env: {}, retryDelays: [5, 10], ...rest });
    this.add(() => {
      store.close();
    });
    return store;
  }

  /** A store over a server with a cache in `folder`. */
  serverStore(folder: string, url: string, options: TestOptions = {}): SymbolStore {
    return this.store(folder, `srv*${folder}/cache*${url}`, options);
  }

  /** One search for NT against a server that answers like this. */
  async ask(
    folder: string,
    answer: Answer,
    options: TestOptions = {},
  ): Promise<{ search: SymbolSearch; requests: string[] }> {
    const server = await this.serve(answer);
    const search = await this.serverStore(folder, server.url, options).find(NT);
    return { search, requests: server.requests };
  }

  async serve(answer: Answer, secure?: { key: string; cert: string }): Promise<TestServer> {
    const server = await TestServer.start(answer, secure);
    this.add(() => server.close());
    return server;
  }
}

/** Writes a file and the folders above it. */
export function put(bytes: Buffer | string, ...parts: string[]): string {
  const path = join(...parts);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
  return path;
}

/** All files below a folder, with `/`, sorted. */
export function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(folder.length + 1)
        .replaceAll('\\', '/'),
    )
    .sort();
}

/** What a request gets: bytes with 200, a status, a table by path, or a function that does anything. */
export type Answer = Buffer | number | RequestListener | { readonly [path: string]: Answer };

/** An HTTP server on this machine that remembers what it was asked. */
export class TestServer {
  readonly requests: string[] = [];
  readonly headers: IncomingMessage['headers'][] = [];
  connections = 0;

  readonly port: number;

  private constructor(
    readonly server: Server,
    private readonly secure: boolean,
  ) {
    this.port = (server.address() as AddressInfo).port;
  }

  static async start(answer: Answer, secure?: { key: string; cert: string }): Promise<TestServer> {
    const listener: RequestListener = (request, response) => {
      test.requests.push(`${request.method ?? ''} ${request.url ?? ''}`);
      test.headers.push(request.headers);
      reply(answer, request, response);
    };
    const server = secure === undefined ? createServer(listener) : createSecureServer(secure, listener);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const test = new TestServer(server, secure !== undefined);
    server.on(secure === undefined ? 'connection' : 'secureConnection', () => test.connections++);
    return test;
  }

  get url(): string {
    return `${this.secure ? 'https' : 'http'}://127.0.0.1:${this.port}`;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
  }
}

function reply(answer: Answer, request: IncomingMessage, response: ServerResponse): void {
  if (typeof answer === 'function') answer(request, response);
  else if (typeof answer === 'number') response.writeHead(answer, { 'Content-Length': 2 }).end('no');
  else if (Buffer.isBuffer(answer)) response.writeHead(200, { 'Content-Length': answer.length }).end(answer);
  else reply(answer[request.url ?? ''] ?? 404, request, response);
}
