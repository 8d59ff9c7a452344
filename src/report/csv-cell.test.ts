import { expect } from 'chai';
import fc from 'fast-check';
import { csvCell } from './csv-cell.js';

describe('report: CSV cells', () => {
  it('begin with an apostrophe where a spreadsheet would see a formula', () => {
    for (const text of ['=1+1', '+A1', '-A1', '@SUM(A1)', '-1+1', '-', ' =A1', '＝A1', "=cmd|' /C calc'!A0", '--1']) {
      expect(csvCell(text)).to.equal(`'${text}`);
    }
    expect(csvCell('\t=A1')).to.equal('?=A1');
    expect(csvCell('\r\n@A1')).to.equal('??@A1');
  });

  it('stay as they are where they are numbers, plain text or nothing', () => {
    for (const value of [-1, 0, -2.5, 1e-7, -1e21]) expect(csvCell(value)).to.equal(String(value));
    for (const text of ['-12', '+7', '-1.5e+9', 'Leak', 'a=b', 'C:\\x', '1-2', ''])
      expect(csvCell(text)).to.equal(text);
    expect([csvCell(null), csvCell(true)]).to.deep.equal(['', 'true']);
  });

  it('never begin a formula, whatever the text', () => {
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.constantFrom(...'= + - @ \t \r \n \' " ? 1 A e \u0000 ＝'.split(' '), ' '),
          maxLength: 8,
        }),
        (text) => {
          const cell = csvCell(text);
          return !/^[=+\-@\t\r\n＝]/.test(cell) || Number.isFinite(Number(cell));
        },
      ),
    );
  });
});
