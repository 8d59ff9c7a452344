import { expect } from 'chai';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { SymbolStore } from '../store.js';
import {
  Cleanup,
  filesBelow,
  GUID,
  lastPlace,
  NT,
  NT_PARTS,
  NT_URL,
  packed,
  PACKED_URL,
  pdbBytes,
  POINTER_URL,
  put,
  type Answer,
  type TestOptions,
} from '../store.test.helper.js';

describe('symbol server: time, size, redirects, pointers', () => {
  const cleanup = new Cleanup();
  let root = '';
  beforeEach(() => (root = cleanup.folder()));
  afterEach(() => cleanup.release());

  const cached = (): string => join(root, 'cache', ...NT_PARTS);
  const store = (url: string, options: TestOptions = {}): SymbolStore => cleanup.serverStore(root, url, options);

  const ask = (answer: Answer, options: TestOptions = {}): ReturnType<Cleanup['ask']> =>
    cleanup.ask(root, answer, options);

  function expectNothingKept(): void {
    expect(filesBelow(root)).to.deep.equal([]);
  }

  describe('time and size', () => {
    it('ends when the server never answers', async () => {
      const { search, requests } = await ask(() => undefined, { limits: { idleTimeout: 60 } });
      expect(lastPlace(search)).to.match(/^failed: .*: no byte within 0\.06 seconds$/);
      expect(requests).to.have.length(1);
    });

    it('waits for a slow server as long as bytes come, up to the time for all', async () => {
      const slow = (_request: unknown, response: ServerResponse): void => {
        const bytes = pdbBytes();
        let at = 0;
        const timer = setInterval(() => {
          response.write(bytes.subarray(at, (at += 10)));
          if (at >= bytes.length) response.end();
        }, 10);
        response.on('close', () => {
          clearInterval(timer);
        });
      };
      // The time to connect is over long before the file is there.
      const good = await ask(slow, { limits: { idleTimeout: 100, connectTimeout: 60 } });
      expect(good.search.found?.path).to.equal(cached());
      await cleanup.release();
      root = cleanup.folder();
      const bad = await ask(slow, { limits: { totalTimeout: 50 } });
      expect(lastPlace(bad.search)).to.match(/^failed: .*: not done within 0\.05 seconds$/);
      expectNothingKept();
    });

    it('ends a server that sends a byte now and then', async () => {
      const drip = (_request: unknown, response: ServerResponse): void => {
        response.writeHead(200, { 'Content-Length': 5000 });
        const timer = setInterval(() => response.write('x'), 20);
        response.on('close', () => {
          clearInterval(timer);
        });
      };
      const { search } = await ask(drip, { limits: { fewestBytes: 1000, rateWindow: 100 } });
      expect(lastPlace(search)).to.match(/^failed: .*: too slow: \d bytes within 0\.1 seconds$/);
      expectNothingKept();
      await cleanup.release();
      root = cleanup.folder();
      const good = await ask(
        (_request, response) => {
          response.write(pdbBytes().subarray(0, 60));
          setTimeout(() => response.end(pdbBytes().subarray(60)), 150);
        },
        { limits: { fewestBytes: 50, rateWindow: 100 } },
      );
      expect(good.search.found?.path).to.equal(cached());
    });

    it('ends in the middle of a file when no more comes', async () => {
      const { search } = await ask(
        (_request, response) => response.writeHead(200, { 'Content-Length': 5000 }).write(pdbBytes()),
        { limits: { idleTimeout: 60 } },
      );
      expect(lastPlace(search)).to.match(/no byte within/);
      expectNothingKept();
    });

    it('takes no more than allowed, whether the server says so, does not, or packs it', async () => {
      const zeros = Buffer.alloc(1 << 20);
      const limits = { maxBytes: 10_000 };
      let sent = 0;
      const cases: Answer[] = [
        { [NT_URL]: zeros },
        (_request, response) => {
          response.on('close', () => (sent = -1));
          const more = (): void => {
            while (sent >= 0 && response.write(zeros)) sent++;
            if (sent >= 0) response.once('drain', more);
          };
          more();
        },
        (_request, response) => response.writeHead(200, { 'Content-Encoding': 'gzip' }).end(gzipSync(zeros)),
        { [POINTER_URL]: zeros },
      ];
      for (const answer of cases) {
        const { search } = await ask(answer, { limits });
        expect(lastPlace(search)).to.match(/^failed: .*: more than \d+ bytes$/);
        expectNothingKept();
      }
      const { search } = await ask({ [PACKED_URL]: packed(pdbBytes(GUID, 1, 9950)) }, { limits: { maxBytes: 10_050 } });
      expect(search.found?.path).to.equal(cached());
    });

    it('undoes an encoding that it did not ask for', async () => {
      const { search } = await ask((_request, response) =>
        response.writeHead(200, { 'Content-Encoding': 'gzip' }).end(gzipSync(pdbBytes())),
      );
      expect(search.found?.path).to.equal(cached());
      await cleanup.release();
      root = cleanup.folder();
      for (const [encoding, expected] of [
        ['odd', /sends an encoding that was not asked for: odd$/],
        ['gzip', /compression is damaged/],
      ] as const) {
        const bad = await ask((_request, response) =>
          response.writeHead(200, { 'Content-Encoding': encoding }).end('no gzip'),
        );
        expect(lastPlace(bad.search)).to.match(expected);
        expectNothingKept();
      }
    });

    it('ends when it is told to', async () => {
      const server = await cleanup.serve(() => undefined);
      const controller = new AbortController();
      const one = store(server.url, { signal: controller.signal });
      const searches = Array.from({ length: 12 }, (_, age) => one.find({ ...NT, age }));
      setTimeout(() => {
        controller.abort();
      }, 40);
      for (const search of await Promise.all(searches))
        expect(lastPlace(search)).to.equal('failed: the download was cancelled');
      const other = store(server.url);
      const search = other.find(NT);
      setTimeout(() => {
        other.close();
      }, 40);
      expect(lastPlace(await search)).to.equal('failed: the download was cancelled');
    });
  });

  describe('redirects', () => {
    const to =
      (location: string): Answer =>
      (_request, response) =>
        response.writeHead(302, { Location: location }).end();

    it('to another server are refused, with both named, unless allowed; on the same server they are followed', async () => {
      const target = await cleanup.serve({ '/blob': pdbBytes() });
      const { search } = await ask({ [NT_URL]: to(`${target.url}/blob?sig=s3cret`) });
      const [place] = search.places.filter(({ outcome }) => outcome === 'failed');
      expect(place?.detail).to.match(
        /^http:\/\/127\.0\.0\.1:\d+ redirects to http:\/\/127\.0\.0\.1:\d+, another server, .*--allow-redirects follows it$/,
      );
      expect(place?.detail).to.include(` ${target.url},`);
      expect(target.requests, 'the other server hears of nothing').to.deep.equal([]);
      expect(target.connections).to.equal(0);
      expectNothingKept();
      const probe = await cleanup.serve({ [NT_URL]: to(`${target.url}/blob`) });
      expect(lastPlace(await store(probe.url).find(NT, 'probe'))).to.match(/^failed: .*another server/);
      expect(target.requests).to.deep.equal([]);
      const same = await ask({ [NT_URL]: to('/elsewhere'), '/elsewhere': pdbBytes() });
      expect(same.search.found?.path).to.equal(cached());
    });

    it('are followed, without the password for the first server', async () => {
      const target = await cleanup.serve({ '/blob?sig=s3cret': pdbBytes() });
      const server = await cleanup.serve({ [`/sym${NT_URL}`]: to(`${target.url}/blob?sig=s3cret`) });
      const one = store(`${server.url.replace('//', '//me:pass@')}/sym`, { allowRedirects: true });
      const search = await one.find(NT);
      expect(search.found?.path).to.equal(cached());
      expect(server.headers[0]?.authorization).to.equal(`Basic ${Buffer.from('me:pass').toString('base64')}`);
      expect(target.headers[0]?.authorization).to.equal(undefined);
      expect(JSON.stringify(search)).to.not.match(/s3cret|me:pass/);
    });

    it('keep the password within the server', async () => {
      const server = await cleanup.serve({ [NT_URL]: to('/other'), '/other': pdbBytes() });
      await store(server.url.replace('//', '//me:pass@')).find(NT);
      expect(server.headers.map((headers) => headers.authorization)).to.have.members(
        Array<string>(2).fill(`Basic ${Buffer.from('me:pass').toString('base64')}`),
      );
    });

    it('end when they go round, on and on, or nowhere', async () => {
      let count = 0;
      const cases: [Answer, RegExp, number][] = [
        [to(NT_URL), /more than 5 redirects$/, 6],
        [
          (_request, response) => response.writeHead(301, { Location: `/${count++}` }).end(),
          /more than 5 redirects$/,
          6,
        ],
        [to('file:///etc/passwd'), /a redirect to file: is not followed$/, 1],
        [to('http://'), /a redirect to no address$/, 1],
      ];
      for (const [answer, expected, requests] of cases) {
        const result = await ask(answer);
        expect(lastPlace(result.search)).to.match(expected);
        expect(result.requests).to.have.length(requests);
      }
    });
  });

  describe('pointers from a server', () => {
    it('lead only where the user looks anyway', async () => {
      const outside = put(pdbBytes(), cleanup.folder(), 'x.pdb');
      const other = await cleanup.serve({ '/x.pdb': pdbBytes() });
      const cases: [string, RegExp][] = [
        [`PATH:${outside}`, /^not-followed: the pointer names .*x\.pdb; if you trust it, name its folder/],
        ['PATH:\\\\evil\\share\\x.pdb', /^not-followed: the pointer names \\\\evil\\share\\x\.pdb; if you trust it/],
        [`PATH:${root}/cache/../x.pdb`, /^not-followed/],
        [`PATH:${root}/cache/gone.pdb`, /^absent: named by http/],
        [`PATH:${other.url}/x.pdb?k=s3cret`, /^not-followed: the pointer names another server: http[^?]*\?\.\.\.$/],
        ['MSG: gone', /^not-followed: the store says: gone$/],
        ['', /^not-followed: the pointer names no file$/],
      ];
      for (const [text, expected] of cases) {
        const { search } = await ask({ [POINTER_URL]: Buffer.from(text) });
        expect(search.found, text).to.equal(null);
        expect(lastPlace(search), text).to.match(expected);
      }
      expect(other.requests).to.deep.equal([]);
    });

    it('may lead to the same server', async () => {
      const server = await cleanup.serve((request, response) => {
        if (request.url === POINTER_URL) response.end(`PATH:${server.url}/drop/x.pdb`);
        else if (request.url === '/drop/x.pdb') response.end(pdbBytes());
        else response.writeHead(404).end();
      });
      const search = await store(server.url).find(NT);
      expect(search.found).to.include({ path: cached(), from: `${server.url}/drop/x.pdb` });
    });
  });
});
