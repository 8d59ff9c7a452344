import { expect } from 'chai';
import type { AnalysisResult, PoolTagRow, TagOwner } from '../result/result.js';
import { acceptanceBlock, goldenBeside } from './golden.test.helper.js';
import { renderPoolUsed } from './poolused.js';
import type { PoolUsedOptions } from './poolused-words.js';
import { bareResult, tagRow } from './results.test.helper.js';
import { healthyResult, leakResult } from './samples.test.helper.js';

const expectGolden = goldenBeside(import.meta.url);

const HEADER_LINES = 5;

function withRows(rows: PoolTagRow[]): AnalysisResult {
  const result = leakResult();
  return { ...result, poolTags: { ...result.poolTags!, rows } };
}

/** The rows between header and TOTAL. */
function tableRows(result: AnalysisResult, options: PoolUsedOptions): string[] {
  const lines = renderPoolUsed(result, options).split('\n');
  return lines.slice(HEADER_LINES, lines.indexOf('', HEADER_LINES));
}

function tags(result: AnalysisResult, options: PoolUsedOptions): string[] {
  return tableRows(result, options).map((line) => line.slice(1, 5));
}

/** Where each number ends, and the character after the last one. */
function ends(line: string): { ends: number[]; after: string } {
  const numbers = line.slice(5).split('\t')[0]!;
  const found = [...numbers.matchAll(/-?\d+/g)].map((match) => 5 + match.index + match[0].length);
  return { ends: found, after: line.slice(found.at(-1), (found.at(-1) ?? 0) + 1) };
}

