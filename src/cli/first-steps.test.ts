import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { VERSION } from '../version.js';
import { program, runHere, temporaryFolder } from './program.test.helper.js';

const SAMPLE = fileURLToPath(new URL('../../../test-dumps/samples/notmyfault.dmp.gz', import.meta.url));
const MAIN = new URL('./main.js', import.meta.url);

describe('command line: what people try first', () => {
  const folder = temporaryFolder();

  it('is the version, however one asks', async () => {
    for (const args of [['--version'], ['-V'], ['version']]) {
      expect(await runHere(args), args.join(' ')).to.deep.equal({ code: 0, stdout: `${VERSION}\n`, stderr: '' });
    }
  });

  it('is vm with the flag of !vm 1, and no other', async () => {
    const { stdout } = await runHere(['vm', SAMPLE]);
    expect(await runHere(['vm', SAMPLE, '1'])).to.deep.equal({ code: 0, stdout, stderr: '' });
    expect(await runHere(['vm', SAMPLE, '2'])).to.include({ code: 64 });
  });

  it('is a command of the debugger: it is told how to do it here', async () => {
    const quoted = (text: string): string => (process.platform === 'win32' ? `"${text}"` : `'${text}'`);
    const told = async (...args: string[]): Promise<string> => {
      const { code, stderr } = await runHere(args);
      expect(code, args.join(' ')).to.equal(64);
      return stderr.split('\n')[0] ?? '';
    };
    expect(await told('!vm 1', 'MEMORY.DMP')).to.equal(
      `dumpleak: "!vm 1" is a command of the debugger: dumpleak kd MEMORY.DMP -c ${quoted('!vm 1')}, or dumpleak vm MEMORY.DMP`,
    );
    expect(await told('lm')).to.contain(`dumpleak kd MEMORY.DMP -c ${quoted('lm')}, or dumpleak modules MEMORY.DMP`);
    expect(await told('!analyze -v')).to.contain(`dumpleak kd MEMORY.DMP -c ${quoted('!analyze -v')}`);
    expect(await told('lmvm myfault', 'X.DMP')).to.contain(`dumpleak kd X.DMP -c ${quoted('lmvm myfault')}`);
    expect(await told('.bugcheck')).to.contain(`dumpleak kd MEMORY.DMP -c ${quoted('.bugcheck')}`);
    expect(await told('!polused 2')).to.contain('nearest here: !poolused');
  });

  it('is no command of the debugger where it is the value of an option, or a file that is not there', async () => {
    for (const tag of ['lm', 'uf', '!vm', '?'])
      expect((await runHere([SAMPLE, '--tag', tag, '--brief'])).code, tag).to.equal(0);
    expect((await runHere([SAMPLE, '--symbols', 'srv*', '--offline', '--brief'])).code).to.equal(0);
    for (const path of ['server5', 'dumps', 'share/lm'])
      expect((await runHere([path])).stderr, path).to.match(/no such file|is no command and no dump/);
  });

  it('is kd with commands, a file of them, or a pipe', async () => {
    const { code, stdout, stderr } = await runHere(['kd', SAMPLE, '-c', '? 1+1; .echo done; q; .echo never']);
    expect({ code, stdout, stderr }).to.deep.equal({
      code: 0,
      stdout: 'Evaluate expression: 2 = 00000000`00000002\ndone\n',
      stderr: '',
    });
    const script = folder.path('script.txt');
    writeFileSync(script, '\ufeff* a runbook\r\n.echo one\r\n!nothing\r\n.echo two\r\n');
    const ran = await runHere(['kd', SAMPLE, '-cf', script]);
    expect(ran.code).to.equal(64);
    expect(ran.stdout).to.match(/^one\nNo export nothing found: .*\ntwo\n$/);
    expect(await runHere(['kd', SAMPLE, '-c', 'da poi(1)'])).to.include({
      code: 2,
      stdout: "Memory access error at 'poi(1)'\n",
    });
    expect(await runHere(['kd', SAMPLE, '-c', 'q', '-cf', script])).to.include({ code: 64 });
    const log = folder.path('kd.log');
    await runHere(['kd', SAMPLE, '-c', `.logopen ${log}; ? 5`]);
    expect(readFileSync(log, 'utf8')).to.contain('Evaluate expression: 5');
  });

  it('is poolused with -t, where a shell takes /t5 for a path', async () => {
    const { stdout } = await runHere(['poolused', SAMPLE, '/t5', '2']);
    for (const args of [
      ['-t', '5', '2'],
      ['-t5', '2'],
      ['2', '--top', '5'],
    ]) {
      expect((await runHere(['poolused', SAMPLE, ...args])).stdout, args.join(' ')).to.equal(stdout);
    }
  });

  it('is analyze with two dumps, a folder, a log, standard input: it is told what there is for that', async () => {
    const two = await runHere(['analyze', SAMPLE, SAMPLE]);
    expect(two).to.include({ code: 64 });
    expect(two.stderr).to.match(/one word too many: it takes one dump\. For several there is "dumpleak batch".*"dumpleak trend"/); // prettier-ignore
    expect((await runHere([SAMPLE, SAMPLE])).stderr).to.include('"dumpleak batch"');
    const share = await runHere(['analyze', folder.path('.')]);
    expect(share).to.include({ code: 2 });
    expect(share.stderr).to.match(/is a folder, not a file\. All dumps in it: dumpleak batch .* --out REPORT; .*dumpleak trend /); // prettier-ignore
    writeFileSync(folder.path('snap.log'), ' Memory: 4096K Avail: 1024K\n');
    expect((await runHere([folder.path('snap.log')])).stderr).to.match(/text file, not a dump\. .*: dumpleak trend .*snap\.log\n$/); // prettier-ignore
    expect((await runHere(['analyze', '-'])).stderr).to.match(/not from standard input\. Write it to a file: zcat /);
  });

  it('is modules with a name, in any case and with wildcards, and with versions', async () => {
    const { stdout: all } = await runHere(['modules', SAMPLE]);
    expect(all).to.match(/ myfault {4}\(no symbols\) {2}4\.0\.0\.0 +Sysinternals\n/);
    for (const name of ['myfault', 'MYFAULT.SYS', 'myf*', 'm?fault']) {
      const { stdout } = await runHere(['modules', SAMPLE, name]);
      expect(stdout, name).to.match(/ myfault .*\n {4}Image name: +myfault\.sys\n {4}File version: +4\.0\.0\.0\n {4}Company: +Sysinternals\n/); // prettier-ignore
      expect(stdout.match(/no symbols/g)).to.have.length(1);
    }
    expect((await runHere(['modules', SAMPLE, 'none.sys'])).stdout).to.include('No loaded module is called none.sys.');
    const { stdout: json } = await runHere(['modules', SAMPLE, 'myfault', '--json']);
    expect((JSON.parse(json) as { modules: { name: string }[] }).modules.map(({ name }) => name)).to.deep.equal(['myfault.sys']); // prettier-ignore
    for (const line of (await runHere(['modules', SAMPLE], { columns: 80 })).stdout.split('\n')) expect(line.length).to.be.at.most(80); // prettier-ignore
  });

  describe('on a Node that is too old', () => {
    it('is one line, before anything that an old one cannot read', async () => {
      const early = `data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'18.20.4'}})`;
      const ended = await new Promise((resolve) => {
        execFile(process.execPath, ['--import', early, fileURLToPath(MAIN), '--help'], (error, stdout, stderr) => {
          resolve({ code: error?.code, stdout, stderr });
        });
      });
      expect(ended).to.deep.equal({
        code: 70,
        stdout: '',
        stderr: 'dumpleak: Node.js 18.20.4 is too old: install 20.19 or later from https://nodejs.org\n',
      });
      expect(await program(['--version'])).to.include({ code: 0, stdout: `${VERSION}\n` });
    });

    it('is told by a file with no import at its top and no young syntax, as packed', () => {
      const text = readFileSync(new URL('../../bin/dumpleak.js', import.meta.url), 'utf8');
      expect(text).to.not.match(/^(?:import|export)\b|^const |await|=>|\?\?|\?\.|`/m);
    });

    it('is the version that package.json asks for', () => {
      const { engines } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
        engines: { node: string };
      };
      const source = readFileSync(MAIN, 'utf8');
      const [, major, minor] = [/major = (\d+)/, /minor = (\d+)/].reduce<string[]>((all, one) => [...all, one.exec(source)?.[1] ?? ''], ['']); // prettier-ignore
      expect(engines.node).to.equal(`>=${major}.${minor}`);
    });
  });
});
