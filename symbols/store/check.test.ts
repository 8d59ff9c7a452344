import { expect } from 'chai';
import { join } from 'node:path';
import { checkSymbols, type SymbolNeed } from './check.js';
import { planFetch, planText } from './plan.js';
import {
  Cleanup,
  DRIVER,
  filesBelow,
  GUID,
  NT,
  NT_PARTS,
  NT_URL,
  OTHER_GUID,
  pdbBytes,
  put,
} from './store.test.helper.js';
import { parseSymbolPath } from './symbol-path.js';

describe('symbols check and fetch', () => {
  const cleanup = new Cleanup();
  let root = '';
  beforeEach(() => (root = cleanup.folder()));
  afterEach(() => cleanup.release());

  const third = { ...NT, name: 'third.pdb' };
  const needs: SymbolNeed[] = [
    { module: 'nt', request: NT },
    { module: 'other', request: { ...NT, name: 'other.pdb' } },
    { module: 'third', request: third },
    { module: 'myfault', request: DRIVER },
    { module: 'odd', request: null, note: 'the page with its CodeView record is not in the dump' },
    { module: 'hostile', request: { ...NT, name: '../../x.pdb' } },
  ];

  it('tells for every module what it needs, where it is, or where it was looked for', async () => {
    const nt = put(pdbBytes(), root, 'sym', ...NT_PARTS);
    put(pdbBytes(OTHER_GUID), root, 'sym/other.pdb');
    const server = await cleanup.serve({ [`/third.pdb/${GUID}1/third.pdb`]: pdbBytes() });
    const store = cleanup.store(root, `${root}/sym;srv*${root}/cache*${server.url}`);
    const done: string[] = [];
    const check = await checkSymbols(needs, store, {
      onDone: (module, n, all) => done.push(`${module.module} ${n}/${all}`),
    });
    expect(check.modules.map(({ module, status }) => `${module} ${status}`)).to.deep.equal([
      'nt found',
      'other mismatch',
      'third on-server',
      'myfault missing',
      'odd not-known',
      'hostile missing',
    ]);
    expect(check.counts).to.deep.equal({ found: 1, 'on-server': 1, mismatch: 1, missing: 2, 'not-known': 1 });
    expect(check.modules[0]).to.deep.include({ file: nt, from: nt, how: 'file' });
    expect(check.modules[0]?.needed).to.deep.equal({
      kind: 'pdb',
      name: 'ntkrnlmp.pdb',
      guid: GUID,
      age: 1,
      timeDateStamp: null,
      sizeOfImage: null,
    });
    expect(check.modules[2]).to.deep.include({ file: null, from: `${server.url}/third.pdb/${GUID}1/third.pdb` });
    expect(check.modules[3]?.needed).to.include({ guid: null, timeDateStamp: DRIVER.timeDateStamp });
    expect(check.modules[3]?.lookedAt.at(-1)?.outcome).to.equal('absent');
    expect(check.modules[5]?.lookedAt.map(({ outcome }) => outcome)).to.deep.equal(['not-asked']);
    expect(check).to.include({ hasServer: true, servers: 'probe' });
    expect(check.path).to.deep.equal([
      { origin: '--symbols', element: `${root}/sym` },
      { origin: '--symbols', element: `srv*${root}/cache*${server.url}` },
    ]);
    expect(done).to.have.length(6);
    expect(done.at(-1)).to.match(/ 6\/6$/);
    expect(filesBelow(root).filter((name) => !name.startsWith('sym/'))).to.deep.equal([]);
    expect(server.requests.filter((request) => request.startsWith('GET'))).to.deep.equal([]);
  });

  it('fetches what is on servers', async () => {
    const server = await cleanup.serve({ [NT_URL]: pdbBytes() });
    const store = cleanup.store(root, `srv*${root}/cache*${server.url}`);
    const check = await checkSymbols([needs[0]!, needs[2]!], store, { servers: 'fetch', concurrency: 99 });
    expect(check.counts).to.include({ found: 1, missing: 1 });
    expect(check.modules[0]).to.deep.include({ file: join(root, 'cache', ...NT_PARTS), how: 'downloaded' });
  });

  it('has nothing to do without needs, and names useless proxies only where a server is', async () => {
    const env = { HTTP_PROXY: 'socks5://x' };
    const plain = await checkSymbols([], cleanup.store(root, root, { env }));
    expect(plain).to.deep.include({ modules: [], problems: [], hasServer: false });
    const served = await checkSymbols([], cleanup.store(root, 'srv*http://127.0.0.1:9', { env }));
    expect(served.problems.map(({ origin }) => origin)).to.deep.equal(['HTTP_PROXY']);
  });

  describe('the list of addresses', () => {
    const plan = (text: string, requests = [NT, DRIVER, NT, { ...NT, name: 'C++ x.pdb' }, { ...NT, name: 'a/b' }]) =>
      planFetch(requests, parseSymbolPath(text, {}, { defaultCache: root }));

    it('names every server of the path, without passwords, and asks none', () => {
      const { files, skipped } = plan('srv*https://me:s3cret@a.test/sym/?k=s3cret;srv*https://b.test*https://b.test');
      expect(files.map(({ storePath }) => storePath)).to.deep.equal([
        `ntkrnlmp.pdb/${GUID}1/ntkrnlmp.pdb`,
        'myfault.sys/005B7A1Cabc000/myfault.sys',
        `C++ x.pdb/${GUID}1/C++ x.pdb`,
      ]);
      expect(files[2]?.urls).to.deep.equal(
        ['a.test/sym', 'b.test'].map((at) => `https://${at}/C%2B%2B%20x.pdb/${GUID}1/C%2B%2B%20x.pdb`),
      );
      expect(skipped).to.deep.equal([
        { request: { ...NT, name: 'a/b' }, reason: 'the name holds characters that no file name may hold' },
      ]);
    });

    it("is Microsoft's where the path names no server", () => {
      expect(planText(plan(root, [NT, DRIVER]))).to.equal(
        `https://msdl.microsoft.com/download/symbols${NT_URL}\n` +
          'https://msdl.microsoft.com/download/symbols/myfault.sys/005B7A1Cabc000/myfault.sys\n',
      );
      expect(planText(planFetch([], parseSymbolPath(null, {})))).to.equal('');
    });

    it('leads to files that a folder with them then gives', async () => {
      const [file] = plan(root, [NT]).files;
      put(pdbBytes(), root, 'carried', file!.storePath);
      expect((await cleanup.store(root, join(root, 'carried')).find(NT)).found?.how).to.equal('file');
    });
  });
});
