import { expect } from 'chai';
import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { AnyCase } from './any-case.js';
import { LocalFolders, pointerObstacle } from './local.js';
import { PlaceLog, type Place } from './places.js';
import { isWithin, parsePointer } from './pointer.js';
import type { SymbolSearch } from './store.js';
import {
  Cleanup,
  DRIVER,
  filesBelow,
  GUID,
  imageBytes,
  NT,
  NT_PARTS,
  OTHER_GUID,
  packed,
  pdbBytes,
  put,
} from './store.test.helper.js';

const outcomes = (search: SymbolSearch): string[] => search.places.map(({ outcome }) => outcome);

describe('symbol store on disk', () => {
  const cleanup = new Cleanup();
  let root = '';
  beforeEach(() => (root = cleanup.folder()));
  afterEach(() => cleanup.release());

  const find = (
    path: string,
    request = NT as Parameters<ReturnType<Cleanup['store']>['find']>[0],
  ): Promise<SymbolSearch> => cleanup.store(root, path).find(request);

  it('finds PDBs and images by their key', async () => {
    const pdb = put(pdbBytes(), root, 'sym', ...NT_PARTS);
    const image = put(
      imageBytes(DRIVER.timeDateStamp, DRIVER.sizeOfImage),
      root,
      'sym/myfault.sys/005B7A1Cabc000/myfault.sys',
    );
    const store = cleanup.store(root, `srv*${root}/sym`);
    expect((await store.find(NT)).found).to.deep.equal({
      path: pdb,
      how: 'file',
      element: `srv*${root}/sym`,
      from: pdb,
    });
    expect((await store.find(DRIVER)).found?.path).to.equal(image);
    expect((await store.find({ ...NT, age: 2 })).found).to.equal(null);
  });

  it('says where it looked', async () => {
    mkdirSync(join(root, 'sym'));
    const search = await find(`srv*${root}/sym;${root}/nothing;${root}/sym`, { ...NT, image: 'ntoskrnl.exe' });
    expect(search.found).to.equal(null);
    const at = (...parts: string[]): string => join(root, 'sym', ...parts);
    const element = `srv*${root}/sym`;
    const plain = `${root}/sym`;
    const absent = (where: string, of: string): Place => ({ element: of, where, outcome: 'absent', detail: null });
    expect(search.places).to.deep.equal([
      absent(at(...NT_PARTS), element),
      { element: `${root}/nothing`, where: `${root}/nothing`, outcome: 'no-folder', detail: 'no such file or folder' },
      ...['symbols/exe/', 'symbols/pdb/', 'exe/', 'pdb/', ''].map((f) => absent(at(`${f}ntkrnlmp.pdb`), plain)),
      absent(at(...NT_PARTS), plain),
    ]);
  });

  it('reads two-tier stores, and one-tier remains in them', async () => {
    put('', root, 'sym', 'INDEX2.TXT');
    const two = put(pdbBytes(), root, 'sym/nt', ...NT_PARTS);
    expect((await find(`srv*${root}/sym`)).found?.path).to.equal(two);
    const one = put(pdbBytes(OTHER_GUID), root, 'sym/ntkrnlmp.pdb', `${OTHER_GUID}1`, 'ntkrnlmp.pdb');
    expect((await find(`srv*${root}/sym`, { ...NT, guid: OTHER_GUID })).found?.path).to.equal(one);
    const gone = await find(`srv*${root}/sym`, { ...NT, age: 9 });
    expect(gone.places.map(({ where }) => where.slice(root.length + 5))).to.deep.equal([
      join('nt', 'ntkrnlmp.pdb', `${GUID}9`, 'ntkrnlmp.pdb'),
      join('ntkrnlmp.pdb', `${GUID}9`, 'ntkrnlmp.pdb'),
    ]);
  });

  it('searches plain folders: symbols\\ext, ext, the folder, and as a store', async () => {
    for (const place of ['symbols/sys/x.pdb', 'sys/x.pdb', 'x.pdb', `x.pdb/${GUID}1/x.pdb`, 'symbols/dll/x.pdb']) {
      const file = put(pdbBytes(), root, 'p', place);
      const image = place.includes('dll') ? 'x.dll' : 'x.sys';
      expect((await find(`${root}/p`, { ...NT, name: 'x.pdb', image })).found?.path, place).to.equal(file);
      expect((await find(`${root}/p`, { ...NT, name: 'x.pdb' })).found?.path, place).to.equal(file);
      await cleanup.release();
      root = cleanup.folder();
    }
  });

  it('passes by files with another identity, damaged ones, and what is no file', async () => {
    const wrong = put(pdbBytes(OTHER_GUID, 3), root, 'a', ...NT_PARTS);
    put(pdbBytes().subarray(0, 60), root, 'b', ...NT_PARTS);
    put('<html>', root, 'c', ...NT_PARTS);
    put(imageBytes(1, 2), root, 'd', ...NT_PARTS);
    mkdirSync(join(root, 'e', ...NT_PARTS), { recursive: true });
    const good = put(pdbBytes(), root, 'f', ...NT_PARTS);
    const search = await find(['a', 'b', 'c', 'd', 'e', 'f'].map((f) => `srv*${root}/${f}`).join(';'));
    expect(search.found?.path).to.equal(good);
    expect(outcomes(search)).to.deep.equal(['mismatch', 'unreadable', 'unreadable', 'mismatch', 'absent', 'found']);
    expect(search.places[0]).to.include({ where: wrong, detail: `it has GUID ${OTHER_GUID}, age 3` });
    expect(search.places[1]?.detail).to.equal('it is cut off');
    expect(search.places[2]?.detail).to.equal('it is neither a PDB nor an image');
  });

  it('finds any letter case, and prefers none over a good file', async function () {
    if (process.platform === 'win32') return this.skip();
    const key = `${GUID.toLowerCase()}1a`;
    const file = put(pdbBytes(GUID, 0x1a), root, 'sym/NTKrnlMP.PDB', key, 'ntkrnlmp.PDB');
    const request = { ...NT, age: 0x1a };
    expect((await find(`srv*${root}/sym`, request)).found?.path).to.equal(file);
    expect((await find(`${root}/sym`, request)).found?.path).to.equal(file);
    // Two spellings of the folder beside each other: the first has only the wrong file.
    const wrong = put(pdbBytes(OTHER_GUID), root, 'sym/ntkrnlmp.pdb', key.toUpperCase(), 'ntkrnlmp.pdb');
    const search = await find(`srv*${root}/sym`, request);
    expect(search.found?.path).to.equal(file);
    expect(search.places[0]).to.include({ where: wrong, outcome: 'mismatch' });
    const plain = put(pdbBytes(GUID, 7), root, 'plain/Symbols/SYS/NTKRNLMP.pdb');
    expect((await find(`${root}/plain`, { ...NT, age: 7, image: 'x.SYS' })).found?.path).to.equal(plain);
  });

  it('takes a file that the path names, whatever its name, when it is the one', async () => {
    for (const name of ['ntkrnlmp.pdb', 'NtKrnlMp (1).PDB', 'server-2025.pdb', 'data']) {
      const path = put(pdbBytes(), root, 'saved', name);
      const search = await find(`${root}/empty;${path}`);
      expect(search.found, name).to.include({ path, how: 'file' });
    }
    const packedFile = put(packed(pdbBytes()), root, 'saved', 'ntkrnlmp(2).pd_');
    expect((await find(packedFile)).found).to.include({ path: join(root, 'default', ...NT_PARTS), how: 'unpacked' });
  });

  it('never takes a file that the path names when it is another', async () => {
    const of = async (name: string, bytes: Buffer): Promise<[string, unknown, unknown]> => {
      const search = await find(put(bytes, root, 'saved', name));
      const [place] = search.places;
      expect(search.places).to.have.length(1);
      return [search.found === null ? 'none' : 'found', place?.outcome, place?.detail];
    };
    const mismatch = ['none', 'mismatch', `it has GUID ${OTHER_GUID}, age 1`];
    expect(await of('ntkrnlmp.pdb', pdbBytes(OTHER_GUID))).to.deep.equal(mismatch);
    expect(await of('ntkrnlmp (1).pdb', pdbBytes(OTHER_GUID))).to.deep.equal(mismatch);
    const another = ['none', 'absent', 'it is another file'];
    expect(await of('hal.pdb', pdbBytes(OTHER_GUID))).to.deep.equal(another);
    expect(await of('hal.pdb', Buffer.from('<html>'))).to.deep.equal(another);
    expect((await of('ntkrnlmp.pdb', Buffer.from('<html>')))[1]).to.equal('unreadable');
  });

  it('unpacks compressed files into the cache before them, else into the default cache', async () => {
    const from = put(packed(pdbBytes()), root, 'sym/ntkrnlmp.pdb', `${GUID}1`, 'ntkrnlmp.pd_');
    const inDefault = join(root, 'default', ...NT_PARTS);
    const first = await find(`srv*${root}/sym`);
    expect(first.found).to.include({ path: inDefault, how: 'unpacked', from });
    expect(readFileSync(inDefault)).to.deep.equal(pdbBytes());
    expect((await find(`srv*${root}/cache*${root}/sym`)).found?.path).to.equal(join(root, 'cache', ...NT_PARTS));
    rmSync(join(root, 'default'), { recursive: true });
    expect((await find(`cache*${root}/other;${root}/sym`)).found?.path).to.equal(join(root, 'other', ...NT_PARTS));
    expect(filesBelow(root).filter((name) => name.includes('partial'))).to.deep.equal([]);
    expect(filesBelow(join(root, 'sym'))).to.have.length(1);
  });

  it('unpacks once, and again where the unpacked file is bad', async () => {
    put(packed(pdbBytes()), root, 'sym', 'ntkrnlmp.pd_');
    const path = (await find(`${root}/sym`)).found?.path ?? '';
    utimesSync(path, 1, 1);
    expect((await find(`${root}/sym`)).found?.path).to.equal(path);
    expect(statSync(path).mtimeMs).to.equal(1000);
    put('damaged', path);
    expect((await find(`${root}/sym`)).found?.path).to.equal(path);
    expect(readFileSync(path)).to.deep.equal(pdbBytes());
  });

  it('knows a cabinet by its content, and refuses those that hold something else', async () => {
    put(packed(pdbBytes()), root, 'a', ...NT_PARTS);
    expect((await find(`srv*${root}/a`)).found?.how).to.equal('unpacked');
    const key = ['ntkrnlmp.pdb', `${GUID}2`, 'ntkrnlmp.pd_'];
    put(packed(pdbBytes(OTHER_GUID)), root, 'b', ...key);
    put(packed(Buffer.alloc(0)), root, 'c', ...key);
    const search = await find(`srv*${root}/b;srv*${root}/c`, { ...NT, age: 2 });
    expect(outcomes(search)).to.deep.equal(['mismatch', 'unreadable']);
    expect(search.places[1]?.detail).to.equal('it cannot be unpacked: the cabinet is damaged');
    expect(filesBelow(join(root, 'default')).filter((name) => !name.includes(`${GUID}1/`))).to.deep.equal([]);
  });

  it('keeps what a lower store has in the stores above it, in their tiers', async () => {
    put('', root, 'two', 'index2.txt');
    put(pdbBytes(), root, 'sym', ...NT_PARTS);
    const path = `cache*${root}/zero;srv*${root}/one*${root}/two*${root}/sym`;
    const first = await find(path);
    expect(first.found?.path).to.equal(join(root, 'zero', ...NT_PARTS));
    expect(first.found?.from).to.equal(join(root, 'sym', ...NT_PARTS));
    for (const copy of ['zero', 'one', 'two/nt']) {
      expect(readFileSync(join(root, copy, ...NT_PARTS)), copy).to.deep.equal(pdbBytes());
    }
    expect(outcomes(await find(path))).to.deep.equal(['found']);
    expect(filesBelow(root).filter((name) => name.includes('partial'))).to.deep.equal([]);
  });

  it('uses the file where it lies when no cache can be written', async () => {
    const file = put(pdbBytes(), root, 'sym', ...NT_PARTS);
    put('a file, not a folder', root, 'cache');
    const search = await find(`srv*${root}/cache*${root}/sym`);
    expect(search.found?.path).to.equal(file);
    expect(outcomes(search)).to.deep.equal(['absent', 'not-written', 'found']);
  });

  it('leaves no temporary file where a copy cannot be kept', async () => {
    const file = put(pdbBytes(), root, 'sym', ...NT_PARTS);
    mkdirSync(join(root, 'cache', ...NT_PARTS, 'a folder in the way'), { recursive: true });
    const { found } = await cleanup
      .store(root, `srv*${root}/cache*${root}/sym`, { cacheHooks: { delays: [] } })
      .find(NT);
    expect(found?.path).to.equal(file);
    expect(filesBelow(join(root, 'cache'))).to.deep.equal([]);
  });

  it('copies read-only files so that the copy can be kept', async function () {
    if (process.platform === 'win32') return this.skip();
    chmodSync(put(pdbBytes(), root, 'sym', ...NT_PARTS), 0o444);
    expect((await find(`srv*${root}/cache*${root}/sym`)).found?.path).to.equal(join(root, 'cache', ...NT_PARTS));
  });

  it('does not take the names of files apart', async () => {
    put(pdbBytes(), root, 'outside.pdb');
    mkdirSync(join(root, 'sym'));
    for (const name of ['../outside.pdb', '..\\outside.pdb', join(root, 'outside.pdb'), '..', '', 'NUL', 'a\0b']) {
      const search = await find(`${root}/sym;srv*${root}/sym`, { ...NT, name });
      expect(search.found, JSON.stringify(name)).to.equal(null);
      expect(outcomes(search)).to.deep.equal(['not-asked']);
    }
  });

  it('answers the same question once', async () => {
    const store = cleanup.store(root, `srv*${root}/sym`);
    expect((await store.find(NT)).found).to.equal(null);
    expect(store.find({ ...NT, guid: GUID.toLowerCase() })).to.equal(store.find(NT));
  });

  describe('file.ptr', () => {
    const pointer = (text: string | Buffer): string => put(text, root, 'sym/ntkrnlmp.pdb', `${GUID}1`, 'file.ptr');

    it('leads to the file, however it is written', async () => {
      const real = put(pdbBytes(), root, 'drop/build 7/ntkrnlmp.pdb');
      for (const text of [
        real,
        `PATH:${real}`,
        `path: "${real}"\r\nmore`,
        `\ufeff${real}\n`,
        Buffer.from(`\ufeffPATH:${real}\0`, 'utf16le'),
      ]) {
        pointer(text);
        const search = await find(`srv*${root}/sym`);
        expect(search.found, String(text)).to.include({ path: real, how: 'pointer', from: real });
      }
      expect((await find(`srv*${root}/cache*${root}/sym`)).found?.path).to.equal(join(root, 'cache', ...NT_PARTS));
    });

    it('may say something instead, lead nowhere, or to the wrong file', async () => {
      const cases: [string, string, RegExp][] = [
        ['MSG: deleted, ask Bob', 'not-followed', /^the store says: deleted, ask Bob$/],
        ['', 'not-followed', /names no file/],
        ['PATH:', 'not-followed', /names no file/],
        [`PATH:${root}/gone.pdb`, 'absent', /^named by .*file\.ptr$/],
        ['relative.pdb', 'not-followed', /not a full path/],
        ['https://elsewhere/x.pdb', 'not-followed', /network address/],
        [`${root}/sym`, 'absent', /^named by/],
        [put(pdbBytes(OTHER_GUID), root, 'wrong.pdb'), 'mismatch', /^it has GUID FE/],
      ];
      for (const [text, outcome, detail] of cases) {
        pointer(text);
        const search = await find(`srv*${root}/sym`);
        expect(search.found, text).to.equal(null);
        expect(outcomes(search), text).to.deep.equal([outcome]);
        expect(search.places[0]?.detail, text).to.match(detail);
      }
    });

    it('is read by itself', () => {
      expect(parsePointer('MSG:  hello ')).to.deep.equal({ kind: 'message', text: 'hello' });
      expect(parsePointer('a\u0001b')).to.deep.equal({ kind: 'nothing' });
      const path = parsePointer('PATH:\\\\s\\h\\x.pdb');
      expect(path).to.deep.equal({ kind: 'path', path: '\\\\s\\h\\x.pdb' });
      expect(pointerObstacle(path, 'win32')).to.equal(null);
      expect(pointerObstacle(path, 'linux')).to.match(/^the pointer names \\\\s\\h\\x\.pdb, which this system/);
      expect(pointerObstacle({ kind: 'path', path: '/x' }, 'linux')).to.equal(null);
      expect(isWithin('\\\\S\\H\\a\\x.pdb', '\\\\s\\h')).to.equal(true);
      expect(isWithin('\\\\s\\h\\a\\..\\b\\x.pdb', '\\\\s\\h\\a')).to.equal(false);
      expect(isWithin('/a/b/../../c', '/a')).to.equal(false);
      expect(isWithin('/ab/c', '/a')).to.equal(false);
      expect(isWithin('/a', '/a')).to.equal(false);
    });
  });

  it('ends on links that go round, and lists folders once', async function () {
    if (process.platform === 'win32') return this.skip();
    mkdirSync(join(root, 'sym'));
    symlinkSync('.', join(root, 'sym/ntkrnlmp.pdb'));
    symlinkSync('loop', join(root, 'sym/loop'));
    expect(outcomes(await find(`srv*${root}/sym;${root}/sym/loop`))).to.deep.equal(['absent', 'no-folder']);
  });

  it('leaves listing to the platform where that ignores case', () => {
    const file = put('x', root, 'A/b.txt');
    expect(new AnyCase(false).files(root, 'a', 'B.TXT')).to.deep.equal(
      process.platform === 'win32' ? [join(root, 'a', 'B.TXT'), file] : [file],
    );
    expect(new AnyCase(true).files(root, 'A', 'b.txt')).to.deep.equal([file]);
    const log = new PlaceLog();
    expect(new LocalFolders().inStore(join(root, 'none'), NT, log, true)).to.deep.equal([]);
    expect(log.places[0]?.outcome).to.equal('absent');
  });
});
