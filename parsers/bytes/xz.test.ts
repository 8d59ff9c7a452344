import { expect } from 'chai';
import fc from 'fast-check';
import { spawnSync } from 'node:child_process';
import { concat } from '../../test-dumps/bytes.js';
import { Prng } from '../../test-dumps/prng.js';
import { makeXz, type XzSpec } from '../../test-dumps/containers/xz.js';
import { findTool } from '../find-tool.test.helper.js';
import { isXz, unxz, XzError } from './xz.js';

/** What `xz -9e` made of `TEXT`: compressed for real, with a 64-bit check. */
const PACKED =
  '/Td6WFoAAATm1rRGAgAhARwAAAAQz1jM4AEnALRdAD2IiaaUZK6e1RoGkgfy0Gg5KHC4IyqySh3Z37EHwoy1vzITErdNKc/GNeGTMSE1AJ/8Bj16y4om5Mu+GQy1OD4ZSWloVoOImAxZs9ON+viWDocubODhC8VS30ObnhuD3yT1D1McF5WnxQ2473kKU4v/PqG0k+Z6xwl0ywiWWxxRnZVFTcvpxaskJeoKWNYIJCC8kXB7OW3ze7HTTABC1tm6BpMXLzJeEJyh75ErwXrKLumQAABy/8y7cUbDyAAB0AGoAgAAxgRQZ7HEZ/sCAAAAAARZWg==';
const TEXT =
  '{"metadata": {"format": "6.2.0", "windows": {"pdb": {"GUID": "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF", "age": 1, "database": "ntkrnlmp.pdb", "machine_type": 34404}}}, "symbols": {"PoolTrackTable": {"address": 15}, "PsLoadedModuleList": {"address": 31}}, "user_types": {}, "base_types": {}, "enums": {}}';

async function* pieces(bytes: Uint8Array, length = bytes.length): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) {
    await Promise.resolve();
    yield bytes.subarray(at, at + length);
  }
}

async function unpack(bytes: Uint8Array, length?: number): Promise<Buffer> {
  const out: Uint8Array[] = [];
  for await (const chunk of unxz(pieces(bytes, length))) out.push(chunk.slice());
  return Buffer.concat(out);
}

async function failure(bytes: Uint8Array): Promise<XzError> {
  try {
    await unpack(bytes);
  } catch (error) {
    if (error instanceof XzError) return error;
    throw error;
  }
  throw new Error('it was unpacked');
}

describe('xz', () => {
  const content = new Prng(5).bytes(200_001);

  it('unpacks what xz packed', async () => {
    const packed = Buffer.from(PACKED, 'base64');
    expect(isXz(packed)).to.equal(true);
    expect((await unpack(packed)).toString()).to.equal(TEXT);
    expect((await unpack(packed, 1)).toString()).to.equal(TEXT);
  });

  it('unpacks several streams after each other, with padding between them', async () => {
    const two = concat([makeXz(content), new Uint8Array(8), makeXz(content, { check: 'none' })]);
    expect((await unpack(two, 70_000)).equals(concat([content, content]))).to.equal(true);
  });

  it('unpacks one while another is not done, and after one was left', async () => {
    const [a, b] = await Promise.all([unpack(makeXz(content), 1000), unpack(makeXz(content.subarray(1)), 999)]);
    expect(a.subarray(1).equals(b)).to.equal(true);
    for await (const chunk of unxz(pieces(makeXz(content), 1000))) {
      expect(chunk.length).to.be.greaterThan(0);
      break;
    }
    expect((await unpack(makeXz(content))).equals(content)).to.equal(true);
  });

  it('the test files are what xz reads', function () {
    const tool = findTool('xz');
    if (tool === null) {
      this.test!.title += ' (no xz here)';
      this.skip();
    }
    const { stdout } = spawnSync(tool, ['-dc'], { input: makeXz(content, { check: 'sha256' }) });
    expect(stdout.equals(content)).to.equal(true);
  });

  describe('refuses', () => {
    const good = makeXz(content);

    it('a file that is cut anywhere', async () => {
      for (const length of [0, 1, 11, 12, 30, 40_000, good.length - 20, good.length - 1]) {
        expect(await failure(good.subarray(0, length)), `${length}`).to.include({ code: 'short-file' });
      }
    });

    it('what is no xz file, and damage', async () => {
      expect(isXz(Buffer.from('\xfd7zXY\0', 'latin1'))).to.equal(false);
      expect((await failure(Buffer.alloc(100, 1))).code).to.equal('corrupt');
      for (const at of [7, 13, 40, 100_000, good.length - 6]) {
        const bad = good.slice();
        bad[at]! ^= 1;
        expect((await failure(bad)).code, `${at}`).to.be.oneOf(['corrupt', 'not-supported']);
      }
    });

    const unsupported: readonly (readonly [string, XzSpec])[] = [
      ['a check that is not known', { check: 'sha256' }],
      ['a dictionary that would take too much memory', { dictionary: 30 }],
    ];
    for (const [name, spec] of unsupported) {
      it(name, async () => {
        expect(await failure(makeXz(content, spec))).to.include({ code: 'not-supported' });
      });
    }

    it('or unpacks, whatever bytes are changed', async () => {
      const small = makeXz(content.subarray(0, 300));
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(fc.nat({ max: small.length - 1 }), fc.nat({ max: 255 })), { maxLength: 4 }),
          async (changes) => {
            const bytes = small.slice();
            for (const [at, value] of changes) bytes[at] = value;
            try {
              await unpack(bytes);
            } catch (error) {
              expect(error).to.be.instanceOf(XzError);
            }
          },
        ),
        { numRuns: 200 },
      );
    });
  });

  it('passes on what its input says', async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield* pieces(makeXz(content).subarray(0, 1000));
      throw Object.assign(new Error('EIO: disk'), { code: 'EIO' });
    }
    let thrown: unknown;
    try {
      for await (const chunk of unxz(broken())) expect(chunk.length).to.be.greaterThan(0);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).to.include({ message: 'EIO: disk' });
  });
});
