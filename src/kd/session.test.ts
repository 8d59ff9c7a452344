/** The prompt itself: what lines print and how they end. */

import { expect } from 'chai';
import { tagRows } from '../../test-dumps/tag-rows.js';
import { KD } from './registry.js';
import { sessionOf, type TestSession } from './session.test.helper.js';

describe('the prompt', () => {
  let kd: TestSession;
  before(() => {
    kd = sessionOf({
      seed: 3,
      kernel: '10.0.19041.804',
      memory: { bytes: 64 * 2 ** 20 },
      modules: [{ name: 'hal.dll' }, { name: 'acme.sys' }],
      pool: { rows: tagRows({ seed: 2, count: 40, nonPagedBytes: 2 ** 21, pagedBytes: 2 ** 21 }) },
    });
  });

  it('runs one command after the other, and goes on after one that fails', async () => {
    expect(await kd.print('? 1+1; .nosuch; .echo done')).to.match(
      /^Evaluate expression: 2 = 00000000`00000002\n\.nosuch is no command of this prompt: .*\ndone\n$/,
    );
    expect(await kd.end('? 1; .nosuch; ? nt!NoSuch')).to.deep.equal({ quit: false, failed: 'usage' });
    expect(await kd.end('? poi(1)')).to.deep.equal({ quit: false, failed: 'input' });
    expect(await kd.end('.echo a; q; .echo b')).to.deep.equal({ quit: true, failed: null });
    expect(kd.host.text).to.equal('a\n');
  });

  it('shows views of ours by their names, and says what they cannot read', async () => {
    expect(await kd.print('info')).to.include('Windows 10');
    expect(await kd.print('holders Leaks')).to.equal(
      '"Leaks": a tag has up to four characters, or is 0x and its number\n',
    );
    expect((await kd.end('holders Leaks')).failed).to.equal('usage');
  });

  it('names the nearest command', async () => {
    expect(await kd.print('!polused 2')).to.equal('No export polused found: nearest here: !poolused\n');
    expect(await kd.print('!kdexts.vm 1')).to.equal(await kd.print('!vm 1'));
    expect(await kd.print('!VM 1')).to.equal(await kd.print('!vm 1'));
  });

  it('knows modules, symbols and pseudo-registers in expressions', async () => {
    const base = kd.session.symbols.named('acme')!.base;
    const shown = kd.session.show(base + 0x10n);
    expect(await kd.print('? acme+10')).to.contain(`= ${shown}\n`);
    expect(await kd.print('r $t0 = acme + 10; ? @$t0')).to.contain(`= ${shown}\n`);
    expect(await kd.print('? $ptrsize + $pagesize')).to.contain('4104 =');
    expect(await kd.print('? nt!pooltracktable - nt')).to.match(/^Evaluate expression: \d+ = /);
    expect(await kd.print('? wo(acme)')).to.contain('= 00000000`00005a4d\n');
  });

  it('runs commands for each word', async () => {
    expect(await kd.print('.foreach (x { .echo 1 2 3 }) { ? x + ${x} }')).to.match(/2 =.*\n.*4 =.*\n.*6 =.*\n$/);
    expect(await kd.print('.foreach /pS 1 /ps 1 (w { .echo a b c d e }) { .echo w }')).to.equal('b\nd\n');
    expect(await kd.print('.foreach /s (w "a b") { .echo w; .foreach (v { .echo w 1 }) { .echo <v> } }')).to.equal(
      'a\n<v>\n<v>\nb\n<v>\n<v>\n',
    );
    expect(await kd.print('.foreach (w { .echo a }')).to.match(/^\.foreach wants /);
  });

  it('ends what calls itself without end', async () => {
    kd.host.scripts.set('again', '.echo x; $<again');
    const text = await kd.print('$<again');
    expect(text.match(/^x$/gm)!.length).to.be.below(50);
    expect(text).to.match(/Commands call one another more than \d+ times deep\n$/);
  });

  it('has aliases', async () => {
    expect(await kd.print('as hello .echo hi; .echo ho')).to.equal('');
    expect(await kd.print('hello')).to.equal('hi\nho\n');
    expect(await kd.print('al')).to.contain(' hello            .echo hi; .echo ho\n');
    expect(await kd.print('ad hello; al')).to.equal('No aliases\n');
  });

  it('takes what was set over to another session', async () => {
    await kd.print('n 10; r $t3 = 99; as mine text');
    const other = sessionOf({ seed: 3, kernel: '10.0.19041.804', memory: { bytes: 64 * 2 ** 20 } });
    other.session.restore(structuredClone(kd.session.state));
    expect(await other.print('r $t3; n; al')).to.equal(
      '$t3=0000000000000063\nbase is 10\n  Alias            Value\n -------          -------\n mine             text\n',
    );
    await kd.print('n 16; ad *');
  });

  it('has help of every command', async () => {
    const all = await kd.print('.help');
    for (const { names, usage } of KD.commands) {
      expect(all).to.contain(usage[0]!);
      for (const name of names) expect(await kd.print(`.hh ${name}`), name).to.contain(`  ${usage[0]!}\n`);
    }
    expect(await kd.print('.help poolused'))
      .to.contain('!poolused')
      .and.not.contain('!vm');
  });

  it('lists symbols and what is around an address', async () => {
    expect(await kd.print('x nt!PoolTrackTable')).to.match(
      /^ffff[0-9a-f`]{13} {3}nt!PoolTrackTable = <no type information>\n$/,
    );
    expect(await kd.print('x /1 nt!pooltracktabl?')).to.equal('nt!PoolTrackTable\n');
    expect(await kd.print('x /0 nt!PoolTrackTable')).to.match(/^ffff[0-9a-f`]{13}\n$/);
    expect(await kd.print('x nt!NoSuch*')).to.equal('');
    expect(await kd.print('ln nt!PoolTrackTable')).to.match(
      /\) {3}nt!PoolTrackTable .*\nExact matches:\n {4}nt!PoolTrackTable\n$/,
    );
    expect(await kd.print('x /q nt!*')).to.match(/^x \/q is not here/);
  });
});
