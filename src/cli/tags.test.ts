import { expect } from 'chai';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { latin1 } from '../../test-dumps/bytes.js';
import { linkOrSkip } from '../../test-dumps/links.test.helper.js';
import { makeCab } from '../../test-dumps/pdb/cab-writer.js';
import { peFile, type PeFileSpec } from '../../test-dumps/drivers/pe-file.js';
import { readFixtures } from '../../test-dumps/drivers/fixtures.js';
import type { TaggedFile } from '../analysis/driver-files/search.js';
import { runHere } from './program.test.helper.js';

/** A built driver whose tag is changed to "Leak": it gives it to an allocator. */
function leakyDriver(): Uint8Array {
  const { driver, file } = readFixtures().find((one) => one.driver.shape === 'immediate')!;
  const bytes = Buffer.from(file);
  for (let at = bytes.indexOf(driver.tag); at >= 0; at = bytes.indexOf(driver.tag, at + 1))
    bytes.write('Leak', at, 'latin1');
  return bytes;
}

/** `mov r8d, "Leak"` before a call that leads nowhere, and the tag in a text. */
const ALLOCATES = Uint8Array.of(0x41, 0xb8, ...latin1('Leak'), 0xba, 0, 16, 0, 0, 0x33, 0xc9, 0xff, 0x15, 4, 0, 0, 0);
const TEXT = latin1('LeakDetected: %p leaked\0');

const driver = (code: Uint8Array, data: Uint8Array, more: Partial<PeFileSpec> = {}): Uint8Array =>
  peFile({
    sections: [
      { name: '.text', bytes: code, executable: true },
      { name: '.rdata', bytes: data },
    ],
    ...more,
  });

interface Json {
  tag: string | null;
  tags: string[];
  files: TaggedFile[];
  searched: { files: number; skipped: number; incomplete: number };
  warnings: { code: string; message: string }[];
}

