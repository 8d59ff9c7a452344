import { expect } from 'chai';
import { explainedCodes, explainParameters } from './bug-check-parameters.js';
import { nameBugCheck } from './bug-checks.js';

const texts = (code: number, ...parameters: bigint[]): string[] =>
  explainParameters(code, parameters).map(({ parameter, meaning }) => `${parameter} ${meaning}`);

describe('bug check parameters', () => {
  it('are known for some sixty codes, each with a name', () => {
    const codes = explainedCodes();
    expect(codes.length).to.be.at.least(55);
    expect(new Set(codes).size).to.equal(codes.length);
    for (const code of codes) expect(nameBugCheck(code), code.toString(16)).not.to.equal(null);
  });

  it('say what stands in them, and what codes among them mean', () => {
    expect(texts(0xd1, 0x18n, 2n, 1n, 0xfffff80012345678n)).to.deep.equal([
      '1 address that was referenced',
      '2 IRQL: DISPATCH',
      '3 access: write',
      '4 address of the instruction',
    ]);
    expect(texts(0x1000007e, 0xffffffffc0000005n, 1n, 2n, 3n)[0]).to.equal('1 exception code: access violation');
    expect(texts(0x7a, 1n, 0xc000009an, 2n, 3n)[1]).to.match(/^2 status of the input: insufficient resources/);
    expect(texts(0x3b, 0x1234n, 1n, 2n, 3n)[0]).to.equal('1 exception code');
  });

  it('depend on the first one where they do', () => {
    expect(texts(0xc4, 0x62n, 1n, 2n, 601n)).to.deep.equal([
      '1 rule of Driver Verifier: driver unloaded without freeing its pool',
      '2 name of the driver',
      '4 allocations left',
    ]);
    expect(texts(0xc4, 0x2000n, 1n, 2n, 3n)).to.deep.equal(['1 rule of Driver Verifier']);
    expect(texts(0x9f, 3n, 1n, 2n, 3n)).to.include('4 the request (IRP)');
  });

  it('of forced ones and of unknown codes say nothing', () => {
    expect(texts(0xe2, 1n, 2n, 3n, 4n)).to.deep.equal([]);
    expect(texts(0x161, 1n)).to.deep.equal([]);
    expect(texts(0x4321, 1n, 2n, 3n, 4n)).to.deep.equal([]);
    expect(texts(0xd1)).to.have.length(4);
  });

  it('have no braces, bars or numbers left over from the table', () => {
    for (const code of explainedCodes()) {
      for (const first of [0n, 1n, 3n, 4n, 7n, 0x20n, 0x62n, 0x99n, 0x41792n]) {
        for (const text of texts(code, first, 0n, 0n, 0n)) expect(text).to.match(/^[1-4] [A-Za-z][^{}|;]*$/);
      }
    }
  });
});
