import { expect } from 'chai';
import { request as forward } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { makeCertificate } from './certificate.test.helper.js';
import { proxyFor, proxySettings } from './proxy.js';
import type { SymbolSearch } from '../store.js';
import { Cleanup, lastPlace, NT, NT_PARTS, NT_URL, pdbBytes, TestServer, type Answer } from '../store.test.helper.js';

/** A proxy that takes every name for the machine itself. It counts what it was asked. */
class TestProxy {
  readonly asked: string[] = [];
  readonly authorizations: (string | undefined)[] = [];

  private constructor(
    readonly server: TestServer,
    private readonly sockets: Set<Socket>,
  ) {}

  /** `status`: what it answers to CONNECT instead of connecting. */
  static async start(status = 200, secure?: { key: string; cert: string }): Promise<TestProxy> {
    const answer: Answer = (request, response) => {
      proxy.asked.push(`${request.method ?? ''} ${request.url ?? ''}`);
      proxy.authorizations.push(request.headers['proxy-authorization']);
      const url = new URL(request.url ?? '');
      const onward = forward({ host: '127.0.0.1', port: url.port, path: url.pathname, agent: false }, (got) => {
        response.writeHead(got.statusCode ?? 0);
        got.pipe(response);
      });
      onward.end();
    };
    const sockets = new Set<Socket>();
    const server = await TestServer.start(answer, secure);
    const proxy = new TestProxy(server, sockets);
    server.server.on('connect', (request, socket: Socket) => {
      proxy.asked.push(`CONNECT ${request.url ?? ''}`);
      proxy.authorizations.push(request.headers['proxy-authorization']);
      sockets.add(socket);
      socket.on('error', () => undefined);
      if (status === 0) return;
      if (status !== 200) {
        socket.end(`HTTP/1.1 ${status} no\r\nContent-Length: 0\r\n\r\n`);
        return;
      }
      const onward = connect(Number(request.url?.split(':').at(-1)), '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        socket.pipe(onward).pipe(socket);
      });
      sockets.add(onward);
      onward.on('error', () => undefined);
    });
    return proxy;
  }

  get address(): string {
    return `127.0.0.1:${this.server.port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await this.server.close();
  }
}

describe('proxies', () => {
  const cleanup = new Cleanup();
  const certificate = makeCertificate(['symbols.test', '127.0.0.1']);
  let root = '';
  beforeEach(() => (root = cleanup.folder()));
  afterEach(() => cleanup.release());

  async function proxy(status?: number, secure?: { key: string; cert: string }): Promise<TestProxy> {
    const started = await TestProxy.start(status, secure);
    cleanup.add(() => started.close());
    return started;
  }

  const find = (
    url: string,
    env: Record<string, string>,
    options: Parameters<Cleanup['store']>[2] = {},
  ): Promise<SymbolSearch> =>
    cleanup.store(root, `srv*${root}/cache*${url}`, { env, ca: certificate.cert, ...options }).find(NT);
  const cached = (): string => join(root, 'cache', ...NT_PARTS);

  it('carry plain requests, with their own password and not the server the proxy password', async () => {
    const server = await cleanup.serve({ [NT_URL]: pdbBytes() });
    const via = await proxy();
    const url = `http://symbols.test:${server.port}`;
    const search = await find(url, { HTTP_PROXY: `http://me:p%40ss@${via.address}` });
    expect(search.found?.path).to.equal(cached());
    expect(via.asked).to.deep.equal([`GET ${url}${NT_URL}`]);
    expect(via.authorizations).to.deep.equal([`Basic ${Buffer.from('me:p@ss').toString('base64')}`]);
    expect(server.headers[0]).to.not.have.property('proxy-authorization');
  });

  it('carry secured requests through one tunnel', async () => {
    const server = await cleanup.serve({ [NT_URL]: pdbBytes() }, certificate);
    const via = await proxy();
    const url = `https://symbols.test:${server.port}`;
    const one = cleanup.store(root, `srv*${root}/cache*${url}`, {
      env: { https_proxy: `me:secret@${via.address}`, HTTPS_PROXY: 'http://not.this:1' },
      ca: certificate.cert,
    });
    expect((await one.find({ ...NT, age: 2 })).found).to.equal(null);
    expect((await one.find(NT)).found?.path).to.equal(cached());
    expect(via.asked).to.deep.equal([`CONNECT symbols.test:${server.port}`]);
    expect(via.authorizations[0]).to.match(/^Basic /);
    expect(server.headers[0]).to.not.have.property('proxy-authorization');
    expect(server.headers[0]).to.include({ host: `symbols.test:${server.port}` });
  });

  it('may be secured themselves, and may be the debugger’s own variable', async () => {
    const server = await cleanup.serve({ [NT_URL]: pdbBytes() }, certificate);
    const via = await proxy(200, certificate);
    const search = await find(`https://symbols.test:${server.port}`, { HTTPS_PROXY: `https://${via.address}` });
    expect(search.found?.path, JSON.stringify(search.places)).to.equal(cached());
    await cleanup.release();
    root = cleanup.folder();
    const plain = await cleanup.serve({ [NT_URL]: pdbBytes() });
    const other = await proxy();
    const env = { _NT_SYMBOL_PROXY: other.address, HTTP_PROXY: 'http://not.this:1' };
    expect((await find(`http://symbols.test:${plain.port}`, env)).found?.path).to.equal(cached());
    expect(other.asked).to.have.length(1);
  });

  it('are left out for the hosts of NO_PROXY', async () => {
    const server = await cleanup.serve({ [NT_URL]: pdbBytes() });
    const env = { HTTP_PROXY: 'http://not.this:1', NO_PROXY: 'example.com, 127.0.0.0/8' };
    expect((await find(server.url, env)).found?.path).to.equal(cached());
  });

  it('that refuse, ask for a password, or are silent, are named', async () => {
    const server = await cleanup.serve({ [NT_URL]: pdbBytes() }, certificate);
    for (const [status, expected] of [
      [403, /^failed: proxy 127.*:\d+ refuses a connection to symbols\.test:\d+ \(HTTP 403\)$/],
      [407, /^failed: proxy 127.* asks for a user and a password \(HTTP 407\)$/],
      [0, /^failed: proxy 127.*: no connection within 0\.08 seconds$/],
    ] as const) {
      const via = await proxy(status);
      const options = { limits: { connectTimeout: 80 } };
      const search = await find(
        `https://symbols.test:${server.port}`,
        { HTTPS_PROXY: `http://me:s3cret@${via.address}` },
        options,
      );
      expect(lastPlace(search)).to.match(expected);
      expect(JSON.stringify(search)).to.not.contain('s3cret');
      expect(via.asked).to.have.length(1);
    }
    const gone = await proxy();
    await gone.close();
    const search = await find('http://symbols.test', { HTTP_PROXY: gone.address });
    expect(lastPlace(search)).to.match(/^failed: proxy 127.*: the host refuses the connection/);
  });

  it('are chosen by scheme and host', () => {
    const settings = (env: Record<string, string>): ReturnType<typeof proxySettings> =>
      proxySettings({ HTTP_PROXY: 'p:1', HTTPS_PROXY: 'http://q:2', ...env });
    const through = (url: string, env: Record<string, string> = {}): string | null =>
      proxyFor(new URL(url), settings(env))?.text ?? null;
    expect(through('http://a')).to.equal('p:1');
    expect(through('https://a')).to.equal('q:2');
    expect(proxyFor(new URL('http://a'), proxySettings({ ALL_PROXY: '[::1]:3' }))).to.include({
      host: '::1',
      port: 3,
      text: '[::1]:3',
    });
    expect(proxyFor(new URL('http://a'), proxySettings({}))).to.equal(null);
    const cases: [string, string, boolean][] = [
      ['*', 'http://a', true],
      ['a.com', 'http://a.com', true],
      ['a.com', 'http://x.a.com', true],
      ['.a.com', 'http://x.A.com', true],
      ['*.a.com', 'http://x.a.com', true],
      ['a.com', 'http://xa.com', false],
      ['a.com:8080', 'http://a.com:8080', true],
      ['a.com:8080', 'http://a.com', false],
      ['a.com:80', 'http://a.com', true],
      ['b, a.com c', 'http://a.com', true],
      ['10.0.0.0/8', 'http://10.1.2.3', true],
      ['10.0.0.0/8', 'http://11.1.2.3', false],
      ['10.0.0.0/99', 'http://10.1.2.3', false],
      ['10.1.2.3', 'http://10.1.2.3', true],
      ['fd00::/8', 'http://[fd00::1]', true],
      ['::1', 'http://[::1]', true],
      ['[::1]', 'http://[::1]:99', true],
      ['<local>', 'http://intranet', true],
      ['<local>', 'http://a.com', false],
      ['', 'http://a', false],
      ['.', 'http://a', false],
    ];
    for (const [list, url, direct] of cases) {
      expect(through(url, { NO_PROXY: list }) === null, `${list} for ${url}`).to.equal(direct);
      expect(through(url, { no_proxy: list, NO_PROXY: '*' }) === null, `${list} for ${url}`).to.equal(direct);
    }
  });

  it('that cannot be used are a problem', () => {
    const { http, problems } = proxySettings({ HTTP_PROXY: 'socks5://me:s3cret@host:1080' });
    expect(http).to.equal(null);
    expect(problems).to.deep.equal(['HTTP_PROXY']);
  });

  describe('certificates', () => {
    it('are checked: an unknown one, another name, an old one', async () => {
      const cases: [string[], string | undefined, boolean, RegExp][] = [
        [['127.0.0.1'], undefined, false, /the certificate is not trusted: .*self.signed.*NODE_EXTRA_CA_CERTS/],
        [['other.test'], undefined, true, /the certificate is not trusted: .*ERR_TLS_CERT_ALTNAME_INVALID/],
        [['127.0.0.1'], '200201', true, /the certificate is not trusted: .*CERT_HAS_EXPIRED/],
      ];
      for (const [hosts, until, trusted, expected] of cases) {
        const own = makeCertificate(hosts, until);
        const server = await cleanup.serve({ [NT_URL]: pdbBytes() }, own);
        const one = cleanup.store(root, `srv*${root}/cache*${server.url}`, trusted ? { ca: own.cert } : {});
        expect(lastPlace(await one.find(NT))).to.match(expected);
        // Nothing else is tried there.
        expect(lastPlace(await one.find({ ...NT, age: 2 }))).to.match(/^not-asked: not asked again: .*certificate/);
        expect(server.requests).to.deep.equal([]);
      }
    });

    it('a redirect away from https is refused, one to it is followed', async () => {
      const plain = await cleanup.serve({ '/x': pdbBytes() });
      const secured = await cleanup.serve(
        {
          [NT_URL]: (_request, response) => response.writeHead(302, { Location: `${plain.url}/x` }).end(),
          '/y': pdbBytes(),
        },
        certificate,
      );
      expect(lastPlace(await find(secured.url, {}))).to.match(
        /^failed: .*: a redirect from https to http:\/\/127.*\/x is not followed$/,
      );
      expect(plain.requests).to.deep.equal([]);
      const upward = await cleanup.serve((_request, response) =>
        response.writeHead(307, { Location: `${secured.url}/y` }).end(),
      );
      expect((await find(upward.url, {}, { allowRedirects: true })).found?.path).to.equal(cached());
    });

    it('that never come end in time', async () => {
      const sockets: Socket[] = [];
      const silent = createServer((socket) => sockets.push(socket));
      await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
      cleanup.add(() => {
        for (const socket of sockets) socket.destroy();
        silent.close();
      });
      const { port } = silent.address() as { port: number };
      const search = await find(`https://127.0.0.1:${port}`, {}, { limits: { connectTimeout: 60 } });
      expect(lastPlace(search)).to.equal('failed: 127.0.0.1: no connection within 0.06 seconds');
    });
  });
});
