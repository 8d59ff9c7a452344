import { expect } from 'chai';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseDocument } from 'yaml';
import { buildDump } from '../../test-dumps/build-dump.js';
import { SCENARIOS } from '../../test-dumps/scenarios.js';
import { VERSION } from '../../src/version.js';
import { tarGz, zip } from './archive.js';
import { bundle, type Bundle } from './bundle.js';
import { contentsOf, packageName } from './contents.js';
import { manifests } from './manifests.js';
import { NODE_PINS, nodeProgram, withoutSymbols } from './node-programs.js';
import { sbom } from './sbom.js';
import { makeInputs, tryAll } from './try-all.test.helper.js';
import { findWine, windowsPath, Wine } from '../windows-layer/wine.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));

describe('packages', function () {
  this.timeout(120_000);
  let folder = '';
  let program: Bundle;
  const contents = (windows: boolean, node: Uint8Array = Buffer.from('node')) =>
    contentsOf({ root, version: VERSION, bundle: program, windows, node, nodeLicence: 'licence' });

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'dumpleak-package-'));
    program = await bundle(root);
  });
  after(() => {
    execFileSync('chmod', ['-R', 'u+w', folder]);
    rmSync(folder, { recursive: true, force: true });
  });

  it('are the same bytes each time', async () => {
    expect((await bundle(root)).code).to.equal(program.code);
    // The database part is what takes long to pack.
    const some = (windows: boolean) => contents(windows).filter(({ name }) => !name.includes('/node_modules/'));
    expect(await zip(some(true), 1)).to.deep.equal(await zip(some(true).reverse(), 1));
    expect(await tarGz(some(false), 1)).to.deep.equal(await tarGz(some(false).reverse(), 1));
  });

  it('hold Node, one program, its database part and all licences', () => {
    for (const windows of [true, false]) {
      const names = contents(windows).map(({ name }) => name.slice(packageName(VERSION, windows).length + 1));
      expect(names).to.include.members([
        ...(windows ? ['node.exe', 'dumpleak.cmd'] : ['node', 'dumpleak']),
        ...['dumpleak.mjs', 'README.md', 'LICENSE', 'THIRD-PARTY.txt', 'NODE-LICENSE.txt', 'man/man1/dumpleak.1'],
        ...['docs/verdict.md', 'node_modules/@electric-sql/pglite/dist/pglite.wasm'],
      ]);
      expect(names.filter((name) => /\.(?:map|cjs|ts|tar\.gz)$/.test(name))).to.deep.equal([]);
    }
    const notices = Buffer.from(contents(true).find(({ name }) => name.endsWith('THIRD-PARTY.txt'))!.bytes).toString();
    for (const name of ['iced-x86', 'yargs', '@electric-sql/pglite', 'xz-decompress']) {
      expect(notices).to.match(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+ \\(`, 'm'));
    }
  });

  // One test, for unpacking takes longest. It runs the packed program as somebody does who has nothing else.
  it('run from an empty folder with an empty PATH, from a place that cannot be written', async function () {
    if (process.platform === 'win32') this.skip();
    const node = withoutSymbols(readFileSync(process.execPath));
    writeFileSync(join(folder, 'package.tar.gz'), await tarGz(contents(false, node), 1));
    execFileSync('tar', ['xzf', 'package.tar.gz'], { cwd: folder });
    const home = join(folder, packageName(VERSION, false));
    execFileSync('chmod', ['-R', 'a-w', home]);
    makeInputs(folder);
    tryAll(join(root, 'test-dumps/drivers/fixtures'), (...args) => {
      const { status, stdout, stderr } = spawnSync(join(home, 'dumpleak'), args, {
        ...{ cwd: folder, encoding: 'utf8', env: { PATH: '', LANG: 'C.UTF-8' } },
      });
      expect(status, `${args.join(' ')}: ${stderr}`).to.equal(0);
      return stdout;
    });
    const wrong = spawnSync(join(home, 'dumpleak'), ['vm'], { encoding: 'utf8', env: { PATH: '' } });
    expect(wrong).to.include({ status: 64 });
    expect(wrong.stderr).to.include('Something is missing. Usage: dumpleak vm <dump>');
    const worker = spawnSync(join(home, 'dumpleak'), ['--batch-worker'], { encoding: 'utf8', env: { PATH: '' } });
    expect(worker.status).to.equal(64);
  });

  // With what stands in for Windows: its Node from the registry, and cmd.exe and the rest of the layer that runs it.
  it('run on Windows, unpacked into an empty folder, with an empty PATH', async function () {
    const program = findWine();
    if (program === null) this.skip();
    this.timeout(900_000);
    const node = await nodeProgram(NODE_PINS['win-x64'], join(root, '.cache/node'));
    const place = join(folder, 'on windows');
    mkdirSync(place);
    writeFileSync(join(folder, 'package.zip'), await zip(contents(true, node), 1));
    const unpack = createRequire(import.meta.url).resolve('7z-wasm/cli.js');
    execFileSync(process.execPath, [unpack, 'x', '../package.zip'], { cwd: place, stdio: 'ignore' });
    makeInputs(place);
    const name = packageName(VERSION, true);
    expect(readFileSync(join(place, name, 'node.exe')).equals(node)).to.equal(true);
    const wine = new Wine(program, join(root, '.cache/wine-package'));
    const start = (...args: string[]) => {
      const line = args.map((word) => (/^[\w.:\\-]+$/.test(word) ? word : `"${word}"`)).join(' ');
      // Without `call`, which keeps no exit code in the layer.
      const script = ['@set PATH=', `@"%~dp0${name}\\dumpleak.cmd" ${line}`, ''];
      writeFileSync(join(place, 'run.cmd'), script.join('\r\n'));
      return wine.run(['cmd', '/c', 'run.cmd'], { cwd: place, timeout: 300_000 });
    };
    try {
      tryAll(windowsPath(join(root, 'test-dumps/drivers/fixtures')), (...args) => {
        const { status, stdout, stderr } = start(...args);
        expect(status, `${args.join(' ')}: ${stderr}${stdout}`).to.equal(0);
        return stdout;
      });
      // Paths as people have them there.
      const long = `\\\\?\\${windowsPath(join(root, 'test-dumps/drivers/fixtures'))}`;
      expect(start('tags', long, '--localtag', '-q').stdout).to.match(/^\S{1,4} +- /m);
      const twice = start('batch', 'LEAK.DMP', 'leak.dmp', 'L*.dmp', '--out', 'twice', '-q');
      expect(twice.stdout)
        .to.include('1 suspected leak')
        .and.match(/^Done: 1 dump analyzed/);
      expect(start('vm')).to.include({ status: 64 });
      expect(start('analyze', 'leak.dmp', '--fail-on-leak', '-q')).to.include({ status: 1 });
      expect(start('analyze', 'leak.dmp', '--output', 'a|b.txt').stderr).to.match(/no name on Windows has one of/);
    } finally {
      wine.end();
    }
  });

  it('say how to get the database part where it is not there', () => {
    mkdirSync(join(folder, 'single'));
    writeFileSync(join(folder, 'single/dumpleak.mjs'), program.code);
    const run = (...args: string[]) =>
      spawnSync(process.execPath, [join(folder, 'single/dumpleak.mjs'), ...args], { cwd: folder, encoding: 'utf8' });
    buildDump(SCENARIOS.notmyfault()).writeTo(join(folder, 'one.dmp'));
    expect(run('batch', 'one.dmp', '--out', 'single-out', '-q')).to.include({ status: 0 });
    const { status, stderr } = run('history', 'sql', 'single-out', 'select 1');
    expect(status, stderr).to.equal(2);
    expect(stderr).to.match(/^dumpleak: questions to a history need the optional package @electric-sql\/pglite: /);
    expect(run('history', 'export', 'single-out').stdout).to.include('"tag":"Leak"');
  });

  it('have a Node on Linux without what is for debuggers: smaller, and it runs', function () {
    const whole = readFileSync(process.execPath);
    const cut = withoutSymbols(whole);
    if (whole.readUInt32BE(0) !== 0x7f454c46) {
      expect(cut).to.deep.equal(whole);
      this.skip();
    }
    expect(cut.length).to.be.at.most(whole.length);
    const path = join(folder, 'node');
    writeFileSync(path, cut);
    chmodSync(path, 0o755);
    expect(execFileSync(path, ['--version'], { encoding: 'utf8' }).trim()).to.equal(process.version);
    expect(withoutSymbols(Buffer.from('MZ no program'))).to.deep.equal(Buffer.from('MZ no program'));
  });
});

describe('manifests and the bill of materials', function () {
  this.timeout(60_000);

  it('name the release, and are what their readers take', () => {
    const files = manifests(root, { version: '1.2.3', sha256: 'ab'.repeat(32), url: 'https://a.example/d' });
    expect(files.map(({ name }) => name)).to.have.length(4);
    for (const { name, text } of files) {
      expect(text, name).to.include('1.2.3');
      expect(text, name).to.not.include('{{');
      const document = parseDocument(text, { version: '1.2' });
      expect(document.errors, name).to.deep.equal([]);
      if (name.startsWith('winget/')) {
        expect(document.toJS()).to.include({ PackageIdentifier: 'dumpleak.dumpleak', PackageVersion: '1.2.3' });
      }
    }
    const scoop = JSON.parse(files[0]!.text) as { architecture: { '64bit': { url: string; hash: string } } };
    expect(scoop.architecture['64bit']).to.include({
      url: 'https://a.example/d/dumpleak-1.2.3-win-x64.zip',
      hash: 'ab'.repeat(32),
    });
  });

  it('list what is inside, the same each time', () => {
    const text = sbom(root);
    const document = JSON.parse(text) as {
      bomFormat: string;
      serialNumber: string;
      metadata: object;
      components: { name: string; version: string }[];
    };
    expect(document).to.include({ bomFormat: 'CycloneDX' });
    expect(document.metadata).to.not.have.property('timestamp');
    expect(document.serialNumber).to.match(/^urn:uuid:[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-8[\da-f]{3}-[\da-f]{12}$/);
    expect(sbom(root)).to.equal(text);
    const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
    };
    const listed = document.components.map(({ name, version }) => `${name}@${version}`);
    for (const [name, version] of Object.entries(dependencies)) {
      expect(listed).to.include(`${name}@${version}`);
    }
    expect(listed.some((one) => one.startsWith('@electric-sql/pglite@'))).to.equal(true);
  });
});

describe('the installed size', () => {
  const size = (path: string): number =>
    statSync(path).isDirectory()
      ? readdirSync(path).reduce((sum, name) => sum + size(join(path, name)), 0)
      : statSync(path).size;

  it('of the packages that are always installed leaves room below 16 MB for the program', () => {
    const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { dev?: boolean; optional?: boolean; peer?: boolean }>;
    };
    const installed = Object.entries(lock.packages).filter(
      ([path, { dev, optional, peer }]) => path !== '' && dev !== true && optional !== true && peer !== true,
    );
    expect(installed.map(([path]) => path)).to.not.include('node_modules/@electric-sql/pglite');
    const bytes = installed.reduce((sum, [path]) => sum + size(join(root, path)), 0);
    expect(bytes)
      .to.be.greaterThan(2 ** 20)
      .and.lessThan(12 * 2 ** 20);
  });
});
