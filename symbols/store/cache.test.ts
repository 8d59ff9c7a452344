import { expect } from 'chai';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, utimesSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CacheSlot, removeLeftovers, type CacheHooks } from './cache.js';
import type { SymbolSearch } from './store.js';
import { Cleanup, filesBelow, NT, NT_PARTS, NT_URL, packed, pdbBytes, put } from './store.test.helper.js';

const PARTS = NT_PARTS.slice(0, 2);
const NAME = NT_PARTS[2];

/** An error as Windows gives it. */
function denied(code: string): Error {
  return Object.assign(new Error(`${code}: operation not permitted`), { code });
}

describe('symbol cache', () => {
  const cleanup = new Cleanup();
  let root = '';
  beforeEach(() => (root = cleanup.folder()));
  afterEach(() => cleanup.release());

  const isGood = (path: string): Promise<boolean> => Promise.resolve(readFileSync(path, 'utf8') === 'good');

  async function bring(text: string, hooks: CacheHooks = {}): Promise<string> {
    const slot = new CacheSlot(root, PARTS, NAME, hooks);
    try {
      put(text, await slot.begin());
      return await slot.commit(
        readdirSync(dirname(slot.path))
          .filter((n) => n.endsWith('.partial'))
          .map((n) => join(dirname(slot.path), n))[0]!,
        isGood,
      );
    } finally {
      await slot.discard();
    }
  }

  it('shows a file only when it is whole', async () => {
    const slot = new CacheSlot(root, PARTS, NAME);
    expect(filesBelow(root)).to.deep.equal([]);
    const partial = await slot.begin();
    put('go', partial);
    expect(existsSync(slot.path)).to.equal(false);
    expect(partial).to.match(new RegExp(`[\\\\/]${NAME}\\.${process.pid}\\.[0-9a-f]{16}\\.partial$`));
    put('good', partial);
    expect(await slot.commit(partial, isGood)).to.equal(slot.path);
    await slot.discard();
    expect(filesBelow(root)).to.deep.equal([NT_PARTS.join('/')]);
  });

  it('removes what was not committed', async () => {
    const slot = new CacheSlot(root, PARTS, NAME);
    await slot.begin();
    await slot.begin();
    expect(filesBelow(root)).to.have.length(2);
    await slot.discard();
    await slot.discard();
    expect(filesBelow(root)).to.deep.equal([]);
  });

  it('tries again while Windows has the target open', async () => {
    for (const code of ['EPERM', 'EACCES', 'EBUSY']) {
      let attempts = 0;
      const rename = (from: string, to: string): Promise<void> => {
        if (++attempts < 4) return Promise.reject(denied(code));
        renameSync(from, to);
        return Promise.resolve();
      };
      put('bad', root, ...NT_PARTS);
      const path = await bring('good', { rename, delays: [1, 1, 1, 1] });
      expect(attempts).to.equal(4);
      expect(readFileSync(path, 'utf8')).to.equal('good');
    }
  });

  it('gives up after a while, and at once where waiting does not help', async () => {
    for (const [code, expected] of [
      ['EPERM', 4],
      ['ENOSPC', 1],
    ] as const) {
      let attempts = 0;
      const rename = (): Promise<void> => {
        attempts++;
        return Promise.reject(denied(code));
      };
      let error: unknown = null;
      await bring('good', { rename, delays: [1, 1, 1] }).catch((e: unknown) => (error = e));
      expect(error).to.have.property('code', code);
      expect(attempts).to.equal(expected);
      expect(filesBelow(root)).to.deep.equal([]);
    }
  });

  it("keeps the winner's file where another process was faster", async () => {
    const rename = (_from: string, to: string): Promise<void> => {
      put('good', to);
      return Promise.reject(denied('EPERM'));
    };
    const path = await bring('good', { rename, delays: [] });
    expect(readFileSync(path, 'utf8')).to.equal('good');
    utimesSync(path, 1, 1);
    // Now it is there before the rename is even tried.
    let renames = 0;
    const count = (): Promise<void> => Promise.resolve((renames++, undefined));
    expect(await bring('good', { rename: count })).to.equal(path);
    expect(renames).to.equal(0);
    expect(filesBelow(root)).to.deep.equal([NT_PARTS.join('/')]);
  });

  it('replaces a damaged file', async () => {
    put('damaged', root, ...NT_PARTS);
    expect(readFileSync(await bring('good'), 'utf8')).to.equal('good');
  });

  it('removes leftovers older than a day, and only those', async () => {
    const name = `${NAME}.123.0123456789abcdef.partial`;
    const keys = ['OLD1', 'NEW1', 'OTHER1'];
    const [old, young, other] = keys.map((key) => put('x', root, NAME, key, key === 'OTHER1' ? 'my.partial' : name));
    const dayAgo = Date.now() / 1000 - 25 * 60 * 60;
    utimesSync(old!, dayAgo, dayAgo);
    utimesSync(other!, dayAgo, dayAgo);
    mkdirSync(join(root, NAME, 'folder.pdb.1.0123456789abcdef.partial'));
    await removeLeftovers(join(root, 'nothing'));
    await bring('good');
    expect([old, young, other].map((path) => existsSync(path!))).to.deep.equal([false, true, true]);
  });

  describe('shared by processes', () => {
    const children: ChildProcess[] = [];
    afterEach(() => {
      for (const child of children.splice(0)) child.kill();
    });

    /** A process that answers every message - a symbol path - with what its search gave. */
    function searcher(): { search: (path: string) => Promise<SymbolSearch[]> } {
      const child = fork(new URL('./find-symbol.test.helper.js', import.meta.url), [], { execArgv: [] });
      children.push(child);
      return {
        search: async (path) => {
          child.send({ path, defaultCache: join(root, 'default') });
          const [answer] = (await once(child, 'message')) as [SymbolSearch[]];
          return answer;
        },
      };
    }

    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
      it(`one that is ended by ${signal} in the middle of a download leaves nothing`, async function () {
        if (process.platform === 'win32') this.skip(); // no signal can be sent there
        const server = await cleanup.serve((_request, response) => response.writeHead(200).write(pdbBytes()));
        searcher()
          .search(`srv*${root}/cache*${server.url}`)
          .catch(() => undefined);
        const child = children.at(-1)!;
        while (!filesBelow(root).some((name) => name.endsWith('.partial'))) await sleep(5);
        const end = once(child, 'exit');
        child.kill(signal);
        expect(await end).to.deep.equal([null, signal]);
        expect(filesBelow(root)).to.deep.equal([]);
      });
    }

    it('two that fetch the same files end with one good copy of each', async () => {
      const files = Array.from({ length: 6 }, (_, i) => pdbBytes(NT.guid, i + 1, 200_000));
      const answers = Object.fromEntries(
        files.map((bytes, i) => {
          const key = `${NT.guid}${i + 1}`;
          const compressed = i % 2 === 1;
          return [`/ntkrnlmp.pdb/${key}/ntkrnlmp.pd${compressed ? '_' : 'b'}`, compressed ? packed(bytes) : bytes];
        }),
      );
      const waiting: (() => unknown)[] = [];
      const server = await cleanup.serve((request, response) => {
        const bytes = answers[request.url ?? ''];
        const answer = (): unknown => response.writeHead(bytes === undefined ? 404 : 200).end(bytes);
        if (request.url !== NT_URL) {
          setTimeout(answer, 30);
          return;
        }
        // The first file waits until both have asked for it: both are under way at the same time.
        waiting.push(answer);
        if (waiting.length === 2) for (const ready of waiting) ready();
      });
      const path = `srv*${root}/cache*${server.url}`;
      const searchers = [searcher(), searcher()];
      const both = await Promise.all(searchers.map(({ search }) => search(path)));
      for (const search of both.flat()) {
        expect(search.found?.path, JSON.stringify(search.places)).to.match(/ntkrnlmp\.pdb$/);
      }
      expect(filesBelow(join(root, 'cache'))).to.deep.equal(
        files.map((_, i) => `ntkrnlmp.pdb/${NT.guid}${i + 1}/ntkrnlmp.pdb`),
      );
      files.forEach((bytes, i) => {
        expect(readFileSync(join(root, 'cache', NAME, `${NT.guid}${i + 1}`, NAME)).equals(bytes)).to.equal(true);
      });
      expect(server.requests.filter((r) => r.startsWith(`GET ${NT_URL}`))).to.have.length(2);
    });
  });
});
