import { expect } from 'chai';
import { virtual } from '../../../parsers/addresses.js';
import type { ImageName } from './image-names.js';
import type { EntryName, ListEntry } from './list-entry.js';
import { chooseName, takenNames } from './module-name.js';

const name = (text: string | null, wrong: string | null = null): EntryName => ({ text, wrong });
const entry = (base: EntryName, full: EntryName): ListEntry => ({
  ...{ address: virtual(1n), base: virtual(0n), entryPoint: virtual(0n), size: 0x1000, checkSum: 0, timeDateStamp: 0 },
  ...{ baseName: base, fullName: full },
});
const path = (text: string): EntryName => name(`\\SystemRoot\\System32\\drivers\\${text}`);
const pdb = (text: string): ImageName => ({ text, from: 'its PDB' });
const PARTMGR = entry(name('partmgr.sys'), path('partmgr.sys'));

/** `name, how sure` of an entry beside partmgr.sys. */
function chosen(base: EntryName, full: EntryName, images: ImageName[] = []): string {
  const own = entry(base, full);
  const result = chooseName(own, images, takenNames([PARTMGR, own]));
  const open = result.doubts.some((doubt) => !doubt.settled);
  return `${result.name} ${open ? 'open' : result.doubts.length > 0 ? 'settled' : 'sure'} ${result.path === null ? '' : 'with path'}`.trim();
}

describe('the name of a module', () => {
  it('is that of the list where both names agree, whatever the image was called when it was built', () => {
    expect(chosen(name('vendor.sys'), path('VENDOR.SYS'), [pdb('project1.sys')])).to.equal('vendor.sys sure with path');
    expect(chosen(name('vendor.sys'), name(null))).to.equal('vendor.sys sure');
    expect(chosen(name(null), path('vendor.sys'))).to.equal('vendor.sys sure with path');
  });

  it('may be one that the loader gave', () => {
    const full = path('mcupdate_GenuineIntel.dll');
    expect(chosen(name('mcupdate.dll'), full, [pdb('mcupdate_GenuineIntel.sys')])).to.equal(
      'mcupdate.dll sure with path',
    );
    expect(chosen(name('kdcom.dll'), path('kd.dll'))).to.equal('kdcom.dll sure with path');
  });

  it('is not that of another module that BaseDllName points at', () => {
    expect(chosen(name('partmgr.sys'), path('bthport.sys'), [pdb('bthport.sys')])).to.equal(
      'bthport.sys settled with path',
    );
    expect(chosen(name('partmgr.sys'), path('bthport.sys'))).to.equal('bthport.sys open with path');
    expect(chosen(name('partmgr.sys'), name(null), [pdb('bthport.sys')])).to.equal('partmgr.sys open');
    expect(chosen(name('partmgr.sys'), name(null))).to.equal('partmgr.sys open');
  });

  it('is not that of another module that FullDllName points at', () => {
    expect(chosen(name('bthport.sys'), path('partmgr.sys'), [pdb('bthport.sys')])).to.equal('bthport.sys settled');
    expect(chosen(name('bthport.sys'), path('partmgr.sys'))).to.equal('bthport.sys open');
  });

  it('is not a piece of it', () => {
    for (const piece of ['bthp', 'bthport.s', 'port.sys', 'bthport.\u0173ys', 'bthport-sys']) {
      expect(chosen(name(piece), path('bthport.sys'), [pdb('bthport.sys')]), piece).to.equal(
        'bthport.sys settled with path',
      );
      expect(chosen(name('bthport.sys'), path(piece), [pdb('bthport.sys')]), piece).to.match(/^bthport.sys settled/);
    }
  });

  it('is the other where one can be none, and the image names it where neither can', () => {
    const wrong = name(null, 'has 30000 characters');
    expect(chosen(wrong, path('bthport.sys'), [pdb('bthport.sys')])).to.equal('bthport.sys settled with path');
    expect(chosen(name('bthport.sys'), wrong, [pdb('bthport.sys')])).to.equal('bthport.sys settled');
    expect(chosen(wrong, wrong, [pdb('bthport.sys')])).to.equal('bthport.sys open');
    expect(chosen(wrong, name(null))).to.equal('unknown open');
    expect(chosen(name(null), name(null))).to.equal('unknown sure');
  });

  it('that begins another name does not stand for it', () => {
    const cut = { text: 'bthport', wrong: 'holds a NUL' };
    expect(chosen(cut, path('bthportx.sys'))).to.equal('bthportx.sys open with path');
  });
});