describe('dumpleak tags', () => {
  let folder: string;
  const at = (...names: string[]): string => join(folder, ...names);
  const search = async (...args: string[]): Promise<Json> => {
    const { code, stdout, stderr } = await runHere(['tags', ...args, '--json']);
    expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
    return JSON.parse(stdout) as Json;
  };

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'dumpleak-tags-'));
    for (const name of ['drivers', 'store', 'store/packed.sys', 'store/packed.sys/5F0000003000', 'empty'])
      mkdirSync(at(name));
    writeFileSync(at('drivers', 'leaky.sys'), leakyDriver());
    writeFileSync(at('drivers', 'detector.sys'), driver(Uint8Array.of(0xc3), TEXT));
    writeFileSync(at('drivers', 'innocent.sys'), driver(Uint8Array.of(0xc3), Uint8Array.of(0)));
    writeFileSync(at('drivers', 'user.dll'), driver(ALLOCATES, TEXT, { subsystem: 2 }));
    writeFileSync(at('drivers', 'readme.txt'), 'Leak Leak Leak');
    writeFileSync(at('drivers', 'damaged.sys'), driver(ALLOCATES, TEXT).subarray(0, 0x180));
    const packed = makeCab({ content: leakyDriver(), name: 'packed.sys' });
    writeFileSync(at('store', 'packed.sys', '5F0000003000', 'packed.sy_'), packed);
  });
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('searches a folder and what is below it, best first', async () => {
    const found = await search(folder, '--tag', 'Leak');
    expect(found.tag).to.equal('Leak');
    expect(found.files.map(({ path }) => path.slice(folder.length + 1).replaceAll('\\', '/'))).to.have.members([
      'drivers/leaky.sys',
      'store/packed.sys/5F0000003000/packed.sys',
      'drivers/detector.sys',
    ]);
    const last = found.files.at(-1);
    expect(last?.path).to.match(/detector.sys$/);
    expect(last).to.deep.include({ tag: 'Leak', architecture: 'x64', confidence: 'low', version: null });
    expect(last?.evidence[0]).to.deep.include({ kind: 'string', section: '.rdata', executable: false });
    expect(found.searched).to.deep.equal({ files: 4, skipped: 2, incomplete: 0 });
    expect(found.warnings.map(({ code }) => code)).to.deep.equal(['file-unreadable']);
    expect(found.warnings[0]?.message).to.match(/damaged.sys: it has no sections/);
  });

  it('reads a file once, however it is named, and takes a named image for what it is', async () => {
    const found = await search(
      at('drivers', 'user.dll'),
      at('drivers'),
      at('drivers', 'user.dll'),
      '--tag',
      '0x6b61654c',
    );
    expect(found.files.filter(({ path }) => path.endsWith('user.dll'))).to.have.lengthOf(1);
    expect(found.searched.files).to.equal(4);
  });

  it('looks for several tags', async () => {
    const found = await search(at('drivers'), '--tag', 'Leak', '--tag', 'Dete', '--tag', 'Leak');
    expect(found).to.deep.include({ tag: null, tags: ['Leak', 'Dete'] });
    expect([...new Set(found.files.map(({ tag }) => tag))]).to.deep.equal(['Leak', 'Dete']);
  });

  it('follows links, but not in circles', async function () {
    linkOrSkip(this, folder, at('empty', 'circle'));
    const left = await runHere(['tags', at('empty'), '--tag', 'Leak']);
    expect(left).to.include({ code: 2, stdout: '' });
    expect(left.stderr).to.match(/circle is a link that leads out of the folders .*--follow-links/);
    const found = await search(at('empty'), '--tag', 'Leak', '--follow-links');
    rmSync(at('empty', 'circle'));
    expect(found.searched.files).to.equal(4);
  });

  it('reports for people', async () => {
    const { code, stdout } = await runHere(['tags', at('drivers'), '--tag', 'Leak', '--tag', 'Gone']);
    expect(code).to.equal(0);
    expect(stdout).to.match(/^Tag Leak: 1 driver with evidence, 1 driver with a weak trace$/m);
    expect(stdout).to.match(/^Tag Gone: in none of the drivers$/m);
    expect(stdout).to.match(/part of a longer text: "LeakDetected/);
    expect(stdout).to.match(/^3 drivers searched, 2 other files skipped, 1 file could not be read\.$/m);
  });

  it('says of drivers for other processors that their code is not followed, and does not call them unreadable', async () => {
    const file = peFile({ sections: [{ name: '.text', bytes: new Uint8Array(64).fill(0x90), executable: true }] });
    new DataView(file.buffer, file.byteOffset).setUint16(0x84, 0x1c4, true);
    const path = at('empty', 'arm.sys');
    writeFileSync(path, file);
    const { stdout } = await runHere(['tags', path, '--tag', 'Leak']);
    expect(stdout).to.match(/^1 driver searched\.$/m);
    expect(stdout).to.match(
      /Code that is not seen[^]*made for ARM \(32-bit\), a processor whose\s+code is\s+not\s+followed/,
    );
    const list = await runHere(['tags', path, '--localtag']);
    rmSync(path);
    expect(list).to.include({ code: 2, stdout: '' });
    expect(list.stderr).to.include('a processor whose code is not followed');
  });

  it('writes a table beside the report', async () => {
    const csv = at('tags.csv');
    expect((await runHere(['tags', at('drivers'), '--tag', 'Leak', '--csv', csv])).code).to.equal(0);
    const [header, ...rows] = readFileSync(csv, 'utf8').trimEnd().split('\r\n');
    expect(header).to.match(/^\ufefftag,path,architecture,confidence,/);
    expect(rows).to.have.lengthOf.at.least(2);
    rmSync(csv);
  });

  it('lists the tags that drivers allocate under, as a localtag.txt', async () => {
    for (const { driver, file } of readFixtures()) writeFileSync(at('empty', `${driver.name}.sys`), file);
    const { code, stdout } = await runHere(['tags', at('empty'), '--localtag']);
    for (const { driver } of readFixtures()) rmSync(at('empty', `${driver.name}.sys`));
    expect(code).to.equal(0);
    const lines = stdout.split('\r\n').filter((line) => line !== '' && !line.startsWith('rem '));
    const truth = readFixtures().flatMap(({ driver }) =>
      driver.allocatedTags.map((tag) => `${tag} - ${driver.name}.sys -`),
    );
    expect(lines.filter((line) => !truth.includes(line))).to.deep.equal([]);
    expect(lines.length).to.be.above(truth.length * 0.8);
  });

  it('ends with 2 when nothing could be read, and says why', async () => {
    const endings: [string[], RegExp][] = [
      [[at('empty')], /no driver is there/],
      [[at('nothing.sys')], /no such file/],
      [[at('drivers', 'readme.txt')], /neither a driver nor a compressed one/],
      [[at('drivers', 'damaged.sys')], /no sections/],
      [[at('nothing.sys'), at('drivers', 'readme.txt')], /no such file \(and 1 more/],
    ];
    for (const [paths, message] of endings) {
      const { code, stdout, stderr } = await runHere(['tags', ...paths, '--tag', 'Leak']);
      expect({ code, stdout }, stderr).to.deep.equal({ code: 2, stdout: '' });
      expect(stderr).to.match(message);
    }
  });

  it('refuses what makes no sense', async () => {
    const drivers = at('drivers');
    const wrong: [string[], RegExp][] = [
      [['--tag', 'Leak'], /wants drivers or folders/],
      [[drivers], /--tag, or --localtag/],
      [[drivers, '--tag', 'Leak', '--localtag'], /--tag, or --localtag/],
      [[drivers, '--localtag', '--json'], /belong to --tag/],
      [[drivers, '--tag', 'Leaked'], /up to four characters/],
      [[drivers, '--tag', 'Leak', '-o', at('drivers', 'leaky.sys')], /would be overwritten/],
    ];
    for (const [args, message] of wrong) {
      const { code, stderr } = await runHere(['tags', ...args]);
      expect(code, stderr).to.equal(64);
      expect(stderr).to.match(message);
    }
  });
});
