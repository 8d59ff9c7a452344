import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { failed } from '../bytes/failure.js';
import { concat, putU16 } from '../../test-dumps/bytes.js';
import { isLinked } from '../../test-dumps/links.test.helper.js';
import { makeCab, type CabSpec } from '../../test-dumps/pdb/cab-writer.js';
import { Prng } from '../../test-dumps/prng.js';
import { fileOffset } from '../addresses.js';
import { findTool } from '../find-tool.test.helper.js';
import { type CabFailure, type UnpackedFile } from './cab.js';
import { unpackCab } from './unpack-cab.js';

const CONTENT = new Prng(5).bytes(100_001);

function isInstalled(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(name);
    return true;
  } catch {
    return false;
  }
}

describe('cabinets on disk', function () {
  this.timeout(60_000);
  let folder = '';

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'cabinets-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  const put = (cab: Uint8Array, name = 'ntkrnlmp.pd_'): string => {
    writeFileSync(join(folder, name), cab);
    return join(folder, name);
  };
  const ours = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith(`dumpleak-${process.pid}-`));

  function contentOf(unpacked: UnpackedFile | CabFailure): Buffer {
    if (failed(unpacked)) throw new Error(`${unpacked.code}: ${unpacked.message}`);
    const bytes = Buffer.alloc(unpacked.source.byteLength);
    unpacked.source.read(fileOffset(0), bytes);
    unpacked.source.close();
    return bytes;
  }

  async function failureOf(path: string, limit?: number): Promise<CabFailure> {
    const failure = await unpackCab(path, limit === undefined ? {} : { limit });
    if (!failed(failure)) throw new Error('it was unpacked');
    expect(ours()).to.deep.equal([]);
    return failure;
  }

  it('are written as cabextract reads them', function () {
    const cabextract = findTool('cabextract');
    if (cabextract === null) {
      this.test!.title += ' (no cabextract here)';
      return this.skip();
    }
    for (const packing of ['mszip', 'stored', 'lzx'] as const) {
      const printed = execFileSync(cabextract, ['-t', put(makeCab({ content: CONTENT, packing }))], {
        encoding: 'utf8',
      });
      expect(printed).to.match(/OK/);
    }
  });

  it('packed by MSZIP or by nothing need no optional part', async () => {
    for (const packing of ['mszip', 'stored'] as const) {
      const unpacked = await unpackCab(put(makeCab({ content: CONTENT, packing })));
      expect(contentOf(unpacked).equals(CONTENT), packing).to.equal(true);
    }
  });

  describe('packed by LZX, where 7z-wasm is installed', () => {
    before(function () {
      if (!isInstalled('7z-wasm')) this.skip();
    });
    const lzx = (spec: Partial<CabSpec> = {}): Uint8Array => makeCab({ content: CONTENT, packing: 'lzx', ...spec });

    const specs: readonly (readonly [string, Partial<CabSpec>])[] = [
      ['a file', {}],
      ['one of a few bytes', { content: Buffer.from('Microsoft C/C++') }],
      ['one with reserved parts', { reserve: [7, 3, 5] }],
      ['one after other bytes of its folder', { before: 40_001 }],
      ['one with a folder in its name', { name: '..\\..\\sub\\ntkrnlmp.pdb' }],
      ['one with a name that is not ASCII', { name: 'Treiber-ü.pdb' }],
    ];
    for (const [name, spec] of specs) {
      it(`unpacks ${name}`, async () => {
        const unpacked = await unpackCab(put(lzx(spec)));
        expect(contentOf(unpacked).equals(Buffer.from(spec.content ?? CONTENT))).to.equal(true);
        expect(ours()).to.deep.equal([]);
      });
    }

    it('unpacks a cabinet of any name, also behind a link, and leaves the exit code alone', async () => {
      const signs = process.platform === 'win32' ? [] : ['a*b?.pd_']; // no such names there
      for (const name of [...signs, '-y.pd_', '@list.pd_', 'with blanks .pd_', 'ntkrnlmp.pdb']) {
        expect(contentOf(await unpackCab(put(lzx(), name))).equals(CONTENT), name).to.equal(true);
      }
      mkdirSync(join(folder, 'other'));
      const link = join(folder, 'other', 'link.pd_');
      if (isLinked(put(lzx()), link)) expect(contentOf(await unpackCab(link)).equals(CONTENT)).to.equal(true);
      expect(process.exitCode).to.equal(undefined);
    });

    it('refuses what is too large, cut off or damaged, and leaves nothing behind', async () => {
      const good = lzx();
      expect((await failureOf(put(good), CONTENT.length - 1)).code).to.equal('too-large');
      for (const length of [good.length - 1, good.length - 40_000, 200, 60]) {
        expect((await failureOf(put(good.subarray(0, length)))).code, `${length}`).to.be.oneOf([
          'corrupt',
          'short-file',
        ]);
      }
      const damaged = good.slice();
      putU16(damaged, 50_000, 0x1234);
      expect((await failureOf(put(damaged))).message).to.match(/packed by LZX and cannot be unpacked/);
      expect((await failureOf(put(lzx({ name: 'ntkrnlmp.pdb:x' })))).code).to.equal('corrupt');
      expect((await failureOf(put(concat([Buffer.from('MZ'), good])))).code).to.equal('other-format');
      expect(process.exitCode).to.equal(undefined);
    });
  });

  it('packed by LZX are refused without 7z-wasm, with what to install', () => {
    const path = put(makeCab({ content: CONTENT, packing: 'lzx' }));
    const resolve = `export const resolve = (name, context, next) => {
      if (name === '7z-wasm') throw new Error('not installed');
      return next(name, context);
    };`;
    const hook = `import { register } from 'node:module';
      register(${JSON.stringify(`data:text/javascript,${encodeURIComponent(resolve)}`)});`;
    const program = `const { unpackCab } = await import(${JSON.stringify(new URL('unpack-cab.js', import.meta.url).href)});
      const failure = await unpackCab(${JSON.stringify(path)});
      console.log(failure.code, failure.message);`;
    const loader = `data:text/javascript,${encodeURIComponent(hook)}`;
    const printed = execFileSync(process.execPath, ['--import', loader, '--input-type=module', '-e', program], {
      encoding: 'utf8',
    });
    expect(printed).to.match(/^not-supported .*packed by LZX: install the optional package 7z-wasm/);
  });
});
