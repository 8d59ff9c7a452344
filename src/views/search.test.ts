import { expect } from 'chai';
import { virtual } from '../../parsers/addresses.js';
import type { SearchResult } from '../analysis/search.js';
import { FULL } from '../report/golden/samples.js';
import { acceptanceBlock, goldenBeside } from './golden.test.helper.js';
import { leakResult } from './samples.test.helper.js';
import { renderHits, renderSearch, searchedSentences, searchPart } from './search.js';

const expectGolden = goldenBeside(import.meta.url);

const bytes = (hex: string) => Uint8Array.from(hex.split(' '), (pair) => parseInt(pair, 16));
const FIRST = bytes('4c 65 61 6b 3b c1 0f 42 c1 41 8d 49 fd 8b d0 ff');
const SECOND = bytes('4c 65 61 6b 3b c1 0f 42 c1 33 c9 8b d0 ff 15 cc');

describe('s -a', () => {
  it('prints the transcript of the worked example', function () {
    const transcript = acceptanceBlock('!for_each_module s -a @#Base @#End "Leak"');
    // The acceptance text stands outside of the project.
    if (transcript === null) return this.skip();
    const hits = [
      { address: 0xfffff880044b63aan, bytes: FIRST },
      { address: '0xfffff880044b6621', bytes: SECOND },
    ];
    expect(renderHits(hits)).to.equal(`${transcript.join('\n')}\n`);
  });

  it('fills up what is missing, and takes no more than 16 bytes', () => {
    expect(renderHits([{ address: 0xfffff88000000ffen, bytes: bytes('4c 65') }])).to.equal(
      'fffff880`00000ffe  4c 65 ?? ?? ?? ?? ?? ??-?? ?? ?? ?? ?? ?? ?? ??  Le??????????????\n',
    );
    const long = renderHits([{ address: 0xf7a1c000n, bytes: new Uint8Array(64).fill(0x7f) }]);
    expect(long).to.equal(`f7a1c000  ${'7f '.repeat(7)}7f-${'7f '.repeat(7)}7f  ${'.'.repeat(16)}\n`);
    expect(renderHits([])).to.equal('');
  });

  it('has addresses of one width', () => {
    const hits = [0x1000n, 0xfffff88000000ffen].map((address) => ({ address, bytes: FIRST }));
    expect(renderHits(hits)).to.match(/^00000000`00001000 /);
  });
});

describe('the report of a search', () => {
  const result = leakResult();
  const searched = { modules: 4, notTranslatable: 1, pagesPresent: 1500, pagesMissing: 20 };
  const report = { dump: result.dump, system: result.system, modules: result.modules!, searched, pattern: '"Leak"' };

  it('has the hits by module', () => {
    const hits = [
      { module: 2, address: 0xfffff88001b74ffen, bytes: FIRST.subarray(0, 2) },
      { module: 3, address: 0xfffff880044b63aan, bytes: FIRST },
      { module: 3, address: 0xfffff880044b6621n, bytes: SECOND },
      { module: 99, address: 0xfffff880ffffffffn, bytes: SECOND },
    ];
    expectGolden('search.txt', renderSearch({ ...report, hits }));
  });

  it('says that nothing was found, and that the search was not whole', () => {
    const text = renderSearch({ ...report, hits: [] });
    expect(text).to.match(
      /^"Leak": no hit\n\n4 modules searched; 20 of their 1,520 pages \(1\.3 %\) were not in the dump\./,
    );
    expect(text).to.match(/no page could be translated: 1 module\. What is missing may hold more\.\n$/);
  });

  it('claims nothing is missing only where that is so', () => {
    const whole = { modules: 1, notTranslatable: 0, pagesPresent: 7, pagesMissing: 0 };
    expect(searchedSentences(whole)).to.equal('1 module searched, 7 pages; none of their pages was missing.');
    expect(renderSearch({ ...report, hits: [], searched: whole })).to.not.include('may hold more');
    expect(searchedSentences({ modules: 0, notTranslatable: 3, pagesPresent: 0, pagesMissing: 0 })).to.match(
      /^No module/,
    );
  });
});

describe('searchPart', () => {
  it('names the module and spells the bytes', () => {
    const found: SearchResult = {
      dump: FULL.dump,
      system: FULL.system!,
      modules: FULL.modules!,
      hits: [
        {
          module: 1,
          address: virtual(0xfffff880044b63aan),
          offset: 0x13aa,
          bytes: Uint8Array.of(0x4c, 0x65, 0x00, 0xff),
          before: new Uint8Array(0),
          section: '.text',
          executable: true,
          protectedBit: true,
        },
      ],
      searched: { modules: 1, notTranslatable: 0, pagesPresent: 7, pagesMissing: 2 },
      warnings: [],
    };
    const part = searchPart(found, '"Le"') as { search: unknown };
    expect(Object.keys(part)).to.deep.equal(['schemaVersion', 'dump', 'system', 'search', 'warnings']);
    expect(part.search).to.deep.equal({
      pattern: '"Le"',
      hits: [
        {
          module: FULL.modules![1]!.name,
          address: '0xfffff880044b63aa',
          offset: '0x13aa',
          bytes: '4c 65 00 ff',
          ascii: 'Le..',
          section: '.text',
          executable: true,
          protected: true,
          secondHalf: null,
        },
      ],
      searched: found.searched,
    });
    const pair = { second: virtual(0xfffff880044b63b2n), register: 2 };
    const halves = { ...found, hits: found.hits.map((hit) => ({ ...hit, arm64: { pair, loadedBy: null } })) };
    const { search } = searchPart(halves, '"Le"') as { search: { hits: { secondHalf: string }[] } };
    expect(search.hits[0]?.secondHalf).to.equal('0xfffff880044b63b2');
    const text = renderSearch({ ...halves, pattern: '"Le"' });
    expect(text).to.include('built in two halves: MOVZ at fffff880`044b63aa, MOVK at fffff880`044b63b2\n');
    expect(renderSearch({ ...found, pattern: '"Le"' })).not.to.include('halves');
  });
});
