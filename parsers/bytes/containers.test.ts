import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { isLinked } from '../../test-dumps/links.test.helper.js';
import { makeXz } from '../../test-dumps/containers/xz.js';
import { zipOf } from '../../test-dumps/containers/zip.js';
import { zstdOf } from '../../test-dumps/containers/zstd.js';
import { fileOffset } from '../addresses.js';
import { listMembers, openFile, type OpenedFile, type UnpackOptions } from './containers/containers.js';
import { InputError } from './input-error.js';

/** A file that begins like a dump; zeros and noise. */
function fakeDump(length: number, seed: number): Buffer {
  const bytes = Buffer.alloc(length);
  bytes.write('PAGEDU64');
  for (let at = 0x3000; at < length; at += 7) bytes[at] = at % 9 === 0 ? 0 : (at * seed) >>> 8;
  return bytes;
}

const DUMP = fakeDump(300_000, 2654435761);
const OTHER = fakeDump(90_000, 40503);

const inBlocks = (bytes: Buffer): Buffer[] =>
  Array.from({ length: Math.ceil(bytes.length / 100_000) }, (_, i) => bytes.subarray(i * 100_000, (i + 1) * 100_000));

function contentOf(opened: OpenedFile): Buffer {
  const bytes = Buffer.alloc(opened.source.byteLength);
  opened.source.read(fileOffset(0), bytes);
  const middle = Buffer.alloc(1000);
  opened.source.read(fileOffset(70_000), middle);
  expect(middle.equals(bytes.subarray(70_000, 71_000))).to.equal(true);
  opened.source.close();
  return bytes;
}

