import { expect } from 'chai';
import { Failure } from '../bytes/failure.js';
import { BASE, DIRECTORY_AT, exportingImage } from './export-image.test.helper.js';
import { nearestExport } from './exports.js';

function image(...parts: Parameters<typeof exportingImage>): (rva: number) => ReturnType<typeof nearestExport> {
  const { memory, headers } = exportingImage(...parts);
  return (rva) => nearestExport(memory, BASE, headers, rva);
}

describe('nearestExport', () => {
  const exports = { Alpha: 0x1800, Beta: 0x1100, Gamma: 0x2000, Forwarded: 0x3480 };

  it('is the last one at or before an address, in the same section', () => {
    const at = image(exports);
    expect(at(0x1100)).to.deep.equal({ name: 'Beta', rva: 0x1100 });
    expect(at(0x17ff)).to.deep.equal({ name: 'Beta', rva: 0x1100 });
    expect(at(0x1fff)).to.deep.equal({ name: 'Alpha', rva: 0x1800 });
    expect(at(0x2abc)).to.deep.equal({ name: 'Gamma', rva: 0x2000 });
    expect(at(0x10ff)).to.equal(null);
    // What points into the directory is the name of a function elsewhere.
    expect(at(0x3490)).to.equal(null);
  });

  it('fails where a page is missing or the counts cannot be true', () => {
    expect(image(exports, undefined, DIRECTORY_AT)(0x1100)).to.be.instanceOf(Failure);
    const counts = image(exports, (view) => {
      view.setUint32(DIRECTORY_AT + 0x18, 0x20000, true);
    });
    expect(counts(0x1100)).to.be.instanceOf(Failure);
    const far = image(exports, (view) => {
      view.setUint32(DIRECTORY_AT + 0x1c, 0x7fffffff, true);
    });
    expect(far(0x1100)).to.be.instanceOf(Failure);
  });

  it('passes over ordinals beyond the table', () => {
    const at = image({ Only: 0x1100 }, (view) => {
      view.setUint16(DIRECTORY_AT + 0x300, 9, true);
    });
    expect(at(0x1200)).to.equal(null);
  });
});
