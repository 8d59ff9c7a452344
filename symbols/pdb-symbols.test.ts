import { expect } from 'chai';
import { failed } from '../parsers/bytes/failure.js';
import { MemorySource } from '../parsers/bytes/source.js';
import { openPdb, type Pdb } from '../parsers/pdb/pdb.js';
import { kernelFacts, kernelVersions } from '../test-dumps/kernel-facts.js';
import { objectKernel } from '../test-dumps/objects/facts.js';
import { kernelPdb } from '../test-dumps/pdb/kernel-pdb.js';
import { AMD64, GUID, plainPdb } from '../test-dumps/pdb/plain-pdb.js';
import { symbolRecord as S } from '../test-dumps/pdb/pdb-writer.js';
import { T, TypeWriter } from '../test-dumps/pdb/type-writer.js';
import { pdbFacts } from './pdb-symbols.js';
import { makeProfile, readProfile } from './profile-file.js';

function open(parts: Parameters<typeof plainPdb>[0]): Pdb {
  const pdb = openPdb(new MemorySource(plainPdb(parts), 'ntkrnlmp.pdb'));
  if (failed(pdb)) throw new Error(pdb.message);
  return pdb;
}

const at = (name: string, offset: number): { name: string; segment: number; offset: number } => ({
  name,
  segment: 2,
  offset,
});

describe('a PDB as a source of kernel facts', () => {
  it('knows its identity, and what it is told of the image', () => {
    const facts = pdbFacts(open({}), { pdbName: 'ntkrnlmp.pdb', version: '10.0.26100.1', timeDateStamp: 5 });
    expect(facts.pdb).to.deep.equal({ name: 'ntkrnlmp.pdb', guid: GUID, age: 2 });
    expect(facts).to.include({ machine: AMD64, version: '10.0.26100.1', timeDateStamp: 5, sizeOfImage: null });
  });

  it('takes all names of the kernel in one pass, others when they are asked for', () => {
    const pdb = open({ symbols: [S.public(at('PoolTrackTable', 8)), S.public(at('MyOwnName', 16))] });
    let passes = 0;
    const symbols = pdb.symbols.bind(pdb);
    pdb.symbols = (names) => {
      passes++;
      return symbols(names);
    };
    const facts = pdbFacts(pdb, { pdbName: 'ntkrnlmp.pdb' });
    expect(facts.rva('PoolTrackTable')).to.equal(0x6008);
    expect(facts.rva('ExPoolTagTables')).to.equal(null);
    expect(facts.rva('MiState')).to.equal(null);
    expect(passes).to.equal(1);
    for (let i = 0; i < 3; i++) expect(facts.rva('MyOwnName')).to.equal(0x6010);
    for (let i = 0; i < 3; i++) expect(facts.rva('NoSuchName')).to.equal(null);
    expect(passes).to.equal(3);
  });

  it('measures ExPoolTagTables by its type, else by the next symbol', () => {
    const types = new TypeWriter();
    const tables = types.array(types.pointer(T.void), 64 * 8);
    const next = S.public(at('Next', 0x1800));
    const capacity = (symbols: Uint8Array[]): number | null =>
      pdbFacts(open({ symbols, types }), { pdbName: 'x' }).poolTagTablesCapacity;
    expect(capacity([S.public(at('ExPoolTagTables', 0x1000)), next])).to.equal(256);
    expect(
      capacity([S.public(at('ExPoolTagTables', 0x1000)), S.global(at('ExPoolTagTables', 0x1000), tables), next]),
    ).to.equal(64);
    expect(capacity([next])).to.equal(null);
  });

  for (const version of kernelVersions()) {
    it(`a PDB of ${version} tells of processes, objects and handles`, () => {
      const kernel = objectKernel(kernelFacts(version));
      const pdb = openPdb(new MemorySource(kernelPdb(kernel), 'ntkrnlmp.pdb'));
      if (failed(pdb)) throw new Error(pdb.message);
      const facts = pdbFacts(pdb, { pdbName: 'ntkrnlmp.pdb' });
      for (const type of ['_EPROCESS', '_ETHREAD', '_OBJECT_HEADER', '_OBJECT_TYPE', '_HANDLE_TABLE', '_TOKEN']) {
        const [layout, known] = [facts.layout(type), kernel.structs[type]];
        expect(layout?.size, type).to.equal(known?.size);
        for (const [field, offset] of Object.entries(known?.fields ?? {}))
          expect(layout?.fields[field]?.offset, `${type}.${field}`).to.equal(offset);
      }
      const { fields } = facts.layout('_HANDLE_TABLE_ENTRY') ?? {};
      if (kernel.build >= 9600) expect(fields?.['ObjectPointerBits']?.type).to.equal('unsigned long long:20:44');
      else expect(fields?.['Object']?.type).to.equal('*void');
      for (const name of ['PspCidTable', 'ObTypeIndexTable', 'HandleTableListHead'])
        expect(facts.rva(name), name).to.equal(kernel.rva[name]);
    });

    it(`a PDB of ${version} becomes a profile with the same addresses and layouts`, () => {
      const kernel = kernelFacts(version);
      const types = new TypeWriter();
      for (const [type, { size, fields }] of Object.entries(kernel.structs)) {
        types.struct(
          type,
          size,
          Object.entries(fields).map(([name, offset]) => ({ name, type: T.uquad, offset })),
        );
      }
      const symbols = Object.entries(kernel.rva).map(([name, rva]) =>
        S.public({ name, segment: 1, offset: rva - 0x1000 }),
      );
      const sections = [{ name: '.data', rva: 0x1000, size: 0x2000000 }];
      const facts = pdbFacts(open({ ...kernel.pdb, symbols, types, sections }), { pdbName: 'ntkrnlmp.pdb' });
      const profile = readProfile(makeProfile(facts));
      if (failed(profile)) throw new Error(profile.message);
      expect(profile.pdb).to.deep.equal(kernel.pdb);
      for (const [name, rva] of Object.entries(kernel.rva)) {
        expect(facts.rva(name), name).to.equal(rva);
        expect(profile.rva(name), name).to.equal(rva);
      }
      for (const [type, { size, fields }] of Object.entries(kernel.structs)) {
        for (const source of [facts, profile]) {
          const layout = source.layout(type);
          expect(layout?.size, type).to.equal(size);
          for (const [name, offset] of Object.entries(fields)) {
            expect(layout!.fields[name]?.offset, `${type}.${name}`).to.equal(offset);
          }
        }
      }
    });
  }
});
