import { expect } from 'chai';
import fc from 'fast-check';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { MEMORY_FIELDS } from '../result/result.js';
import type { AnalysisResult } from '../result/result.js';
import { csvFiles } from './csv.js';
import { FULL, HOLLOW, TRIAGE, UNKNOWN } from './golden/samples.js';

const NAMES = [
  ...['dump.csv', 'memory.csv', 'where-memory.csv', 'pool-tags.csv', 'modules.csv', 'unloaded-modules.csv'],
  ...['suspects.csv', 'evidence.csv', 'processes.csv', 'object-types.csv', 'holders.csv', 'ended-processes.csv'],
  ...['contents.csv', 'billed.csv', 'warnings.csv'],
];

/** A reader of RFC 4180 for the tests: strict about CRLF and quotes. */
function parse(text: string): string[][] {
  expect(text.startsWith('\ufeff')).to.equal(true);
  const rows: string[][] = [];
  let row: string[] = [];
  let at = 1;
  while (at < text.length) {
    let cell = '';
    if (text[at] === '"') {
      for (at++; ; at++) {
        if (at >= text.length) throw new Error('quote never closed');
        if (text[at] !== '"') cell += text[at]!;
        else if (text[at + 1] === '"') cell += text[at++]!;
        else break;
      }
      at++;
    } else {
      while (at < text.length && text[at] !== ',' && text[at] !== '\r') cell += text[at++]!;
      expect(cell).to.not.match(/["\n]/);
    }
    row.push(cell);
    if (text[at] === ',') at++;
    else {
      expect(text.slice(at, at + 2)).to.equal('\r\n');
      rows.push(row);
      row = [];
      at += 2;
    }
  }
  expect(row).to.deep.equal([]);
  return rows;
}

function read(result: AnalysisResult, name: string): Record<string, string>[] {
  const [header, ...rows] = parse(csvFiles(result).find((file) => file.name === name)!.text);
  return rows.map((row) => {
    expect(row).to.have.length(header!.length);
    return Object.fromEntries(header!.map((column, i) => [column, row[i]!]));
  });
}

const keyed = (result: AnalysisResult): Record<string, string> =>
  Object.fromEntries(read(result, 'dump.csv').map((row) => [row['key']!, row['value']!]));

describe('csvFiles', () => {
  it('always writes the same files, with a header even where there is nothing', () => {
    for (const sample of [FULL, UNKNOWN, HOLLOW, TRIAGE]) {
      expect(csvFiles(sample).map((file) => file.name)).to.deep.equal(NAMES);
    }
    expect(csvFiles(UNKNOWN).find((file) => file.name === 'pool-tags.csv')!.text).to.match(/^\ufefftag,hex,.*\r\n$/);
    expect(keyed(UNKNOWN)).to.include({ 'sections.poolTags': 'null', 'sections.modules': 'null' });
    expect(keyed(HOLLOW)).to.include({ 'sections.poolTags': 'present', 'sections.modules': 'present' });
  });

  it('writes the golden text', () => {
    const all = csvFiles(FULL)
      .map(({ name, text }) => `== ${name}\n${text.slice(1).replaceAll('\r\n', '\n')}`)
      .join('\n');
    const path = fileURLToPath(new URL('../../../src/report/golden/full-csv.txt', import.meta.url));
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(path, all);
    expect(all).to.equal(readFileSync(path, 'utf8'));
  });

  it('has every row of the pool tags with full counters', () => {
    const rows = read(FULL, 'pool-tags.csv');
    expect(rows).to.have.length(3);
    expect(rows[1]).to.deep.include({
      tag: 'Thre',
      nonPagedAllocs: '18014398509481984',
      nonPagedOutstanding: '607',
      pagedOutstanding: '-2',
      pagedBytes: '-96',
      binary: 'nt!ps',
    });
  });

  it('counts memory in pages and exact bytes; unknown is empty', () => {
    const rows = read(FULL, 'memory.csv');
    expect(rows.slice(0, MEMORY_FIELDS.length).map((row) => row['figure'])).to.deep.equal([...MEMORY_FIELDS]);
    const figure = (name: string) => rows.find((row) => row['figure'] === name);
    expect(figure('physicalMemory')).to.deep.include({ pages: '1000', bytes: '4096000', source: 'profile' });
    expect(figure('commitLimit')).to.deep.include({ bytes: '75557863725914323415040', source: 'kdbg' });
    expect(figure('sessionCommit')).to.deep.include({ pages: '', bytes: '', source: '' });
    expect(figure('nonPagedPools.0.nx')).to.deep.include({ pages: '', bytes: '' });
    expect(figure('pagedPools.0')).to.deep.include({ pages: '27618' });
    expect(figure('pageFiles.0 \\??\\C:\\pagefile.sys free')).to.deep.include({ pages: '253911' });
  });

  it('keeps a spreadsheet from seeing formulas, and numbers numbers', () => {
    const row = read(FULL, 'pool-tags.csv')[2]!;
    expect(row['tag']).to.equal("'=1+1");
    expect(row['description']).to.equal('\'@SUM(A1:A9), "quoted"');
    const named = (name: string): string =>
      read(
        { ...UNKNOWN, unloadedModules: [{ name, start: null, end: null, unloadedAt: null }] },
        'unloaded-modules.csv',
      )[0]!['name']!;
    for (const formula of ['=A1', '+A1', '-A1', '@A1', '-1+1', '=1', '+', ' =A1', '＝A1', '-1|cmd']) {
      expect(named(formula)).to.equal(`'${formula}`);
    }
    for (const plain of ['-1', '+1.5', '-2e10', 'a=b', 'Io  ', '-18446744073709551616'])
      expect(named(plain)).to.equal(plain);
  });

  it('makes text from dumps printable', () => {
    expect(read(FULL, 'modules.csv')[1]).to.deep.include({ name: 'ev?[31mil?.sys??', moduleName: 'ev?il' });
  });

  it('is read back by a strict reader, whatever the names are', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' }), { maxLength: 5 }), (names) => {
        const unloadedModules = names.map((name) => ({ name, start: null, end: null, unloadedAt: null }));
        const rows = read({ ...UNKNOWN, unloadedModules }, 'unloaded-modules.csv');
        expect(rows).to.have.length(names.length);
        for (const row of rows) expect(row['name']).to.not.match(/^[=@\t\r]|[\u0000-\u001f]/);
      }),
    );
  });

  it('ties evidence to its suspect', () => {
    const rows = read(FULL, 'evidence.csv');
    expect(rows.map((row) => [row['suspect'], row['module'], row['kind']])).to.deep.equal([
      ['1', 'myfault.sys', 'code-immediate'],
      ['1', 'myfault.sys', 'data'],
      ['1', 'other.sys', 'string'],
    ]);
    expect(read(FULL, 'contents.csv').map(({ finding, what, leads }) => [finding, what, leads])).to.deep.equal([
      ['size', '', ''],
      ['kind', 'Irp', 'sent to nvstor.sys (477)'],
      ['pointer', '', ''],
      ['text', 'a text', ''],
    ]);
    expect(read(FULL, 'billed.csv')[0]).to.include({ suspect: '1', pid: '4321', image: 'watchman.exe', blocks: '1' });
    expect(read(FULL, 'suspects.csv')[0]).to.deep.include({
      suspect: '1',
      drivers: 'myfault.sys (high); other.sys (low)',
    });
  });

  it('tells the rest as keys and values', () => {
    expect(keyed(FULL)).to.include({
      'dump.bugCheck.code': '0xe2',
      'dump.live': 'false',
      'system.kernelPdb.age': '1',
      'memory.flags.0.code': 'excessive-nonpaged-pool',
      'poolTags.complete': 'true',
      'poolTags.reconciliation.paged': '',
      'verdict.leakSuspected': 'true',
      'run.options.tag': '',
    });
  });
});
