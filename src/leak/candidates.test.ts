import { expect } from 'chai';
import type { ModuleInfo } from '../result/result.js';
import { areaOf, candidatesOf, type FunctionImports } from './candidates.js';
import { modulesOf } from './scenario.test.helper.js';

/** Modules with what they import; null for one that cannot be read, a last `...` for one of which more may be there. */
function machine(imports: Readonly<Record<string, string | null>>): {
  modules: ModuleInfo[];
  functions: FunctionImports;
} {
  const modules = modulesOf(...Object.keys(imports));
  return {
    modules,
    functions: {
      functionsOf: (place) => {
        const text = Object.values(imports)[place];
        if (text === null || text === undefined) return null;
        const names = text.split(' ');
        return { names: new Set(names), complete: !names.includes('...') };
      },
    },
  };
}

const WORLD = machine({
  'ntoskrnl.exe': 'FltRegisterFilter',
  'fileinfo.sys': 'FltRegisterFilter',
  'orbitav.sys': 'ZwClose FltRegisterFilter PsSetCreateProcessNotifyRoutineEx',
  'relayvpn.sys': 'FwpsCalloutRegister2 NdisFRegisterFilterDriver',
  'oldfilter.sys': 'IoRegisterFsRegistrationChange',
  'vantagemon.sys': 'CmRegisterCallbackEx ObRegisterCallbacks',
  'packed.sys': '...',
  'gone.sys': null,
  'tcpip.sys': null,
});

const row = (tag: string, binary: string | null = null): Parameters<typeof areaOf>[0] => ({
  tag,
  binary,
  tagSource: binary === null ? null : 'pooltag.txt',
});

describe('who could be behind a tag of Windows', () => {
  it('goes by the part of Windows that the tag belongs to', () => {
    expect(areaOf(row('FMfn'))).to.equal('file-system');
    expect(areaOf(row('NtFC'))).to.equal('file-system');
    expect(areaOf(row('Qxyz', 'fltmgr.sys or other.sys'))).to.equal('file-system');
    expect(areaOf(row('AfdE'))).to.equal('network');
    expect(areaOf(row('NDnd', 'ndis.sys'))).to.equal('network');
    expect(areaOf(row('CM31'))).to.equal('registry');
    expect(areaOf(row('Proc'))).to.equal('processes');
    expect(areaOf(row('MmSt'))).to.equal(null);
    expect(areaOf(row('Qxyz'))).to.equal(null);
    expect(areaOf(row('Qxyz', 'acme.sys'))).to.equal(null);
  });

  it('lists drivers by what they import, those of others before parts of Windows, and never the kernel', () => {
    const { modules, functions } = WORLD;
    const names = (area: Parameters<typeof candidatesOf>[0]): string[] =>
      candidatesOf(area, modules, functions).drivers.map(({ module, roles }) => `${module}: ${roles.join(', ')}`);
    expect(names('file-system')).to.deep.equal([
      'orbitav.sys: file-system-filter, process-callback',
      'oldfilter.sys: legacy-file-system-filter',
      'fileinfo.sys: file-system-filter',
    ]);
    expect(names('network')).to.deep.equal(['relayvpn.sys: wfp-callout, ndis-filter']);
    expect(names('registry')).to.deep.equal(['vantagemon.sys: registry-callback, object-callback']);
    expect(names('processes')).to.deep.equal([
      'orbitav.sys: file-system-filter, process-callback',
      'vantagemon.sys: registry-callback, object-callback',
    ]);
  });

  it('says whose imports are not in the dump, unless they are parts of Windows', () => {
    const { unread, unreadCount } = candidatesOf('network', WORLD.modules, WORLD.functions);
    expect(unread).to.deep.equal(['packed.sys', 'gone.sys']);
    expect(unreadCount).to.equal(2);
    const many = machine(Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`gone${i}.sys`, null])));
    const found = candidatesOf('network', many.modules, many.functions);
    expect([found.unread.length, found.unreadCount]).to.deep.equal([32, 50]);
  });

  it('puts first whom something else leads to, parts of Windows as well', () => {
    const why = ({ name }: ModuleInfo): string | null => (name === 'fileinfo.sys' ? 'its tag grows with it' : null);
    const { drivers } = candidatesOf('file-system', WORLD.modules, WORLD.functions, why);
    expect(drivers.map(({ module, because }) => [module, because])).to.deep.equal([
      ['fileinfo.sys', 'its tag grows with it'],
      ['orbitav.sys', null],
      ['oldfilter.sys', null],
    ]);
  });
});
