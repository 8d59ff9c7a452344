import { expect } from 'chai';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { failed } from '../../../parsers/bytes/failure.js';
import { imageChecksum } from '../../../parsers/pe/checksum.js';
import { peFile } from '../../../test-dumps/drivers/pe-file.js';
import { driverFromFile } from '../../kernel/modules/driver-file.js';
import type { LoadedModule } from '../../kernel/modules/modules.js';
import { ImageFolders } from './images.js';

function image(text: string): Buffer {
  const code = Buffer.alloc(4096, 0x90);
  code.write(text, 0x80);
  const file = Buffer.from(peFile({ sections: [{ name: '.text', bytes: code, executable: true }] }));
  file.writeUInt32LE(imageChecksum(file) ?? 0, file.readUInt32LE(0x3c) + 0x58);
  return file;
}

function moduleOf(file: Buffer, name: string): LoadedModule {
  const driver = driverFromFile(file, name);
  if (failed(driver)) throw new Error(driver.message);
  return { ...driver.module, memory: null, path: null };
}

describe('folders of images', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'dumpleak-'));
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  function write(path: string, bytes: Uint8Array): string {
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    writeFileSync(join(folder, path), bytes);
    return join(folder, path);
  }
  const used = (module: LoadedModule, ...paths: string[]): [string | undefined, string[]] => {
    const { modules, warnings } = new ImageFolders(paths.map((path) => join(folder, path))).complete([module]);
    return [modules[0]?.disk?.path, warnings.map(({ code, message }) => `${code}: ${message}`)];
  };

  it('give the file of a module by its name, whatever the letter case, also below folders', () => {
    const path = write('a/sub/ACME.sys', image('one'));
    expect(used(moduleOf(image('one'), 'acme.SYS'), 'a')).to.deep.equal([path, []]);
  });

  it('give the right one of several, as symbol stores have them', () => {
    const good = moduleOf(image('one'), 'acme.sys');
    const key = `${(good.timeDateStamp ?? 0).toString(16).toUpperCase()}${good.sizeOfImage.toString(16)}`;
    write('store/acme.sys/000000012000/acme.sys', image('two'));
    const path = write(`store/acme.sys/${key}/acme.sys`, image('one'));
    expect(used(good, 'store')).to.deep.equal([path, []]);
  });

  it('give the original of a copy for the crash dump stack', () => {
    const path = write('b/storahci.sys', image('one'));
    expect(used(moduleOf(image('one'), 'dump_storahci.sys'), 'b')[0]).to.equal(path);
  });

  it('say what was refused, and that nothing was used', () => {
    write('c/acme.sys', image('two'));
    const [path, warnings] = used(moduleOf(image('one'), 'acme.sys'), 'c');
    expect(path).to.equal(undefined);
    expect(warnings[0]).to.match(/^images-unused: None of 1 modules/);
    expect(warnings[1]).to.match(/^images-mismatch: 1 modules? .*acme\.sys: another build: checksum 0x/);
    expect(used(moduleOf(image('one'), 'acme.sys'), 'nowhere')[1][0]).to.match(/^images-unreadable: .*nowhere/);
  });

  it('keep no more bytes than they may', () => {
    write('d/acme.sys', image('one'));
    const { modules, warnings } = new ImageFolders([join(folder, 'd')], 100).complete([
      moduleOf(image('one'), 'acme.sys'),
    ]);
    expect([modules[0]?.disk, warnings.map(({ code }) => code)]).to.deep.equal([
      undefined,
      ['images-unused', 'images-limit'],
    ]);
  });
});
