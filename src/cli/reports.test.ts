import { expect } from 'chai';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { VERSION } from '../version.js';
import { buildDump } from '../../test-dumps/build-dump.js';
import { SCENARIOS } from '../../test-dumps/scenarios.js';
import { ended, program, runHere, start, temporaryFolder } from './program.test.helper.js';

describe('command line: reports', () => {
  const folder = temporaryFolder();
  const LEAK = 'leak.dmp';
  const HEALTHY = 'healthy.dmp';

  before(() => {
    buildDump(SCENARIOS.notmyfault()).writeTo(folder.path(LEAK));
    buildDump(SCENARIOS.idleWorkstation()).writeTo(folder.path(HEALTHY));
  });

  describe('reports', () => {
    it('has no colour and no more than 100 columns in a pipe', async () => {
      const { stdout } = await program(['analyze', folder.path(LEAK)]);
      expect(stdout).to.include('·').and.not.include('\u001b');
      expect(Math.max(...stdout.split('\n').map((line) => line.split('\t')[0]?.length ?? 0))).to.be.within(81, 100);
    });

    it('has colour and the width of a terminal, and neither with NO_COLOR', async () => {
      const args = ['analyze', folder.path(LEAK)];
      const wide = { columns: 130 };
      const { stdout } = await runHere(args, wide);
      expect(stdout).to.include('\u001b[');
      const env = { LANG: 'C.UTF-8', NO_COLOR: '1' };
      expect((await runHere(args, { ...wide, env })).stdout).to.not.include('\u001b');
      expect((await runHere([...args, '--no-color'], wide)).stdout).to.not.include('\u001b');
      expect((await runHere([...args, '--color'])).stdout).to.include('\u001b[');
      expect((await program([...args], { FORCE_COLOR: '1' })).stdout).to.include('\u001b[');
    });

    it('is ASCII where the console needs it', async () => {
      const args = ['analyze', folder.path(HEALTHY)];
      for (const spec of [
        { platform: 'win32', env: {} },
        { platform: 'linux', env: { LANG: 'C' } },
      ] as const) {
        expect((await runHere(args, spec)).stdout).to.match(/^[\n\t\x20-\x7e]+$/);
      }
      expect((await runHere([...args, '--ascii'])).stdout).to.match(/^[\n\t\x20-\x7e]+$/);
      expect((await runHere(args)).stdout).to.not.match(/^[\n\t\x20-\x7e]+$/);
    });

    it('is flat documents with --ndjson, without names with --redact', async () => {
      const { code, stdout } = await runHere(['analyze', folder.path(LEAK), '--ndjson', '--redact']);
      expect(code).to.equal(0);
      const all = stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>); // prettier-ignore
      expect(all[0]).to.include({ kind: 'dump', leak_suspected: true, culprit_driver: 'myfault.sys' });
      expect(all.at(-1)).to.include({ kind: 'suspect', tag: 'Leak', bytes: 615_424_000 });
      expect(stdout).to.not.include(LEAK);
      expect(await runHere(['analyze', folder.path(LEAK), '--ndjson', '--json'])).to.include({ code: 64 });
    });

    it('goes to --output in UTF-8, all of it, and nothing to the console', async () => {
      const out = folder.path('report.txt');
      writeFileSync(out, 'older');
      const args = ['analyze', folder.path(LEAK)];
      const { stdout: report } = await program(args);
      expect(await program([...args, '-o', out], { LANG: 'C' })).to.deep.equal({
        code: 0,
        signal: null,
        stdout: '',
        stderr: '',
      });
      const without = (text: string) => text.replace(/Read .*/, '');
      expect(without(readFileSync(out, 'utf8'))).to.equal(without(report));
      expect(readdirSync(folder.path('.')).filter((name) => name.includes('.tmp'))).to.deep.equal([]);
    });

    it('does not go where it cannot, and then nothing is analyzed', async () => {
      const args = ['analyze', folder.path(LEAK), '--output'];
      const missing = await runHere([...args, folder.path('no/such/folder.txt')]);
      expect(missing).to.include({ code: 2, stdout: '' });
      expect(missing.stderr).to.match(/^dumpleak: [^\n]+ cannot be written: there is no such folder\n$/);
      const before = readFileSync(folder.path(LEAK));
      const itself = await runHere([...args, folder.path(`./${LEAK}`)]);
      expect(itself).to.include({ code: 64, stdout: '' });
      expect(itself.stderr).to.match(/would overwrite the dump/);
      expect(readFileSync(folder.path(LEAK)).equals(before)).to.equal(true);
    });

    it('ends quietly when the reader of a pipe has enough, and is whole when it has not', async () => {
      const child = start(['analyze', folder.path(HEALTHY), '--json']);
      child.stdout?.once('data', () => child.stdout?.destroy());
      let stderr = '';
      child.stderr?.setEncoding('utf8').on('data', (part: string) => (stderr += part));
      const code = await new Promise((resolve) => child.on('exit', resolve));
      expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });

      const slow = start(['analyze', folder.path(HEALTHY), '--json']);
      const text = ended(slow);
      slow.stdout?.pause();
      setTimeout(() => slow.stdout?.resume(), 400);
      const { stdout } = await text;
      expect(stdout.length).to.be.greaterThan(200_000);
      expect(() => JSON.parse(stdout) as unknown).to.not.throw();
    });

    it('is what a dump alone gets, and a pattern that fits one file', async () => {
      const { stdout } = await program([LEAK], {}, folder.path('.'));
      expect(stdout).to.match(/under tag Leak/);
      const { code } = await runHere(['info', folder.path('heal*.dmp')]);
      expect(code).to.equal(0);
      const many = await runHere(['analyze', folder.path('?ea*.dmp')]);
      expect(many.code).to.equal(64);
      expect(many.stderr).to.match(/healthy\.dmp, \S+leak\.dmp: this command takes one dump at a time\n/);
      const none = await runHere(['analyze', folder.path('nothing*.dmp')]);
      expect(none.code).to.equal(2);
      expect(none.stderr).to.match(/nothing\*\.dmp: no file has such a name\n$/);
    });

    it('explains a quoted path that ends in a backslash on Windows', async () => {
      const { code, stderr } = await runHere(['analyze', 'C:\\dumps" --json'], { platform: 'win32' });
      expect(code).to.equal(64);
      expect(stderr).to.match(/must not end in a backslash/);
    });

    it('has its tables in the folder of --csv', async () => {
      const { code, stdout } = await runHere(['analyze', folder.path(LEAK), '--csv', folder.path('new/tables')]);
      expect(code).to.equal(0);
      expect(stdout).to.match(/under tag Leak/);
      expect(readdirSync(folder.path('new/tables'))).to.include.members(['dump.csv', 'pool-tags.csv', 'suspects.csv']);
      expect(readFileSync(folder.path('new/tables/pool-tags.csv'), 'utf8')).to.match(/\r\nLeak,/);
    });

    it('says what is known of a leak, from the files of --known-issues and from its own', async () => {
      const file = folder.path('known.yaml');
      writeFileSync(file, '- tag: Leak\n  known: Seen after the update of June.\n  source: our wiki\n');
      const { stdout } = await program(['analyze', folder.path(LEAK), '--known-issues', file]);
      expect(stdout).to.match(
        / {2}Known\n {4}• Seen after the update of June\. \(our wiki; known\.yaml\)\n {4}• myfault\.sys: NotMyFault/,
      );
      writeFileSync(file, '- tag: Leak\n  cure: none\n');
      const wrong = await program(['analyze', folder.path(LEAK), '--known-issues', file]);
      expect([wrong.code, wrong.stdout]).to.deep.equal([2, '']);
      expect(wrong.stderr).to.match(/known\.yaml:\d+: /);
    });

    it('shows the version', async () => {
      expect(await runHere(['--version'])).to.deep.equal({ code: 0, stdout: `${VERSION}\n`, stderr: '' });
    });
  });

  describe('progress', () => {
    it('never shows outside a terminal, nor with --quiet', async () => {
      for (const args of [[], ['--quiet']]) {
        const { stderr } = await runHere(
          ['analyze', folder.path(LEAK), ...args],
          args.length > 0 ? { columns: 80 } : {},
        );
        expect(stderr).to.equal('');
      }
    });
  });
});
