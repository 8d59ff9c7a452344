/** Commands that run others, and `.printf`. */

import { expect } from 'chai';
import { sessionOf, type TestSession } from '../session.test.helper.js';
import { Interpreter } from '../interpreter.js';
import { wholeLines } from '../line/whole-lines.js';

describe('scripts of the prompt', () => {
  let kd: TestSession;
  before(() => {
    kd = sessionOf({ seed: 4, kernel: '10.0.19041.804', memory: { bytes: 64 * 2 ** 20 }, modules: [{ name: 'hal.dll' }, { name: 'acme.sys' }] }); // prettier-ignore
  });

  const CASES: readonly (readonly [string, string])[] = [
    ['.if (1) { .echo a } .else { .echo b }', 'a\n'],
    ['.if (0) { .echo a } .else { .echo b }', 'b\n'],
    ['.if (0) { .echo a } .elsif (2 > 1) { .echo b } .elsif (1) { .echo c } .else { .echo d }', 'b\n'],
    ['.if (0) { .echo a }', ''],
    ['.if ((1 == 1) and (2 == 2)) { .echo a; .echo b }; .echo c', 'a\nb\nc\n'],
    ['.for (r $t0 = 0; @$t0 < 3; r $t0 = @$t0 + 1) { .printf "%d", @$t0 }; .echo', '012\n'],
    ['.for (r $t0 = 0, r $t1 = 5; @$t0 < @$t1; r $t0 = @$t0 + 1, r $t1 = @$t1 - 1) { .printf "%d%d ", @$t0, @$t1 }', '05 14 23 '], // prettier-ignore
    ['r $t0 = 3; .while (@$t0) { r $t0 = @$t0 - 1; .printf "%d", @$t0 }', '210'],
    ['r $t0 = 0; .do { .printf "%d", @$t0; r $t0 = @$t0 + 1 } (@$t0 < 2)', '01'],
    ['.for (r $t0 = 0; @$t0 < 9; r $t0 = @$t0 + 1) { .if (@$t0 == 1) { .continue }; .if (@$t0 == 3) { .break }; .printf "%d", @$t0 }', '02'], // prettier-ignore
    ['.block { .echo a }', 'a\n'],
    ['.catch { .echo a; .leave; .echo b }; .echo c', 'a\nc\n'],
    ['.break', '.break is outside of what it would leave\n'],
    ['.if 1 { .echo a }', /^\.if wants \(Condition\) \{ Commands \}/ as unknown as string],
    ['.if (1) .echo a', /^\.if wants / as unknown as string],
    ['.for (r $t0 = 0; 1) { }', /there are 2 parts/ as unknown as string],
    ['.printf "%d|%5d|%-5d|%05d|%+d\\n", -5, 5, 5, 5, 5', '-5|    5|5    |00005|+5\n'],
    ['.printf "%u %x %X %#x %o %08x\\n", 0xffffffff, ab, ab, ab, 8, ab', '4294967295 ab AB 0xab 10 000000ab\n'],
    ['.printf "%x %I64x %llx\\n", 1122334455667788, 1122334455667788, 1122334455667788', '55667788 1122334455667788 1122334455667788\n'], // prettier-ignore
    ['.printf "%d %I64d\\n", 0xffffffff, 0xffffffff', '-1 4294967295\n'],
    ['.printf "%p %N\\n", 1, 2', '0000000000000001 0000000000000002\n'],
    ['.printf "%c%C%%\\t\\"\\n", 41, 42', 'AB%\t"\n'],
    ['.printf "%f %.2f %e %g\\n", 3ff8000000000000, 3ff8000000000000, 3ff8000000000000, 3ff8000000000000', '1.500000 1.50 1.500000e+00 1.5\n'], // prettier-ignore
    ['.printf "%msu %mu %ma\\n", poi(nt!PsLoadedModuleList)+58, poi(poi(nt!PsLoadedModuleList)+60), nt', 'ntoskrnl.exe ntoskrnl.exe MZ?\n'], // prettier-ignore
    [
      '.printf "%y\\n", nt!PsLoadedModuleList',
      /^nt!PsLoadedModuleList \([0-9a-f]{8}`[0-9a-f]{8}\)\n$/ as unknown as string,
    ],
    ['.printf "%d"', '.printf: there is no value for %d\n'],
    ['.printf "%s", 1', /^\.printf: %s is not here/ as unknown as string],
    ['.printf "%mu", 1', /^Memory access error at / as unknown as string],
    ['.printf "5%"', /is no format/ as unknown as string],
    ['? $vvalid(nt, 1000); ? $vvalid(0, 1)', 'Evaluate expression: 1 = 00000000`00000001\nEvaluate expression: 0 = 00000000`00000000\n'], // prettier-ignore
    ['? $sicmp("Nt", "nT"); ? $scmp("b", "a") + 1; ? $spat("ntfs.sys", "nt*.?ys")', 'Evaluate expression: 0 = 00000000`00000000\nEvaluate expression: 2 = 00000000`00000002\nEvaluate expression: 1 = 00000000`00000001\n'], // prettier-ignore
    ['.foreach (m { lm 1m }) { .if ($spat("m", "a*")) { .echo m } }', 'acme\n'],
  ];
  for (const [line, wanted] of CASES) {
    it(line, async () => {
      const text = await kd.print(line);
      if (typeof wanted === 'string') expect(text).to.equal(wanted);
      else expect(text).to.match(wanted);
    });
  }

  it('a line that runs too many commands ends, and all that is around them', async () => {
    const own = sessionOf({ seed: 5, memory: { bytes: 64 * 2 ** 20 } });
    const interpreter = new Interpreter(own.session, 10_000);
    for (const line of [
      '.while (1) { .while (1) { $$ nothing } }',
      '.catch { .for (;;) { .while (1) { .break } } }; .echo after',
      '.foreach /s (w "a b") { .while (1) {} }',
    ]) {
      own.host.text = '';
      expect(await interpreter.line(line), line).to.deep.equal({ quit: false, failed: 'usage' });
      expect(own.host.text, line).to.equal('One line ran 10000 commands: it was ended\n');
    }
    expect(await interpreter.line('.echo next')).to.deep.equal({ quit: false, failed: null });
  });

  it('a line that makes no sense is told in few words', async () => {
    for (const line of [
      `? ${'('.repeat(400_000)}`,
      `.printf "x"${', 1'.repeat(100_000)}`,
      `x nt!${'*a'.repeat(100_000)}`,
      `.if (${'('.repeat(100_000)}`,
      'y'.repeat(500_000),
    ]) {
      const text = await kd.print(line);
      expect(text.length, line.slice(0, 20)).to.be.lessThan(1200);
    }
    expect(await kd.print(`.printf "x"${', 1'.repeat(257)}`)).to.equal('.printf prints at most 256 values\n');
  });

  it('$$>a< runs a file with arguments', async () => {
    kd.host.scripts.set('a.txt', '.echo in');
    kd.host.scripts.set(
      'args.txt',
      '.echo <${$arg1}> [ $arg2 ] ${$arg3} ${/d:$arg2}${/d:$arg3} <${/f:$arg3}> $arg1\n.echo b${/n:$arg1}',
    );
    kd.host.scripts.set('name with blanks.txt', '.echo ${$arg1}');
    kd.host.scripts.set(
      'outer.txt',
      '$$>a<args.txt ${$arg2} "x y"; .echo ${$arg1}\n.if (${/d:$arg3}) { .echo three } .else { .echo none }',
    );
    kd.host.scripts.set('deep.txt', '$$>a<deep.txt ${$arg1}');
    kd.host.scripts.set('lots.txt', '$arg1 '.repeat(100));
    expect(await kd.print('$$>a<args.txt one "two  words"; .echo end')).to.equal(
      '<one> [ two  words ] ${$arg3} 10 <> one\nb$arg1\nend\n',
    );
    expect(await kd.print('$$>a<args.txt')).to.equal('<${$arg1}> [ $arg2 ] ${$arg3} 00 <> $arg1\nb${/n:$arg1}\n');
    expect(await kd.print('$$>a<"name with blanks.txt" 7')).to.equal('7\n');
    expect(await kd.print('$$>a<outer.txt 1 2')).to.equal('<2> [ x y ] ${$arg3} 10 <> 2\nb$arg1\n1\nnone\n');
    expect(await kd.print('$$>a<deep.txt 1')).to.match(/more than 24 times deep\n$/);
    expect(await kd.print(`$$>a<lots.txt ${'x'.repeat(500_000)}`)).to.equal(
      'lots.txt with its arguments is too long\n',
    );
    expect(await kd.print('$$>a<')).to.equal('$$>a< wants a file\n');
    expect(await kd.print('$$>a<nosuch.txt 1')).to.equal('nosuch.txt cannot be read\n');
    expect(await kd.print('$$><a.txt')).to.equal('in\n');
    expect(await kd.print('$$>a comment; .echo b')).to.equal('b\n');
  });

  it('$< and $>< take the rest of the line for a name, $$< and $$>< up to a semicolon', async () => {
    kd.host.scripts.set('a;b.txt', '.echo semicolon');
    kd.host.scripts.set('c d.txt', '.echo one\n* .echo two\n.echo three');
    expect(await kd.print('$<a;b.txt')).to.equal('semicolon\n');
    expect(await kd.print('.echo x; $><a;b.txt')).to.equal('x\nsemicolon\n');
    for (const name of ['$$<', '$$><']) {
      expect(await kd.print(`${name}c d.txt; .echo y`), name).to.equal('one\nthree\ny\n');
      expect(await kd.print(`${name}"c d.txt"; .echo y`), name).to.equal('one\nthree\ny\n');
    }
  });

  it('aliases with switches', async () => {
    expect(await kd.print('.echo ${/d:nn}${/f:nn}${/n:nn}${/v:nn}')).to.equal('0${/n:nn}nn\n');
    await kd.print('as nn text');
    expect(await kd.print('.echo ${/d:nn} ${/f:nn} ${/n:nn} ${/v:nn} ${nn}')).to.equal('1 text nn nn text\n');
    expect(await kd.print('ad ${/v:nn}')).to.equal('');
    expect(await kd.print('.echo ${/d:nn}')).to.equal('0\n');
    expect(await kd.print('ad nn')).to.equal('There is no alias nn\n');
    expect(await kd.print('ad /q nn; .echo ok')).to.equal('ok\n');
  });

  it('a loop without end ends when the user stops it', async () => {
    for (const line of ['.while (1) { r $t0 = 1 }', '.for (;;) { }', '.do { } (1)']) {
      kd.host.patience = 100;
      const error = await kd.end(line).catch((one: unknown) => one);
      kd.host.patience = Infinity;
      expect((error as Error).name, line).to.equal('Stopped');
    }
  });

  it('lines of a script that belong together are one', () => {
    expect(wholeLines('.if (1)\n{\n  .echo a\n  * comment }\n  .echo b\n}\n.else\n{\n.echo c\n}\n.echo d').map((line) => line.replace(/\s+/g, ' '))).to.deep.equal([
      '.if (1) { .echo a; .echo b } .else { .echo c }'.replace(' }', '; }').replace('c }', 'c; }'),
      '.echo d',
    ]); // prettier-ignore
    expect(wholeLines('a\nb')).to.deep.equal(['a', 'b']);
    expect(wholeLines('.foreach (x {lm}) {')).to.deep.equal(['.foreach (x {lm}) {']);
  });

  it('a script file runs its blocks over lines', async () => {
    kd.host.scripts.set('s.txt', '.for (r $t0 = 0; @$t0 < 2; r $t0 = @$t0 + 1)\n{\n  .if (@$t0)\n  {\n    .echo one\n  }\n  .else\n  {\n    .echo zero\n  }\n}\n'); // prettier-ignore
    expect(await kd.print('$$><s.txt')).to.equal('zero\none\n');
  });

  it('df, dD and ub', async () => {
    expect(await kd.print('df acme L2')).to.match(/^[0-9a-f`]{17}  {3,}[-\d.e+]+ +[-\d.e+]+\n$/);
    expect(await kd.print('dD acme L3')).to.match(/^(?:[0-9a-f`]{17} .*\n){2}$/);
    expect(await kd.print('df 0 L1')).to.match(/^00000000`00000000 +\?\n$/);
    const forward = (await kd.print('u acme+1000 L6')).split('\n').slice(1, 7);
    const last = forward[5]!.slice(0, 17);
    const back = (await kd.print(`ub ${last} L2`)).trimEnd().split('\n').slice(1);
    expect(back).to.have.length(2);
    expect(back[1]!.slice(0, 17) < last).to.equal(true);
  });
});
