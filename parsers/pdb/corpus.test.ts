import { expect } from 'chai';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { failed } from '../bytes/failure.js';
import { FileSource } from '../bytes/file-source.js';
import { findTool } from '../find-tool.test.helper.js';
import { guidText } from './info.js';
import { openPdb, type Pdb } from './pdb.js';
import { publicsOf, structsOf } from './pdbutil.test.helper.js';
import { undecorate } from './undecorate.js';

/** From build/parsers/pdb. */
const FOLDER = fileURLToPath(new URL('../../../../shared/corpus/pdb/', import.meta.url));
const PROGRAMS = ['x64-xcpt4', 'x86-xcpt4', 'ARM64-xcpt4'];
const PDBS = [...PROGRAMS.map((name) => `${name}.pdb`), 'minimal.pdb', 'vs2019_cpp_override.pdb'];

const open = (name: string): Pdb => {
  const pdb = openPdb(new FileSource(FOLDER + name));
  if (failed(pdb)) throw new Error(pdb.message);
  return pdb;
};

/** The identity in an image's debug directory: GUID, age and machine. */
function identityOf(image: Buffer): { guid: string; age: number; machine: number } {
  const at = image.indexOf('RSDS', 0, 'latin1');
  return {
    guid: guidText(image, at + 4),
    age: image.readUInt32LE(at + 20),
    machine: image.readUInt16LE(image.readUInt32LE(0x3c) + 4),
  };
}

/** Skipped when the collection of real files is not beside the project. */
describe('PDBs of MSVC', () => {
  before(function () {
    if (!existsSync(FOLDER)) {
      this.test!.title += ' (no ../shared/corpus/pdb here)';
      this.skip();
    }
  });

  for (const name of PROGRAMS) {
    it(`${name}.pdb has the identity that its image asks for`, () => {
      const { guid, age, machine } = open(`${name}.pdb`).identity;
      expect({ guid, age, machine }).to.deep.equal(identityOf(readFileSync(`${FOLDER}${name}.exe`)));
    });

    it(`${name}.pdb knows structures as the Windows headers lay them out`, () => {
      const wide = !name.startsWith('x86');
      const pointer = wide ? 8 : 4;
      expect(open(`${name}.pdb`).layout('_EXCEPTION_RECORD')).to.deep.equal({
        name: '_EXCEPTION_RECORD',
        size: wide ? 0x98 : 0x50,
        fields: {
          ExceptionCode: { offset: 0, type: 'unsigned long' },
          ExceptionFlags: { offset: 4, type: 'unsigned long' },
          ExceptionRecord: { offset: 8, type: '*_EXCEPTION_RECORD' },
          ExceptionAddress: { offset: 8 + pointer, type: '*void' },
          NumberParameters: { offset: 8 + 2 * pointer, type: 'unsigned long' },
          ExceptionInformation: {
            offset: wide ? 0x20 : 0x14,
            type: wide ? 'unsigned long long[15]' : 'unsigned long[15]',
          },
        },
      });
    });

    it(`${name}.pdb names static functions and their sizes`, () => {
      const pdb = open(`${name}.pdb`);
      const main = pdb.symbols(['main']).get('main')!;
      expect(main.isFunction).to.equal(true);
      const found = pdb.nearestFunction(main.rva + 5)!;
      expect(found.name).to.equal('main');
      expect(found.rva).to.equal(main.rva);
      expect(found.size).to.be.greaterThan(5);
    });
  }

  for (const name of PDBS) {
    it(`${name}: every public symbol and every structure as llvm-pdbutil shows them`, function () {
      this.timeout(60_000);
      const tool = findTool('llvm-pdbutil');
      if (tool === null) {
        this.test!.title += ' (no llvm-pdbutil here)';
        this.skip();
      }
      const pdb = open(name);
      const { machine } = pdb.identity;
      const publics = publicsOf(tool, FOLDER + name);
      const addresses = new Map<string, Set<number>>();
      for (const symbol of publics) {
        const plain = undecorate(symbol.name, machine);
        addresses.set(plain, (addresses.get(plain) ?? new Set<number>()).add(symbol.rva));
      }
      const found = pdb.symbols(addresses.keys());
      let compared = 0;
      for (const [plain, [rva, ...others]] of addresses) {
        if (others.length > 0) continue;
        expect(found.get(plain)?.rva, plain).to.equal(rva);
        compared++;
      }
      expect(compared).to.be.greaterThan(publics.length * 0.9);
      for (const { name: decorated, rva, isFunction } of publics) {
        if (isFunction) expect(pdb.nearestFunction(rva)?.rva, decorated).to.equal(rva);
      }

      const structs = structsOf(tool, FOLDER + name);
      const ways = new Map<string, Set<string>>();
      for (const struct of structs) {
        ways.set(struct.name, (ways.get(struct.name) ?? new Set()).add(JSON.stringify(struct)));
      }
      for (const struct of structs) {
        if (ways.get(struct.name)!.size > 1) continue;
        const layout = pdb.layout(struct.name);
        expect(layout?.size, struct.name).to.equal(struct.size);
        const fields = Object.entries(layout!.fields).map(([field, { offset }]) => `${field}@${offset}`);
        expect(fields, struct.name).to.include.members(struct.members.filter((member) => !member.startsWith('@')));
      }
      const unread = pdb.notes.filter((note) => !/stands for several|is defined in/.test(note));
      expect(unread).to.deep.equal([]);
    });
  }
});
