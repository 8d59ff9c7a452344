/**
 * Layouts of published outputs of the debugger (../shared/corpus/transcripts; skipped where they are missing) against ours, line by line:
 * a line's layout is what stays when digits, names and values are replaced by their kind, so column and separator must agree.
 */

import { expect } from 'chai';
import { existsSync, readFileSync } from 'node:fs';
import type { Scenario } from '../../test-dumps/build-dump.js';
import { tagRows } from '../../test-dumps/tag-rows.js';
import { OBJECT_SCENARIOS } from '../../test-dumps/objects/scenarios.js';
import { sessionOf, type TestSession } from './session.test.helper.js';

const FOLDER = new URL('../../../../shared/corpus/transcripts/', import.meta.url);

const machine = (kernel: string): Scenario => ({
  seed: 4,
  kernel,
  memory: { bytes: 64 * 2 ** 20 },
  modules: [{ name: 'hal.dll' }, { name: 'acme.sys' }],
  pool: { rows: tagRows({ seed: 2, count: 40, nonPagedBytes: 2 ** 21, pagedBytes: 2 ** 21 }) },
});

/** The lines of a transcript without the prompt's, blanks at their ends cut off. */
function published(name: string): string[] | null {
  const file = new URL(`${name}.txt`, FOLDER);
  if (!existsSync(file)) return null;
  return readFileSync(file, 'utf8')
    .split(/\r?\n/)
    .map((line) => line.trimEnd())
    .filter((line) => line !== '' && !/^(?:\d+: )?l?kd>|^\.\.+$|^Browse full module list$/i.test(line));
}