describe('!poolused', () => {
  it('prints the transcript of the worked example', function () {
    const transcript = acceptanceBlock('!poolused /t5 2');
    // The acceptance text stands outside of the project.
    if (transcript === null) return this.skip();
    expect(renderPoolUsed(leakResult(), { flags: 2, top: 5 })).to.equal(`${transcript.join('\n')}\n`);
  });

  it('has a table by nonpaged pool', () => {
    expectGolden('poolused-2.txt', renderPoolUsed(leakResult(), { flags: 2 }));
  });

  it('has a verbose table by paged pool', () => {
    expectGolden('poolused-5.txt', renderPoolUsed(leakResult(), { flags: 5, top: 4 }));
  });

  it('has a table by tag', () => {
    expectGolden('poolused-0.txt', renderPoolUsed(healthyResult(), { flags: 0 }));
  });

  it('keeps the columns', () => {
    const [row] = tableRows(leakResult(), { flags: 2 });
    expect(ends(row!)).to.deep.equal({ ends: [15, 28, 39, 52], after: '\t' });
    const total = renderPoolUsed(leakResult(), { flags: 2 }).trimEnd().split('\n').at(-1)!;
    expect(total.slice(0, 5)).to.equal('TOTAL');
    expect(ends(total)).to.deep.equal({ ends: [15, 28, 39, 52], after: '' });
  });

  it('keeps the columns of the verbose table, with lifetime counts', () => {
    const [row] = tableRows(leakResult(), { flags: 3 });
    expect(ends(row!)).to.deep.equal({ ends: [17, 29, 39, 52, 65, 77, 87, 100], after: '\t' });
    expect(row).to.match(/^ Leak +1601 +1000 +601 +615424000 /);
  });

  it('sorts by bytes of the pool asked for, then by tag; lists tags that hold nothing too', () => {
    const result = withRows([
      tagRow('bbbb', [0, 0, 1, 10]),
      tagRow('aaaa', [0, 0, 1, 30]),
      tagRow('cccc', [1, '9007199254740993', 0, 0]),
      tagRow('dddd', [1, '9007199254740992', 0, 0]),
      tagRow('zero', [0, 0, 0, 0]),
    ]);
    expect(tags(result, { flags: 2 })).to.deep.equal(['cccc', 'dddd', 'aaaa', 'bbbb', 'zero']);
    expect(tags(result, { flags: 4 })).to.deep.equal(['aaaa', 'bbbb', 'cccc', 'dddd', 'zero']);
  });

  it('sorts by the displayed characters, not by the key as a number and not by locale', () => {
    const rows = ['aaaz', 'Zzzz', '9xyz', 'zaaa', '-abc', '.abc', '_abc'].map((tag) => tagRow(tag, [1, 1, 0, 0]));
    expect(tags(withRows(rows), { flags: 0 })).to.deep.equal(['-abc', '.abc', '9xyz', 'Zzzz', '_abc', 'aaaz', 'zaaa']);
  });

  it('sums what the pattern lets through, not only what is listed', () => {
    const result = withRows([
      tagRow('MmSt', [1, '18446744073709551615', 0, 0]),
      tagRow('MmIn', [2, 1, 3, 4]),
      tagRow('Leak', [5, 6, 7, 8]),
    ]);
    const text = renderPoolUsed(result, { flags: 2, top: 1, pattern: 'Mm*' });
    expect(text).to.match(/\nTOTAL +3 +18446744073709551616 +3 +4\n$/);
    expect(tags(result, { flags: 2, top: 1, pattern: 'Mm*' })).to.deep.equal(['MmSt']);
  });

  it('has an empty table where no tag fits', () => {
    const lines = renderPoolUsed(leakResult(), { flags: 0, pattern: 'none' }).split('\n');
    expect(lines.slice(4)).to.deep.equal(['', '', 'TOTAL         0            0          0            0', '']);
  });

  it('describes tags as the debugger does', () => {
    const description = (row: PoolTagRow) => tableRows(withRows([row]), { flags: 0 })[0]!.split('\t')[1];
    const about = (more: Partial<PoolTagRow>) => description(tagRow('Thre', [1, 1, 0, 0], more));
    expect(about({ description: '  Two  words', binary: 'nt!ps' })).to.equal('Two  words , Binary: nt!ps');
    expect(about({ description: 'Two words', binary: '<unknown>' })).to.equal('Two words');
    expect(about({ description: 'Two words', binary: null })).to.equal('Two words');
    expect(about({ binary: 'nt!ps', tagSource: 'built-in' })).to.equal('Binary: nt!ps');
    expect(about({})).to.equal("UNKNOWN pooltag 'Thre', please update pooltag.txt");
    // Bytes 72 78 00 00: dots in the column, moved to the right in the message.
    const short = tagRow('rx..', [1, 1, 0, 0], { hex: '0x00007872' });
    expect(tableRows(withRows([short]), { flags: 0 })[0]).to.match(/^ rx\.\. .*\tUNKNOWN pooltag ' {2}rx', please/);
    const control = tagRow('.[31', [1, 1, 0, 0], { hex: '0x31335b1b' });
    expect(description(control)).to.equal("UNKNOWN pooltag '.[31', please update pooltag.txt");
    expect(description(tagRow('odd ', [1, 1, 0, 0], { hex: 'junk' }))).to.match(/'odd '/);
  });

  it('prints wider numbers whole', () => {
    const huge = '12345678901234567890';
    const row = tagRow('Huge', [1, huge, 0, 0]);
    expect(tableRows(withRows([row]), { flags: 2 })[0]).to.match(new RegExp(`^ Huge {9}1 ${huge} `));
  });

  it('says that figures are partial, before them', () => {
    const result = leakResult();
    const text = renderPoolUsed({ ...result, poolTags: { ...result.poolTags!, complete: false } }, { flags: 2 });
    expect(text).to.match(/^\*\*\* Partial: only 3 tag tables could be read/);
    expect(text).to.include('\n\n Sorting by NonPaged Pool Consumed\n');
  });

  it('says what is missing for session pool, and where there are no tables', () => {
    expect(renderPoolUsed(leakResult(), { flags: 9 })).to.match(/^Session pool .* not read.*\n$/);
    expect(renderPoolUsed(bareResult({ type: 'header' }), { flags: 2 })).to.equal(
      'A dump header alone holds no pool tag tables.\n',
    );
    expect(renderPoolUsed(bareResult(), { flags: 2 })).to.match(/could not be read/);
  });

  it('says who allocates where that is asked for', () => {
    const owner: TagOwner = { module: 'fabsec.sys', base: null, confidence: 'high', basis: 'code' };
    const rows = leakResult().poolTags!.rows.filter(({ tag }) => tag === 'Leak' || tag === 'Thre');
    const owned = withRows(rows.map((row) => ({ ...row, owner })));
    const [first, second] = tableRows(owned, { flags: 2, owners: true });
    expect(first).to.match(/\tOwner: fabsec\.sys \(code, high\)$/);
    expect(second).to.match(/\tThread objects , Binary: nt!ps , Owner: fabsec\.sys \(code, high\)$/);
    expect(tableRows(owned, { flags: 2 })[0]).not.to.contain('fabsec');
    expect(tableRows(withRows(rows), { flags: 2, owners: true })[0]).to.contain("UNKNOWN pooltag 'Leak'");
  });
});
