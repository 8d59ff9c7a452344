import { expect } from 'chai';
import { codeModule, KERNEL } from './code-image.test.helper.js';
import type { ExportLookup } from './exports.js';
import { importedFunctions } from './imported-functions.js';

const imports = ['FltRegisterFilter', 'ExAllocatePoolWithTag', 'CmRegisterCallback'];
const NOBODY: ExportLookup = { nameAt: () => null };
/** Names the functions by their addresses, but for those that are left out. */
const named = (...without: readonly string[]): ExportLookup => ({
  nameAt: (address) => {
    const name = imports[Number(address - KERNEL.x64) / 0x100];
    return name === undefined || without.includes(name) ? null : name;
  },
});
const read = (module: ReturnType<typeof codeModule>, exports: ExportLookup): string | null => {
  const found = importedFunctions(module, exports);
  return found && `${[...found.names].sort().join(' ')}${found.complete ? '' : ' ...'}`;
};
const ALL = 'CmRegisterCallback ExAllocatePoolWithTag FltRegisterFilter';

describe('functions that an image imports', () => {
  it('have names in its import tables', () => {
    expect(read(codeModule({ at: {}, imports }), NOBODY)).to.equal(ALL);
  });

  it('have addresses where the names are gone, which exports of other modules name', () => {
    // The import directory stands in the pages 5 and 6, the addresses in page 3.
    const module = codeModule({ at: {}, imports, resolved: true, missing: [5, 6] });
    expect(read(module, named())).to.equal(ALL);
    expect(read(module, named('CmRegisterCallback'))).to.equal('ExAllocatePoolWithTag FltRegisterFilter ...');
    expect(read(module, NOBODY)).to.equal(' ...');
  });

  it('are not known to be all where the addresses are gone, too', () => {
    expect(read(codeModule({ at: {}, imports, resolved: true, missing: [3, 5, 6] }), named())).to.equal(' ...');
  });

  it('are not known of an image that cannot be read', () => {
    expect(importedFunctions({ ...codeModule({ at: {}, imports }), memory: null }, named())).to.equal(null);
    expect(importedFunctions({ ...codeModule({ at: {}, imports }), headers: null }, named())).to.equal(null);
  });
});
