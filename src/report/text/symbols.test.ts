import { expect } from 'chai';
import type { ModuleSymbols, SymbolCheck } from '../../../symbols/store/check.js';
import type { Outcome, Place } from '../../../symbols/store/places.js';
import { goldenBeside, mapStrings } from '../../views/golden.test.helper.js';
import { renderSymbolCheck } from './symbols.js';

const expectGolden = goldenBeside(import.meta.url);

const GUID = '0123456789ABCDEF0123456789ABCDEF';
const SERVER = 'srv*C:\\sym*https://msdl.microsoft.com/download/symbols';
const URL = `https://msdl.microsoft.com/download/symbols/fltmgr.pdb/${GUID}1/fltmgr.pdb`;

const place = (where: string, outcome: Outcome, detail: string | null = null): Place => ({
  element: SERVER,
  where,
  outcome,
  detail,
});

const pdb = (module: string, name: string, more: Partial<ModuleSymbols>): ModuleSymbols => ({
  module,
  needed: { kind: 'pdb', name, guid: GUID, age: 1, timeDateStamp: null, sizeOfImage: null },
  status: 'missing',
  file: null,
  how: null,
  from: null,
  note: null,
  lookedAt: [],
  ...more,
});

const EMPTY: SymbolCheck = {
  path: [],
  problems: [],
  hasServer: false,
  servers: 'probe',
  modules: [],
  counts: { found: 0, 'on-server': 0, mismatch: 0, missing: 0, 'not-known': 0 },
};

/** One of every kind. */
const MIXED: SymbolCheck = {
  ...EMPTY,
  path: [
    { origin: '--symbols', element: 'D:\\my symbols' },
    { origin: '_NT_SYMBOL_PATH', element: SERVER },
  ],
  problems: [
    {
      origin: '_NT_SYMBOL_PATH',
      element: 'foo*bar',
      message: 'foo* is not a kind of element: srv*, cache* and symsrv* are',
    },
    { origin: 'HTTP_PROXY', element: '', message: 'it is not the address of an HTTP proxy' },
  ],
  hasServer: true,
  counts: { found: 2, 'on-server': 1, mismatch: 1, missing: 2, 'not-known': 1 },
  modules: [
    pdb('nt', 'ntkrnlmp.pdb', {
      status: 'found',
      how: 'file',
      file: `C:\\sym\\ntkrnlmp.pdb\\${GUID}1\\ntkrnlmp.pdb`,
      from: `C:\\sym\\ntkrnlmp.pdb\\${GUID}1\\ntkrnlmp.pdb`,
    }),
    pdb('hal', 'hal.pdb', {
      status: 'found',
      how: 'unpacked',
      file: `C:\\sym\\hal.pdb\\${GUID}1\\hal.pdb`,
      from: `\\\\server\\symbols\\hal.pdb\\${GUID}1\\hal.pd_`,
    }),
    pdb('fltmgr', 'fltmgr.pdb', { status: 'on-server', from: URL }),
    pdb('myfault', 'myfault.pdb', {
      status: 'mismatch',
      lookedAt: [
        place('D:\\my symbols\\myfault.pdb', 'mismatch', `it has GUID ${GUID}, age 2`),
        place('C:\\sym', 'no-folder', 'no such file or folder'),
        place(
          'https://msdl.microsoft.com',
          'failed',
          'msdl.microsoft.com: the name of the host is not known (ENOTFOUND)',
        ),
      ],
    }),
    {
      ...pdb('a_module_with_a_long_name', 'x', {}),
      needed: { kind: 'image', name: 'x.sys', guid: null, age: null, timeDateStamp: 0x5b7a1c, sizeOfImage: 0xabc000 },
      lookedAt: [place('D:\\my symbols\\x.sys', 'absent')],
    },
    pdb('third', 'third.pdb', { lookedAt: [place('D:\\my symbols\\third.pdb', 'absent')] }),
    {
      ...pdb('odd', '', {}),
      needed: null,
      status: 'not-known',
      note: 'the page with its CodeView record is not in the dump',
    },
  ],
};

describe('the text of symbols check', () => {
  it('shows path, problems, files and places', () => {
    expectGolden('symbols.txt', renderSymbolCheck(MIXED));
  });

  it('says what to do where nothing was found', () => {
    const counts = { ...EMPTY.counts, missing: 1 };
    const modules = [pdb('nt', 'ntkrnlmp.pdb', {})];
    expectGolden('symbols-none.txt', renderSymbolCheck({ ...EMPTY, counts, modules }));
    expect(renderSymbolCheck({ ...EMPTY, path: MIXED.path, counts, modules })).to.match(
      /\n\nThe symbol path names no server\. /,
    );
    const local = { ...EMPTY, path: MIXED.path, hasServer: true, servers: 'none' as const, counts, modules };
    expect(renderSymbolCheck(local)).to.contain('\nThe servers of the path were not asked.\n');
    expect(renderSymbolCheck(EMPTY)).to.equal('Symbol path\n  none\n\nNothing is needed\n');
  });

  it('is as narrow as asked, coloured or ASCII', () => {
    const plain = renderSymbolCheck(MIXED);
    const colored = renderSymbolCheck(MIXED, { color: true });
    expect(colored.replace(/\u001b\[\d+m/g, '')).to.equal(plain);
    expect(colored).to.not.equal(plain);
    expect(renderSymbolCheck(MIXED, { ascii: true })).to.match(/^[\n\x20-\x7e]+$/);
  });

  it('lists ten files and thirty places, and says that there are more', () => {
    const lookedAt = Array.from({ length: 35 }, (_, i) => place(`D:\\${i}`, 'absent'));
    const modules = Array.from({ length: 12 }, (_, i) => pdb(`m${i}`, `m${i}.pdb`, { lookedAt }));
    const text = renderSymbolCheck({ ...EMPTY, modules, counts: { ...EMPTY.counts, missing: 12 } });
    expect(text.match(/ {4}• D:/g)).to.have.length(300);
    expect(text.match(/ {4}and 5 more places: all of them with --json/g)).to.have.length(10);
    expect(text).to.contain('\n  and 2 more files: all of them with --json\n');
  });

  it('lets nothing from a dump, a path or a server reach the terminal', () => {
    const codes = new Set(['status', 'outcome', 'servers', 'kind', 'how']);
    const hostile = mapStrings(MIXED, (text, key) => (codes.has(key) ? text : `${text}\u001b[2J\r\u202e\n`));
    const text = renderSymbolCheck(hostile);
    expect(text).to.not.match(/[\u0000-\u0009\u000b-\u001f\u202e]/);
    expect(text.split('\n').every((line) => !line.startsWith('['))).to.equal(true);
  });
});
