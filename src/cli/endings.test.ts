import { expect } from 'chai';
import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { buildDump } from '../../test-dumps/build-dump.js';
import { SCENARIOS } from '../../test-dumps/scenarios.js';
import { ended, program, runHere, start, temporaryFolder } from './program.test.helper.js';

describe('command line: endings', () => {
  const folder = temporaryFolder();
  const LEAK = 'leak.dmp';
  const HEALTHY = 'healthy.dmp';
  const TRIAGE = 'triage.dmp';

  before(() => {
    buildDump(SCENARIOS.notmyfault()).writeTo(folder.path(LEAK));
    buildDump(SCENARIOS.idleWorkstation()).writeTo(folder.path(HEALTHY));
    buildDump({ kind: 'triage' }).writeTo(folder.path(TRIAGE));
  });

  describe('exit codes', () => {
    it('0: done, also where a leak is found', async () => {
      const { code, stdout, stderr } = await program(['analyze', folder.path(LEAK)]);
      expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
      expect(stdout).to.match(/^Nonpaged pool: .* under tag Leak, allocated by myfault\.sys\n/);
    });

    it('1: a leak, with --fail-on-leak only', async () => {
      expect(await program(['analyze', folder.path(LEAK), '--fail-on-leak'])).to.include({ code: 1, stderr: '' });
      expect(await runHere(['analyze', folder.path(HEALTHY), '--fail-on-leak'])).to.include({ code: 0, stderr: '' });
      const undecided = ['analyze', folder.path('small.dmp')];
      buildDump({ kind: 'triage' }).writeTo(folder.path('small.dmp'));
      expect(await runHere([...undecided, '--fail-on-leak'])).to.include({ code: 0, stderr: '' });
      expect(await runHere([...undecided, '--fail-on-undecided'])).to.include({ code: 1, stderr: '' });
      expect(await runHere(['analyze', folder.path(HEALTHY), '--fail-on-undecided'])).to.include({ code: 0 });
    });

    it('64: wrong usage, with what to do on stderr', async () => {
      const wrong: Record<string, RegExp> = {
        'analyse x.dmp':
          /^dumpleak: "analyse" is no command and no dump\. Did you mean analyze\?\nTry: dumpleak --help\n$/,
        'analyze --jsno':
          /^dumpleak: There is no option --jsno\. Did you mean --json\?\nTry: dumpleak analyze --help\n$/,
        '--json': /^dumpleak: Name a command and a dump.*\nTry: dumpleak --help\n$/,
        'analyze x.dmp --tag Leaky': /^dumpleak: --tag Leaky: .*four characters.*\nTry: dumpleak analyze --help\n$/,
        'search x.dmp': /^dumpleak: give a tag, or bytes with --hex\nTry/,
        'search x.dmp Leak --hex 00': /^dumpleak: give a tag, or bytes with --hex\nTry/,
        'search x.dmp Leaky': /^dumpleak: "Leaky": a tag has up to four characters/,
        'search x.dmp --hex 4c6': /^dumpleak: --hex 4c6: two hexadecimal digits a byte/,
        'modules x.dmp --at here': /^dumpleak: --at here is no address/,
        'modules x.dmp --at fffff880044b63aa0': /^dumpleak: --at \w+ is no address/,
        'poolused x.dmp Leak': /^dumpleak: "Leak" is no number: flags stand before the tag pattern/,
        'poolused x.dmp 2 --json': /^dumpleak: --json writes all rows/,
      };
      for (const [line, expected] of Object.entries(wrong)) {
        const { code, stdout, stderr } = await runHere(line.split(' '));
        expect({ code, stdout }, line).to.deep.equal({ code: 64, stdout: '' });
        expect(stderr, line).to.match(expected);
      }
      expect(await program(['analyze'])).to.include({ code: 64, stdout: '' });
    });

    it('70: an internal error in one line; the stack when debugging', async () => {
      const args = ['info', folder.path(TRIAGE)];
      const { run } = await import('./run.js');
      for (const debug of [false, true]) {
        let stderr = '';
        const stdout = { write: (): boolean => { throw new RangeError('planted'); } }; // prettier-ignore
        const recorder = { write: (text: string, done?: () => void): boolean => ((stderr += text), done?.(), true) };
        const code = await run([...args, ...(debug ? ['--debug'] : [])], {
          env: {},
          platform: 'linux',
          stdout,
          stderr: recorder,
        });
        expect(code).to.equal(70);
        const [first, ...rest] = stderr.split('\n');
        expect(first).to.match(/^dumpleak: internal error: RangeError: planted \(dumpleak .*please report it/);
        expect(rest.join('\n').includes('    at ')).to.equal(debug);
      }
    });

    it('130: Ctrl+C while unpacking leaves no temporary file', async function () {
      if (process.platform === 'win32') this.skip(); // no SIGINT can be sent to one process there
      // Members of a gzip file follow each other, so this is quickly made and slowly unpacked.
      const member = gzipSync(Buffer.from(Array.from({ length: 1 << 20 }, (_, i) => (i * 7 + (i >> 8)) & 0xff)));
      writeFileSync(folder.path('large.dmp.gz'), Buffer.concat(Array<Buffer>(600).fill(member)));
      mkdirSync(folder.path('tmp'));
      const child = start(['analyze', folder.path('large.dmp.gz')], { TMPDIR: folder.path('tmp') });
      const end = ended(child);
      while (readdirSync(folder.path('tmp')).length === 0 && child.exitCode === null) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      child.kill('SIGINT');
      expect(await end).to.deep.equal({ code: 130, signal: null, stdout: '', stderr: '' });
      expect(readdirSync(folder.path('tmp'))).to.deep.equal([]);
    });
  });

  describe('130, and what was found', () => {
    it('Ctrl+C ends poolfind and keeps its rows', async function () {
      if (process.platform === 'win32') this.skip(); // no SIGINT can be sent to one process there
      const path = folder.path('pool.dmp');
      buildDump({
        ...{ kernel: '7601', kind: 'bitmap-kernel', memory: { bytes: 64 * 2 ** 20 } },
        // 64 MB of pool: far more rows than a pipe holds, so that the search waits for who reads them.
        poolBlocks: { tags: ['Zq9x'], pages: 512, mirrors: 32, quota: false, big: 3 },
      }).writeTo(path);
      const child = start(['poolfind', path, 'Zq9x', '--pool', 'nonpaged', '--quiet']);
      await new Promise<void>((resolve) => {
        child.stdout?.once('readable', () => {
          resolve();
        });
      });
      child.kill('SIGINT');
      const { code, signal, stdout, stderr } = await ended(child);
      expect({ code, signal, stderr }).to.deep.equal({ code: 130, signal: null, stderr: '' });
      const rows = stdout.split('\n').filter((line) => line.includes(' : tag Zq9x, size '));
      const [, walked, parts] = /\n\.\.\.terminating - searched (\d+) of (\d+) parts of the pool\n/.exec(stdout) ?? [];
      expect(Number(walked)).to.be.lessThan(Number(parts));
      expect(rows.length).to.be.greaterThan(0);
      expect(stdout).to.include(`\n${rows.length.toLocaleString('en-US')} blocks, `);
    });
  });

  describe('2: files that cannot be analyzed', () => {
    const garbage = (start: string, length = 8192): Buffer => {
      const bytes = Buffer.from(Array.from({ length }, (_, i) => (i * 197 + 13) & 0xff));
      bytes.write(start, 'latin1');
      return bytes;
    };
    const bad: Record<string, { make: (path: string) => void; says: RegExp }> = {
    'missing.dmp': { make: () => undefined, says: /no such file/ },
    'a-folder': { make: (path) => { mkdirSync(path); }, says: /is a folder/ },
    'empty.dmp': { make: (path) => { writeFileSync(path, ''); }, says: /is empty/ },
    'zeros.dmp': { make: (path) => { writeFileSync(path, Buffer.alloc(1 << 20)); }, says: /only zeros/ },
    'text.dmp': { make: (path) => { writeFileSync(path, 'Microsoft (R) Windows Debugger\r\n'.repeat(300)); }, says: /text file/ },
    'user.dmp': { make: (path) => { writeFileSync(path, garbage('MDMP')); }, says: /user-mode minidump .*kernel dump/ },
    'offline.dmp': { make: (path) => { writeFileSync(path, garbage('Raw_Dmp!')); }, says: /Raw_Dmp!.*convert/ },
    'machine.vmem': { make: (path) => { writeFileSync(path, garbage('S\xff')); }, says: /VMware.*vmss2core/ },
    'machine.vmrs': { make: (path) => { writeFileSync(path, garbage('S\xff')); }, says: /Hyper-V/ },
    'machine.vmsn': { make: (path) => { writeFileSync(path, garbage('\xd2\xbe\xd2\xbe')); }, says: /VMware.*vmss2core/ },
    'core.dmp': { make: (path) => { writeFileSync(path, garbage('\x7fELF')); }, says: /ELF.*convert/ },
    'random.dmp': { make: (path) => { writeFileSync(path, garbage('\x01\x02')); }, says: /not a Windows kernel dump/ },
    'header-only.dmp': { make: (path) => { buildDump({ kind: 'full', truncateTo: 8192 }).writeTo(path); }, says: /only a dump header/ },
    'header-type.dmp': { make: (path) => { buildDump({ kind: 'header' }).writeTo(path); }, says: /only a dump header/ },
    'half-header.dmp': { make: (path) => { buildDump({ truncateTo: 5000 }).writeTo(path); }, says: /ends inside the dump header/ },
    'encrypted.dmp': { make: (path) => { buildDump({ header: { attributes: 0x100 } }).writeTo(path); }, says: /encrypted/ },
    'x86.dmp': { make: (path) => { writeFileSync(path, garbage('PAGEDUMP')); }, says: /32-bit|no dump data was recognised/ },
    'damaged.dmp.gz': { make: (path) => { writeFileSync(path, garbage('\x1f\x8b')); }, says: /compressed data is damaged/ },
  }; // prettier-ignore

    for (const [name, { make, says }] of Object.entries(bad)) {
      it(`${name}: one line on stderr, nothing on stdout`, async () => {
        make(folder.path(name));
        const { code, stdout, stderr } = await program(['analyze', folder.path(name)]);
        expect({ code, stdout }).to.deep.equal({ code: 2, stdout: '' });
        expect(stderr)
          .to.match(/^dumpleak: [^\n]+\n$/)
          .and.match(says)
          .and.include(name);
      });
    }

    it('every command says it so', async () => {
      for (const args of [['info'], ['vm', '--json'], ['poolused', '2'], ['modules'], ['search', 'Leak']]) {
        const [command = '', ...rest] = args;
        const { code, stdout, stderr } = await runHere([command, folder.path('missing.dmp'), ...rest]);
        expect({ code, stdout }, command).to.deep.equal({ code: 2, stdout: '' });
        expect(stderr, command).to.match(/^dumpleak: [^\n]+missing\.dmp: no such file\n$/);
      }
    });

    it('a hostile file name is made printable', async () => {
      const { code, stderr } = await program(['analyze', folder.path('a\u001b]0;x\u0007\r\n\u202eb.dmp')]);
      expect(code).to.equal(2);
      expect(stderr).to.match(/^dumpleak: [^\n]*a\?\]0;x\?\?\?\?b\.dmp: no such file\n$/);
    });

    it('a hostile file name is printable in reports too', async function () {
      if (process.platform === 'win32') this.skip(); // no such names there
      const name = 'h\u001b[31m\nx.dmp';
      copyFileSync(folder.path(TRIAGE), folder.path(name));
      for (const args of [['info'], ['analyze'], ['info', '--json'], ['analyze', '--json']]) {
        const [command = '', ...rest] = args;
        const { code, stdout } = await runHere([command, folder.path(name), ...rest]);
        expect(code).to.equal(0);
        expect(stdout)
          .to.include('x.dmp')
          .and.not.match(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
      }
    });

    it('a list of tags that was asked for', async () => {
      const { code, stderr } = await runHere(['analyze', folder.path(LEAK), '--pooltag', folder.path('none.txt')]);
      expect(code).to.equal(2);
      expect(stderr).to.match(/^dumpleak: [^\n]*none\.txt: no such file\n$/);
    });
  });
});
