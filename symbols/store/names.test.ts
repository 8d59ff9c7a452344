import { expect } from 'chai';
import fc from 'fast-check';
import { posix, win32 } from 'node:path';
import { baseName, compressedName, extension, nameProblem } from './names.js';
import { identityText, isRequested, normalGuid, requestProblem, storeKey } from './http/request.js';
import { DRIVER, GUID, NT, OTHER_GUID } from './store.test.helper.js';

/** A name that a hostile dump or PDB may hold. */
const hostile = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.string({ unit: 'binary', maxLength: 6 }),
  fc
    .array(
      fc.constantFrom(
        '..',
        '.',
        '/',
        '\\',
        'C:',
        ':',
        'con',
        'NUL',
        'COM1',
        '.pdb',
        ' ',
        'a',
        '\0',
        '\n',
        '\u202e',
        '*',
        'file.ptr',
        '~',
        '\u00b9',
      ),
      { maxLength: 5 },
    )
    .map((parts) => parts.join('')),
);

describe('names of symbol files', () => {
  it('allows those of real files', () => {
    for (const name of [
      'ntkrnlmp.pdb',
      'myfault.sys',
      'C++ tool (x64).pdb',
      'a',
      'Ünïcode.pdb',
      '驱动.pdb',
      'x.y.z.pdb',
      'console.pdb',
      'com10.pdb',
      '.pdb',
    ]) {
      expect(nameProblem(name), name).to.equal(null);
    }
  });

  it('refuses those that lead elsewhere', () => {
    for (const name of [
      '',
      '.',
      '..',
      '../x.pdb',
      '..\\x.pdb',
      '/etc/passwd',
      'C:\\x.pdb',
      'C:x.pdb',
      'x.pdb:stream',
      'a/b',
      'con',
      'CON.pdb',
      'nul .pdb',
      'Lpt1.txt.pdb',
      'COM\u00b9.pdb',
      'conin$',
      'x.pdb.',
      'x.pdb ',
      ' x.pdb',
      'x\0.pdb',
      'x\n.pdb',
      'x\u202egpj.pdb',
      'x\ud800.pdb',
      'a*b',
      'a?b',
      'a|b',
      'file.ptr',
      'FILE.PTR',
      'index2.txt',
      'x'.repeat(201),
    ]) {
      expect(nameProblem(name), JSON.stringify(name)).to.be.a('string');
    }
  });

  it('allows nothing that leaves its folder, on any system (property)', () => {
    let allowed = 0;
    fc.assert(
      fc.property(hostile, (name) => {
        if (nameProblem(name) !== null) return;
        allowed++;
        for (const path of [posix, win32]) {
          const root = path === posix ? '/cache/store' : 'C:\\cache\\store';
          const joined = path.join(root, name);
          expect(path.dirname(joined)).to.equal(root);
          expect(path.basename(joined)).to.equal(name);
          expect(path.normalize(joined)).to.equal(joined);
        }
        expect(name).to.match(/^[^\u0000-\u001f\\/:*?"<>|]+$/);
        expect(name).to.not.match(/^(con|nul|com1)(\.|$)/i);
      }),
      { numRuns: 2000 },
    );
    expect(allowed).to.be.greaterThan(100);
  });

  it('takes the last part of a recorded path, extensions and compressed names', () => {
    expect(baseName('D:\\build\\obj\\x.pdb')).to.equal('x.pdb');
    expect(baseName('/b/x.pdb')).to.equal('x.pdb');
    expect(baseName('x.pdb')).to.equal('x.pdb');
    expect([extension('a.b.SYS'), extension('none')]).to.deep.equal(['sys', '']);
    expect([compressedName('ntkrnlmp.pdb'), compressedName('x.sy_')]).to.deep.equal(['ntkrnlmp.pd_', null]);
  });
});

describe('symbol requests', () => {
  it('have the keys of SymStore', () => {
    expect(storeKey({ ...NT, guid: '{01234567-89ab-cdef-0123-456789abcdef}', age: 0x2b })).to.equal(`${GUID}2B`);
    expect(storeKey(DRIVER)).to.equal('005B7A1Cabc000');
    expect(normalGuid('0123')).to.equal(null);
  });

  it('are refused where nothing could match them', () => {
    expect(requestProblem(NT)).to.equal(null);
    expect(requestProblem(DRIVER)).to.equal(null);
    expect(requestProblem({ ...NT, guid: 'xyz' })).to.match(/GUID/);
    expect(requestProblem({ ...NT, age: -1 })).to.match(/age/);
    expect(requestProblem({ ...NT, age: 1.5 })).to.match(/age/);
    expect(requestProblem({ ...DRIVER, sizeOfImage: 2 ** 32 })).to.match(/size/);
    expect(requestProblem({ ...NT, name: '../x' })).to.match(/^the name holds/);
  });

  it('match by identity and nothing else', () => {
    expect(isRequested(NT, { kind: 'pdb', guid: GUID.toLowerCase(), age: 1 })).to.equal(true);
    expect(isRequested(NT, { kind: 'pdb', guid: GUID, age: 2 })).to.equal(false);
    expect(isRequested(NT, { kind: 'pdb', guid: OTHER_GUID, age: 1 })).to.equal(false);
    expect(isRequested(NT, { kind: 'image', timeDateStamp: 1, sizeOfImage: 1 })).to.equal(false);
    expect(isRequested(DRIVER, { ...DRIVER })).to.equal(true);
    expect(isRequested(DRIVER, { ...DRIVER, timeDateStamp: 1 })).to.equal(false);
    expect(isRequested(DRIVER, { ...DRIVER, sizeOfImage: 1 })).to.equal(false);
    expect(isRequested(DRIVER, { kind: 'pdb', guid: GUID, age: 1 })).to.equal(false);
    expect(identityText(DRIVER)).to.equal('time stamp 005b7a1c, size abc000');
  });
});
