/** The commands and options about symbols, as processes of their own with a symbol server beside them. */

import { expect } from 'chai';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname } from 'node:path';
import { gzipSync } from 'node:zlib';
import { buildDump } from '../../test-dumps/build-dump.js';
import { kernelFacts } from '../../test-dumps/kernel-facts.js';
import { makeCab } from '../../test-dumps/pdb/cab-writer.js';
import { kernelPdb } from '../../test-dumps/pdb/kernel-pdb.js';
import { plainPdb } from '../../test-dumps/pdb/plain-pdb.js';
import { symbolRecord } from '../../test-dumps/pdb/pdb-writer.js';
import { SCENARIOS } from '../../test-dumps/scenarios.js';
import { makeXz } from '../../test-dumps/containers/xz.js';
import type { AnalysisResult } from '../result/result.js';
import { program, runHere, temporaryFolder } from './program.test.helper.js';

const KERNEL = kernelFacts('10.0.26100.1');
const NT = `ntkrnlmp.pdb/${KERNEL.pdb.guid}1/ntkrnlmp.pdb`;

describe('symbols on the command line', function () {
  this.timeout(60_000);
  const folder = temporaryFolder();
  const files = new Map<string, Uint8Array>();
  const requests: string[] = [];
  let server: Server;
  let url = '';
  let dump = '';
  /** Bytes from the image's base to the code that holds the tag. */
  let tagAt = 0;
  let driver = '';

  before(async () => {
    const built = buildDump({ ...SCENARIOS.modernLeak(), kernel: KERNEL.version });
    dump = folder.path('one.dmp');
    built.writeTo(dump);
    const acme = built.truth.modules.find(({ name }) => name === 'acmenet.sys')!;
    tagAt = built.truth.tagHits.find((hit) => hit.module === 'acmenet.sys' && hit.readable)!.rva;
    driver = `acmenet.pdb/${acme.pdb!.guid}1/acmenet.pdb`;
    const code = { name: 'AcmeReceive', segment: 1, offset: tagAt - 0x2a - 0x1000 };
    const sections = [{ name: '.text', rva: 0x1000, size: 0x10000 }];
    files.set(NT, kernelPdb(KERNEL));
    files.set(driver, plainPdb({ ...acme.pdb, sections, symbols: [symbolRecord.public(code, true)] }));
    server = createServer((request, response) => {
      requests.push(`${request.method ?? ''} ${request.url ?? ''}`);
      const bytes = files.get((request.url ?? '').replace(/^\/+/, ''));
      if (bytes === undefined) response.writeHead(404).end();
      else response.writeHead(200, { 'content-length': bytes.length }).end(request.method === 'HEAD' ? '' : bytes);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  });
  after(() => {
    server.close();
    server.closeAllConnections();
  });
  beforeEach(() => {
    requests.length = 0;
  });

  const env = (): Record<string, string> => ({ XDG_CACHE_HOME: folder.path('own'), HOME: folder.path('home') });
  async function json<T>(args: readonly string[], code = 0, more: Record<string, string> = {}): Promise<T> {
    const ended = await program([...args, '--json', '--quiet'], { ...env(), ...more });
    expect([ended.code, ended.stderr], args.join(' ')).to.deep.equal([code, '']);
    return JSON.parse(ended.stdout) as T;
  }
  const codes = (result: AnalysisResult): string[] => result.warnings.map(({ code }) => code);

  it('without a server in the path, and with --offline, nobody is asked', async () => {
    const folderOnly = await json<AnalysisResult>(['analyze', dump, '--symbols', folder.path('nothing')]);
    const offline = await json<AnalysisResult>(['analyze', dump, '--symbol-server', url, '--offline']);
    const variable = { _NT_SYMBOL_PATH: `srv*${folder.path('cache')}*${url}` };
    const both = await json<AnalysisResult>(['analyze', dump, '--offline'], 0, variable);
    for (const result of [folderOnly, offline, both]) {
      expect(result.system?.symbols?.source).to.equal('kdbg');
      expect(codes(result)).to.include('pdb-not-found');
      expect(result.suspects[0]?.drivers[0]?.evidence[0]?.symbol).to.equal(null);
    }
    expect(requests).to.deep.equal([]);
    expect(existsSync(folder.path('cache'))).to.equal(false);
  });

  it('a server in _NT_SYMBOL_PATH is asked; what it sends is used, kept, and found offline', async () => {
    const path = `srv*${folder.path('cache')}*${url}`;
    const result = await json<AnalysisResult>(['analyze', dump], 0, { _NT_SYMBOL_PATH: path });
    expect(result.system?.symbols?.source).to.equal('pdb');
    expect(result.memory?.nonPagedPoolUsage?.source).to.equal('pdb');
    expect(result.poolTags).to.include({ source: 'pdb', complete: true });
    expect(result.suspects[0]?.drivers[0]?.evidence[0]?.symbol).to.equal('acmenet!AcmeReceive+0x2a');
    expect(requests).to.include.members([`GET /${NT}`, `GET /${driver}`]);
    requests.length = 0;
    const again = await json<AnalysisResult>(['analyze', dump, '--symbols', path, '--offline']);
    expect([again.system?.symbols?.source, requests.length]).to.deep.equal(['pdb', 0]);
    expect({ ...again, run: null, dump: null }).to.deep.equal({ ...result, run: null, dump: null });
  });

  it('a server that has the kernel only packed by LZX gives exact figures too', async () => {
    const plain = files.get(NT)!;
    files.delete(NT);
    files.set(NT.replace(/b$/, '_'), makeCab({ content: plain, packing: 'lzx' }));
    try {
      const result = await json<AnalysisResult>(['analyze', dump, '--symbols', `srv*${folder.path('lzx')}*${url}`]);
      expect(result.system?.symbols?.source).to.equal('pdb');
      expect(readFileSync(folder.path(`lzx/${NT}`)).equals(plain)).to.equal(true);
    } finally {
      files.delete(NT.replace(/b$/, '_'));
      files.set(NT, plain);
    }
  });

  it('symbols check: asks, fetches nothing, says of every module where it looked', async () => {
    interface Checked {
      symbols: { counts: Record<string, number>; modules: { module: string; status: string; lookedAt: unknown[] }[] };
    }
    const { symbols } = await json<Checked>([
      'symbols',
      'check',
      dump,
      '--symbols',
      `srv*${folder.path('empty')}*${url}`,
    ]);
    const status = Object.fromEntries(symbols.modules.map((module) => [module.module, module.status]));
    expect(status).to.include({ nt: 'on-server', acmenet: 'on-server', hal: 'missing' });
    expect(symbols.modules[0]?.module).to.equal('nt');
    expect(symbols.modules.every(({ lookedAt }) => lookedAt.length > 0)).to.equal(true);
    expect(existsSync(folder.path('empty'))).to.equal(false);
    const text = await program(['symbols', 'check', dump, '--symbols', folder.path('cache')], env());
    expect(text.stdout).to.match(/found\s+nt\s+ntkrnlmp\.pdb/);
  });

  it('symbols fetch: brings what an analysis needs; ends with 2 where the kernel is nowhere', async () => {
    const store = folder.path('fetched');
    const fetched = await program(['symbols', 'fetch', dump, '--symbols', `srv*${store}*${url}`], env());
    expect([fetched.code, fetched.stderr]).to.deep.equal([0, '']);
    expect(existsSync(`${store}/${NT}`) && existsSync(`${store}/${driver}`)).to.equal(true);
    const none = await program(['symbols', 'fetch', dump, '--symbols', folder.path('nothing')], env());
    expect(none.code).to.equal(2);
    expect(none.stdout).to.match(/--urls/);
  });

  it('symbols fetch --urls: the addresses of what is missing, and asks nobody', async () => {
    const list = folder.path('urls.txt');
    const ended = await program(['symbols', 'fetch', dump, '--symbol-server', url, '--urls', list], env());
    expect([ended.code, ended.stderr, requests.length]).to.deep.equal([0, '', 0]);
    expect(readFileSync(list, 'utf8').split('\n')).to.include.members([`${url}${NT}`, `${url}${driver}`]);
    expect(ended.stdout).to.include(`  ${NT}\n`);
    const microsoft = await program(['symbols', 'fetch', dump, '--urls', list], env());
    expect(microsoft.code).to.equal(0);
    expect(readFileSync(list, 'utf8')).to.include(`https://msdl.microsoft.com/download/symbols/${NT}\n`);
  });

  it('a file of the wrong identity is never used, whoever sends it', async () => {
    const right = files.get(NT)!;
    files.set(NT, kernelPdb(KERNEL, { guid: '00112233445566778899AABBCCDDEEFF' }));
    try {
      const args = ['--symbols', `srv*${folder.path('wrong')}*${url}`];
      const result = await json<AnalysisResult>(['analyze', dump, ...args]);
      expect(result.system?.symbols?.source).to.equal('kdbg');
      expect(codes(result)).to.include.members(['pdb-mismatch', 'pdb-not-found']);
      expect((await program(['symbols', 'fetch', dump, ...args], env())).code).to.equal(2);
      expect(existsSync(`${folder.path('wrong')}/${NT}`)).to.equal(false);
    } finally {
      files.set(NT, right);
    }
  });

  it('profile make and list; a dump by that profile', async () => {
    const pdb = folder.path('ntkrnlmp.pdb');
    writeFileSync(pdb, files.get(NT)!);
    const profiles = folder.path('profiles');
    mkdirSync(profiles);
    const made = await program(['profile', 'make', pdb], env(), profiles);
    expect([made.code, made.stderr]).to.deep.equal([0, '']);
    const name = `ntkrnlmp-${KERNEL.pdb.guid}1.profile.txt`;
    expect(readdirSync(profiles)).to.deep.equal([name]);
    expect(made.stdout).to.match(new RegExp(`^${name}: \\d+ KB\\n$`));
    const file = folder.path('other.txt');
    expect((await program(['profile', 'make', pdb, '-o', file], env())).code).to.equal(0);
    expect(readFileSync(file, 'utf8')).to.equal(readFileSync(`${profiles}/${name}`, 'utf8'));
    writeFileSync(`${profiles}/broken.profile.txt`, 'dumpleak-profile 1\nend 0\n');

    const listed = await json<{ profiles: { pdb: object }[]; problems: object[] }>([
      'profile',
      'list',
      '--profiles',
      profiles,
    ]);
    expect(listed.profiles.map((one) => one.pdb)).to.deep.equal([
      { name: 'ntkrnlmp.pdb', guid: KERNEL.pdb.guid, age: 1 },
    ]);
    expect(listed.problems).to.have.length(1);
    const builtIn = await json<{ profiles: object[] }>(['profile', 'list']);
    expect(builtIn.profiles).to.have.length(213);

    const result = await json<AnalysisResult>(['analyze', dump, '--profiles', profiles]);
    expect(result.system?.symbols?.source).to.equal('profile');
    expect(codes(result)).to.deep.equal(['profile-file']);
    const vm = await program(['vm', dump, '--profiles', profiles, '--quiet'], env());
    expect([vm.code, vm.stderr]).to.deep.equal([0, '']);
  });

  it('profile make from a symbol table of Volatility 3, packed or not', async () => {
    const type = (name: string, offset: number): object => ({ offset, type: { kind: 'base', name } });
    const table = {
      metadata: { windows: { pdb: { GUID: KERNEL.pdb.guid, age: 1, database: 'ntkrnlmp.pdb', machine_type: 0x8664 } } },
      symbols: Object.fromEntries(Object.entries(KERNEL.rva).map(([name, address]) => [name, { address }])),
      user_types: { _POOL_TRACKER_TABLE: { size: 56, kind: 'struct', fields: { Key: type('unsigned long', 0) } } },
      base_types: {},
    };
    const text = Buffer.from(JSON.stringify(table));
    const made: string[] = [];
    for (const [name, bytes] of [
      ['nt.json', text],
      ['nt.json.gz', gzipSync(text)],
      ['nt.json.xz', makeXz(text)],
    ] as const) {
      writeFileSync(folder.path(name), bytes);
      const { code, stderr } = await program(
        ['profile', 'make', folder.path(name), '-o', folder.path(`${name}.txt`)],
        env(),
      );
      expect([code, stderr], name).to.deep.equal([0, '']);
      made.push(readFileSync(folder.path(`${name}.txt`), 'utf8'));
    }
    expect(new Set(made).size).to.equal(1);
    expect(made[0]).to.include(KERNEL.pdb.guid).and.to.include('_POOL_TRACKER_TABLE');
    writeFileSync(folder.path('bad.json.xz'), makeXz(Buffer.from('{}')));
    const bad = await program(['profile', 'make', folder.path('bad.json.xz')], env());
    expect([bad.code, bad.stdout]).to.deep.equal([2, '']);
    expect(bad.stderr).to.match(/bad\.json\.xz cannot be used: it is no symbol table/);
  });

  it('symbols info: what a PDB is, with its exit codes', async () => {
    const info = await json<Record<string, unknown>>(['symbols', 'info', folder.path('ntkrnlmp.pdb')]);
    expect(info).to.include({ guid: KERNEL.pdb.guid, age: 1, machine: 0x8664, omap: false });
    expect(info['kernel']).to.include({ symbols: Object.keys(KERNEL.rva).length });
    const text = await program(['symbols', 'info', folder.path('ntkrnlmp.pdb')], env());
    expect(text.stdout).to.match(/GUID +[0-9A-F]{32}\n/);
    for (const packing of ['mszip', 'lzx'] as const) {
      const path = folder.path(`${packing}.pd_`);
      writeFileSync(path, makeCab({ content: kernelPdb(KERNEL), packing }));
      const same = { ...info, file: path, storePath: String(info['storePath']).replaceAll('ntkrnlmp', packing) };
      expect(await json(['symbols', 'info', path])).to.deep.equal(same);
    }
    const whole = kernelPdb(KERNEL);
    for (const [name, bytes, message] of [
      ['cut.pdb', whole.subarray(0, -1), /is cut off: it has \d+ of \d+ bytes/],
      ['half.pdb', whole.subarray(0, whole.length / 2), /is cut off: it has \d+ of \d+ bytes/],
      ['page.pdb', Buffer.from('<!DOCTYPE html>'), /web page/],
    ] as const) {
      writeFileSync(folder.path(name), bytes);
      const ended = await program(['symbols', 'info', folder.path(name)], env());
      expect([ended.code, ended.stdout], name).to.deep.equal([2, '']);
      expect(ended.stderr).to.match(message);
    }
    expect((await program(['symbols', 'info', dump], env())).code).to.equal(2);
    expect((await program(['symbols', 'info', folder.path('nothing.pdb')], env())).code).to.equal(2);
  });

  it('what makes no sense is refused', async () => {
    const nothing = folder.path('nothing');
    const plain = folder.path('plain.pdb');
    mkdirSync(dirname(plain), { recursive: true });
    writeFileSync(plain, plainPdb({}));
    for (const [args, code, message] of [
      [['symbols', 'look', dump], 64, /It has: check, fetch, info/],
      [['symbols', 'check', dump, '--urls', nothing], 64, /There is no option --urls/],
      [['symbols', 'info', plain, '--all'], 64, /There is no option --all/],
      [['symbols', 'check', nothing], 2, /no such file/i],
      [['analyze', dump, '--profiles', nothing], 2, /--profiles .* cannot be used: no such file or folder/],
      [['profile', 'make'], 64, /Something is missing/],
      [['profile', 'make', plain], 2, /is of no kernel: it has no PoolTrackTable/],
      [['profile', 'make', folder.path('ntkrnlmp.pdb'), '--image', dump], 2, /is no image/],
      [['profile', 'list', plain], 64, /one word too many/],
      [['profile', 'show'], 64, /It has: make, list/],
    ] as const) {
      const ended = await runHere(args, { env: { LANG: 'C.UTF-8', ...env() } });
      expect(ended.code, args.join(' ')).to.equal(code);
      expect(ended.stderr, args.join(' ')).to.match(message);
      expect(ended.stdout, args.join(' ')).to.equal('');
    }
  });
});
