/** Pipes, devices, sockets and loops of links where a file is wanted: refused at once, in one line, by every command. */

import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { buildDump } from '../../test-dumps/build-dump.js';
import { SCENARIOS } from '../../test-dumps/scenarios.js';
import { ended, runHere, start, temporaryFolder, type Ended } from './program.test.helper.js';

describe('command line: what is no file', function () {
  this.timeout(120_000);
  const folder = temporaryFolder();
  const at = (name: string): string => folder.path(name);
  let socket: Server | undefined;

  before(async function () {
    if (process.platform === 'win32') this.skip(); // no such files there
    spawnSync('mkfifo', [at('pipe')]);
    for (const [link, target] of [
      ['link', 'pipe'],
      ['device', '/dev/zero'],
      ['loop', 'loop2'],
      ['loop2', 'loop'],
      ['socket-link', 'socket'],
    ]) {
      // prettier-ignore
      symlinkSync(target!, at(link!));
    }
    const server = createServer().listen(at('socket'));
    socket = server;
    await new Promise((resolve) => server.once('listening', resolve));
    buildDump({ kind: 'triage' }).writeTo(at('good.dmp'));
    buildDump(SCENARIOS.notmyfault()).writeTo(at('tags.dmp'));
    for (const name of ['profiles', 'share', 'logs', 'store/history']) mkdirSync(at(name), { recursive: true });
    for (const name of ['profiles/x.json', 'share/x.dmp', 'logs/x.log', 'share/y.zip'])
      symlinkSync(at('pipe'), at(name));
    spawnSync('mkfifo', [
      at('share/z.dmp'),
      at('logs/y.log'),
      at('store/history/journal.ndjson'),
      at('profiles/y.txt'),
    ]);
  });
  after(() => socket?.close());

  /** Runs the program; one that waits for a pipe is ended, which shows as a signal. */
  async function run(args: readonly string[]): Promise<Ended> {
    const child = start(args, { TMPDIR: at('.') });
    const patience = setTimeout(() => child.kill('SIGKILL'), 15_000);
    const end = await ended(child);
    clearTimeout(patience);
    return end;
  }

  async function refused(args: readonly string[], says: RegExp): Promise<void> {
    const { code, signal, stdout, stderr } = await run(args);
    const line = args.join(' ');
    expect({ code, signal, stdout }, line).to.deep.equal({ code: 2, signal: null, stdout: '' });
    expect(stderr, line)
      .to.match(/^dumpleak: [^\n]+\n$/)
      .and.match(says);
  }

  for (const [name, says] of [
    ['pipe', /is a pipe/],
    ['link', /is a pipe/],
    ['socket', /is a socket/],
    ['socket-link', /is a socket/],
    ['device', /is a device/],
    ['loop', /links lead round/],
  ] as const) {
    it(`${name}: as a dump, as a list, as a log`, async () => {
      await refused(['analyze', at(name)], says);
      await refused(['analyze', at('good.dmp'), '--pooltag', at(name)], says);
      await refused(['analyze', at('good.dmp'), '--known-issues', at(name)], says);
      await refused(['trend', at(name)], says);
      await refused(['tags', at(name), '--tag', 'Leak'], says);
      await refused(['symbols', 'info', at(name)], says);
    });
  }

  const commands: Record<string, string[]> = {
    info: ['info', 'P'],
    vm: ['vm', 'P'],
    poolused: ['poolused', 'P'],
    modules: ['modules', 'P'],
    search: ['search', 'P', 'Leak'],
    poolmon: ['poolmon', 'P'],
    'symbols check': ['symbols', 'check', 'P'],
    'symbols fetch': ['symbols', 'fetch', 'P'],
    'profile make': ['profile', 'make', 'P'],
    'profile make of a table': ['profile', 'make', 'P.json'],
    'diff, the first': ['diff', 'P', 'good.dmp'],
    'diff, the second': ['diff', 'tags.dmp', 'P'],
    'trend --counter-names': ['trend', 'good.dmp', '--counter-names', 'P'],
    'trend --pooltag': ['trend', 'good.dmp', '--pooltag', 'P'],
    'pooltag --pooltag': ['pooltag', 'Leak', '--pooltag', 'P'],
    '--profiles': ['info', 'good.dmp', '--profiles', 'P'],
    '--redact-key': ['info', 'good.dmp', '--redact-key', 'P'],
    'batch --pooltag': ['batch', 'good.dmp', '--out', 'out', '--pooltag', 'P'],
    'batch --known-issues': ['batch', 'good.dmp', '--out', 'out', '--known-issues', 'P'],
  };
  for (const [name, words] of Object.entries(commands)) {
    it(name, async () => {
      symlinkSync(at('pipe'), at(`p-${name.replaceAll(/\W/g, '')}.json`));
      const path = at(words.includes('P.json') ? `p-${name.replaceAll(/\W/g, '')}.json` : 'link');
      await refused(words.map((word) => (/^P(\.json)?$/.test(word) ? path : /^(good\.dmp|tags\.dmp|out)$/.test(word) ? at(word) : word)), /a pipe|neither a folder nor a file/); // prettier-ignore
    });
  }

  it('batch: named, it is a failure of its own; found in a folder, it is passed over', async () => {
    const named = await run(['batch', at('link'), '--out', at('out1')]);
    expect(named).to.include({ code: 2, signal: null });
    expect(named.stderr).to.match(/FAIL {2}\S+link is a pipe, not a regular file/);
    writeFileSync(at('share/notes.txt'), '');
    buildDump({ kind: 'triage' }).writeTo(at('share/good.dmp'));
    const found = await run(['batch', at('share'), '--out', at('out2'), '--follow-links']);
    expect(found).to.include({ code: 0, signal: null });
    expect(found.stderr).to.match(/FAIL {2}\S+x\.dmp is a pipe/);
    expect(found.stdout).to.match(/^Done: 1 dump analyzed, 1 could not be read, 1 other file passed over/);
  });

  it('a loop of links named to batch, and one among dumps, cost a line', async () => {
    const named = await run(['batch', at('loop'), '--out', at('out3')]);
    expect(named).to.include({ code: 2, signal: null });
    expect(named.stderr).to.match(/FAIL {2}\S+loop: its links lead round in a circle/);
  });

  it('folders of logs and profiles pass over it', async () => {
    await refused(['trend', at('logs')], /no file to read|no poolmon log/);
    const { code, signal, stdout } = await run(['profile', 'list', '--profiles', at('profiles')]);
    expect({ code, signal }).to.deep.equal({ code: 0, signal: null });
    expect(stdout).to.match(/x\.json[^\n]*a pipe/);
    expect(await run(['info', at('good.dmp'), '--profiles', at('profiles')])).to.include({ code: 0, signal: null });
  });

  it('a journal', async () => {
    await refused(['history', 'list', at('store')], /a pipe/);
    await refused(['batch', at('good.dmp'), '--out', at('store')], /a pipe/);
  });

  it('--output to a pipe is no file to read: tags does not wait to look at it', async () => {
    const { stderr } = await runHere(['tags', at('pipe'), '--tag', 'Leak', '--output', at('socket')]);
    expect(stderr).to.match(/pipe is a pipe/);
  });
});
