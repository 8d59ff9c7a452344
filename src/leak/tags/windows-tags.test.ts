import { expect } from 'chai';
import { modulesOf, tagRow } from '../scenario.test.helper.js';
import { isCacheTag, isKernelImage, isWindowsTag, ownerModules, sharedDefault } from './windows-tags.js';

const LOADED = modulesOf('ntoskrnl.exe', 'tcpip.sys', 'fltmgr.sys', 'ntfs.sys');

describe('tags of Windows', () => {
  it('go by the binary of the row', () => {
    expect(isWindowsTag(tagRow('Zzz1', {}, 'nt!mm', 'pooltag.txt'), LOADED)).to.equal(true);
    expect(isWindowsTag(tagRow('Zzz1', {}, 'vendor.sys', 'pooltag.txt'), LOADED)).to.equal(false);
    expect(isWindowsTag(tagRow('Zzz1', {}, 'nvlddmkm.sys', 'built-in'), LOADED)).to.equal(false);
  });

  it('go by the built-in list where the row names none', () => {
    for (const tag of ['MmSt', 'Ntff', 'CM31', 'FMfn', 'Thre', 'Proc', 'Toke', 'Mup ']) {
      expect(isWindowsTag(tagRow(tag, {}), LOADED), tag).to.equal(true);
    }
    expect(isWindowsTag(tagRow('Leak', {}), LOADED)).to.equal(false);
  });

  it("are also the kernel's own objects, which no list names a binary for", () => {
    for (const tag of ['File', 'Even', 'Irp ', 'Pool'])
      expect(isWindowsTag(tagRow(tag, {}), LOADED), tag).to.equal(true);
  });

  it('are case-sensitive', () => expect(isWindowsTag(tagRow('mmst', {}), LOADED)).to.equal(false));

  it('are not documented by localtag.txt, which lists what driver files hold', () => {
    expect(isWindowsTag(tagRow('Leak', {}, 'tcpip.sys', 'localtag.txt'), LOADED)).to.equal(false);
  });

  it('by wildcard only where the driver is loaded: Ip?? is an old ipsec.sys, and anybody else', () => {
    const row = tagRow('IpVn', {}, 'ipsec.sys');
    expect(isWindowsTag(row, LOADED)).to.equal(false);
    expect(isWindowsTag(row, modulesOf('ipsec.sys'))).to.equal(true);
    expect(isWindowsTag(row, null)).to.equal(true);
    expect(isWindowsTag(tagRow('CM99', {}, 'nt!cm'), modulesOf('x.sys'))).to.equal(true);
  });
});

describe('other tags', () => {
  it('shared defaults say what they are', () => {
    for (const tag of ['None', 'Ddk ', 'Wdm ', 'FxDr']) expect(sharedDefault(tag), tag).to.be.a('string');
    expect(sharedDefault('Ddk')).to.equal(null);
    expect(sharedDefault('Leak')).to.equal(null);
  });

  it('caches are known', () => {
    expect(['MmSt', 'CM31', 'Ntff', 'FMfn'].every(isCacheTag)).to.equal(true);
    expect(['Toke', 'Leak', 'Cm31'].some(isCacheTag)).to.equal(false);
  });
});

describe('modules', () => {
  it('of the kernel are told apart from drivers', () => {
    expect(
      ['ntoskrnl.exe', 'NTKRNLMP.EXE', 'ntkrnlpa.exe', 'ntkrla57.exe', 'hal.dll', 'halmacpi.dll'].every(isKernelImage),
    ).to.equal(true);
    expect(['ntfs.sys', 'halo.sys', 'ntoskrnl.exe.sys', 'win32k.sys'].some(isKernelImage)).to.equal(false);
  });

  it('are found for what a list calls them', () => {
    expect(ownerModules('nt!mm', LOADED)).to.deep.equal([0]);
    expect(ownerModules('TCPIP.SYS', LOADED)).to.deep.equal([1]);
    expect(ownerModules('ntfs.sys/fltmgr.sys', LOADED)).to.deep.equal([2, 3]);
    expect(ownerModules('nt', modulesOf('hal.dll', 'ntoskrnl.exe'))).to.deep.equal([1]);
    expect(ownerModules('<multiple>', LOADED)).to.deep.equal([]);
    expect(ownerModules('', LOADED)).to.deep.equal([]);
  });
});
