import { expect } from 'chai';
import fc from 'fast-check';
import { createHash } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import { failed, Failure } from '../parsers/bytes/failure.js';
import {
  asKernelProfile,
  factsOf,
  isOfKernel,
  tagTablesCapacity,
  type FactsTable,
  type KernelFacts,
} from './kernel-facts.js';
import { KEPT_FIELDS, KERNEL_SYMBOLS, KERNEL_TYPES } from './kernel-names.js';
import { looksLikeProfile, makeProfile, profileFileName, readProfile } from './profile-file.js';
import { longType, shortType } from './profile-types.js';
import { findProfile, kernelEntries } from './profiles/profiles.js';

const GUID = '0123456789ABCDEF0123456789ABCDEF';

function table(parts: Partial<FactsTable> = {}): FactsTable {
  return {
    pdb: { name: 'ntkrnlmp.pdb', guid: GUID, age: 17 },
    machine: 0x8664,
    version: '10.0.22621.3007',
    timeDateStamp: 0x1a2b3c4d,
    sizeOfImage: 0x1047000,
    poolTagTablesCapacity: 2048,
    rvas: new Map([
      ['PoolTrackTable', 0xc1b2a8],
      ['ExPoolTagTables', 0xffffffff],
    ]),
    layouts: new Map([
      [
        '_LIST_ENTRY',
        {
          name: '_LIST_ENTRY',
          size: 16,
          fields: { Flink: { offset: 0, type: '*_LIST_ENTRY' }, Blink: { offset: 8, type: '*' } },
        },
      ],
    ]),
    ...parts,
  };
}

/** All that can be asked of facts, in a form to compare. */
function everything(facts: KernelFacts): unknown {
  return {
    pdb: facts.pdb,
    machine: facts.machine,
    version: facts.version,
    image: [facts.timeDateStamp, facts.sizeOfImage],
    capacity: facts.poolTagTablesCapacity,
    rvas: KERNEL_SYMBOLS.map((name) => facts.rva(name)),
    layouts: KERNEL_TYPES.map((type) => facts.layout(type)),
  };
}

function read(text: string): KernelFacts {
  const facts = readProfile(text);
  if (failed(facts)) throw new Error(facts.message);
  return facts;
}

function builtIn(version: string): KernelFacts {
  const entry = kernelEntries().find((each) => each.version === version)!;
  const pdb = { name: 'ntkrnlmp.pdb', guid: entry.pdbKey.slice(0, 32), age: parseInt(entry.pdbKey.slice(32), 16) };
  const { profile } = findProfile({ pdb, timeDateStamp: null, sizeOfImage: null, buildNumber: 0 })!;
  return { ...profile, machine: 0x8664, rva: (name) => profile.rva(name), layout: (type) => profile.layout(type) };
}

