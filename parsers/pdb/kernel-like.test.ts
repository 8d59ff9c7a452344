import { expect } from 'chai';
import { Failure } from '../bytes/failure.js';
import { MemorySource } from '../bytes/source.js';
import { findTool } from '../find-tool.test.helper.js';
import { buildKernelLike, bytesAtRva, FIELDS, type KernelLike } from './kernel-like.test.helper.js';
import { openPdb, type Pdb } from './pdb.js';
import { opened } from './pdb.test.helper.js';
import { structsOf } from './pdbutil.test.helper.js';

const MARKER = 0x4c494b45;

/** Types of fields by name, as 64-bit compilers see them. */
const TYPES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  _POOL_TRACKER_TABLE: { Key: 'long', NonPagedBytes: 'unsigned long long' },
  _POOL_TRACKER_BIG_PAGES: {
    Va: 'unsigned long long',
    Pattern: 'unsigned long:0:8',
    PoolType: 'unsigned long:8:12',
    SlushSize: 'unsigned long:20:12',
    ProcessBilled: '*_EPROCESS',
  },
  _MMPTE: { u: '__unnamed' },
  _MMPTE_HARDWARE: {
    Valid: 'unsigned long long:0:1',
    PageFrameNumber: 'unsigned long long:12:36',
    NoExecute: 'unsigned long long:63:1',
  },
  _MMPFN: { ListEntry: '_LIST_ENTRY', u1: '__unnamed', PteAddress: '*_MMPTE', u3: '__unnamed' },
  _MI_VISIBLE_STATE: { CommitLimit: 'unsigned long long[2]', SystemVaType: 'unsigned char[3][5]' },
  _MI_POOL_STATE: { Failures: 'unsigned long[3][3]', Callback: '*' },
  _MI_SYSTEM_INFORMATION: {
    Pools: '_MI_POOL_STATE',
    Ptes: '*_MMPTE[7]',
    Heads: '_LIST_ENTRY[4]',
    Type: '_POOL_TYPE',
    Types: '_POOL_TYPE[2]',
    Database: '*',
    Table: '*',
    Ratio: 'double',
    Letter: 'unsigned short',
    Vs: '_MI_VISIBLE_STATE',
    Tail: 'unsigned char[0]',
  },
  _BIG: { Skip: 'unsigned char[36864]', a: 'unsigned long', b: 'unsigned long', c: 'unsigned long long' },
};

const PROCESSORS = [
  ['x86_64', 0x8664],
  ['aarch64', 0xaa64],
  ['i686', 0x14c],
] as const;

for (const [processor, machine] of PROCESSORS) {
  describe(`a kernel-like PDB of clang and lld-link for ${processor}`, () => {
    let built: KernelLike | null = null;
    let pdb: Pdb;
    let image: Buffer;

    before(function () {
      this.timeout(60_000);
      const clang = findTool('clang');
      const link = findTool('lld-link');
      if (clang === null || link === null) {
        this.test!.title += ' (no clang and lld-link here)';
        this.skip();
      }
      built = buildKernelLike(clang, link, processor);
      image = built.image;
      pdb = opened(built.pdb);
    });
    after(() => built?.remove());

    it('belongs to its image', () => {
      const at = image.indexOf('RSDS', 0, 'latin1');
      const { guid, age, machine: own } = pdb.identity;
      expect(own).to.equal(machine);
      expect(
        image
          .readUInt32LE(at + 4)
          .toString(16)
          .toUpperCase()
          .padStart(8, '0'),
      ).to.equal(guid.slice(0, 8));
      expect(
        image
          .subarray(at + 12, at + 20)
          .toString('hex')
          .toUpperCase(),
      ).to.equal(guid.slice(16));
      expect(image.readUInt32LE(at + 20)).to.equal(age);
    });

    it('gives the offsets that the compiler wrote down', () => {
      const marker = pdb.symbols(['Marker']).get('Marker')!;
      const numbers = bytesAtRva(image, marker.rva);
      expect(numbers.readUInt32LE(0)).to.equal(MARKER);
      const expected = FIELDS.map(([type, field], i) => `${type}.${field}@${numbers.readUInt32LE(4 + i * 4)}`);
      const found = FIELDS.map(([type, field]) => `${type}.${field}@${pdb.layout(type)?.fields[field]?.offset}`);
      expect(found).to.deep.equal(expected);
    });

    it('spells the types of fields', () => {
      for (const [type, fields] of Object.entries(TYPES)) {
        for (const [field, wide] of Object.entries(fields)) {
          const isSize = field === 'NonPagedBytes' || field === 'CommitLimit';
          const expected = isSize && processor === 'i686' ? wide.replace('long long', 'long') : wide;
          expect(pdb.layout(type)?.fields[field]?.type, `${type}.${field}`).to.equal(expected);
        }
      }
      expect(pdb.enumValue('_POOL_TYPE', 'NonPagedPoolNx')).to.equal(512);
      expect(pdb.notes).to.deep.equal([]);
    });

    it('finds globals where the image has their values', () => {
      const word = (name: string): number => bytesAtRva(image, pdb.symbols([name]).get(name)!.rva).readUInt32LE(0);
      const names = ['PoolTrackTableSize', 'AfterTagTables', 'ExpPoolFlags', 'MiState', 'ExPoolTagTables'];
      expect(names.map(word)).to.deep.equal([0x800, 5, 7, 1, 1]);
      const base = image.readUInt32LE(image.readUInt32LE(0x3c) + 24 + (machine === 0x14c ? 28 : 24));
      expect(word('PoolTrackTable') === 0x1000 || word('PoolTrackTable') === base + 0x1000).to.equal(true);
    });

    it('knows how long the array of tag tables is, and names functions, static ones too', () => {
      const tables = pdb.symbols(['ExPoolTagTables']).get('ExPoolTagTables')!;
      expect(tables.isFunction).to.equal(false);
      expect(pdb.elements(tables.type!)).to.equal(64);
      expect(pdb.bytesToNextSymbol(tables.rva)).to.be.at.least(64 * pdb.pointerSize);
      const found = pdb.symbols(['DriverEntry', 'FastCall', 'LeakNonPaged']);
      expect([...found.keys()]).to.have.members(['DriverEntry', 'FastCall', 'LeakNonPaged']);
      for (const [name, { rva, isFunction }] of found) {
        expect(isFunction).to.equal(true);
        expect(pdb.nearestFunction(rva + 2)).to.deep.include({ name, rva });
      }
    });

    it('shows the same as llvm-pdbutil', function () {
      const tool = findTool('llvm-pdbutil');
      if (tool === null) {
        this.test!.title += ' (no llvm-pdbutil here)';
        this.skip();
      }
      const named = structsOf(tool, built!.pdbPath).filter(({ name }) => !name.includes('<'));
      expect(named.map(({ name }) => name)).to.include.members(Object.keys(TYPES));
      for (const { name, size, members } of named) {
        const layout = pdb.layout(name);
        expect(layout?.size, name).to.equal(size);
        expect(
          Object.entries(layout!.fields).map(([field, { offset }]) => `${field}@${offset}`),
          name,
        ).to.deep.equal(members);
      }
    });

    it('is refused when it is no PDB', () => {
      const failure = openPdb(new MemorySource(image, 't.sys'));
      expect(failure).to.be.instanceOf(Failure).and.include({ code: 'other-format' });
    });
  });
}
