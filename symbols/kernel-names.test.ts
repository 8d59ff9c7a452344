import { expect } from 'chai';
import { readDataLines } from './profiles/data-files.js';
import { kernelEntries } from './profiles/profiles.js';
import { KEPT_FIELDS, KERNEL_SYMBOLS, KERNEL_TYPES } from './kernel-names.js';

describe('what is taken out of a PDB', () => {
  it('is all that the built-in tables have', () => {
    const builds = new Set(kernelEntries().map(({ version }) => version.split('.')[2]));
    for (const build of builds) {
      const [symbols = ''] = readDataLines(`rva-${build}.txt`);
      expect(KERNEL_SYMBOLS).to.include.members(symbols.split(' '));
    }
    const [types = ''] = readDataLines('layout-sets.txt');
    expect(KERNEL_TYPES).to.have.members(types.split(' '));
    expect(new Set(KERNEL_SYMBOLS).size).to.equal(KERNEL_SYMBOLS.length);
  });

  it('of large structures, the fields that the built-in tables have', () => {
    const lines = readDataLines('layouts.txt');
    for (const [type, kept] of KEPT_FIELDS) {
      const columns = lines[lines.indexOf(type) + 1]!.split(' ').map((column) => column.split(':')[0]);
      expect([...kept]).to.include.members(columns);
    }
  });
});
