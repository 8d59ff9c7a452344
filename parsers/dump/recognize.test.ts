/** Files that people hand in and that are no kernel dumps: each is told, with what to do instead. */

import { expect } from 'chai';
import { utf16 } from '../../test-dumps/bytes.js';
import { notADump } from './recognize.js';

const told = (head: Uint8Array | string, path = 'x.dmp', allZero = false): [string, string] => {
  const { code, message } = notADump(path, typeof head === 'string' ? Buffer.from(head, 'latin1') : head, allZero);
  return [code, message];
};

describe('what is no kernel dump', () => {
  for (const [magic, what] of [
    ['MDMP', /user-mode minidump.*collect a kernel dump/],
    ['USERDU64', /user-mode dump/],
    ['Raw_Dmp!', /UEFI/],
    ['\x7fELF', /ELF core.*elf2dmp/],
    ['\xd2\xbe\xd2\xbe', /VMware.*vmss2core/],
    ['hibr', /hibernation/],
    ['HIBR', /hibernation/],
    ['EMiL', /LiME/],
    ['MSCF', /cabinet.*unpack/],
    ['MZ\x90', /program or driver/],
    ['Microsoft C/C++ MSF', /PDB/],
    ['vhdxfile', /virtual disk/],
    ['KDMV', /VMware disk/],
    ['ElfFile', /event trace/],
  ] as const) {
    it(`is told by its beginning: ${JSON.stringify(magic)}`, () => {
      const [code, message] = told(`${magic}\0\0\x01\0`);
      expect(code).to.equal('wrong-kind');
      expect(message).to.match(what);
      expect(told(`x${magic}\0\0`)[0]).to.equal('not-a-dump');
    });
  }

  it('is told by its name where memory has no beginning of its own', () => {
    for (const [path, what] of [['a.vmem', /VMware/], ['a.VMSN', /VMware/], ['a.vmrs', /Hyper-V/], ['a.bin', /Hyper-V/], ['a.sav', /virtual machine/]] as const) {
      expect(told('\x01\0\xff\xff', path)[1], path).to.match(what);
    }
    expect(told('\x01\0\xff\xff', 'vmem.dmp')[0]).to.equal('not-a-dump');
  }); // prettier-ignore

  it('is empty, zeros only, text, or unknown by its first word', () => {
    expect(told('')[0]).to.equal('empty');
    expect(told('\0\0\0\0', 'x.dmp', true)[0]).to.equal('all-zero');
    expect(told('Tag Type Allocs\t1\r\n~\f')[0]).to.equal('text-file');
    expect(told(Buffer.concat([Buffer.from([0xff, 0xfe]), utf16('Tag')]))[0]).to.equal('text-file');
    expect(told(Buffer.concat([Buffer.from([0xfe, 0xff]), Buffer.from('\0T')]))[0]).to.equal('text-file');
    for (const odd of ['Tag\x7f', 'Tag\x01', 'Tag\x1f']) expect(told(odd)[0], odd).to.equal('not-a-dump');
    expect(told('\x01\x02\x03\x04\x05')[1]).to.contain('0x04030201');
    expect(told('\x01')[1]).to.contain('0x00000001');
  }); // prettier-ignore
});