describe('a profile file', () => {
  for (const version of ['6.1.7601.24540', '10.0.19041.804', '10.0.22000.2538']) {
    it(`holds all that the built-in tables know of ${version}`, () => {
      const facts = builtIn(version);
      const text = makeProfile(facts);
      expect(everything(read(text))).to.deep.equal(everything(facts));
      expect(makeProfile(read(text))).to.equal(text);
      expect(text.length).to.be.lessThan(85_000);
      expect(deflateSync(text).length).to.be.lessThan(29_000);
    });
  }

  it('survives being mailed: other line ends, other wrapping, blanks, comments, a mark at its start', () => {
    const text = makeProfile(factsOf(table()));
    const expected = everything(factsOf(table()));
    const ways = [
      text.replaceAll('\n', '\r\n'),
      `\ufeff${text}`,
      text.replaceAll('\n', '\n\n  '),
      text.replace('symbols', '# a remark\n\tsymbols'),
      text.trimEnd(),
      text
        .split('\n')
        .map((line) => (line.startsWith('#') ? line : line.replaceAll(' ', '\n')))
        .join('\n')
        .replace('dumpleak-profile\n1', 'dumpleak-profile 1'),
    ];
    for (const way of ways) expect(everything(read(way))).to.deep.equal(expected);
    expect(Math.max(...text.split('\n').map((line) => line.length))).to.be.at.most(100);
    expect(text).to.match(/^[\x20-\x7e\n]*$/);
  });

  it('says what is not known', () => {
    const unknown = table({
      machine: null,
      version: null,
      timeDateStamp: null,
      sizeOfImage: null,
      poolTagTablesCapacity: null,
    });
    expect(everything(read(makeProfile(factsOf(unknown))))).to.deep.equal(everything(factsOf(unknown)));
  });

  it('leaves out what nobody asks for', () => {
    const fields = {
      Key: { offset: 0, type: 'long' },
      UniqueProcessId: { offset: 8, type: '*void' },
      Other: { offset: 16, type: 'long' },
    };
    const layouts = new Map(
      ['_EPROCESS', '_POOL_HEADER', '_SOMETHING'].map((name) => [name, { name, size: 24, fields }]),
    );
    const facts = read(makeProfile(factsOf(table({ layouts, rvas: new Map([['Unheard', 1]]) }))));
    expect(Object.keys(facts.layout('_EPROCESS')!.fields)).to.deep.equal(['UniqueProcessId']);
    expect(Object.keys(facts.layout('_POOL_HEADER')!.fields)).to.deep.equal(Object.keys(fields));
    expect(facts.layout('_SOMETHING')).to.equal(null);
    expect(facts.rva('Unheard')).to.equal(null);
    expect([...KEPT_FIELDS.keys()].every((type) => KERNEL_TYPES.includes(type))).to.equal(true);
  });

  it('is named after the PDB', () => {
    expect(profileFileName(factsOf(table()))).to.equal(`ntkrnlmp-${GUID}11.profile.txt`);
    const odd = { name: 'C:\\build\\..\\nt krnl.pdb', guid: GUID, age: 1 };
    expect(profileFileName(factsOf(table({ pdb: odd })))).to.equal(`nt_krnl-${GUID}1.profile.txt`);
    expect(everything(read(makeProfile(factsOf(table({ pdb: odd })))))).to.deep.include({
      pdb: { name: '-', guid: GUID, age: 1 },
    });
  });

  describe('is refused', () => {
    const text = makeProfile(factsOf(table()));
    const why = (changed: string): string => {
      const facts = readProfile(changed);
      expect(facts, changed).to.be.instanceOf(Failure);
      return (facts as Failure).message;
    };
    /** The text with another sum, so that what it says is looked at. */
    const resealed = (from: string | RegExp, to: string): string => {
      const changed = text.replace(from, to);
      expect(changed).not.to.equal(text);
      return sealed(changed);
    };

    it('when it is something else, of another format, or cut short', () => {
      expect(looksLikeProfile('hello')).to.equal(false);
      expect(why('hello')).to.match(/begin with/);
      expect(why(text.replace('profile 1', 'profile 2'))).to.match(/format is 2/);
      for (let length = 20; length < text.length - 2; length += 7) why(text.slice(0, length));
      expect(why(text.slice(0, -30))).to.match(/cut short|changed/);
      expect(why(`${text}more`)).to.be.a('string');
      expect(why('dumpleak-profile 1 '.padEnd(5_000_000, 'x'))).to.match(/too many/);
    });

    it('when a letter was changed', () => {
      fc.assert(
        fc.property(fc.nat(), fc.constantFrom('0', '7', 'f', 'z', ':', '=', '_'), (place, letter) => {
          const at = place % text.length;
          const changed = text.slice(0, at) + letter + text.slice(at + 1);
          const facts = readProfile(changed);
          if (failed(facts)) return;
          expect(everything(facts)).to.deep.equal(everything(factsOf(table())));
        }),
        { numRuns: 300 },
      );
    });

    const wrong: readonly (readonly [string | RegExp, string, RegExp])[] = [
      [GUID, 'XYZ', /GUID/],
      [' 11\n', ' -\n', /age/],
      ['8664', '18664', /machine/],
      ['10.0.22621.3007', 'ten', /version/],
      ['1a2b3c4d', '123456789', /time stamp/],
      ['2048', '0x800', /ExPoolTagTables/],
      ['symbols 2', 'symbols 3', /symbol|structs/],
      ['symbols 2', 'symbols 999999999', /symbol/],
      ['PoolTrackTable=', 'ExPoolTagTables=', /ExPoolTagTables/],
      ['PoolTrackTable=c1b2a8', 'PoolTrackTable=', /PoolTrackTable/],
      ['=c1b2a8', '=1ffffffff', /PoolTrackTable/],
      ['structs 1', 'structs 2', /struct/],
      ['structs 1', 'structs 0', /not expected/],
      ['_LIST_ENTRY 10', '_LIST_ENTRY -1', /size/],
      ['Blink:8:', 'Blink:11:', /field/],
      ['Blink:8:', 'Flink:8:', /field/],
      ['Blink:8:*', 'Blink:8:', /field/],
      ['pdb', 'pbd', /"pdb" is missing/],
    ];
    for (const [from, to, message] of wrong) {
      it(`with ${JSON.stringify(to)} for ${String(from)}`, () => {
        expect(why(resealed(from, to))).to.match(message);
      });
    }
  });

  it('never breaks the reader, whatever words it has', () => {
    const word = fc.oneof(
      fc.constantFrom(
        'pdb',
        'machine',
        'version',
        'image',
        'symbols',
        'structs',
        'struct',
        'end',
        '-',
        '1',
        '__proto__:0:u8',
        'a=1',
      ),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 30 }), (words) => {
        readProfile(sealed(`dumpleak-profile 1\npdb x ${GUID} 1 machine - ${words.join(' ')} end 0`));
      }),
    );
  });
});

