import { expect } from 'chai';
import { runHere } from './program.test.helper.js';

describe('dumpleak recipe', () => {
  it('writes the commands for a tag, a build and a driver', async () => {
    const { code, stdout, stderr } = await runHere([
      'recipe',
      'Leak',
      ...['--build', '19041', '--driver', 'myfault.sys'],
    ]);
    expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
    expect(stdout).to.contain('For the stacks of tag Leak on build 19041');
    expect(stdout).to.contain('\n       verifier /flags 0x8 /driver myfault.sys\n');
    expect(stdout).not.to.contain('xperf');
  });

  it('knows tags of Windows and of objects by the lists', async () => {
    expect((await runHere(['recipe', 'FMfn'])).stdout).not.to.contain('verifier /flags');
    expect((await runHere(['recipe', 'Proc'])).stdout).to.contain('gflags /ro /t Proc /p');
    expect((await runHere(['recipe', '0x6b61654c'])).stdout).to.contain('tag Leak');
  });

  it('breaks long commands as the command prompt takes them, and nothing in quotes', async () => {
    const { stdout } = await runHere(['recipe', 'Abc ', '--build', '7601']);
    for (const line of stdout.split('\n')) expect(line.length, line).to.be.at.most(100);
    expect(stdout.replaceAll(/ \^\n +/g, ' ')).to.contain('-PoolTag "Abc " -BufferSize 1024');
    expect(stdout).to.match(/Memory Management" \/v \^\n +DisablePagingExecutive/);
  });

  it('is the same as JSON', async () => {
    const { stdout } = await runHere(['recipe', 'Leak', '--json']);
    const recipe = JSON.parse(stdout) as { tag: string; key: string; build: null; steps: { id: string }[] };
    expect([recipe.tag, recipe.key, recipe.build]).to.deep.equal(['Leak', '0x6b61654c', null]);
    expect(recipe.steps.map(({ id }) => id))
      .to.include('wpr')
      .and.to.include('pool-hit-tag');
  });

  it('writes a profile for one tag', async () => {
    const { code, stdout } = await runHere(['recipe', 'Leak', '--wpr-profile']);
    expect(code).to.equal(0);
    expect(stdout)
      .to.match(/^<\?xml/)
      .and.to.contain('<PoolTag Value="Leak"/>');
  });

  it('tells wrong words', async () => {
    for (const args of [['Leaks'], ['Leak', '--build', 'x'], ['Leak', '--build', '0'], ['a%b', '--wpr-profile']]) {
      const { code, stderr } = await runHere(['recipe', ...args]);
      expect(code, args.join(' ')).to.equal(64);
      expect(stderr.length).to.be.greaterThan(5);
    }
  });
});