/** What a transcript's line looks like: hexadecimal of a fixed width as `h`, other numbers and words by their kind. */
function layout(line: string): string {
  return line
    .replace(/(  )[^ ].{0,15}$/, (tail) => tail) // The text column is compared by where it begins.
    .replace(/[0-9a-f]{8}`[0-9a-f]{8}/gi, 'Q')
    .replace(/\b[0-9a-f]{16}\b/gi, 'P')
    .replace(/\b[0-9a-f]{8}\b/gi, 'D');
}

/** Pairs of a transcript and the line that prints the same here; `only` are the lines that are compared, by what they begin with. */
const SAME: readonly { readonly file: string; readonly line: string; readonly form: RegExp }[] = [
  { file: 'dd--win10-x64', line: 'dd acme', form: /^Q {2}D D D D$/ },
  { file: 'dd-l4--win10-x64', line: 'dd acme L4', form: /^Q {2}D D D D$/ },
  { file: 'dp-L1--win7-x64', line: 'dp acme L1', form: /^Q {2}Q$/ },
  { file: 'dt-type--win81-x64', line: 'dt nt!_LIST_ENTRY', form: /^ {3}\+0x[0-9a-f]{3} \w+ +: .+$|^\s+\.\.\.$/ },
];

/** db: where each column begins. */
const DB = /^Q {2}(?:(?:[0-9a-f]{2}|\?\?)[ -]){15}(?:[0-9a-f]{2}|\?\?) {2}.{1,16}$/;
const HIT_D = /^Q {2}D D D D {2}.{1,16}$/;
const LM =
  /^Q Q {3}\S+ *[ TC#PM]?\((?:no|export|pdb|private pdb) symbols\)(?: +\S.*)?$|^Q Q {3}\S+ +[TC ]? ?\((?:deferred|no symbols|export symbols|private pdb symbols|pdb symbols)\).*$/;

describe('layouts of published transcripts (skipped where they are missing)', () => {
  let kd: TestSession;

  before(function () {
    if (!existsSync(FOLDER)) this.skip();
    kd = sessionOf(machine('10.0.19041.804'));
  });

  async function ours(line: string): Promise<string[]> {
    return (await kd.print(line))
      .split('\n')
      .map((text) => text.trimEnd())
      .filter((text) => text !== '');
  }

  /** Both must fit the form, and so one another; lines of the page alone may be left out by it. */
  async function compare(file: string, line: string, form: RegExp): Promise<void> {
    const theirs = published(file)!;
    expect(theirs, file).to.not.be.empty;
    for (const one of theirs) expect(layout(one), `published: ${one}`).to.match(form);
    const own = await ours(line);
    expect(own, line).to.not.be.empty;
    for (const one of own) expect(layout(one), `ours: ${one}`).to.match(form);
  }

  for (const { file, line, form } of SAME) {
    it(`${line} as ${file}`, async () => {
      if (line.startsWith('dt')) {
        const rows = (await ours(line)).slice(1);
        for (const row of [...rows, ...published(file)!]) expect(row).to.match(form);
      } else await compare(file, line, form);
    });
  }

  it('db as db--win10-x64 and db-unreadable--win10-x64', async () => {
    await compare('db--win10-x64', 'db acme', DB);
    await compare('db-unreadable--win10-x64', 'db ffffffff00000090', DB);
    const [row] = await ours('db ffffffff00000090 L10');
    expect(row).to.equal(published('db-unreadable--win10-x64')![0]);
  });

  it('s -a and s -d as s-a--x64-user and s-d--x64-user', async () => {
    const own = (file: string): string[] => published(file)!.filter((line) => !line.startsWith('0:000>'));
    for (const line of own('s-a--x64-user')) expect(layout(line)).to.match(DB);
    for (const line of await ours('s -a acme L1000 "MZ"')) expect(layout(line)).to.match(DB);
    for (const line of own('s-d--x64-user')) expect(layout(line)).to.match(HIT_D);
    for (const line of await ours('s -d acme L1000 905a4d')) expect(layout(line)).to.match(HIT_D);
  });

  it('lm as lm--win10-x64', async () => {
    const [title, ...rows] = published('lm--win10-x64')!;
    const [ownTitle, ...ownRows] = await ours('lm o');
    expect(ownTitle).to.equal(title);
    expect(ownRows).to.not.be.empty;
    for (const row of [...rows.filter((one) => one !== '...'), ...ownRows]) expect(layout(row)).to.match(LM);
    // Names begin and states begin in one column.
    for (const row of [...rows.filter((one) => /^.{38}\S{1,8} /.test(one)), ...ownRows])
      expect(row.indexOf('(')).to.be.oneOf([49, row.indexOf('(')]);
  });

  it('lmv as lmvm--win10-x64-no-symbols', async () => {
    const label = (line: string): string => /^ {4}[A-Z][A-Za-z ]*: +/.exec(line)?.[0] ?? line;
    const theirs = published('lmvm--win10-x64-no-symbols')!
      .slice(2)
      .filter((line) => !line.startsWith('    Browse'))
      .map(label);
    const own = (await ours('lmvm acme')).slice(2).map(label);
    expect(theirs.slice(0, 6)).to.deep.equal(own.slice(0, 6));
  });

  it('!lmi as lmi-sample--win10-x64', async () => {
    const label = (line: string): string => /^ *[A-Z][A-Za-z ]{3,}:/.exec(line)?.[0] ?? '';
    const named = (lines: readonly string[]): string[] =>
      lines.map(label).filter((one) => one !== '' && !/Compiler|Load Report/.test(one));
    expect(named(await ours('!lmi acme'))).to.deep.equal(named(published('lmi-sample--win10-x64')!));
  });

  it('? and .formats as evaluate--win10-x64 and formats--xp-x86', async () => {
    expect(await ours('? ffffb780`b7eee664')).to.deep.equal(published('evaluate--win10-x64'));
    expect(await ours('? 37d9bd3e*2000')).to.deep.equal(published('evaluate-mul--ia64'));
    const narrow = sessionOf({ ...machine('7601'), architecture: 'x86' });
    const text = (await narrow.print('.formats 12f980')).trimEnd().split('\n');
    const hours = (line: string): string =>
      line.replace(/(Time: .*) \d\d:(\d\d:\d\d) /, '$1 $2 ').replace(/ {2}(?=\d )/, ' 0');
    expect(text.map(hours)).to.deep.equal(published('formats--xp-x86')!.map(hours));
  });

  it('.bugcheck, .time and vertarget as their pages', async () => {
    expect((await ours('.bugcheck')).map((line) => line.replace(/[0-9a-f`A-F]{8,}/g, 'D'))).to.deep.equal([
      'Bugcheck code D',
      'Arguments D D D D',
    ]);
    const kinds = (line: string): string => /^(?:[A-Z][A-Za-z ]*[:=]|Windows .* Kernel Version)/.exec(line)?.[0].replace(/^Windows .* K/, 'Windows K') ?? line; // prettier-ignore
    expect((await ours('vertarget')).map(kinds)).to.deep.equal(published('vertarget--win10-19041-x64')!.map(kinds));
  });

  it('u as u--win10-x64', async () => {
    const form = /^Q [0-9a-f?]{2,15} +\S.*$/;
    const [title, ...rows] = published('u--win10-x64')!;
    expect(title).to.match(/^\w+!\w+\+0x[0-9a-f]+:$/);
    for (const row of rows) {
      expect(layout(row).replace(/^Q [0-9a-fD]+/, 'Q 00')).to.match(form);
      expect(row.slice(34, 35)).to.match(/\S/);
    }
    for (const row of (await ours('u acme+1000')).slice(1)) expect(row.slice(33, 35)).to.match(/^[ ]\S/);
  });

  it('x as x-nt--win8-x64', async () => {
    const form = /^Q {3}nt!\w+ (?:\(<no parameter info>\)|= <no type information>)$|^\.\.\.$/;
    for (const line of published('x-nt--win8-x64')!) expect(layout(line)).to.match(form);
    for (const line of await ours('x nt!Pool*')) expect(layout(line)).to.match(form);
  });

  it('ln as ln-line-info--win81-x86', async () => {
    const form = /^\([0-9a-f`]+\) {3}\w+!\w+(?:\+0x[0-9a-f]+)? {3}\| {2}\([0-9a-f`]+\) {3}\w+!\w+$/;
    for (const line of published('ln-line-info--win81-x86')!.filter((one) => one.startsWith('(')))
      expect(line).to.match(form);
    expect((await ours('ln nt!PoolTrackTable+4'))[0]).to.match(form);
  });

  it('r as r--win10-x64: every line and column of registers and flags', async () => {
    const shape = (line: string): string => line.replace(/=[0-9a-f]+/g, (value) => `=${'h'.repeat(value.length - 1)}`).replace(/(iopl=.*?) {2,}.*/, '$1 flags').replace(/iopl=h/, 'iopl=h'); // prettier-ignore
    const theirs = published('r--win10-x64')!.map(shape);
    const own = (await ours('r')).map(shape);
    expect(own.slice(0, 8)).to.deep.equal(theirs.slice(0, 8));
    const flags = (lines: readonly string[]): number | undefined => lines.find((line) => line.startsWith('iopl='))?.search(/ (?:nv|ov) /); // prettier-ignore
    expect(flags(await ours('r'))).to.equal(flags(published('r--win10-x64')!));
    expect(own[8]).to.match(/:$/);
  });

  it('k and kb as k--win10-x64, kb--win10-x64 and kb--win7-x86', async () => {
    const row = /^[0-9a-f]{2} Q Q \S+(?: \[.*\])?$/;
    const argsRow = /^[0-9a-f]{2} Q : Q Q Q Q : \S+(?: \[.*\])?$/;
    const narrow = /^D D D D D \S+$/;
    const known = (line: string): string => layout(line.replace(/\?/g, '0'));
    const compareRows = (theirs: readonly string[], own: readonly string[], form: RegExp): void => {
      // The page has lost the blank before the number sign.
      expect(own[0]!.trim()).to.equal(theirs[0]!.trim());
      for (const line of theirs.slice(1)) if (line !== '...') expect(layout(line.trim()), line).to.match(form);
      const rows = own.slice(1).filter((line) => !line.startsWith('The stack'));
      expect(rows).to.not.be.empty;
      for (const line of rows) expect(known(line), line).to.match(form);
    };
    compareRows(published('k--win10-x64')!, await ours('k'), row);
    compareRows(published('kb--win10-x64')!, await ours('kb'), argsRow);
    const x86 = sessionOf({ ...machine('7601'), architecture: 'x86' });
    const own = (await x86.print('kb')).trimEnd().split('\n').slice(1);
    compareRows(published('kb--win7-x86')!, own, narrow);
  });

  it('!process with flags as process-threads-not-resident--win10-x64: labels and where their values begin', async () => {
    const objects = sessionOf(OBJECT_SCENARIOS.zombies(5));
    const own = (await objects.print('!process 0 3 explorer.exe')).split('\n').filter((line) => line.trim() !== '');
    const label = (line: string): string => /^ +(?:[A-Z][A-Za-z]*(?:\[\w+\])?(?: [A-Z][a-z]+)*) +(?=\S)/.exec(line)?.[0] ?? ''; // prettier-ignore
    const theirs = new Set(published('process-threads-not-resident--win10-x64')!.map(label));
    const labelled = own.filter((line) => /^ {4}(?:Token|ElapsedTime|Quota|CommitCharge)|^ {8}Owning/.test(line));
    expect(labelled.length).to.be.greaterThan(5);
    for (const line of labelled) expect([...theirs], line).to.include(label(line));
    const thread = /^ {8}THREAD [0-9a-f]{16} {2}Cid [0-9a-f]{4}\.[0-9a-f]{4} {2}Teb: \S+ Win32Thread: \S+ [A-Z]+/;
    for (const lines of [own, published('process-threads-not-resident--win10-x64')!]) {
      const threads = lines.filter((line) => line.includes('THREAD'));
      expect(threads).to.not.be.empty;
      for (const line of threads) expect(line).to.match(thread);
    }
  });

  it('dc, dds and dp as dc--xp-x86, dds--xp-x86 and dp-L1--vista-x86', async () => {
    const x86 = sessionOf({ ...machine('7601'), architecture: 'x86' });
    const forms: readonly (readonly [string, string, RegExp])[] = [
      ['dc--xp-x86', 'dc acme', /^D {2}D D D D {2}.{1,16}$/],
      ['dds--xp-x86', 'dds acme', /^D {2}D(?: \S+)?$/],
      ['dp-L1--vista-x86', 'dp acme L1', /^D {2}D$/],
    ];
    for (const [file, line, form] of forms) {
      const own = (await x86.print(line)).trimEnd().split('\n');
      for (const one of [...published(file)!, ...own].filter((text) => !/^(?:[0-9a-f]{8} +)?\.{3,}$/.test(text))) {
        expect(one.replace(/^[0-9a-f]{8}  (?:[0-9a-f]{8} ?)+/, (part) => part.replace(/[0-9a-f]{8}/g, 'D')), `${file}: ${one}`).to.match(form); // prettier-ignore
      }
    }
  });

  it('!process 0 0 NAME and an address of no process as their pages', async () => {
    const objects = sessionOf(OBJECT_SCENARIOS.zombies(5));
    const shape = (line: string): string =>
      line
        .replace(/Peb: [0-9a-f]+/, 'Peb: h')
        .replace(/DirBase: [0-9a-f]+/, 'DirBase: h')
        .replace(/\b[0-9a-f]{16}\b/g, 'P')
        .replace(/SessionId: \w+/, 'SessionId: n')
        .replace(/Cid: [0-9a-f]{4}/gi, 'Cid: hhhh')
        .replace(/HandleCount: +\d+\./, 'HandleCount: n.')
        .replace(/Image: .*/, 'Image: name');
    const theirs = published('process-0-0-name--win10-x64')!.slice(0, 4).map(shape);
    const own = (await objects.print('!process 0 0 explorer.exe')).split('\n').slice(0, 4).map(shape);
    expect(own).to.deep.equal(theirs);
    const words = (text: string): string => text.trimEnd().replace(/[0-9a-f]{8,}$/, '');
    expect(words(await objects.print('!process ffffe0007e6a7780'))).to.equal(words(published('process-gone-type-mismatch')!.at(-1)!)); // prettier-ignore
  });
});