const sumOf = (words: readonly string[]): string =>
  createHash('sha256').update(words.join(' ')).digest('hex').slice(0, 16);

/** A profile with the sum that its words have. */
function sealed(text: string): string {
  const [head = '', ...lines] = text.split('\n');
  const words = lines
    .filter((line) => !line.startsWith('#'))
    .join(' ')
    .split(/\s+/)
    .filter(Boolean);
  const content = words.slice(0, -2);
  return `${head}\n${content.join(' ')}\nend ${sumOf(content)}\n`;
}

describe('kernel facts', () => {
  it('match a kernel by GUID and age, however the GUID is spelled', () => {
    const facts = factsOf(table());
    expect(isOfKernel(facts, { guid: '{01234567-89ab-cdef-0123-456789abcdef}', age: 17 })).to.equal(true);
    expect(isOfKernel(facts, { guid: GUID, age: 1 })).to.equal(false);
    expect(isOfKernel(facts, { guid: GUID.replace('0', '1'), age: 17 })).to.equal(false);
  });

  it('fill a profile, with the identity of the dump where they say nothing', () => {
    const identity = { pdb: null, timeDateStamp: 1, sizeOfImage: 2, buildNumber: 22621 };
    const known = asKernelProfile(factsOf(table()), identity);
    expect(known).to.include({ version: '10.0.22621.3007', buildNumber: 22621, timeDateStamp: 0x1a2b3c4d });
    expect(known.rva('PoolTrackTable')).to.equal(0xc1b2a8);
    const unknown = asKernelProfile(
      factsOf(table({ version: null, timeDateStamp: null, sizeOfImage: null })),
      identity,
    );
    expect(unknown).to.include({ version: 'build 22621', timeDateStamp: 1, sizeOfImage: 2 });
  });

  it('believe in arrays of tag tables of a believable size', () => {
    expect(tagTablesCapacity(0x4000, 8)).to.equal(2048);
    expect(tagTablesCapacity(0x405, 4)).to.equal(257);
    expect(tagTablesCapacity(4, 8)).to.equal(null);
    expect(tagTablesCapacity(null, 8)).to.equal(null);
    expect(tagTablesCapacity(1e6, 8)).to.equal(null);
  });
});

describe('field types as words', () => {
  const types: readonly (readonly [string, string])[] = [
    ['unsigned long long', 'u64'],
    ['*unsigned long[3][2]', '*u32[3][2]'],
    ['unsigned long:8:12', 'u32:8:12'],
    ['unsigned int', 'uint'],
    ['int', 'int'],
    ['*_EPROCESS', '*_EPROCESS'],
    ['_LIST_ENTRY[2]', '_LIST_ENTRY[2]'],
    ['*', '*'],
    ['*[28]', '*[28]'],
    ['ns::Type:0:3', 'ns::Type:0:3'],
    ['__unnamed', '__unnamed'],
  ];
  for (const [long, short] of types) {
    it(`${long} is ${short}`, () => {
      expect(shortType(long)).to.equal(short);
      expect(longType(short)).to.equal(long);
    });
  }

  it('that cannot be words are unknown', () => {
    expect(shortType('std::pair<int, int>')).to.equal('?');
    expect(shortType('u64')).to.equal('?');
    expect(longType('')).to.equal(null);
  });
});
