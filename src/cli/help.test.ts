import { expect } from 'chai';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { runHere } from './program.test.helper.js';
import { COMMANDS } from './registry.js';

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
  for (const words of [[], ...COMMANDS.map(({ name }) => [name])]) {
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

  it('fits narrow terminals', async () => {
    const { stdout } = await runHere(['analyze', '--help'], { columns: 60 });
    for (const line of stdout.split('\n')) expect(line.length, line).to.be.at.most(60);
  });

  it('is what a bare dumpleak gets, as an error', async () => {
    const { stdout: help } = await runHere(['--help']);
    expect(await runHere([])).to.deep.equal({ code: 64, stdout: '', stderr: help });
  });
});
