/** The prompt in a real terminal (tmux; skipped where there is none): typed, read from the screen. */

import { expect } from 'chai';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { acceptanceBlock } from '../../views/golden.test.helper.js';
import { hasTmux, TmuxTerminal, withoutTabs } from './tmux.test.helper.js';

const ROOT = new URL('../../../../', import.meta.url);
const SAMPLE = fileURLToPath(new URL('test-dumps/samples/notmyfault.dmp.gz', ROOT));
const SHARED = new URL('../shared/', ROOT);
const WORKED = fileURLToPath(new URL('corpus/dumps/forged-ntdebugging-full.dmp.gz', SHARED));
const POOLTAG = fileURLToPath(new URL('acceptance/pooltag.txt', SHARED));

describe('the prompt in a terminal (skipped where tmux is missing)', function () {
  this.timeout(60_000);
  let terminal: TmuxTerminal | null = null;

  before(function () {
    if (!hasTmux()) this.skip();
  });

  afterEach(() => {
    terminal?.close();
    terminal = null;
  });

  it('shows the worked example, line by line, as it is typed', async function () {
    if (!existsSync(WORKED) || !existsSync(POOLTAG)) this.skip();
    terminal = new TmuxTerminal(['kd', WORKED, '--pooltag', POOLTAG]);
    // Two figures have no source in this dump; the transcript prints numbers there.
    const vm = (await terminal.ask('!vm 1')).map((line) => line.replaceAll('n/a', '  0'));
    const expected = acceptanceBlock('!vm 1')!.map(withoutTabs);
    const same = (line: string): string => (/Locked IO|Session Commit/.test(line) ? line.slice(0, 20) : line);
    expect(vm.map(same)).to.deep.equal(expected.map(same));
    const used = await terminal.ask('!poolused /t5 2');
    expect(used).to.deep.equal(acceptanceBlock('!poolused /t5 2')!.map(withoutTabs));

    const hits = await terminal.ask('!for_each_module s -a @#Base @#End "Leak"');
    const bytes = '4c 65 61 6b 3b c1 0f 42-c1 41 8d 49 fd 8b d0 ff  Leak;..B.A.I....';
    const own = hits.filter((line) => line.slice(19) === bytes);
    expect(own).to.have.length(2);
    for (const line of hits)
      expect(line).to.match(/^[0-9a-f]{8}`[0-9a-f]{8} {2}4c 65 61 6b (?:[0-9a-f]{2}[ -]){12} Leak/);
    const listed = await terminal.ask(`lm a ${own[0]!.slice(0, 17)}`);
    const [title, row] = acceptanceBlock('lm a fffff880044b63aa')!;
    expect(listed[0]).to.equal(title);
    expect(listed[1]!.replace(/^\S+ \S+/, '')).to.equal(row!.replace(/^\S+ \S+/, ''));
    terminal.type('q');
    terminal.press('Enter');
    await terminal.until(/^ended with 0$/);
  });

  it('edits lines: history, completion of commands and symbols, Ctrl+C', async () => {
    terminal = new TmuxTerminal(['kd', SAMPLE]);
    expect(await terminal.ask('? 1+1')).to.deep.equal(['Evaluate expression: 2 = 00000000`00000002']);
    terminal.press('Up');
    await terminal.until(/^kd> \? 1\+1$/);
    terminal.press('C-c');
    await terminal.until(/^kd>$/);
    terminal.type('!poolu');
    terminal.press('Tab');
    await terminal.until(/^kd> !poolused$/);
    terminal.press('C-c');
    await terminal.until(/^kd>$/);
    terminal.type('? nt!PoolTr');
    terminal.press('Tab');
    await terminal.until(/^kd> \? nt!PoolTrackTable/);
    terminal.press('C-c');
    await terminal.until(/^kd>$/);
    terminal.press('C-d');
    await terminal.until(/^ended with 0$/);
  });

  it('runs lines that are pasted together, one after the other', async () => {
    terminal = new TmuxTerminal(['kd', SAMPLE]);
    await terminal.until(/^kd>$/);
    terminal.paste('? 1\n? 2\n? 3\n.echo end of paste\n');
    await terminal.until(/^kd>$/);
    await terminal.ask('.echo all');
    const lines = terminal.lines();
    const values = lines.flatMap(
      (line) => /^Evaluate expression: (\d)/.exec(line)?.[1] ?? (line === 'end of paste' ? ['end'] : []),
    );
    expect(values).to.deep.equal(['1', '2', '3', 'end']);
  });

  it('stops a long command and keeps the prompt', async () => {
    terminal = new TmuxTerminal(['kd', SAMPLE]);
    await terminal.until(/^kd>$/);
    terminal.type(
      '.foreach /s (a "1 2 3 4 5 6 7 8 9") { .foreach (b { lm }) { .foreach (c { lm }) { r $t1 = $t1 + 1 } } }',
    );
    terminal.press('Enter');
    await new Promise((resolve) => setTimeout(resolve, 500));
    terminal.press('C-c');
    await terminal.until(/^kd>$/);
    expect((await terminal.ask('? 5')).at(-1)).to.equal('Evaluate expression: 5 = 00000000`00000005');
    expect((await terminal.ask('r $t1')).at(-1)).to.match(/^\$t1=0000000000[0-9a-f]{6}$/);
  });

  it('shows output by the screen', async () => {
    terminal = new TmuxTerminal(['kd', SAMPLE], { columns: 100, rows: 20 });
    await terminal.until(/^kd>$/);
    terminal.type('lm');
    terminal.press('Enter');
    const first = await terminal.until(/^-- more/);
    expect(first.indexOf('start             end                 module name')).to.equal(first.length - 20);
    terminal.press('Space');
    await terminal.until(/^-- more/);
    terminal.press('Enter');
    await terminal.until(/^-- more/);
    terminal.type('q');
    await terminal.until(/^kd>$/);
  });

  it('says what is wrong with a dump, and how it ended', async () => {
    terminal = new TmuxTerminal(['kd', POOLTAG + '.nothing']);
    const lines = await terminal.until(/^ended with 2$/);
    expect(lines.join('')).to.contain('no such file');
  });
});
