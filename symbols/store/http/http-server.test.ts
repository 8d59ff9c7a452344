import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SymbolStore } from '../store.js';
import {
  Cleanup,
  DRIVER,
  filesBelow,
  GUID,
  imageBytes,
  lastPlace,
  NT,
  NT_PARTS,
  NT_URL,
  OTHER_GUID,
  packed,
  PACKED_URL,
  pdbBytes,
  POINTER_URL,
  put,
  type Answer,
  type TestOptions,
} from '../store.test.helper.js';

const LOWER_URL = NT_URL.toLowerCase();

describe('symbol server', () => {
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

  it('brings a file into the cache, and does not ask again', async () => {
    const events: [string, number, number | null][] = [];
    const server = await cleanup.serve({ [NT_URL]: pdbBytes() });
    const first = store(server.url, { progress: (...event) => events.push(event) });
    const { found } = await first.find(NT);
    expect(found).to.deep.equal({
      path: cached(),
      how: 'downloaded',
      element: `srv*${root}/cache*${server.url}`,
      from: `${server.url}${NT_URL}`,
    });
    expect(readFileSync(cached())).to.deep.equal(pdbBytes());
    expect(events.at(-1)).to.deep.equal([`${server.url}${NT_URL}`, pdbBytes().length, pdbBytes().length]);
    expect((await store(server.url).find(NT)).found?.how).to.equal('file');
    expect(server.requests).to.deep.equal([`GET ${NT_URL}`]);
    expect(server.headers[0]).to.include({ host: new URL(server.url).host, 'accept-encoding': 'identity' });
    expect(filesBelow(root)).to.have.length(1);
  });

  it('asks for file, compressed file and pointer, then in lower case, then for the two tiers; 404 is asked once', async () => {
    const server = await cleanup.serve(404);
    const one = store(server.url);
    const search = await one.find(NT);
    expect(search.found).to.equal(null);
    expect(lastPlace(search)).to.equal('absent: HTTP 404');
    expect(search.places.at(-1)?.where).to.equal(`${server.url}${NT_URL}`);
    const lower = [LOWER_URL, LOWER_URL.replace(/b$/, '_'), LOWER_URL.replace(/[^/]*$/, 'file.ptr')];
    expect(server.requests).to.deep.equal([
      ...[NT_URL, PACKED_URL, POINTER_URL, ...lower].map((url) => `GET ${url}`),
      'HEAD /index2.txt',
    ]);
    await one.find({ ...NT, image: 'x.sys' });
    await one.find(NT, 'probe');
    expect(server.requests).to.have.length(7);
    await one.find({ ...NT, age: 2 });
    expect(server.requests).to.have.length(13);
    expect(server.connections).to.equal(1);
  });

  it('finds compressed files, lower case, two tiers, pointers, images', async () => {
    const two = `/nt${NT_URL}`;
    const answers: [Answer, string][] = [
      [{ [PACKED_URL]: packed(pdbBytes()) }, 'compressed'],
      [{ [NT_URL]: packed(pdbBytes()) }, 'compressed under the plain name'],
      [{ [LOWER_URL]: pdbBytes() }, 'lower case'],
      [{ '/index2.txt': Buffer.from(' '), [two]: pdbBytes() }, 'two tiers'],
      [{ '/index2.txt': Buffer.from(' '), [two.toLowerCase()]: pdbBytes() }, 'two tiers, lower case'],
    ];
    for (const [answer, what] of answers) {
      const { search } = await ask(answer);
      expect(search.found?.path, what).to.equal(cached());
      expect(readFileSync(cached()), what).to.deep.equal(pdbBytes());
      await cleanup.release();
      root = cleanup.folder();
    }
    const drop = put(pdbBytes(), root, 'cache/drop/x.pdb');
    const pointer = await ask({ [POINTER_URL]: Buffer.from(`PATH:${drop}`) });
    expect(pointer.search.found).to.include({ path: cached(), how: 'pointer', from: drop });
    const server = await cleanup.serve({
      '/myfault.sys/005B7A1Cabc000/myfault.sys': imageBytes(DRIVER.timeDateStamp, DRIVER.sizeOfImage),
    });
    expect((await store(server.url).find(DRIVER)).found?.path).to.match(/myfault\.sys$/);
  });

  it('keeps to the layout of the first file it finds', async () => {
    const server = await cleanup.serve({ [LOWER_URL]: pdbBytes() });
    const one = store(server.url);
    await one.find(NT);
    const before = server.requests.length;
    await one.find({ ...NT, name: 'Other.pdb' });
    expect(server.requests.slice(before)).to.deep.equal(
      ['other.pdb', 'other.pd_', 'file.ptr'].map((name) => `GET /other.pdb/${GUID.toLowerCase()}1/${name}`),
    );
  });

  it('escapes names in addresses', async () => {
    const server = await cleanup.serve(404);
    await store(`${server.url}/a%20b/`).find({ ...NT, name: 'C++ #1 100%.pdb' });
    expect(server.requests[0]).to.equal(`GET /a%20b/C%2B%2B%20%231%20100%25.pdb/${GUID}1/C%2B%2B%20%231%20100%25.pdb`);
  });

  it('never keeps a file with another identity, a page of a portal, or half a file', async () => {
    const cases: [Answer, RegExp][] = [
      [
        { [NT_URL]: pdbBytes(OTHER_GUID) },
        /^mismatch: it has GUID FED.*, age 1 \(the server sent \d+ bytes of no stated type\)$/,
      ],
      [{ [NT_URL]: pdbBytes(GUID, 2) }, /^mismatch: it has GUID 012.*, age 2 /],
      [{ [PACKED_URL]: packed(pdbBytes(OTHER_GUID)) }, /^mismatch/],
      [{ [PACKED_URL]: packed(Buffer.alloc(0)) }, /^unreadable: it cannot be unpacked: the cabinet is damaged/],
      [{ [NT_URL]: Buffer.alloc(0) }, /^unreadable: it is neither/],
      [
        (_request, response) => response.writeHead(200, { 'Content-Type': 'text/html' }).end('<html>log in'),
        /^unreadable: it is neither a PDB nor an image \(the server sent 12 bytes of text\/html\)$/,
      ],
      // Without a length, only the file itself can tell that its end is missing.
      [
        (_request, response) => {
          response.writeHead(200, { Connection: 'close' }).end(pdbBytes().subarray(0, 99));
        },
        /^unreadable: it is cut off/,
      ],
    ];
    for (const [answer, expected] of cases) {
      const { search } = await ask(answer);
      expect(search.found).to.equal(null);
      expect(lastPlace(search)).to.match(expected);
      expectNothingKept();
    }
  });

  it('tries again after 500 and after a broken connection, a few times', async () => {
    let count = 0;
    const first = await ask((_request, response) => {
      if (++count < 3) response.writeHead(500).end();
      else response.end(pdbBytes());
    });
    expect(first.search.found?.path).to.equal(cached());
    expect(first.requests).to.have.length(3);
    await cleanup.release();
    root = cleanup.folder();

    count = 0;
    const second = await ask((request, response) => {
      if (++count === 1) request.socket.destroy();
      else if (count === 2) {
        response.writeHead(200, { 'Content-Length': 5000 }).write(pdbBytes());
        setTimeout(() => response.destroy(), 10);
      } else response.end(pdbBytes());
    });
    expect(second.search.found?.path).to.equal(cached());
    expect(filesBelow(root)).to.have.length(1);
    await cleanup.release();
    root = cleanup.folder();

    for (const [answer, expected] of [
      [503, /^failed: 127\.0\.0\.1:\d+ answers HTTP 503$/],
      [429, /^failed: .* HTTP 429$/],
      [(request) => request.socket.destroy(), /^failed: .*: the connection broke/],
    ] as [Answer, RegExp][]) {
      const { search, requests } = await ask(answer);
      expect(lastPlace(search)).to.match(expected);
      expect(requests).to.have.length(3);
      expectNothingKept();
    }
  });

  it('does not try again where that cannot help', async () => {
    for (const [status, expected] of [
      [400, /^failed: .* HTTP 400$/],
      [401, /^failed: .* asks for a user and a password \(HTTP 401\)$/],
      [206, /^failed: .* HTTP 206$/],
    ] as [number, RegExp][]) {
      const { search, requests } = await ask(status);
      expect(lastPlace(search)).to.match(expected);
      expect(requests).to.have.length(1);
    }
    const long = await ask((_request, response) => response.writeHead(503, { 'Retry-After': '3600' }).end());
    expect(long.requests).to.have.length(1);
    const now = new Date(Date.now() - 1000).toUTCString();
    const short = await ask((_request, response) => response.writeHead(503, { 'Retry-After': now }).end());
    expect(short.requests).to.have.length(3);
  });

  it('leaves a server alone that gave nothing twice', async () => {
    const server = await cleanup.serve(500);
    const one = store(server.url);
    for (const age of [1, 2]) expect(lastPlace(await one.find({ ...NT, age }))).to.match(/^failed/);
    expect(lastPlace(await one.find({ ...NT, age: 3 }))).to.match(/^not-asked: not asked again: .* HTTP 500$/);
    expect(server.requests).to.have.length(6);
    let answers = 0;
    const moody = await cleanup.serve((_request, response) => {
      response.writeHead(answers++ % 2 === 0 ? 503 : 404, { 'Content-Length': 0, 'Retry-After': '999' }).end();
    });
    // An answer in between: it is not down.
    const patient = store(moody.url);
    for (const age of [1, 2, 3, 4]) expect(lastPlace(await patient.find({ ...NT, age }))).to.match(/^failed/);
    const closed = await cleanup.serve(404);
    await closed.close();
    const refused = store(closed.url);
    expect(lastPlace(await refused.find(NT))).to.match(
      /^failed: 127.*: the host refuses the connection \(ECONNREFUSED\)$/,
    );
  });

  it('takes 403 for absent, as storage services mean it', async () => {
    const { search } = await ask(403);
    expect(lastPlace(search)).to.equal('absent: HTTP 403');
  });

  describe('is asked only when wanted', () => {
    it('not offline, not for a look at folders, and not without an address', async () => {
      const server = await cleanup.serve({ [NT_URL]: pdbBytes() });
      expect(lastPlace(await store(server.url, { offline: true }).find(NT))).to.equal('not-asked: offline');
      expect(lastPlace(await store(server.url, { offline: true }).find(NT, 'probe'))).to.equal('not-asked: offline');
      expect(lastPlace(await store(server.url).find(NT, 'none'))).to.equal('not-asked: ');
      expect((await cleanup.store(root, `${root};srv*${root}/cache`).find(NT)).found).to.equal(null);
      expect(server.requests).to.deep.equal([]);
      expectNothingKept();
    });

    it('by --symbol-server after everything else', async () => {
      const server = await cleanup.serve({ [NT_URL]: pdbBytes() });
      const search = await cleanup.store(root, '', { servers: [server.url] }).find(NT);
      expect(search.found?.path).to.equal(join(root, 'default', ...NT_PARTS));
    });

    it('can be asked whether it has the file, and nothing is fetched', async () => {
      const server = await cleanup.serve({ [PACKED_URL]: packed(pdbBytes()) });
      const search = await store(server.url).find(NT, 'probe');
      expect(search).to.deep.include({ found: null, onServer: `${server.url}${PACKED_URL}` });
      expect(lastPlace(search)).to.equal('on-server: ');
      expect(server.requests).to.deep.equal([`HEAD ${NT_URL}`, `HEAD ${PACKED_URL}`]);
      expectNothingKept();
    });
  });

  it('goes to the default cache when its own cannot be written, and finds it there later', async () => {
    put('a file, not a folder', root, 'cache');
    const server = await cleanup.serve({ [NT_URL]: pdbBytes() });
    const path = join(root, 'default', ...NT_PARTS);
    expect((await store(server.url).find(NT)).found).to.include({ path, how: 'downloaded' });
    expect((await store(server.url).find(NT)).found).to.include({ path, how: 'file' });
    expect(server.requests).to.have.length(1);
    put('also a file', root, 'none');
    const nowhere = cleanup.store(root, `srv*${root}/cache*${server.url}`, { cacheHooks: {} });
    expect((await nowhere.find(NT)).found?.path).to.equal(path);
  });

  it('says when there is no folder at all to put the file', async () => {
    put('a file, not a folder', root, 'cache');
    put('a file, not a folder', root, 'default');
    const server = await cleanup.serve({ [NT_URL]: pdbBytes() });
    const search = await store(server.url).find(NT);
    expect(search.places.map(({ outcome }) => outcome)).to.deep.equal(['absent', 'not-written', 'not-written']);
    expect(server.requests).to.have.length(1);
  });

  it('asks many things at a time over a few connections', async () => {
    const server = await cleanup.serve((_request, response) => {
      setTimeout(() => response.writeHead(404).end(), 2);
    });
    const one = store(server.url);
    await Promise.all(Array.from({ length: 40 }, (_, age) => one.find({ ...NT, age })));
    expect(server.connections).to.be.within(1, 6);
  });
});
