import { expect } from 'chai';
import fc from 'fast-check';
import iconv from 'iconv-lite';
import { failed } from '../bytes/failure.js';
import { looksLikeTagCsv, parseTagCsv, type TagCsv } from './poolmon-powershell.js';

function parse(text: string | Uint8Array): TagCsv {
  const table = parseTagCsv(typeof text === 'string' ? Buffer.from(text) : text);
  if (failed(table)) throw new Error(table.message);
  return table;
}

const rowsOf = ({ rows }: TagCsv): string[] =>
  rows.map(({ time, tag, pool, allocs, frees, bytes }) =>
    [time, Buffer.from(Uint32Array.of(tag).buffer).toString('latin1'), pool, allocs, frees, bytes].join(' '),
  );

const SCRIPT = [
  '"DateTime","Tag","PagedAllocs","PagedFrees","PagedDiff","PagedBytes","NonPagedAllocs","NonPagedFrees","NonPagedDiff","NonPagedBytes","TotalBytes","Binary","Description"',
  '"2026-11-20T14:05:12","Io","5","1","4","64","9","2","7","112","176","nt!io","a ""quoted"", text"',
  '"2026-11-20T14:05:12","Leak","0","0","0","0","601","0","601","615424000","615424000","",""',
  '"2026-11-20T14:20:12","Leak","0","0","0","0","602","0","602","616448000","616448000","",""',
  '',
].join('\r\n');

describe('tables of pool tags in CSV', () => {
  it('reads a row a tag with a column a pool', () => {
    const table = parse(SCRIPT);
    expect(rowsOf(table)).to.deep.equal([
      '0 Io   nonpaged 9 2 112', '0 Io   paged 5 1 64', '0 Leak nonpaged 601 0 615424000', '0 Leak paged 0 0 0',
      '1 Leak nonpaged 602 0 616448000', '1 Leak paged 0 0 0',
    ]); // prettier-ignore
    expect(table.times.map((time) => new Date(time).toISOString())).to.deep.equal([
      '2026-11-20T14:05:12.000Z',
      '2026-11-20T14:20:12.000Z',
    ]);
    expect(table).to.include({ badRows: 0, offsetKnown: false });
  });

  it('finds columns by names that differ, in any order, and prefers a time in UTC', () => {
    const text = 'NonPagedUsedBytes;TAG;DateTime;DateTimeUTC\n112;Leak;20/11/2026 15:05;2026-11-20 14:05\n';
    const table = parse(iconv.encode(text, 'utf16-le', { addBOM: true }));
    expect(rowsOf(table)).to.deep.equal(['0 Leak nonpaged NaN NaN 112']);
    expect(table.offsetKnown).to.equal(true);
    expect(new Date(table.times[0]!).toISOString()).to.equal('2026-11-20T14:05:00.000Z');
  });

  it('reads a column for the pool, and separated groups of digits', () => {
    const table = parse(
      '#TYPE Selected\ntag,type,bytes\nLeak,Nonp,"1,234"\nLeak,Paged,5\nBad,Other,5\nToolong,Nonp,5\n,Nonp,5\n',
    );
    expect(rowsOf(table)).to.deep.equal(['-1 Leak nonpaged NaN NaN 1234', '-1 Leak paged NaN NaN 5']);
    expect(table.badRows).to.equal(3);
  });

  it('recognises such tables and nothing else', () => {
    expect(looksLikeTagCsv(SCRIPT)).to.equal(true);
    for (const text of ['', 'a,b', 'Tag,Description', '"(PDH-CSV 4.0)","\\\\A\\B\\C"', ' Tag  Type     Allocs']) {
      expect(looksLikeTagCsv(text), text).to.equal(false);
    }
  });

  it('never throws', () => {
    const text = fc.string({ unit: fc.constantFrom(...Array.from('",;\r\n 0123456789abNonpPaged')), maxLength: 80 });
    fc.assert(fc.property(text, (rest) => void parseTagCsv(Buffer.from(`tag,pool,bytes\n${rest}`))));
  });
});
