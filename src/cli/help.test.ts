import { expect } from 'chai';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { runHere } from './program.test.helper.js';
import { COMMANDS, FAMILIES } from './registry.js';

// build/src/cli -> project root
const GOLDEN = new URL('../../../src/cli/golden/', import.meta.url);

/** Compares with a golden file; UPDATE_GOLDEN=1 writes it. */
function expectGolden(name: string, actual: string): void {
  const file = new URL(name, GOLDEN);
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, actual);
  expect(existsSync(file), `golden file ${name} exists (UPDATE_GOLDEN=1 writes it)`).to.equal(true);
  expect(actual).to.equal(readFileSync(file, 'utf8'));
}

describe('--help', () => {
  for (const words of [
    [],
    ...[...FAMILIES.keys(), ...COMMANDS.map(({ name }) => name)].map((name) => name.split(' ')),
  ]) {
    const name = `help${words.map((word) => `-${word}`).join('')}.txt`;

    it(`of ${['dumpleak', ...words].join(' ')} is as in ${name}`, async () => {
      const { code, stdout, stderr } = await runHere([...words, '--help']);
      expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
      expectGolden(name, stdout);
      for (const line of stdout.split('\n')) expect(line.length, line).to.be.at.most(100);
    });
  }

  it('is found however one asks', async () => {
    const { stdout: all } = await runHere(['--help']);
    const { stdout: one } = await runHere(['vm', '--help']);
    for (const args of [['-h'], ['help'], ['/?'], ['help', 'nothing']]) {
      expect(await runHere(args), args.join(' ')).to.deep.equal({ code: 0, stdout: all, stderr: '' });
    }
    for (const args of [
      ['vm', '-h'],
      ['help', 'vm'],
      ['vm', '/?'],
      ['vm', 'a.dmp', '--json', '--help'],
      ['--help', 'vm'],
    ]) {
      expect(await runHere(args), args.join(' ')).to.deep.equal({ code: 0, stdout: one, stderr: '' });
    }
  });

  it('has each example whole in one line, with what it does below', async () => {
    for (const entry of COMMANDS) {
      const { stdout } = await runHere([...entry.name.split(' '), '--help'], { columns: 80 });
      const lines = stdout.split('\n');
      for (const [example] of (await entry.load()).command.examples) {
        const at = lines.indexOf(`  dumpleak ${example}`);
        expect(at, example).to.be.greaterThan(0);
        expect(lines[at + 1]).to.match(/^ {6}\S/);
      }
    }
  });

  it('of a command shows the options that it takes, and no others', async () => {
    const takes = async (...words: string[]) => (await runHere([...words, '--help'])).stdout.match(/--[\w-]+/g);
    for (const words of [
      ['history', 'list'],
      ['history', 'prune'],
      ['pooltag'],
      ['profile', 'list'],
      ['symbols', 'info'],
    ]) {
      expect(await takes(...words), words.join(' ')).to.not.include.members(['--member', '--max-unpacked', '--quiet']);
    }
    expect(await takes('history', 'list'))
      .to.include('--driver')
      .and.not.include.members(['--keep', '--older-than']);
    expect(await takes('history', 'prune'))
      .to.include('--keep')
      .and.not.include.members(['--driver', '--since']);
    expect(await takes('analyze')).to.include.members(['--member', '--max-unpacked', '--quiet']);
    expect(await runHere(['history', 'groups', 'x', '--member', 'y'])).to.include({ code: 64 });
  });

  it('of a family names its commands, and so does an error', async () => {
    const { stdout } = await runHere(['history', '--help']);
    for (const args of [
      ['help', 'history'],
      ['history', '/?'],
    ])
      expect((await runHere(args)).stdout).to.equal(stdout);
    expect(stdout)
      .to.match(/dumpleak history list \[folder\]/)
      .and.match(/dumpleak history tables/);
    expect(await runHere(['history', 'lst', 'x'])).to.deep.include({
      code: 64,
      stderr: 'dumpleak: "lst" is no command of history. Did you mean list?\nTry: dumpleak history --help\n',
    });
    expect((await runHere(['symbols', 'xyz'])).stderr).to.include('It has: check, fetch, info');
  });

  it('fits narrow terminals', async () => {
    const { stdout } = await runHere(['analyze', '--help'], { columns: 60 });
    // Examples stay whole, to be copied.
    const text = stdout.slice(0, stdout.indexOf('\nExamples:'));
    for (const line of text.split('\n')) expect(line.length, line).to.be.at.most(60);
  });

  it('is what a bare dumpleak gets, as an error', async () => {
    const { stdout: help } = await runHere(['--help']);
    expect(await runHere([])).to.deep.equal({ code: 64, stdout: '', stderr: help });
  });
});
