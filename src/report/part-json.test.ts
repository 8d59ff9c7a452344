import { expect } from 'chai';
import { virtual } from '../../parsers/addresses.js';
import type { SearchResult } from '../analysis/search.js';
import { FULL } from './golden/samples.js';
import { renderJson } from './json.js';
import { renderPart, searchPart } from './part-json.js';
import { renderSearch } from './text/search.js';

describe('renderPart', () => {
  it('writes parts as the whole result has them, in the order given', () => {
    const { warnings, memory, dump } = FULL;
    const text = renderPart({ dump, memory, warnings });
    expect(text).to.match(/\}\n$/);
    const whole = JSON.parse(renderJson(FULL)) as Record<string, unknown>;
    const part = JSON.parse(text) as Record<string, unknown>;
    expect(Object.keys(part)).to.deep.equal(['dump', 'memory', 'warnings']);
    for (const name of ['dump', 'memory', 'warnings']) {
      expect(JSON.stringify(part[name]), name).to.equal(JSON.stringify(whole[name]));
    }
  });

  it('keeps what the result does not have, and null for a part that is missing', () => {
    expect(renderPart({ drivers: 3, memory: null, canAnalyze: { b: true, a: undefined } })).to.equal(
      '{\n  "drivers": 3,\n  "memory": null,\n  "canAnalyze": {\n    "b": true,\n    "a": null\n  }\n}\n',
    );
  });

  it('escapes what a terminal could act on, and only that', () => {
    const text = 'a\u009b\u202e\u001b\u200b\u2028ä😀\ud800';
    const json = renderPart({ text });
    expect(json).to.include('"a\\u009b\\u202e\\u001b\\u200b\\u2028ä😀\\ud800"');
    expect(JSON.parse(json)).to.deep.equal({ text });
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
