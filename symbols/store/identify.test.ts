import { expect } from 'chai';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { identifyFile } from './identify.js';
import type { FileIdentity } from './http/request.js';
import { SymbolStore } from './store.js';
import { Cleanup, put } from './store.test.helper.js';
import { parseSymbolPath } from './symbol-path.js';
import { unpackCabinet } from './unpack.js';

// build/symbols/store -> beside the project
const CORPUS = fileURLToPath(new URL('../../../../shared/corpus/pdb/', import.meta.url));

/** A little PE file: headers, one section of raw bytes. */
function tinyImage(): Buffer {
  const bytes = Buffer.alloc(0x400, 0xcc);
  bytes.fill(0, 0, 0x200);
  bytes.write('MZ', 0, 'latin1');
  bytes.writeUInt32LE(0x80, 0x3c);
  bytes.write('PE\0\0', 0x80, 'latin1');
  bytes.writeUInt16LE(1, 0x86);
  bytes.writeUInt32LE(0x5b7a1c, 0x88);
  bytes.writeUInt16LE(0xf0, 0x94);
  bytes.writeUInt16LE(0x20b, 0x98);
  bytes.writeUInt32LE(0x3000, 0x98 + 0x38);
  bytes.writeUInt32LE(0x200, 0x188 + 16);
  bytes.writeUInt32LE(0x200, 0x188 + 20);
  return bytes;
}

describe('identity of files', () => {
  const cleanup = new Cleanup();
  let root = '';
  beforeEach(() => (root = cleanup.folder()));
  afterEach(() => cleanup.release());

  const identifyBytes = (bytes: Buffer): FileIdentity | null => identifyFile(put(bytes, root, 'any.partial'));

  it('of an image is time stamp and size, and it must be complete', () => {
    const image = tinyImage();
    expect(identifyBytes(image)).to.deep.equal({ kind: 'image', timeDateStamp: 0x5b7a1c, sizeOfImage: 0x3000 });
    for (const length of [0x3ff, 0x1a0]) {
      expect(() => identifyBytes(image.subarray(0, length)), String(length)).to.throw(
        /^it is cut off: 0x\w+ bytes of 0x/,
      );
    }
    for (const length of [0, 1, 0x3f, 0x84, 0x98])
      expect(identifyBytes(image.subarray(0, length)), String(length)).to.equal(null);
    image.writeUInt32LE(0xfffffff0, 0x3c);
    expect(identifyBytes(image)).to.equal(null);
  });

  it('is none for other files, and says why a file cannot be read', () => {
    expect(identifyBytes(Buffer.from('<html>'))).to.equal(null);
    expect(() => identifyFile(join(root, 'none'))).to.throw(/no such file/);
    expect(() => identifyFile(root)).to.throw(/is a folder/);
  });

  it('of real PDBs and images are as their makers say; a missing byte is seen', function () {
    if (!existsSync(CORPUS)) return this.skip();
    const pdb = readFileSync(join(CORPUS, 'x64-xcpt4.pdb'));
    const identity = identifyBytes(pdb);
    const image = identifyFile(join(CORPUS, 'x64-xcpt4.exe'));
    expect(image?.kind).to.equal('image');
    expect(identity?.kind).to.equal('pdb');
    // The image's CodeView record names the PDB by the same GUID.
    const guid = identity?.kind === 'pdb' ? identity.guid : '';
    const record = readFileSync(join(CORPUS, 'x64-xcpt4.exe'));
    const at = record.indexOf('RSDS');
    const part = (from: number, length: number, little: boolean): string => {
      const bytes = Buffer.from(record.subarray(at + from, at + from + length));
      return (little ? bytes.reverse() : bytes).toString('hex').toUpperCase();
    };
    expect(guid).to.equal(part(4, 4, true) + part(8, 2, true) + part(10, 2, true) + part(12, 8, false));
    expect(() => identifyBytes(pdb.subarray(0, -1))).to.throw(/cut off|ends/);
  });

  it('is checked on a real compressed PDB from a server', async function () {
    if (!existsSync(CORPUS)) return this.skip();
    const cabinet = readFileSync(join(CORPUS, 'basic32.pd_'));
    await unpackCabinet(put(cabinet, root, 'a'), put('', root, 'b'), 1 << 30);
    const identity = identifyFile(join(root, 'b'));
    if (identity?.kind !== 'pdb') throw new Error('not a PDB');
    const refused = await unpackCabinet(join(root, 'a'), put('', root, 'c'), 1000).catch((e: unknown) => String(e));
    expect(refused).to.match(/limit/);
    const request = { ...identity, name: 'basic32.pdb' };
    const key = `${identity.guid}${identity.age.toString(16)}`;
    const server = await cleanup.serve({ [`/basic32.pdb/${key}/basic32.pd_`]: cabinet });
    const path = parseSymbolPath(`srv*${root}/cache*${server.url}`, {});
    const store = new SymbolStore({ path, identify: identifyFile, unpack: unpackCabinet, env: {} });
    cleanup.add(() => {
      store.close();
    });
    const { found } = await store.find(request);
    expect(found?.how).to.equal('downloaded');
    expect(readFileSync(found?.path ?? '').equals(readFileSync(join(root, 'b')))).to.equal(true);
    const other = await store.find({ ...request, age: identity.age + 1 });
    expect(other.found).to.equal(null);
  });
});
