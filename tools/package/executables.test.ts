import { expect } from 'chai';
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { VERSION } from '../../src/version.js';
import { findWine, windowsPath, Wine } from '../windows-layer/wine.js';
import { blob, executable, executableLicences, executableName, type Blob } from './executables.js';
import { makeInputs, tryAll } from './try-all.test.helper.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const cache = join(root, '.cache/node');
const drivers = join(root, 'test-dumps/drivers/fixtures');

// Two Nodes are fetched, and files of 100 MB are made: for a release, not for every run.
describe('executables (DUMPLEAK_EXECUTABLES=1)', function () {
  this.timeout(900_000);
  let folder = '';
  let inside: Blob;

  before(async function () {
    if (process.env['DUMPLEAK_EXECUTABLES'] !== '1' || process.platform !== 'linux') this.skip();
    folder = mkdtempSync(join(tmpdir(), 'dumpleak-executables-'));
    inside = await blob(root, cache);
  });
  after(() => {
    if (folder !== '') rmSync(folder, { recursive: true, force: true });
  });

  it('hold the same each time, and the licences are told', async () => {
    expect((await blob(root, cache)).bytes.equals(inside.bytes)).to.equal(true);
    expect(inside.packages).to.include.members(['@electric-sql/pglite', 'iced-x86', 'yargs']);
    expect(executableLicences(root, VERSION, inside, 'Licence of Node')).to.match(/^iced-x86 .*Licence of Node/ms);
  });

  it('run on Linux, alone in a folder, with an empty PATH', async () => {
    makeInputs(folder);
    const program = join(folder, executableName(VERSION, 'linux-x64'));
    writeFileSync(program, await executable('linux-x64', inside, cache), { mode: 0o755 });
    const start = (args: readonly string[]) =>
      spawnSync(program, args, { cwd: folder, encoding: 'utf8', env: { PATH: '', LANG: 'C.UTF-8' } });
    tryAll(drivers, (...args) => {
      const { status, stdout, stderr } = start(args);
      expect(status, `${args.join(' ')}: ${stderr}`).to.equal(0);
      return stdout;
    });
    expect(start(['vm'])).to.include({ status: 64 });
    expect(start(['--batch-worker'])).to.include({ status: 64 });
    // The limit of a worker comes to it, in the environment.
    const tight = start(['batch', 'leak.dmp', '--out', 'tight', '--memory', '0.05', '-q']);
    expect(tight.stdout + tight.stderr).to.include('--memory gives it more');
    // An assistant's question is answered by another process of the program.
    const hello = { protocolVersion: '2025-03-26', capabilities: {}, clientInfo: { name: 'test', version: '1' } };
    const said = [
      { jsonrpc: '2.0', id: 1, method: 'initialize', params: hello },
      { jsonrpc: '2.0', method: 'notifications/initialized' },
      { jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'analyze', arguments: { dump: 'leak.dmp' } } },
    ];
    const server = spawn(program, ['mcp', folder, '--no-redact'], {
      env: { PATH: '' },
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    for (const one of said) server.stdin.write(`${JSON.stringify(one)}\n`);
    let answers = '';
    for await (const text of server.stdout.setEncoding('utf8')) {
      answers += text as string;
      // It ends when nobody asks any more.
      if (answers.includes('"id":2')) server.stdin.end();
    }
    expect(answers).to.include('allocated by myfault.sys');
  });

  it('run on Windows, alone in a folder, with an empty PATH', async function () {
    const layer = findWine();
    if (layer === null) this.skip();
    const place = join(folder, 'on windows');
    mkdirSync(place);
    makeInputs(place);
    const name = executableName(VERSION, 'win-x64');
    writeFileSync(join(place, name), await executable('win-x64', inside, cache));
    const wine = new Wine(layer, join(root, '.cache/wine-package'));
    try {
      tryAll(windowsPath(drivers), (...args) => {
        const { status, stdout, stderr } = wine.run([name, ...args], { cwd: place, timeout: 300_000 });
        expect(status, `${args.join(' ')}: ${stderr}${stdout}`).to.equal(0);
        return stdout;
      });
    } finally {
      wine.end();
    }
  });
});