/** Files of a folder that this process has open, where the system tells. Elsewhere (Windows) the folder cannot be removed then. */
function openIn(folder: string): string[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`);
      return path.startsWith(folder) ? [path] : [];
    } catch {
      return []; // of the listing itself
    }
  });
}

const cutShort = (bytes: Buffer): Buffer => bytes.subarray(0, Math.floor(bytes.length * 0.8));

describe('containers', () => {
  let folder: string;
  const put = (name: string, bytes: Uint8Array): string => {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    return path;
  };
  const failure = async (path: string, options: UnpackOptions = {}): Promise<InputError> => {
    try {
      (await openFile(path, options)).source.close();
    } catch (error) {
      expect(error).to.be.instanceOf(InputError);
      expect((error as InputError).message).not.to.include('\n');
      return error as InputError;
    }
    throw new Error(`${path} was opened`);
  };
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'dumpleak-test-'));
  });
  after(() => {
    expect(openIn(folder)).to.deep.equal([]);
    rmSync(folder, { recursive: true, force: true });
    expect(readdirSync(tmpdir()).filter((n) => n.startsWith(`dumpleak-${process.pid}-`))).to.deep.equal([]);
  });

  it('give the dump back: gzip, xz, zstd, zip deflated and stored', async () => {
    const files = {
      'a.dmp.gz': gzipSync(DUMP),
      'a.dmp.xz': makeXz(DUMP),
      'a.dmp.zst': zstdOf(inBlocks(DUMP)),
      'a.zip': zipOf([
        { name: 'readme.txt', bytes: Buffer.alloc(9000, 65) },
        { name: 'logs/MEMORY.DMP', bytes: DUMP },
      ]),
      'b.zip': zipOf([{ name: 'MEMORY.DMP', bytes: DUMP, stored: true }]),
    };
    const kinds = ['gzip', 'xz', 'zstd', 'zip', 'zip'];
    for (const [i, [name, bytes]] of Object.entries(files).entries()) {
      const opened = await openFile(put(name, bytes));
      expect([opened.container, opened.damage, opened.fileBytes], name).to.deep.equal([kinds[i], null, bytes.length]);
      expect(contentOf(opened).equals(DUMP), name).to.equal(true);
    }
  });

  it('of several dumps take the one that is named', async () => {
    const path = put('several.zip', zipOf([{ name: 'one.dmp', bytes: DUMP }, { name: 'sub/two.dmp', bytes: OTHER }])); // prettier-ignore
    expect(await listMembers(path)).to.deep.equal(['one.dmp', 'sub/two.dmp']);
    expect((await failure(path)).message).to.match(
      /holds 2 dumps: say which with --member \(one\.dmp, sub\/two\.dmp\)/,
    );
    for (const member of ['sub/two.dmp', 'two.dmp']) {
      expect(contentOf(await openFile(path, { member })).equals(OTHER), member).to.equal(true);
    }
    expect((await failure(path, { member: 'three.dmp' })).code).to.equal('not-found');
  });

  it('without a dump, encrypted, or damaged, say so', async () => {
    const text = { name: 'a.txt', bytes: Buffer.alloc(9000, 65) };
    expect((await failure(put('none.zip', zipOf([text])))).code).to.equal('not-a-dump');
    expect((await failure(put('locked.zip', zipOf([{ name: 'M.DMP', bytes: DUMP, encrypted: true }])))).code).to.equal(
      'encrypted',
    );
    const good = zipOf([{ name: 'M.DMP', bytes: DUMP }]);
    expect((await failure(put('cut.zip', good.subarray(0, 5000)))).code).to.equal('corrupt');
    expect((await failure(put('empty.zst', Buffer.from([0x28, 0xb5, 0x2f, 0xfd])))).code).to.equal('corrupt');
    expect((await failure(put('empty.xz', makeXz(DUMP).subarray(0, 12)))).code).to.equal('corrupt');
    expect(await failure(put('sha.xz', makeXz(DUMP, { check: 'sha256' }))))
      .to.include({ code: 'not-supported' })
      .and.have.property('message')
      .that.matches(/SHA-256.*unpack it first/);
  });

  it('that break in the middle give what came before, with the damage told', async () => {
    for (const [name, bytes] of [
      ['cut.gz', cutShort(gzipSync(DUMP))],
      ['cut.xz', cutShort(Buffer.from(makeXz(DUMP)))],
      ['cut.zst', cutShort(zstdOf(inBlocks(DUMP)))],
    ] as const) {
      const opened = await openFile(put(name, bytes));
      expect(opened.damage, name).to.match(/ends early|damaged/);
      const content = contentOf(opened);
      expect(content.length, name).to.be.greaterThan(90_000);
      expect(content.equals(DUMP.subarray(0, content.length)), name).to.equal(true);
    }
  });

  it('refuse what grows past the limit: bombs of every kind', async () => {
    const bomb = Buffer.concat([DUMP.subarray(0, 8), Buffer.alloc(40_000_000)]);
    const mostBytes = 10_000_000;
    const run = { byte: 0, count: 128 * 1024 };
    for (const [name, bytes] of [
      ['bomb.gz', gzipSync(bomb)],
      ['bomb.xz', makeXz(bomb)],
      ['bomb.zst', zstdOf([DUMP.subarray(0, 5000), ...Array.from({ length: 400 }, () => run)])],
      ['bomb.zip', zipOf([{ name: 'bomb.dmp', bytes: bomb }])],
    ] as const) {
      expect((await failure(put(name, bytes), { mostBytes })).code, name).to.equal('too-large');
    }
  });

  it('do not hold what a piece of a zstd file unpacks to: it may be gigabytes', async () => {
    const run = { byte: 0, count: 128 * 1024 };
    const path = put('zeros.zst', zstdOf([DUMP.subarray(0, 5000), ...Array.from({ length: 4000 }, () => run)]));
    const before = process.memoryUsage.rss();
    let most = 0;
    const progress = (): void => {
      most = Math.max(most, process.memoryUsage.rss() - before);
    };
    const { source } = await openFile(path, { progress });
    expect(source.byteLength).to.equal(5000 + 4000 * run.count);
    source.close();
    expect(most).to.be.lessThan(250 * 2 ** 20);
  });

  it('7z, where the optional part is installed', async function () {
    const cli = ((): string | null => {
      try {
        return createRequire(import.meta.url).resolve('7z-wasm/cli.js');
      } catch {
        return null;
      }
    })();
    if (cli === null) this.skip();
    this.timeout(60_000);
    put('MEMORY.DMP', DUMP);
    put('two.dmp', OTHER);
    const pack = (name: string, ...files: string[]): string => {
      execFileSync(process.execPath, [cli, 'a', name, ...files], { cwd: folder, stdio: 'ignore' });
      return join(folder, name);
    };
    const one = pack('one.7z', 'MEMORY.DMP');
    const opened = await openFile(one);
    expect(opened.container).to.equal('7z');
    expect(contentOf(opened).equals(DUMP)).to.equal(true);
    const two = pack('two.7z', 'MEMORY.DMP', 'two.dmp');
    expect((await failure(two)).code).to.equal('several-dumps');
    expect(contentOf(await openFile(two, { member: 'two.dmp' })).equals(OTHER)).to.equal(true);
    expect((await failure(one, { mostBytes: 1000 })).code).to.equal('too-large');
    const link = join(folder, 'links', 'link.7z');
    mkdirSync(dirname(link));
    if (isLinked(one, link)) expect(contentOf(await openFile(link)).equals(DUMP)).to.equal(true);
    expect((await failure(pack('locked.7z', '-psecret', 'MEMORY.DMP'))).code).to.equal('encrypted');
    expect((await failure(pack('names.7z', '-psecret', '-mhe', 'two.dmp'))).message).to.match(/password.*Unpack it/);
    expect(process.exitCode).to.equal(undefined);
  });
});
